import asyncio

import pytest

from dragoman.cli.sending import in_doubt_if_interrupted


def test_order_on_its_way_when_interrupted_is_named(shell):
    with pytest.raises(asyncio.CancelledError), in_doubt_if_interrupted(shell, "a1"):
        raise asyncio.CancelledError

    assert "order a1 was on its way: it may be live" in shell.err.file.getvalue()


def test_nothing_is_said_of_an_order_that_failed_by_itself(shell):
    with pytest.raises(ZeroDivisionError), in_doubt_if_interrupted(shell, "a1"):
        raise ZeroDivisionError

    assert "" == shell.err.file.getvalue()
