"""A halt holds at once, in every process that shares its marker, until it is cleared."""

from pathlib import Path
from threading import Thread

import pytest

from dragoman import HaltedError, JournalUnavailableError, Outcome
from dragoman.orders.halt import HaltSwitch, halt_marker, halt_markers


def test_a_set_switch_refuses_with_its_cause_and_a_cleared_one_does_not() -> None:
    switch = HaltSwitch()
    switch.set("fat finger", 0)

    with pytest.raises(HaltedError, match="fat finger") as raised:
        switch.check("mock")
    switch.clear()
    switch.check("mock")

    assert (Outcome.NOT_SENT, "mock") == (raised.value.outcome, raised.value.provider)


def test_i09_a_halt_returns_only_when_the_first_byte_under_way_is_written() -> None:
    switch = HaltSwitch()
    order: list[str] = []
    with switch.permit("mock").writing():
        halting = Thread(target=lambda: (switch.set("x", 0), order.append("halted")))
        halting.start()
        halting.join(0.05)
        order.append("written")
    halting.join()

    assert ["written", "halted"] == order


def test_a_marker_halts_every_switch_that_shares_it(tmp_path: Path) -> None:
    marker = tmp_path / "halts" / "mock.json"
    owner, other = HaltSwitch(marker), HaltSwitch(marker)
    other.set("from elsewhere", 0)

    halted = owner.cause
    owner.clear()

    assert ("from elsewhere", None) == (halted, HaltSwitch(marker).cause)


def test_a_marker_is_for_its_owner_only(tmp_path: Path) -> None:
    marker = tmp_path / "halts" / "mock.json"

    HaltSwitch(marker).set("x", 0)

    assert 0o600 == marker.stat().st_mode & 0o777


@pytest.mark.parametrize("content", ["", "nonsense", "[]", "{}", "null"])
def test_a_marker_that_can_not_be_read_halts_all_the_same(tmp_path: Path, content: str) -> None:
    marker = tmp_path / "mock.json"
    marker.write_text(content)

    assert HaltSwitch(marker).cause is not None


def test_a_marker_that_can_not_be_taken_away_goes_on_halting(tmp_path: Path) -> None:
    marker = tmp_path / "mock.json"
    marker.mkdir()
    switch = HaltSwitch(marker)

    with pytest.raises(JournalUnavailableError, match="the halt holds"):
        switch.clear()

    assert switch.cause is not None


def test_a_wider_marker_halts_and_is_not_cleared_here(tmp_path: Path) -> None:
    own, wider = halt_marker(tmp_path, "mock", "a"), halt_marker(tmp_path, "mock")
    switch = HaltSwitch(own, wider)
    HaltSwitch(wider).set("all of it", 0)
    switch.set("this one", 0)

    cleared = switch.clear()

    assert (None, "all of it") == (cleared, switch.cause)
    assert (wider,) == halt_markers(tmp_path, "mock")
    with pytest.raises(HaltedError, match="dragoman resume"):
        switch.check("mock")


def test_markers_of_a_provider_are_not_those_of_one_with_a_longer_name(tmp_path: Path) -> None:
    HaltSwitch(halt_marker(tmp_path, "venue-paper", "a")).set("x", 0)

    assert () == halt_markers(tmp_path, "venue")
