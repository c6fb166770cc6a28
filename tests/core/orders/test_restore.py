"""A restart changes nothing: what was told is known, nothing is told twice, nothing is lost."""

from decimal import Decimal
from itertools import accumulate

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.effort import effort
from tests.journalled import NOW_NS, accepted, canceled, opened, request, submitted
from tests.order_lives import ONE, Venue, fill_of, lives, tracker, ways_of

from dragoman.models import (
    EventSource,
    OrderEventKind,
    OrderOrigin,
    OrderStatus,
    PendingAction,
    RejectReason,
)
from dragoman.orders.journal import OrderHistory
from dragoman.orders.restore import recall, recall_fill, recall_order, restore_orders
from dragoman.times import DAY_NS

D = Decimal
Kind = OrderEventKind
ONCE = frozenset(
    {
        Kind.SUBMITTED,
        Kind.ACCEPTED,
        Kind.TRIGGERED,
        Kind.CANCELED,
        Kind.EXPIRED,
        Kind.REJECTED,
        Kind.ADOPTED,
    }
)


def feed(one, way):
    how, at_ns, what = way
    match how:
        case "event":
            return one.observe(what)
        case "look":
            return one.answer(what, EventSource.RECONCILED, at_ns)
        case "fill":
            return one.execute(what, EventSource.RECONCILED, at_ns)
    return one.doubt("one", at_ns)


def news(events):
    return [(event.kind, event.fill and event.fill.fill_id) for event in events]


@st.composite
def evidence(draw):
    """What the venue did, what came of it, in whatever order, and when the process died."""
    told = draw(lives())
    ways = [*ways_of(told), ("doubt", 5, None)]
    came = draw(st.lists(st.sampled_from(ways), max_size=10))
    if draw(st.booleans()):
        came.sort(key=lambda way: way[1])
    return told, came, draw(st.integers(0, len(came)))


def timeless(order):
    """An order but for when it was heard of: what is no news is not told, and moves these."""
    return attrs.evolve(order, updated_at_ns=None, received_at_ns=0)


def died(history):
    """The tracker of the next process."""
    restarted = tracker()
    restarted.restore(OrderHistory("one", ONE, tuple(history)))
    return restarted


@settings(max_examples=effort(200))
@given(evidence())
def test_a_restart_at_any_point_ends_in_the_same_order_and_tells_nothing_twice(found) -> None:
    told, came, cut = found
    steady = tracker()
    history = [steady.register(ONE, 1)]
    for way in came[:cut]:
        history += feed(steady, way)
    restarted = died(history)

    later = {steady: [], restarted: []}
    for way in [*came[cut:], *ways_of(told)]:
        for one in later:
            later[one] += feed(one, way)

    assert steady.order("one") == restarted.order("one")
    whole = news(history + later[restarted])
    fills = [each for each in whole if each[1] is not None]
    assert len({*fills}) == len(fills)
    assert {each for each in news(history + later[steady]) if each[1]} == {*fills}
    once = [kind for kind, _ in whole if kind in ONCE]
    assert len({*once}) == len(once)


@settings(max_examples=effort(200))
@given(lives(), st.integers(0, 6))
def test_a_restart_between_events_of_a_stream_leaves_all_as_it_was(told, cut) -> None:
    steady = tracker()
    history = [steady.register(ONE, 1)]
    for event in told[:cut]:
        history += steady.observe(event)
    restarted = died(history)

    assert timeless(steady.order("one")) == timeless(restarted.order("one"))
    for event in told[:cut]:
        assert [] == restarted.observe(event)
    for event in told[cut:]:
        assert steady.observe(event) == restarted.observe(event)
    assert steady.order("one") == restarted.order("one")


def test_i4_a_fill_is_applied_once_across_restarts() -> None:
    venue, counted, history = Venue(), [], []
    for quantity in (3, 4, 2):
        venue.execute(quantity, 1)
    one = tracker()
    history.append(one.register(ONE, 1))
    for event in venue.told:
        history += one.observe(event)
        one = died(history)
        history += one.execute(event.fill, EventSource.RECONCILED, 99) if event.fill else []
        counted.append(one.order("one").filled_quantity)

    assert [D(0), *accumulate([D(3), D(4), D(2)])] == counted
    assert 3 == sum(event.kind is Kind.FILL for event in history)


def look_at(order, at_ns, **facts):
    return attrs.evolve(order, updated_at_ns=at_ns, received_at_ns=at_ns, **facts)


def lived(*ways):
    """The tracker that lived through it, and the one of the next process."""
    steady = tracker()
    history = [steady.register(ONE, 1)]
    for way in ways:
        history += feed(steady, way)
    return steady, died(history)


def test_what_the_venue_said_beyond_the_fills_is_known_after_a_restart() -> None:
    order = Venue().order
    said = look_at(order, 20, filled_quantity=D(3), status=OrderStatus.PARTIALLY_FILLED)
    fill = fill_of(order, "f1", 3, 12)
    busted = attrs.evolve(fill, is_busted=True, received_at_ns=15)

    plain = lived(("look", 10, order), ("look", 20, said))
    bust = lived(("fill", 12, fill), ("fill", 15, busted), ("look", 20, said))

    assert [D(3)] * 4 == [one.order("one").filled_quantity for one in (*plain, *bust)]


def test_a_fill_known_before_older_words_does_not_outdate_them() -> None:
    order = Venue().order
    fill = ("fill", 17, fill_of(order, "f1", 1, 17))
    partly = {"filled_quantity": D(1), "status": OrderStatus.PARTIALLY_FILLED}
    _, restarted = lived(fill, ("look", 13, look_at(order, 13, limit_price=D(6))))

    last = look_at(order, 17, limit_price=D(4), pending=PendingAction.CANCEL, **partly)
    feed(restarted, ("look", 17, last))

    now = restarted.order("one")
    assert (D(4), PendingAction.CANCEL) == (now.limit_price, now.pending)


def test_a_replace_that_was_told_is_not_told_again() -> None:
    order = Venue().order
    replaced = ("look", 20, look_at(order, 20, revision=1, limit_price=D(6)))
    _, restarted = lived(("look", 10, order), replaced)

    later = look_at(order, 21, revision=1, limit_price=D(7))

    assert [Kind.RESTATED] == [event.kind for event in feed(restarted, ("look", 21, later))]


def test_an_intent_without_evidence_is_open_and_known_to_be_unproved() -> None:
    steady = tracker()
    history = [steady.register(ONE, 1)]

    restarted = died(history)

    assert [restarted.order("one")] == [*restarted.open_orders()]
    assert not restarted.has_evidence("one")
    assert [Kind.OUTCOME_UNKNOWN] == [event.kind for event in restarted.doubt("one", 5)]
    assert OrderStatus.UNKNOWN is restarted.order("one").status


def test_a_doubt_that_was_told_is_not_told_again() -> None:
    steady = tracker()
    history = [steady.register(ONE, 1), *steady.doubt("one", 5)]

    restarted = died(history)

    assert OrderStatus.UNKNOWN is restarted.order("one").status
    assert [] == restarted.doubt("one", 6)


@pytest.mark.parametrize("is_sent", [True, False], ids=["absent", "unsent"])
def test_an_order_that_never_arrived_comes_back_to_life_after_a_restart(is_sent) -> None:
    steady = tracker()
    history = [steady.register(ONE, 1)]
    never = {"reason": RejectReason.NEVER_ARRIVED, "text": "gone", "at_ns": 5, "is_sent": is_sent}
    history += steady.refuse("one", **never)
    restarted = died(history)

    was_taken = restarted.is_taken("one")
    events = restarted.observe(Venue().told[0])

    assert is_sent is was_taken
    assert [Kind.ADOPTED] == [event.kind for event in events]
    assert OrderStatus.OPEN is restarted.order("one").status
    assert OrderStatus.OPEN is died(history + events).order("one").status
    assert OrderOrigin.CLIENT is restarted.order("one").origin


def test_an_id_that_was_used_again_is_its_latest_order() -> None:
    steady = tracker()
    history = [steady.register(ONE, 1)]
    never = {"reason": RejectReason.NEVER_ARRIVED, "text": "no", "at_ns": 5, "is_sent": False}
    history += steady.refuse("one", **never)
    history.append(steady.register(attrs.evolve(ONE, quantity=D(3)), 6))

    restarted = died(history)

    assert (D(3), OrderStatus.PENDING) == (
        restarted.order("one").quantity,
        restarted.order("one").status,
    )


def test_an_intent_without_any_event_may_have_been_sent() -> None:
    order = died([]).order("one")

    assert order is not None
    assert OrderStatus.PENDING is order.status


def test_a_strangers_order_stays_one(tmp_path) -> None:
    steady = tracker()
    events = steady.observe(Venue().told[0])

    restarted = tracker()
    restarted.restore(OrderHistory("one", None, tuple(events)))

    assert OrderOrigin.EXTERNAL is restarted.order("one").origin
    assert steady.order("one") == restarted.order("one")


def test_restoring_an_order_that_is_tracked_changes_nothing() -> None:
    steady = tracker()
    history = [steady.register(ONE, 1), *steady.observe(Venue().told[0])]

    steady.restore(OrderHistory("one", ONE, tuple(history[:1])))

    assert OrderStatus.OPEN is steady.order("one").status


@pytest.fixture
def journal(tmp_path):
    """A journal with an order that ended long ago, one that is open, and an intent."""
    made = opened(tmp_path)
    old_ns = NOW_NS - 9 * DAY_NS
    for name, at_ns in (("old", old_ns), ("open", NOW_NS), ("sent", NOW_NS), ("back", NOW_NS)):
        made.begin([request(name)], [submitted(name, at_ns)])
    made.append([accepted("old", old_ns, "70"), canceled("old", old_ns, "70")])
    made.append([accepted("open", venue_id="71")])
    made.forget(["back"])
    yield made
    made.close()


def test_only_what_may_still_change_is_brought_back(journal) -> None:
    restarted = tracker()

    events = restore_orders(journal, restarted, NOW_NS)

    assert {"open", "sent", "back"} == {one.client_order_id for one in restarted.orders()}
    assert {"open", "sent"} == {one.client_order_id for one in restarted.open_orders()}
    assert [("back", Kind.REJECTED)] == [(one.order.client_order_id, one.kind) for one in events]
    assert (False, True) == (restarted.is_taken("back"), restarted.is_taken("sent"))


def test_what_was_given_back_is_told_once(journal, tmp_path) -> None:
    journal.append(restore_orders(journal, tracker(), NOW_NS))

    assert [] == restore_orders(journal, tracker(), NOW_NS)


def test_an_order_that_ended_long_ago_is_recalled_by_its_id(journal) -> None:
    restarted = tracker()

    found = [recall(journal, restarted, name) for name in ("old", "old", "never")]

    assert [True, True, False] == found
    assert OrderStatus.CANCELED is restarted.order("old").status
    assert () == restarted.open_orders()


def test_an_order_is_recalled_by_whichever_id_the_venue_shows(journal) -> None:
    restarted, shown = tracker(), attrs.evolve(canceled().order, venue_order_ids=("70",))

    recall_order(journal, restarted, attrs.evolve(shown, client_order_id="ext-70"))
    recall_order(journal, restarted, shown)

    assert ["old"] == [one.client_order_id for one in restarted.orders()]
    assert "old" == restarted.name_of(attrs.evolve(shown, client_order_id="ext-70"))


def test_an_order_that_the_venue_shows_by_our_id_is_recalled(journal) -> None:
    restarted = tracker()

    recall_order(journal, restarted, accepted("open", venue_id="999").order)

    assert ["open"] == [one.client_order_id for one in restarted.orders()]


def test_a_late_fill_finds_its_order(journal) -> None:
    restarted, order = tracker(), attrs.evolve(accepted().order, venue_order_ids=("70",))
    fill = fill_of(attrs.evolve(order, client_order_id="ext-70"), "f1", 1, NOW_NS)

    recall_fill(journal, restarted, fill)
    recall_fill(journal, restarted, fill)
    recall_fill(journal, restarted, attrs.evolve(fill, venue_order_id="none"))

    assert "old" == restarted.name_of_fill(fill)
    assert ["old"] == [one.client_order_id for one in restarted.orders()]
