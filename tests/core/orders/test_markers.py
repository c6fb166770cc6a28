"""A halt's marker is whole, private, followed through no link, and obeyed whatever it holds."""

import os
import threading
from pathlib import Path

import pytest

from dragoman import HaltedError, JournalUnavailableError
from dragoman.orders.halt import HaltSwitch, halt_marker, halt_markers
from dragoman.orders.markers import is_marked, marked_cause, put_marker, take_marker_away


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "halts" / "one.json"


def test_s16_a_marker_is_private_whatever_the_mask_is(marker: Path) -> None:
    before = os.umask(0)
    try:
        put_marker(marker, "{}")
    finally:
        os.umask(before)

    assert (0o600, 0o700) == (marker.stat().st_mode & 0o777, marker.parent.stat().st_mode & 0o777)


def test_s16_every_folder_made_for_a_marker_is_private(tmp_path: Path) -> None:
    made = [tmp_path / "state", tmp_path / "state" / "halts", tmp_path / "state" / "halts" / "mock"]
    before = os.umask(0)
    try:
        put_marker(made[-1] / "one.json", "{}")
    finally:
        os.umask(before)

    assert [0o700] * 3 == [folder.stat().st_mode & 0o777 for folder in made]


def test_a_marker_replaces_an_older_one_and_leaves_no_draft(marker: Path) -> None:
    put_marker(marker, '{"cause": "old"}')
    put_marker(marker, '{"cause": "new"}')

    assert "new" == marked_cause(str(marker))
    assert [marker] == list(marker.parent.iterdir())


def test_s16_a_link_in_place_of_a_marker_is_not_written_through(
    marker: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    marker.parent.mkdir()
    marker.symlink_to(victim)

    put_marker(marker, '{"cause": "x"}')

    assert ("precious", "x") == (victim.read_text(), marked_cause(str(marker)))
    assert not marker.is_symlink()


@pytest.mark.parametrize("target", ["victim", "nowhere"])
def test_s16_a_link_is_not_read_and_halts_even_if_it_dangles(
    marker: Path, tmp_path: Path, target: str
) -> None:
    (tmp_path / "victim").write_text('{"cause": "read through a link"}')
    marker.parent.mkdir()
    marker.symlink_to(tmp_path / target)

    assert is_marked(str(marker))
    assert "a halt marker that can't be read" == marked_cause(str(marker))


def test_a_pipe_in_place_of_a_marker_halts_and_holds_nobody_up(marker: Path) -> None:
    marker.parent.mkdir()
    os.mkfifo(marker)

    assert "a halt marker that can't be read" == marked_cause(str(marker))


def test_a_folder_that_is_a_file_halts(tmp_path: Path) -> None:
    (tmp_path / "halts").write_text("in the way")

    with pytest.raises(HaltedError):
        HaltSwitch(halt_marker(tmp_path, "mock", "a")).check("mock")


def test_taking_a_marker_away_twice_is_no_error(marker: Path) -> None:
    put_marker(marker, "{}")
    take_marker_away(marker)
    take_marker_away(marker)

    assert not is_marked(str(marker))


def test_many_threads_may_halt_at_once(tmp_path: Path) -> None:
    switch = HaltSwitch(halt_marker(tmp_path, "mock", "a"))
    barrier, failures = threading.Barrier(8), list[BaseException]()

    def halt(number: int) -> None:
        barrier.wait(10)
        try:
            switch.set(f"cause {number}", 0)
        except JournalUnavailableError as error:
            failures.append(error)

    threads = [threading.Thread(target=halt, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [] == failures
    assert (halt_marker(tmp_path, "mock", "a"),) == halt_markers(tmp_path, "mock")


def test_a_permit_is_refused_from_the_moment_the_halt_is_in_force() -> None:
    switch = HaltSwitch()
    permit = switch.permit("mock")
    writes = threading.Event()
    order: list[str] = []

    def halt() -> None:
        writes.wait(10)
        switch.set("now", 0)
        order.append("halted")

    thread = threading.Thread(target=halt)
    thread.start()
    with permit.writing():
        writes.set()
        thread.join(0.05)
        order.append("written")
    thread.join()

    assert ["written", "halted"] == order
    with pytest.raises(HaltedError), switch.permit("mock").writing():
        order.append("written after the halt")
    assert permit.is_used


def test_what_closes_may_pass_its_own_halt_and_no_other() -> None:
    mine, other = HaltSwitch(), HaltSwitch()
    mine.set("x", 0)
    other.set("y", 0)

    with mine.closing():
        with mine.permit("mock").writing():
            pass
        with pytest.raises(HaltedError, match="y"):
            other.check("mock")
    with pytest.raises(HaltedError, match="x"):
        mine.check("mock")
