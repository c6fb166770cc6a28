"""What a process that serves keeps from the collector."""

from __future__ import annotations

import gc
import weakref

import pytest

from dragoman_gateway.serve_memory import out_of_collection


class Ring:
    """Something that refers to itself, which only the collector can free."""

    def __init__(self) -> None:
        self.itself = self


def test_what_was_there_before_is_kept_out_until_the_end() -> None:
    with out_of_collection():
        inside = gc.get_freeze_count()

    assert inside > 0
    assert gc.get_freeze_count() == 0


def test_what_comes_later_is_collected() -> None:
    with out_of_collection():
        ring = weakref.ref(Ring())
        gc.collect()

        assert ring() is None


def test_it_ends_with_an_error_too() -> None:
    with pytest.raises(ValueError, match="broken"), out_of_collection():
        raise ValueError("broken")

    assert gc.get_freeze_count() == 0
