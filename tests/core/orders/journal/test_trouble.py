"""While a journal can't be written nothing is begun, and nothing that was told is lost."""

import sqlite3
from contextlib import closing

import attrs
import pytest
from tests.journalled import (
    NOW_NS,
    accepted,
    file_of,
    live,
    numbers,
    opened,
    request,
    submitted,
)

from dragoman.errors import (
    JournalUnavailableError,
    SequenceGapError,
)
from dragoman.models import (
    FrozenMapping,
)
from dragoman.orders.journal.lock import AccountLock
from dragoman.orders.journal.pruning import prune
from dragoman.times import DAY_NS

FULL = "journal .* can't be used"


@pytest.fixture
def journal(tmp_path):
    made = opened(tmp_path)
    yield made
    made.close()


@pytest.fixture
def reopen(tmp_path, journal):
    made = []

    def again(**settings):
        (made or [journal])[-1].close()
        made.append(opened(tmp_path, **settings))
        return made[-1]

    yield again
    for one in made:
        one.close()


def fill_the_disk(journal):
    """Let the file grow no further; returns what frees the space again."""
    connection = journal._connection
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    return lambda: connection.execute("PRAGMA max_page_count = 1000000")


def much(name="big"):
    """An event that needs more pages than are free."""
    event = accepted(name)
    return attrs.evolve(event, order=attrs.evolve(event.order, reason="x" * 20_000))


def die(journal):
    """Do what is left of a process that dies: the system closes its files."""
    journal._unsaved.clear()
    journal._connection.close()
    journal._lock.release()


def test_f73_nothing_is_begun_while_the_disk_is_full(journal) -> None:
    fill_the_disk(journal)

    with pytest.raises(JournalUnavailableError, match="nothing may be sent"):
        journal.begin([request("big")], [much()])

    assert (None, 0) == (journal.intent("big"), journal.last_sequence)
    assert "OperationalError" in journal.trouble


def test_f73_events_are_handed_out_and_written_when_there_is_space_again(journal, reopen) -> None:
    kept = journal.append([submitted()])
    free = fill_the_disk(journal)

    kept += journal.append([much()])
    kept += journal.append([much("other")])
    in_trouble = (journal.trouble, journal.since(0, 10), journal.history("big").events)
    free()
    kept += journal.append([accepted()])

    assert [1, 2, 3, 4] == numbers(kept)
    assert in_trouble[0] is not None
    assert (kept[:3], (kept[1],)) == in_trouble[1:]
    assert journal.trouble is None
    assert kept == reopen().since(0, 10)


def test_f73_more_than_is_retried_at_once_is_written_in_order(journal, reopen) -> None:
    journal._connection.execute("PRAGMA query_only = ON")
    kept = journal.append([accepted()] * 600)
    journal._connection.execute("PRAGMA query_only = OFF")
    journal.flush()

    assert (None, []) == (journal.trouble, journal._unsaved)
    assert kept == reopen().since(0, 1000)


def test_f73_flushing_clears_the_trouble_only_by_writing(journal, reopen) -> None:
    free = fill_the_disk(journal)
    kept = journal.append([much()])
    journal.flush()
    still = journal.trouble
    free()
    journal.flush()

    assert (True, None) == (still is not None, journal.trouble)
    assert kept == reopen().since(0, 10)


def test_f73_a_journal_that_may_not_write_says_so_until_it_may(journal) -> None:
    journal._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(JournalUnavailableError):
        journal.begin([request()], [submitted()])
    journal.flush()
    while_forbidden = journal.trouble
    journal._connection.execute("PRAGMA query_only = OFF")

    begun = journal.begin([request()], [submitted()])

    assert (True, [1], None) == (while_forbidden is not None, numbers(begun), journal.trouble)


def test_an_intent_forgotten_on_a_full_disk_stays_forgotten(journal, reopen) -> None:
    journal.begin([request()], [submitted()])
    journal._connection.execute("PRAGMA query_only = ON")
    journal.forget(["one"])
    journal._intents.clear()
    meanwhile = journal.intent("one")
    journal._connection.execute("PRAGMA query_only = OFF")
    journal.flush()

    assert (None, None) == (meanwhile, reopen().intent("one"))


def test_numbers_lost_with_their_process_are_not_given_again(journal, tmp_path) -> None:
    journal.append([submitted()])
    fill_the_disk(journal)
    lost = journal.append([much(), much("other")])
    die(journal)

    again = opened(tmp_path)
    after_crash = again.last_sequence
    kept = again.append([accepted()])

    assert ([2, 3], 3, [4]) == (numbers(lost), after_crash, numbers(kept))
    assert kept == again.since(3, 10)
    assert [1] == numbers(again.since(0, 10))
    with pytest.raises(SequenceGapError, match="events 2 to 3 are gone"):
        again.since(1, 10)
    again.close()


def test_lost_numbers_are_a_gap_before_anything_follows_them(journal, tmp_path) -> None:
    journal.append([submitted()])
    fill_the_disk(journal)
    journal.append([much()])
    die(journal)

    again = opened(tmp_path)

    assert [] == again.since(2, 10)
    with pytest.raises(SequenceGapError, match="events 2 to 2 are gone"):
        again.since(1, 10)
    again.close()


def test_an_event_that_has_no_form_stops_the_sending_and_is_not_lost(journal) -> None:
    event = accepted()
    odd = attrs.evolve(event.order, venue_options=FrozenMapping({"mock.x": object()}))
    journal.append([attrs.evolve(event, order=odd)])

    with pytest.raises(JournalUnavailableError, match="InvalidValueError"):
        journal.begin([request("two")], [submitted("two")])

    assert odd == journal.since(0, 1)[0].order
    journal._unsaved.clear()


def test_what_is_lost_at_the_end_is_logged(journal, caplog) -> None:
    fill_the_disk(journal)
    journal.append([much()])

    journal.close()

    assert "events of an account are lost" in caplog.messages
    assert 1 == caplog.records[-1].count


def test_a_journal_that_somebody_else_writes_to_gives_no_number_twice(journal, tmp_path) -> None:
    with closing(sqlite3.connect(file_of(tmp_path))) as intruder, intruder:
        intruder.execute("INSERT INTO events VALUES (1, NULL, 0, x'00')")

    journal.append([accepted()])

    assert "SQLITE_CONSTRAINT" in journal.trouble
    with pytest.raises(JournalUnavailableError, match="nothing may be sent"):
        journal.begin([request()], [submitted()])
    journal._unsaved.clear()


def test_a_journal_that_cannot_drop_what_is_old_opens_and_sends_when_it_can(
    journal, tmp_path
) -> None:
    live(journal, "old", NOW_NS - 99 * DAY_NS)
    journal.close()
    with closing(sqlite3.connect(file_of(tmp_path), isolation_level=None)) as intruder:
        intruder.execute("BEGIN IMMEDIATE")
        again = opened(tmp_path)
        meanwhile = (again.trouble, again.last_sequence)
        intruder.execute("ROLLBACK")
    begun = again.begin([request()], [submitted()])
    again.close()

    assert ("OperationalError" in meanwhile[0], 3) == (True, meanwhile[1])
    assert [4] == numbers(begun)


@pytest.mark.parametrize("end", ["ABORT", "ROLLBACK"])
def test_a_failure_in_the_midst_of_dropping_leaves_the_journal_whole(journal, end) -> None:
    live(journal, "old", NOW_NS - 99 * DAY_NS)
    trap = f"CREATE TRIGGER trap BEFORE DELETE ON orders BEGIN SELECT RAISE({end}, 'no'); END"
    journal._connection.execute(trap)

    with pytest.raises(sqlite3.IntegrityError):
        prune(journal._connection, NOW_NS)

    assert ([1, 2, 3], request("old")) == (numbers(journal.since(0, 9)), journal.intent("old"))
    assert not journal._rows.has_spent_ids


def test_a_closed_journal_reads_and_begins_nothing(journal) -> None:
    journal.close()

    with pytest.raises(JournalUnavailableError, match="closed"):
        journal.intent("one")
    with pytest.raises(JournalUnavailableError, match="closed"):
        journal.begin([request()], [submitted()])
    assert "the journal is closed" == journal.trouble


def test_a_row_that_was_damaged_is_no_order_unknown(journal) -> None:
    journal.begin([request()], [submitted()])
    journal._connection.execute("UPDATE orders SET intent = x'c1'")
    journal._connection.execute("UPDATE events SET body = x'c1'")
    journal._intents.clear()

    with pytest.raises(JournalUnavailableError, match=r"an intent .* can't be read"):
        journal.intent("one")
    with pytest.raises(JournalUnavailableError, match=r"event 1 .* can't be read"):
        journal.since(0, 1)


def test_i14_no_message_of_the_store_itself_is_shown(tmp_path) -> None:
    opened(tmp_path).close()
    file_of(tmp_path).write_bytes(b"canary-4711" * 1000)

    with pytest.raises(JournalUnavailableError) as caught:
        opened(tmp_path)

    assert caught.value.__suppress_context__
    assert "canary" not in str(caught.value)


def test_reading_a_store_that_fails_is_an_error_not_an_empty_answer(journal) -> None:
    journal._connection.execute("DROP TABLE orders")

    with pytest.raises(JournalUnavailableError, match=FULL):
        journal.intent("one")
    with pytest.raises(JournalUnavailableError, match=FULL):
        [*journal.unfinished()]


def test_a_journal_whose_lock_was_lost_writes_nothing(tmp_path) -> None:
    journal = opened(tmp_path)
    journal._lock.release()

    with pytest.raises(JournalUnavailableError, match="connect"):
        journal.begin([request()], [submitted()])
    kept = journal.append([accepted()])
    journal._connection.close()

    with sqlite3.connect(file_of(tmp_path)) as connection:
        assert [(0,)] == connection.execute("SELECT count(*) FROM events").fetchall()
    connection.close()
    assert ([1], True) == (numbers(kept), "connect() anew" in journal.trouble)
    assert AccountLock(file_of(tmp_path).with_suffix(".lock")).owner_pid is not None
