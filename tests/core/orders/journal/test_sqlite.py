"""What is in the file when another process opens it, and what is no longer."""

import pytest
from tests.journalled import (
    NOW_NS,
    accepted,
    canceled,
    changed,
    live,
    numbers,
    opened,
    request,
    submitted,
)

from dragoman.errors import (
    DuplicateOrderError,
    SequenceGapError,
)
from dragoman.models import (
    AccountEvent,
    AccountEventKind,
    OrderEventKind,
    OrderStatus,
)
from dragoman.models.account import Account
from dragoman.orders.journal import Durability, MemoryJournal, open_journal
from dragoman.times import DAY_NS


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


def test_a_journal_without_a_folder_is_in_memory() -> None:
    assert isinstance(open_journal("mock", "paper-1", None, now_ns=NOW_NS), MemoryJournal)


def test_all_that_was_kept_is_there_for_the_next_process(journal, reopen) -> None:
    begun = journal.begin([request()], [submitted()])
    kept = [*begun, *journal.append([accepted(), canceled()])]

    again = reopen()

    assert (3, kept, request()) == (again.last_sequence, again.since(0, 10), again.intent("one"))
    assert [4] == numbers(again.append([accepted()]))


def test_the_unfinished_are_those_open_and_those_that_ended_within_a_day(journal, reopen) -> None:
    live(journal, "long-ago", NOW_NS - 2 * DAY_NS)
    live(journal, "just-now", NOW_NS - DAY_NS + 1)
    journal.begin([request("sent")], [submitted("sent")])
    journal.append([accepted("elsewhere")])

    found = {one.client_order_id: one for one in reopen().unfinished()}

    assert ["just-now", "sent", "elsewhere"] == [*found]
    assert (request("sent"), None) == (found["sent"].request, found["elsewhere"].request)
    assert [1] == [len(found["sent"].events)]
    assert [4, 5, 6] == numbers(found["just-now"].events)


def test_an_order_that_came_back_to_life_is_unfinished_again(journal, reopen) -> None:
    live(journal, "one", NOW_NS - 9 * DAY_NS)
    journal.append([changed(accepted(), OrderEventKind.ADOPTED)])

    assert ["one"] == [one.client_order_id for one in reopen().unfinished()]


def test_the_history_of_an_order_that_ended_long_ago_is_given_back(journal, reopen) -> None:
    live(journal, "old", NOW_NS - 9 * DAY_NS, venue_id="77")
    again = reopen()

    history = again.history("old")

    assert history is not None
    assert (request("old"), [1, 2, 3]) == (history.request, numbers(history.events))
    assert OrderStatus.CANCELED is history.events[-1].order.status
    assert ("old", None) == (again.name_of("AAPL", "77"), again.name_of("MSFT", "77"))
    assert again.history("never") is None


def test_an_intent_given_back_is_gone_for_the_next_process_too(journal, reopen) -> None:
    journal.begin([request()], [submitted()])
    journal.forget(["one"])

    again = reopen()
    history = again.history("one")

    assert again.intent("one") is None
    assert history is not None
    assert (None, [1]) == (history.request, numbers(history.events))


def test_of_an_intent_given_back_that_no_event_tells_of_nothing_is_left(journal, reopen) -> None:
    journal.begin([request()], [])
    before = [one.client_order_id for one in journal.unfinished()]
    journal.forget(["one"])

    again = reopen()

    assert (["one"], []) == (before, [*again.unfinished()])
    assert again.history("one") is None


def test_an_id_is_not_used_twice_across_processes(journal, reopen) -> None:
    live(journal, "one")

    with pytest.raises(DuplicateOrderError):
        reopen().begin([request()], [submitted()])


def test_more_intents_than_are_cached_are_all_known(journal) -> None:
    names = [f"n{number}" for number in range(1500)]
    for name in names:
        journal.begin([request(name)], [submitted(name)])

    assert [request(name) for name in names] == [journal.intent(name) for name in names]
    assert 1024 >= len(journal._intents)


def test_events_of_the_account_are_kept_among_those_of_orders(journal, reopen) -> None:
    account = Account(account_id="paper-1", provider="mock", received_at_ns=NOW_NS)
    (kind, *_) = AccountEventKind
    told = AccountEvent(account=account, kind=kind, account_id="paper-1", received_at_ns=NOW_NS)
    kept = [*journal.append([told]), *journal.append([accepted(), told])]

    assert kept == reopen().since(0, 10)


def test_pages_are_read_from_anywhere(journal) -> None:
    kept = journal.append([accepted()] * 10)

    pages = [journal.since(start, 3) for start in (0, 3, 6, 9)]

    assert kept == [event for page in pages for event in page]


def test_what_is_proved_outlives_the_process(journal, reopen) -> None:
    journal.prove(9)

    assert 9 == reopen().proved_ns


def test_what_is_old_is_dropped_when_a_journal_is_opened(journal, reopen) -> None:
    live(journal, "old", NOW_NS - 31 * DAY_NS, venue_id="5")
    live(journal, "new", NOW_NS - 29 * DAY_NS, venue_id="6")

    again = reopen()

    assert [4, 5, 6] == numbers(again.since(3, 10))
    assert (None, "new") == (again.name_of("AAPL", "5"), again.name_of("AAPL", "6"))
    assert (None, None) == (again.history("old"), again.intent("old"))
    with pytest.raises(SequenceGapError, match="events 1 to 3 are gone"):
        again.since(0, 10)


def test_the_id_of_an_order_that_was_dropped_stays_taken_for_ever(journal, reopen) -> None:
    live(journal, "old", NOW_NS - 31 * DAY_NS)
    reopen()

    with pytest.raises(DuplicateOrderError, match="'old' has named an order before"):
        reopen(now_ns=NOW_NS + 999 * DAY_NS).begin([request("old")], [submitted("old")])


def test_an_order_that_is_open_keeps_all_its_events(journal, reopen) -> None:
    journal.begin([request()], [submitted(at_ns=NOW_NS - 99 * DAY_NS)])
    journal.append([accepted("other", NOW_NS), accepted("other", NOW_NS)])

    (found, _) = reopen().unfinished()

    assert (request(), [1]) == (found.request, numbers(found.events))


def test_numbers_go_on_when_everything_is_too_old(journal, reopen) -> None:
    for number in range(3):
        live(journal, f"n{number}", NOW_NS - 99 * DAY_NS)

    again = reopen()

    assert (9, [9]) == (again.last_sequence, numbers(again.since(8, 10)))
    assert [10] == numbers(again.append([accepted()]))


def test_more_than_one_batch_is_dropped_whole(journal, reopen) -> None:
    old_ns = NOW_NS - 99 * DAY_NS
    journal.append([canceled(f"n{number}", old_ns, f"v{number}") for number in range(12_000)])
    journal.append([accepted("new")])

    again = reopen()

    assert [12_001] == numbers(again.since(12_000, 10))
    assert [(0,)] == again._connection.execute(
        "SELECT count(*) FROM orders WHERE name <> 'new'"
    ).fetchall()
    for table in ("events", "venue_ids"):
        rows = again._connection.execute(f"SELECT count(*) FROM {table}").fetchall()  # noqa: S608 - a name from above
        assert [(1,)] == rows


@pytest.mark.parametrize(
    ("durability", "level"), [(Durability.PROCESS, 1), (Durability.POWER, 2)], ids=str
)
def test_what_a_journal_outlives_is_how_it_commits(tmp_path, durability, level) -> None:
    journal = opened(tmp_path, durability=durability)

    found = [
        journal._connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous")
    ]
    journal.close()

    assert ["wal", level] == found
