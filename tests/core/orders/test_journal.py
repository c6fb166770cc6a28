"""The sequence has no gap, and what is no longer kept is said to be so."""

import pytest

from dragoman import OrderRequest, SequenceGapError, Side
from dragoman.orders.journal import MemoryJournal
from dragoman.orders.tracker import OrderTracker

REQUEST = OrderRequest.market("AAPL", Side.BUY, 1, client_order_id="one")
EVENT = OrderTracker("paper-1", "mock").register(REQUEST, 0)


def test_events_are_numbered_from_one_without_a_gap() -> None:
    journal = MemoryJournal()

    numbers = [journal.append(EVENT).sequence for _ in range(3)]

    assert ([1, 2, 3], 3) == (numbers, journal.last_sequence)


def test_since_returns_what_follows_up_to_the_limit() -> None:
    journal = MemoryJournal()
    for _ in range(5):
        journal.append(EVENT)

    assert [3, 4] == [event.sequence for event in journal.since(2, 2)]
    assert [] == list(journal.since(5, 10))


def test_events_no_longer_kept_are_a_gap_not_silence() -> None:
    journal = MemoryJournal(kept_events=2)
    for _ in range(4):
        journal.append(EVENT)

    assert [3, 4] == [event.sequence for event in journal.since(2, 10)]
    with pytest.raises(SequenceGapError, match="after sequence 1 are gone"):
        journal.since(1, 10)


def test_an_intent_is_kept_until_it_is_forgotten() -> None:
    journal = MemoryJournal()
    journal.record_intent(REQUEST)

    kept = journal.intent("one")
    journal.forget_intent("one")

    assert (REQUEST, None) == (kept, journal.intent("one"))
