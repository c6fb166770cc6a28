"""One owner sends the orders of an account; everybody else reads."""

import os
import sqlite3
import sys
import threading

import pytest
from tests.journalled import accepted, file_of, numbers, opened, request, submitted

from dragoman.errors import AccountLockedError, JournalUnavailableError, SequenceGapError
from dragoman.orders.journal import lock as lock_module
from dragoman.orders.journal.guest import GuestJournal
from dragoman.orders.journal.lock import AccountLock


@pytest.fixture
def owner(tmp_path):
    journal = opened(tmp_path)
    journal.begin([request()], [submitted()])
    journal.append([accepted()])
    yield journal
    journal.close()


@pytest.fixture
def guest(owner, tmp_path):
    journal = opened(tmp_path)
    yield journal
    journal.close()


def test_f48_the_second_to_open_a_journal_is_a_guest(guest) -> None:
    assert isinstance(guest, GuestJournal)
    assert guest.trouble is None


def test_f48_a_guest_begins_nothing_and_names_the_owner(guest, owner) -> None:
    with pytest.raises(AccountLockedError, match=f"process {os.getpid()} sends the orders"):
        guest.begin([request("two")], [submitted("two")])

    assert (None, 2) == (owner.intent("two"), guest.last_sequence)


def test_a_guest_reads_what_the_owner_writes(guest, owner) -> None:
    owner.begin([request("two")], [submitted("two")])
    owner.append([accepted("two", venue_id="9")])

    assert (request("two"), "two") == (guest.intent("two"), guest.name_of("AAPL", "9"))
    assert {"one", "two"} == {one.client_order_id for one in guest.unfinished()}
    assert owner.history("two") == guest.history("two")


def test_a_guest_cannot_write_to_the_file(guest, owner) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        guest._connection.execute("DELETE FROM events")

    assert [1, 2] == numbers(owner.since(0, 10))


def test_a_guest_numbers_its_own_view_on_from_where_it_joined(guest, owner) -> None:
    owner.append([accepted("three")])
    kept = guest.append([accepted("elsewhere")])
    guest.forget(["one"])
    guest.flush()

    seen = [event.order.client_order_id for start in (0, 2) for event in guest.since(start, 10)]

    assert ([3], 3) == (numbers(kept), guest.last_sequence)
    assert ["one", "one", "elsewhere"] == seen
    assert [[1], [2]] == [numbers(guest.since(start, 1)) for start in (0, 1)]
    assert request() == owner.intent("one")


def test_what_a_guest_was_told_is_not_in_the_file(guest, owner, tmp_path) -> None:
    guest.append([accepted("elsewhere")])
    guest.close()
    guest.close()
    owner.close()

    again = opened(tmp_path)
    found = (again.last_sequence, again.history("elsewhere"))
    again.close()

    assert (2, None) == found


def test_a_closed_guest_reads_nothing(guest) -> None:
    guest.close()

    with pytest.raises(JournalUnavailableError, match="closed"):
        guest.intent("one")


def test_a_guest_is_told_of_a_gap_in_the_owners_file(guest, owner) -> None:
    owner._connection.execute("DELETE FROM events WHERE sequence = 1")

    with pytest.raises(SequenceGapError, match="events 1 to 1 are gone"):
        guest.since(0, 10)


def test_a_guest_of_a_file_that_is_no_journal_is_refused(owner, tmp_path) -> None:
    owner._connection.execute("PRAGMA application_id = 1")

    with pytest.raises(JournalUnavailableError, match="no journal of this library"):
        opened(tmp_path)


def test_a_guest_of_a_file_that_cannot_be_read_is_refused(owner, tmp_path) -> None:
    owner._connection.execute("UPDATE shapes SET text = '{' WHERE number = 1")

    with pytest.raises(JournalUnavailableError, match="can't be used"):
        opened(tmp_path)


def test_a_guest_stays_one_and_the_next_to_open_is_the_owner(owner, guest, tmp_path) -> None:
    owner.close()

    with pytest.raises(AccountLockedError):
        guest.begin([request("two")], [submitted("two")])
    again = opened(tmp_path)
    begun = again.begin([request("two")], [submitted("two")])
    again.close()

    assert [3] == numbers(begun)


def test_of_many_threads_one_gets_the_lock(tmp_path) -> None:
    locks = [AccountLock(tmp_path / "a.lock") for _ in range(16)]
    line = threading.Barrier(len(locks))
    found = []

    def run(lock):
        line.wait(10)
        found.append(lock.acquire())

    threads = [threading.Thread(target=run, args=[lock]) for lock in locks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = [lock for lock in locks if lock.is_held]
    for lock in locks:
        lock.release()

    assert (1, 15) == (found.count(True), found.count(False))
    assert 1 == len(held)


def test_a_lock_that_was_released_is_free_for_the_next(tmp_path) -> None:
    first, second = AccountLock(tmp_path / "a.lock"), AccountLock(tmp_path / "a.lock")
    first.acquire()
    first.release()
    first.release()

    assert (False, True) == (first.is_held, second.acquire())
    second.release()


def test_a_lock_file_that_says_nothing_has_no_owner_and_no_number(tmp_path) -> None:
    path = tmp_path / "a.lock"
    lock = AccountLock(path)
    before = (lock.owner_pid, lock.handed_out)
    path.write_bytes(b"\xff\xfe nonsense")

    assert (None, 0) == before
    assert (None, 0) == (lock.owner_pid, lock.handed_out)


def test_what_was_handed_out_is_kept_for_the_next_owner(tmp_path) -> None:
    first, second = AccountLock(tmp_path / "a.lock"), AccountLock(tmp_path / "a.lock")
    first.acquire()
    first.note(42)
    first.release()
    second.acquire()

    assert (42, os.getpid()) == (second.handed_out, second.owner_pid)
    second.release()


def test_who_does_not_hold_the_lock_notes_nothing(tmp_path) -> None:
    lock = AccountLock(tmp_path / "a.lock")
    lock.acquire()
    lock.note(7)
    lock.release()
    lock.note(8)

    assert 7 == lock.handed_out


def test_f67_a_child_gives_up_what_its_parent_holds(tmp_path) -> None:
    locks = [AccountLock(tmp_path / name) for name in "ab"]
    for lock in locks:
        lock.acquire()

    lock_module._give_up_in_child()

    assert [False, False] == [lock.is_held for lock in locks]


def test_a_lock_that_cannot_be_made_is_said_to_be_so(tmp_path) -> None:
    with pytest.raises(JournalUnavailableError, match=r"a\.lock can't be opened"):
        AccountLock(tmp_path / "missing" / "a.lock").acquire()


def test_a_lock_file_is_beside_the_journal(owner, tmp_path) -> None:
    assert os.getpid() == AccountLock(file_of(tmp_path).with_suffix(".lock")).owner_pid


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_f67_a_forked_child_neither_sends_nor_keeps_the_account(owner, tmp_path) -> None:
    ready, answer = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os._exit(_child(owner, ready, answer))
    os.read(ready[0], 1)
    owner.close()
    again = opened(tmp_path)
    begun = again.begin([request("two")], [submitted("two")])
    os.write(answer[1], b".")
    _, status = os.waitpid(child, 0)
    again.close()
    for end in (*ready, *answer):
        os.close(end)

    assert ([3], 0) == (numbers(begun), os.waitstatus_to_exitcode(status))


def _child(journal, ready, answer):
    """Try to send; live on until told; the exit code says what happened."""
    try:
        journal.begin([request("child")], [submitted("child")])
    except JournalUnavailableError as error:
        is_refused = "forked" in str(error)
    else:
        is_refused = False
    journal.append([accepted("child")])
    journal.close()
    os.write(ready[1], b".")
    os.read(answer[0], 1)
    return 0 if is_refused else 1
