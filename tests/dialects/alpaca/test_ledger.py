"""The ledger: new ids for replaces, what filled when, and the same story in every process."""

from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.models import (
    Contingency,
    Exit,
    Fill,
    Money,
    Order,
    OrderEvent,
    OrderEventKind,
    OrderStatus,
    OrderType,
    PendingAction,
    Position,
    PositionEvent,
    Side,
)
from dragoman_alpaca.dialect.identity import AccountIds
from dragoman_alpaca.dialect.ledger import Ledger
from dragoman_alpaca.dialect.rows import status_of

D = Decimal
Kind = OrderEventKind
Status = OrderStatus
IDS = AccountIds("mock", "paper-1")
START_NS = 1_767_796_200_000_000_000


def token_of(intent, revision):
    return intent if revision == 0 else f"{intent}~{revision}"


def order(name="x", **fields):
    usual = {
        "client_order_id": name,
        "account_id": "paper-1",
        "symbol": "AAPL",
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "status": Status.OPEN,
        "provider": "mock",
        "received_at_ns": START_NS,
        "quantity": D(10),
        "limit_price": D(100),
    }
    return Order(**{**usual, **fields})


class Story:
    """Events of an account in order, as its journal has them, and what a ledger makes of them."""

    def __init__(self):
        self.events = []
        self.ledger = Ledger(IDS, token_of)
        self.told = []

    def tell(self, kind, known, *, fill=None, at_ns=None):
        """Let one event happen; returns what the stream tells of it."""
        sequence = len(self.events) + 1
        at_ns = START_NS + 1_000_000 * sequence if at_ns is None else at_ns
        event = OrderEvent(
            kind=kind,
            order=known,
            fill=fill,
            account_id="paper-1",
            sequence=sequence,
            received_at_ns=at_ns,
            venue_time_ns=at_ns,
        )
        self.events.append(event)
        news = self.ledger.take(event)
        self.told += news
        return [(one.word, one.row.client_order_id) for one in news]

    def fill(self, known, quantity, price="100", number=None):
        """Let an order fill by so much: `known` is what it is then."""
        number = len(self.events) if number is None else number
        fill = Fill(
            fill_id=f"f{number}",
            account_id="paper-1",
            client_order_id=known.client_order_id,
            symbol=known.symbol,
            side=known.side,
            quantity=D(quantity),
            price=D(price),
            venue_time_ns=START_NS + number,
            provider="mock",
            received_at_ns=START_NS,
        )
        return fill, self.tell(Kind.FILL, known, fill=fill)

    def row(self, name):
        return self.ledger.row_named(name)


@pytest.fixture
def story():
    return Story()


def test_an_order_is_told_from_its_way_to_the_market_to_its_end(story):
    words = [
        story.tell(Kind.SUBMITTED, order(status=Status.PENDING)),
        story.tell(Kind.ACCEPTED, order()),
        story.fill(order(status=Status.PARTIALLY_FILLED, filled_quantity=D(4)), 4)[1],
        story.tell(
            Kind.PENDING_CANCEL,
            order(
                status=Status.PARTIALLY_FILLED,
                filled_quantity=D(4),
                pending=PendingAction.CANCEL,
            ),
        ),
        story.tell(Kind.CANCELED, order(status=Status.CANCELED, filled_quantity=D(4))),
    ]

    assert [
        [("pending_new", "x")],
        [("new", "x")],
        [("partial_fill", "x")],
        [("pending_cancel", "x")],
        [("canceled", "x")],
    ] == words
    assert ("canceled", D(4)) == (status_of(story.row("x")), story.row("x").filled)


@pytest.mark.parametrize(
    ("kind", "status", "word"),
    [
        (Kind.ACCEPTED, Status.HELD, "held"),
        (Kind.ACCEPTED, Status.PENDING, "accepted"),
        (Kind.ADOPTED, Status.OPEN, "new"),
        (Kind.ADOPTED, Status.CANCELED, "canceled"),
        (Kind.CANCEL_REJECTED, Status.OPEN, "order_cancel_rejected"),
        (Kind.REPLACE_REJECTED, Status.OPEN, "order_replace_rejected"),
        (Kind.PENDING_REPLACE, Status.OPEN, "pending_replace"),
        (Kind.RESTATED, Status.OPEN, "restated"),
        (Kind.REPLACED, Status.OPEN, "restated"),
        (Kind.EXPIRED, Status.EXPIRED, "expired"),
        (Kind.REJECTED, Status.REJECTED, "rejected"),
    ],
    ids=str,
)
def test_each_kind_of_event_has_its_word(story, kind, status, word):
    story.tell(Kind.SUBMITTED, order(status=Status.PENDING))

    assert [(word, "x")] == story.tell(kind, order(status=status))


@pytest.mark.parametrize("kind", [Kind.OUTCOME_UNKNOWN, Kind.TRIGGERED], ids=str)
def test_what_the_protocol_has_no_word_for_is_not_told(story, kind):
    assert [] == story.tell(kind, order(status=Status.UNKNOWN))


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"status": Status.PENDING}, "pending_new"),
        ({"status": Status.UNKNOWN}, "pending_new"),
        ({"status": Status.HELD}, "held"),
        ({"status": Status.OPEN}, "new"),
        ({"status": Status.PARTIALLY_FILLED, "filled_quantity": D(1)}, "partially_filled"),
        ({"status": Status.FILLED, "filled_quantity": D(10)}, "filled"),
        ({"status": Status.CANCELED}, "canceled"),
        ({"status": Status.EXPIRED}, "expired"),
        ({"status": Status.REJECTED}, "rejected"),
        ({"pending": PendingAction.CANCEL}, "pending_cancel"),
        ({"pending": PendingAction.REPLACE}, "pending_replace"),
        ({"status": Status.CANCELED, "pending": PendingAction.CANCEL}, "canceled"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_status_has_its_word(story, fields, word):
    story.tell(Kind.ADOPTED, order(**fields))

    assert word == status_of(story.row("x"))


def test_a_replace_makes_an_order_with_a_new_id_and_leaves_the_old_one_to_be_read(story):
    story.tell(Kind.ADOPTED, order())

    words = story.tell(Kind.REPLACED, order(revision=1, limit_price=D(101)))

    old, new = story.row("x"), story.row("x~1")
    assert [("replaced", "x"), ("new", "x~1")] == words
    assert (IDS.order("x", 0), IDS.order("x", 1)) == (old.order_id, new.order_id)
    assert (new.order_id, old.order_id) == (old.replaced_by, new.replaces)
    assert ("replaced", "new") == (status_of(old), status_of(new))
    assert (D(100), D(101)) == (old.order.limit_price, new.order.limit_price)
    assert new == story.ledger.newest("x")


def test_what_filled_before_a_replace_stays_with_the_old_order(story):
    story.tell(Kind.ADOPTED, order())
    story.fill(order(status=Status.PARTIALLY_FILLED, filled_quantity=D(4)), 4, "99")
    still = {"status": Status.PARTIALLY_FILLED, "filled_quantity": D(4)}
    story.tell(Kind.REPLACED, order(revision=1, quantity=D(12), **still))
    story.fill(order(revision=1, quantity=D(12), status=Status.FILLED, filled_quantity=D(12)), 8)

    old, new = story.row("x"), story.row("x~1")
    assert (D(10), D(4), D(99)) == (old.quantity, old.filled, old.average)
    assert (D(8), D(8), D(100)) == (new.quantity, new.filled, new.average)
    assert "fill" == story.told[-1].word
    assert [(old.order_id, D(4)), (new.order_id, D(8))] == [
        (one.order_id, one.cumulative) for one in story.ledger.executions()
    ]


def test_an_order_replaced_after_it_filled_in_part_is_new_until_it_fills_again(story):
    story.tell(Kind.ADOPTED, order())
    still = {"status": Status.PARTIALLY_FILLED, "filled_quantity": D(4)}
    story.fill(order(**still), 4)

    story.tell(Kind.REPLACED, order(revision=1, **still))

    assert ("new", D(0)) == (status_of(story.row("x~1")), story.row("x~1").filled)


def test_a_fill_that_is_told_late_belongs_to_the_order_that_had_it(story):
    story.tell(Kind.ADOPTED, order())
    still = {"status": Status.PARTIALLY_FILLED, "filled_quantity": D(4)}
    story.tell(Kind.RESTATED, order(**still))
    story.tell(Kind.REPLACED, order(revision=1, **still))

    _, words = story.fill(order(revision=1, **still), 4)

    assert [("partial_fill", "x")] == words
    assert (D(4), D(0)) == (story.row("x").told, story.row("x~1").told)


def test_the_stream_is_not_ahead_of_the_executions_it_told(story):
    story.tell(Kind.SUBMITTED, order(status=Status.PENDING))
    filled = order(status=Status.FILLED, filled_quantity=D(10))
    story.tell(Kind.ACCEPTED, filled)
    known = story.row("x")
    story.fill(filled, 10)

    new, fill = story.told[1:]
    assert ("filled", D(10)) == (status_of(known), known.filled)
    assert ("new", "new", D(0)) == (new.word, status_of(new.row), new.row.filled)
    assert ("fill", "filled", D(10)) == (fill.word, status_of(fill.row), fill.row.filled)


def test_each_part_of_a_fill_shows_what_had_filled_with_it(story):
    story.tell(Kind.ADOPTED, order())
    filled = order(status=Status.FILLED, filled_quantity=D(10))
    story.fill(filled, 3, "99")
    story.fill(filled, 7, "101")

    assert [("partial_fill", D(3), "partially_filled"), ("fill", D(10), "filled")] == [
        (one.word, one.row.filled, status_of(one.row)) for one in story.told[1:]
    ]
    assert D("100.4") == story.row("x").average


def test_an_order_first_seen_by_its_fill_is_told_as_new_first(story):
    _, words = story.fill(order(status=Status.FILLED, filled_quantity=D(10)), 10)

    assert [("new", "x"), ("fill", "x")] == words


def test_a_fill_told_twice_counts_once(story):
    story.tell(Kind.ADOPTED, order())
    partly = order(status=Status.PARTIALLY_FILLED, filled_quantity=D(4))
    story.fill(partly, 4, number=7)

    _, words = story.fill(partly, 4, number=7)

    assert [] == words
    assert (D(4), 1) == (story.row("x").told, len(story.ledger.executions()))


def test_a_busted_fill_is_taken_back(story):
    story.tell(Kind.ADOPTED, order())
    fill, _ = story.fill(order(status=Status.PARTIALLY_FILLED, filled_quantity=D(4)), 4)

    words = story.tell(Kind.FILL_BUSTED, order(), fill=attrs.evolve(fill, is_busted=True))

    assert [("restated", "x")] == words
    assert (D(0), ()) == (story.row("x").filled, story.ledger.executions())


def test_an_order_by_notional_is_filled_when_it_is_said_to_be(story):
    by_value = {"quantity": None, "notional": D(500), "order_type": OrderType.MARKET}
    story.tell(Kind.ADOPTED, order(**by_value))
    _, words = story.fill(order(status=Status.FILLED, filled_quantity=D("2.5"), **by_value), "2.5")

    assert [("fill", "x")] == words
    assert (None, D(0)) == (story.row("x").quantity, story.row("x").leaves)


ENTRY = {"stop_loss": Exit(price="90"), "take_profit": Exit(price="120")}


def leg(role, **fields):
    is_stop = role == "sl"
    return order(
        f"x-{role}",
        side=Side.SELL,
        parent_client_order_id="x",
        contingency=Contingency.OCO,
        order_type=OrderType.STOP if is_stop else OrderType.LIMIT,
        limit_price=None if is_stop else D(120),
        stop_price=D(90) if is_stop else None,
        **{"status": Status.HELD, **fields},
    )


def test_the_legs_of_an_entry_are_there_before_the_broker_shows_them(story):
    story.tell(Kind.SUBMITTED, order(status=Status.PENDING, **ENTRY))

    target, stop = story.ledger.legs_of(story.row("x"))

    assert ["x-tp", "x-sl"] == [target.client_order_id, stop.client_order_id]
    assert ["held", "held"] == [status_of(one) for one in (target, stop)]
    assert (D(120), D(90)) == (target.order.limit_price, stop.order.stop_price)
    assert ["x", "x"] == [story.ledger.parent_of(one) for one in (target, stop)]


def test_a_leg_keeps_its_id_and_its_place_once_it_is_shown(story):
    story.tell(Kind.SUBMITTED, order(status=Status.PENDING, **ENTRY))
    promised = story.row("x-sl")

    words = story.tell(Kind.ACCEPTED, leg("sl"))

    shown = story.row("x-sl")
    assert [("held", "x-sl")] == words
    assert (promised.order_id, promised.number) == (shown.order_id, shown.number)
    assert not shown.is_expected


def test_a_leg_that_begins_to_work_is_new(story):
    story.tell(Kind.ADOPTED, order(**ENTRY))
    story.tell(Kind.ACCEPTED, leg("sl"))

    assert [("new", "x-sl")] == story.tell(Kind.RESTATED, leg("sl", status=Status.OPEN))


def test_the_legs_of_an_entry_that_ends_unfilled_end_with_it(story):
    story.tell(Kind.ADOPTED, order(**ENTRY))
    story.tell(Kind.CANCELED, order(status=Status.CANCELED, **ENTRY))

    assert ["canceled", "canceled"] == [
        status_of(one) for one in story.ledger.legs_of(story.row("x"))
    ]
    assert [] == [*story.ledger.open_rows(newest_first=True)]


@pytest.mark.parametrize("first", ["limit", "stop"])
def test_both_orders_of_an_oco_are_one_group(story, first):
    limit = order("x", side=Side.SELL, contingency=Contingency.OCO)
    stop = order("x-sl", side=Side.SELL, contingency=Contingency.OCO, order_type=OrderType.STOP)
    for one in (limit, stop) if first == "limit" else (stop, limit):
        story.tell(Kind.ADOPTED, one)

    assert [story.row("x-sl")] == [*story.ledger.legs_of(story.row("x"))]
    assert ("x", None) == tuple(story.ledger.parent_of(story.row(one)) for one in ("x-sl", "x"))


def test_orders_that_only_have_such_names_are_no_group(story):
    story.tell(Kind.ADOPTED, order("x"))
    story.tell(Kind.ADOPTED, order("x-sl"))

    assert ((), None) == (
        story.ledger.legs_of(story.row("x")),
        story.ledger.parent_of(story.row("x-sl")),
    )


def test_rows_come_by_the_time_they_were_submitted(story):
    for number, name in enumerate("abc"):
        story.tell(Kind.SUBMITTED, order(name, status=Status.PENDING), at_ns=START_NS + number)

    def names(**asked):
        return [row.intent for row in story.ledger.rows(**asked)]

    assert ["a", "b", "c"] == names(newest_first=False)
    assert ["c", "b", "a"] == names(newest_first=True)
    assert ["c"] == names(after_ns=START_NS + 1, newest_first=False)
    assert ["a"] == names(until_ns=START_NS + 1, newest_first=False)
    assert [] == names(after_ns=START_NS, until_ns=START_NS + 1, newest_first=False)


def test_an_order_that_events_told_of_is_not_learned_anew(story):
    story.tell(Kind.ADOPTED, order())
    story.ledger.learn(order(status=Status.CANCELED))
    story.ledger.learn(order("y", created_at_ns=START_NS - 5))

    assert ("new", START_NS - 5) == (status_of(story.row("x")), story.row("y").created_at_ns)


def test_fills_of_a_learned_order_are_learned_with_it(story):
    story.ledger.learn(order("y", status=Status.FILLED, filled_quantity=D(10)))
    fill, _ = Story().fill(order("y"), 10, "99")
    for _ in range(2):
        story.ledger.learn_fill(fill)

    assert [D(10)] == [one.cumulative for one in story.ledger.executions()]
    assert D(99) == story.row("y").average


def test_other_events_only_move_the_place_in_the_journal(story):
    position = Position(
        position_id="AAPL",
        account_id="paper-1",
        symbol="AAPL",
        quantity=D(1),
        provider="mock",
        received_at_ns=START_NS,
        unrealized_pnl=Money(D(0), "USD"),
    )
    event = PositionEvent(
        position=position, account_id="paper-1", received_at_ns=START_NS, sequence=9
    )

    assert () == story.ledger.take(event)
    assert (9, 0) == (story.ledger.sequence, len(story.ledger))


def test_ids_of_events_rise_although_their_stamps_do_not(story):
    story.tell(Kind.ADOPTED, order(), at_ns=START_NS + 5_000_000)
    story.tell(Kind.REPLACED, order(revision=1), at_ns=START_NS)
    story.tell(Kind.CANCELED, order(revision=1, status=Status.CANCELED), at_ns=START_NS)

    ids = [one.event_id for one in story.told]
    assert sorted(ids) == ids
    assert 4 == len(set(ids))


def test_a_replaced_order_comes_after_the_one_it_replaces_although_it_is_stamped_before_it(story):
    story.tell(Kind.ADOPTED, order(), at_ns=START_NS + 5_000_000)
    story.tell(Kind.REPLACED, order(revision=1), at_ns=START_NS)

    rows = list(story.ledger.rows(newest_first=False))
    assert ["x", "x~1"] == [row.client_order_id for row in rows]
    assert [START_NS + 5_000_000] * 2 == [row.created_at_ns for row in rows]


def test_a_replaced_order_is_not_called_what_another_was_sent_as(story):
    story.tell(Kind.ADOPTED, order("x~1", revision=1))
    story.tell(Kind.ADOPTED, order())
    story.tell(Kind.REPLACED, order(revision=1))

    assert "x~1" != story.ledger.newest("x").client_order_id
    assert story.ledger.newest("x") == story.row(story.ledger.newest("x").client_order_id)


def test_an_average_of_more_than_a_row_has_filled_is_not_shown_as_its_own(story):
    part = order(status=Status.PARTIALLY_FILLED, filled_quantity=D(4))
    story.tell(Kind.ACCEPTED, order())
    story.fill(part, 4)
    story.tell(Kind.REPLACED, order(revision=1, filled_quantity=D(4)))
    ended = order(
        revision=1, status=Status.CANCELED, filled_quantity=D(7), average_fill_price=D(101)
    )
    story.tell(Kind.CANCELED, ended)

    assert (D(3), None) == (story.row("x~1").filled, story.row("x~1").average)


def test_the_time_of_an_order_never_goes_back(story):
    story.tell(Kind.ADOPTED, order(), at_ns=START_NS + 5_000_000)
    story.tell(Kind.RESTATED, order(), at_ns=START_NS)

    assert START_NS + 5_000_000 == story.row("x").updated_at_ns


def test_the_end_of_an_order_tells_all_that_has_filled_though_no_execution_was_told(story):
    story.tell(Kind.ACCEPTED, order())
    story.tell(Kind.CANCELED, order(status=Status.CANCELED, filled_quantity=D(4)))

    (_, end) = story.told
    assert ("canceled", D(4)) == (end.word, end.row.filled)


def test_an_execution_of_the_past_does_not_turn_back_the_time_of_an_order(story):
    canceled = order(status=Status.CANCELED, filled_quantity=D(4))
    story.tell(Kind.CANCELED, canceled, at_ns=START_NS + 9_000_000)
    fill, _ = story.fill(canceled, 4)

    assert fill.venue_time_ns < START_NS + 9_000_000
    assert START_NS + 9_000_000 == story.row("x").updated_at_ns


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("fill"), st.integers(1, 4)),
        st.tuples(st.just("late"), st.integers(1, 4)),
        st.tuples(st.just("replace"), st.integers(1, 20)),
    ),
    max_size=12,
)


@given(STEPS)
def test_what_all_rows_filled_is_what_the_intent_filled_whatever_came_first(steps):
    story = Story()
    total, filled, revision, late = D(100), D(0), 0, []
    story.tell(Kind.ADOPTED, order(quantity=total))

    def now():
        status = Status.PARTIALLY_FILLED if filled else Status.OPEN
        return order(quantity=total, status=status, filled_quantity=filled, revision=revision)

    for what, number in steps:
        if what == "replace":
            revision, total = revision + 1, D(100 + number)
            story.tell(Kind.REPLACED, now())
            continue
        filled += number
        if what == "late":
            late.append(number)
            story.tell(Kind.RESTATED, now())
        else:
            while late:
                story.fill(now(), late.pop(0))
            story.fill(now(), number)
    while late:
        story.fill(now(), late.pop(0))

    rows = [*story.ledger.rows(newest_first=False)]
    assert revision + 1 == len(rows)
    assert (filled, filled) == (sum(row.filled for row in rows), sum(row.told for row in rows))
    assert total == rows[-1].filled_before + rows[-1].quantity
    again = Ledger(IDS, token_of)
    assert story.told == [told for event in story.events for told in again.take(event)]
    assert rows == [*again.rows(newest_first=False)]


def test_a_fill_that_was_learned_before_its_event_is_told_all_the_same(story):
    filled = order(status=Status.FILLED, filled_quantity=D(10))
    story.ledger.learn(filled)
    fill, _ = Story().fill(filled, 10)
    story.ledger.learn_fill(fill)

    words = story.tell(Kind.FILL, filled, fill=fill)

    assert [("fill", "x")] == words
    assert (D(10), 1) == (story.row("x").told, len(story.ledger.executions()))
    assert [] == story.tell(Kind.FILL, filled, fill=fill)


def test_a_pair_that_was_sent_as_one_is_one_before_the_venue_says_so():
    story = Story()
    story.ledger = Ledger(IDS, token_of, {"x-sl": "x"}.get)
    for name in ("x", "x-sl"):
        story.tell(Kind.SUBMITTED, order(name, status=Status.PENDING))

    assert [story.row("x-sl")] == [*story.ledger.legs_of(story.row("x"))]
    assert (True, False) == tuple(story.ledger.is_oco(story.row(one)) for one in ("x", "x-sl"))
