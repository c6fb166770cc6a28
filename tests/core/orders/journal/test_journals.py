"""Every journal numbers without a gap, keeps its intents, and says what it no longer keeps."""

import pytest
from tests.journalled import accepted, numbers, opened, request, submitted

from dragoman.errors import DuplicateOrderError, SequenceGapError
from dragoman.orders.journal import MemoryJournal


@pytest.fixture(params=["memory", "sqlite"])
def journal(request, tmp_path):
    made = MemoryJournal() if request.param == "memory" else opened(tmp_path)
    yield made
    made.close()


def test_events_are_numbered_from_one_without_a_gap(journal) -> None:
    kept = [*journal.append([submitted(), accepted()]), *journal.append([accepted()])]

    assert ([1, 2, 3], 3) == (numbers(kept), journal.last_sequence)


def test_nothing_appended_takes_no_number(journal) -> None:
    assert ([], 0) == (journal.append([]), journal.last_sequence)


def test_since_returns_what_follows_up_to_the_limit(journal) -> None:
    kept = journal.append([submitted(), *[accepted()] * 4])

    assert kept[2:4] == list(journal.since(2, 2))
    assert [] == list(journal.since(5, 10))


def test_what_is_proved_never_goes_back(journal) -> None:
    before = journal.proved_ns

    for venue_time_ns in (5, 9, 7):
        journal.prove(venue_time_ns)

    assert (None, 9) == (before, journal.proved_ns)


def test_an_intent_is_kept_until_it_is_forgotten(journal) -> None:
    begun = journal.begin([request()], [submitted()])
    kept = journal.intent("one")
    journal.forget(["one"])

    assert ([1], request(), None) == (numbers(begun), kept, journal.intent("one"))


def test_an_intent_never_begun_is_none(journal) -> None:
    assert journal.intent("one") is None


def test_an_id_that_was_given_back_may_be_used_again(journal) -> None:
    journal.begin([request()], [submitted()])
    journal.forget(["one"])

    again = journal.begin([request(quantity=2)], [submitted()])

    assert ([2], request(quantity=2)) == (numbers(again), journal.intent("one"))


def test_an_id_names_one_intent_only(journal) -> None:
    journal.begin([request()], [submitted()])

    with pytest.raises(DuplicateOrderError, match="'one' has named an order before"):
        journal.begin([request("two"), request(quantity=2)], [submitted("two"), submitted()])

    assert (request(), None, 1) == (
        journal.intent("one"),
        journal.intent("two"),
        journal.last_sequence,
    )


def test_a_journal_without_trouble_says_none_and_flushes_nothing(journal) -> None:
    journal.append([accepted()])
    journal.flush()

    assert (None, 1) == (journal.trouble, journal.last_sequence)


def test_closing_twice_is_closing_once(journal) -> None:
    journal.append([accepted()])
    journal.close()
    journal.close()

    assert 1 == journal.last_sequence


def test_a_journal_in_memory_tells_what_it_no_longer_keeps() -> None:
    journal = MemoryJournal(kept_events=2)
    journal.append([accepted()] * 4)

    assert [3, 4] == numbers(journal.since(2, 10))
    with pytest.raises(SequenceGapError, match="after sequence 1 are gone"):
        journal.since(1, 10)


def test_a_journal_in_memory_has_no_earlier_process() -> None:
    journal = MemoryJournal()
    journal.begin([request()], [submitted()])

    assert ([], None) == ([*journal.unfinished()], journal.history("one"))
    assert journal.name_of("AAPL", "7") is None
