"""Evidence joins to one order, whatever the order and the number of its arrivals."""

import itertools
import random
from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman import (
    Fill,
    Money,
    Offset,
    Order,
    OrderOrigin,
    OrderStatus,
    OrderType,
    PendingAction,
    Side,
)
from dragoman.orders.record import OrderRecord

D = Decimal

REQUESTED = Order(
    client_order_id="one",
    account_id="paper-1",
    symbol="AAPL",
    side=Side.BUY,
    order_type=OrderType.LIMIT,
    status=OrderStatus.PENDING,
    provider="mock",
    received_at_ns=0,
    quantity=D(10),
    limit_price=D(5),
)
OPEN = attrs.evolve(
    REQUESTED,
    status=OrderStatus.OPEN,
    venue_order_ids=("7",),
    created_at_ns=10,
    updated_at_ns=10,
    received_at_ns=11,
)
CANCELED = attrs.evolve(OPEN, status=OrderStatus.CANCELED, updated_at_ns=90, received_at_ns=91)


def fill(number: int, quantity: int, *, price: str = "5", at_ns: int = 20) -> Fill:
    return Fill(
        fill_id=f"f{number}",
        account_id="paper-1",
        client_order_id="one",
        venue_order_id="7",
        symbol="AAPL",
        side=Side.BUY,
        quantity=D(quantity),
        price=D(price),
        commission=Money(D("0.10"), "USD"),
        venue_time_ns=at_ns + number,
        provider="mock",
        received_at_ns=30,
    )


def joined(evidence: list[tuple[str, object]]) -> Order:
    record = OrderRecord(REQUESTED, is_own=True)
    for kind, value in evidence:
        if isinstance(value, Order):
            record.see(value)
        elif isinstance(value, Fill):
            record.fill(value, 80 if kind == "bust" else None)
    return record.order


def test_a_request_alone_is_pending_and_after_doubt_unknown() -> None:
    record = OrderRecord(REQUESTED, is_own=True)
    before = record.order.status

    record.doubt()

    assert (OrderStatus.PENDING, OrderStatus.UNKNOWN) == (before, record.order.status)


def test_evidence_outweighs_doubt_in_either_order() -> None:
    record = OrderRecord(REQUESTED, is_own=True)
    record.see(OPEN)

    record.doubt()

    assert record.order.status is OrderStatus.OPEN


def test_a_fill_after_canceled_raises_the_quantity_and_keeps_the_status() -> None:
    order = joined([("seen", OPEN), ("seen", CANCELED), ("fill", fill(1, 4))])

    assert (OrderStatus.CANCELED, D(4), D(0)) == (
        order.status,
        order.filled_quantity,
        order.remaining_quantity,
    )


def test_a_fill_after_canceled_that_completes_the_order_makes_it_filled() -> None:
    order = joined([("seen", CANCELED), ("fill", fill(1, 4)), ("fill", fill(2, 6, price="6"))])

    assert (OrderStatus.FILLED, D(10), D("5.6")) == (
        order.status,
        order.filled_quantity,
        order.average_fill_price,
    )


def test_a_bust_lowers_the_quantity_and_leaves_a_terminal_order_terminal() -> None:
    order = joined([("seen", OPEN), ("fill", fill(1, 10)), ("bust", fill(1, 10))])

    assert (OrderStatus.FILLED, D(0)) == (order.status, order.filled_quantity)


def test_a_bust_of_a_partial_fill_leaves_the_order_open() -> None:
    partial = attrs.evolve(
        OPEN, status=OrderStatus.PARTIALLY_FILLED, filled_quantity=D(4), updated_at_ns=21
    )

    order = joined([("seen", OPEN), ("seen", partial), ("fill", fill(1, 4)), ("bust", fill(1, 4))])

    assert (OrderStatus.OPEN, D(0), None) == (
        order.status,
        order.filled_quantity,
        order.average_fill_price,
    )


def test_a_corrected_fill_counts_once() -> None:
    order = joined(
        [("fill", fill(1, 5)), ("bust", fill(1, 5)), ("fill", fill(2, 5, price="4", at_ns=85))]
    )

    assert (OrderStatus.PARTIALLY_FILLED, D(5), D(4)) == (
        order.status,
        order.filled_quantity,
        order.average_fill_price,
    )


def test_quantities_are_summed_over_the_venue_ids_of_an_intent() -> None:
    first = attrs.evolve(OPEN, filled_quantity=D(3), updated_at_ns=40)
    second = attrs.evolve(
        OPEN, venue_order_ids=("8",), revision=1, filled_quantity=D(2), updated_at_ns=60
    )

    order = joined([("seen", second), ("seen", first), ("seen", OPEN)])

    assert (("7", "8"), 1, D(5)) == (
        order.venue_order_ids,
        order.revision,
        order.filled_quantity,
    )


def test_known_beats_unknown_and_later_beats_earlier() -> None:
    moved = attrs.evolve(OPEN, limit_price=D(6), tag=None, updated_at_ns=50)
    tagged = attrs.evolve(OPEN, limit_price=D(4), tag="breakout", updated_at_ns=40)

    order = joined([("seen", moved), ("seen", tagged)])

    assert (D(6), "breakout") == (order.limit_price, order.tag)


def test_a_later_replace_wins_over_a_later_clock() -> None:
    replaced = attrs.evolve(OPEN, quantity=D(20), revision=1, updated_at_ns=20)
    stale = attrs.evolve(OPEN, quantity=D(10), updated_at_ns=70)

    order = joined([("seen", replaced), ("seen", stale)])

    assert (D(20), 1) == (order.quantity, order.revision)


def test_pending_ends_with_the_order() -> None:
    asked = attrs.evolve(OPEN, pending=PendingAction.CANCEL, updated_at_ns=50)

    during = joined([("seen", OPEN), ("seen", asked)])
    after = joined([("seen", CANCELED), ("seen", asked)])

    assert (PendingAction.CANCEL, None) == (during.pending, after.pending)


@pytest.mark.parametrize(
    ("is_own", "said", "expected"),
    [
        (True, OrderOrigin.CLIENT, OrderOrigin.CLIENT),
        (False, OrderOrigin.CLIENT, OrderOrigin.EXTERNAL),
        (True, OrderOrigin.LIQUIDATION, OrderOrigin.LIQUIDATION),
    ],
)
def test_origin_is_the_journals_word_unless_the_venue_made_the_order(
    *, is_own: bool, said: OrderOrigin, expected: OrderOrigin
) -> None:
    record = OrderRecord(REQUESTED, is_own=is_own)

    record.see(attrs.evolve(OPEN, origin=said))

    assert expected is record.order.origin


EVIDENCE: list[tuple[str, object]] = [
    ("seen", OPEN),
    ("seen", attrs.evolve(OPEN, pending=PendingAction.CANCEL, updated_at_ns=50, tag="x")),
    ("seen", attrs.evolve(OPEN, filled_quantity=D(4), updated_at_ns=22, stop_price=D(1))),
    ("seen", CANCELED),
    ("fill", fill(1, 4)),
    ("fill", fill(2, 6, price="6", at_ns=88)),
    ("bust", fill(1, 4)),
]


@pytest.mark.parametrize("size", range(1, len(EVIDENCE)))
def test_every_permutation_of_a_life_ends_in_the_same_order(size: int) -> None:
    chosen = EVIDENCE[:size]

    ends = {joined(list(permutation)) for permutation in itertools.permutations(chosen)}

    assert len(ends) == 1


ALL_IDS = ((), ("7",), ("8",), ("7", "8"))


@st.composite
def sightings(
    draw: st.DrawFn, venue_ids: tuple[tuple[str, ...], ...] = ALL_IDS
) -> list[tuple[str, object]]:
    """Draw evidence that need not even be consistent: venues contradict themselves."""
    times = st.integers(min_value=10, max_value=14)
    statuses = st.sampled_from(
        [status for status in OrderStatus if status is not OrderStatus.PENDING]
    )
    rows: list[tuple[str, object]] = []
    for _ in range(draw(st.integers(1, 6))):
        seen = attrs.evolve(
            OPEN,
            status=draw(statuses),
            updated_at_ns=draw(st.none() | times),
            revision=draw(st.integers(0, 2)),
            filled_quantity=D(draw(st.integers(0, 10))),
            limit_price=draw(st.sampled_from([D(5), D(6), None])),
            pending=draw(st.sampled_from([None, *PendingAction])),
            venue_order_ids=draw(st.sampled_from(venue_ids)),
            tag=draw(st.sampled_from([None, "a", "b"])),
            is_triggered=draw(st.sampled_from([None, True, False])),
        )
        rows.append(("seen", seen))
    for number in range(draw(st.integers(0, 4))):
        one = fill(number, draw(st.integers(1, 4)), at_ns=draw(times))
        rows.append(("fill", one))
        if draw(st.booleans()):
            rows.append(("bust", one))
    return rows


@given(sightings(), st.randoms(use_true_random=False))
def test_any_permutation_and_duplication_ends_in_the_same_order(
    evidence: list[tuple[str, object]], chance: random.Random
) -> None:
    shuffled = [*evidence, *(row for row in evidence if chance.random() < 0.5)]
    chance.shuffle(shuffled)

    assert joined(evidence) == joined(shuffled)


@given(sightings(venue_ids=((), ("7",))))
def test_terminal_is_terminal_and_quantities_fall_only_by_busts(
    evidence: list[tuple[str, object]],
) -> None:
    record = OrderRecord(REQUESTED, is_own=True)
    last = record.order

    for kind, value in evidence:
        if isinstance(value, Order):
            record.see(value)
        elif isinstance(value, Fill):
            record.fill(value, 80 if kind == "bust" else None)
        now = record.order
        assert now.is_terminal or not last.is_terminal
        assert kind == "bust" or now.filled_quantity >= last.filled_quantity
        last = now


def test_a_commission_once_said_stays_known() -> None:
    said = attrs.evolve(OPEN, commission=Money(D(1), "USD"), updated_at_ns=20)
    silent = attrs.evolve(OPEN, updated_at_ns=30)

    orders = [
        joined(list(row)) for row in itertools.permutations([("seen", said), ("seen", silent)])
    ]

    assert [Money(D(1), "USD")] * 2 == [order.commission for order in orders]


def test_of_two_words_of_one_time_the_same_stands_whenever_each_arrived() -> None:
    words = [
        attrs.evolve(OPEN, limit_price=price, received_at_ns=at_ns)
        for price, at_ns in ((D(5), 11), (D(6), 12), (D(5), 13))
    ]

    prices = {
        joined([("seen", one) for one in row]).limit_price for row in itertools.permutations(words)
    }

    assert {D(6)} == prices


def test_a_bust_of_a_time_not_known_outweighs_every_word_before_it_was_heard_of() -> None:
    filled = attrs.evolve(
        OPEN, status=OrderStatus.PARTIALLY_FILLED, filled_quantity=D(4), updated_at_ns=40
    )
    flagged = attrs.evolve(fill(1, 4), is_busted=True, received_at_ns=60)

    by_snapshot = joined([("seen", filled), ("fill", flagged)])
    by_event_too = joined([("seen", filled), ("fill", flagged), ("bust", fill(1, 4))])

    assert (D(0), D(0)) == (by_snapshot.filled_quantity, by_event_too.filled_quantity)


def test_a_term_the_present_type_does_not_have_is_not_kept_from_the_past() -> None:
    trailing = attrs.evolve(
        OPEN, order_type=OrderType.TRAILING_STOP, limit_price=None, trailing=Offset.price(1)
    )
    fixed = attrs.evolve(
        trailing, order_type=OrderType.STOP, trailing=None, stop_price=D(4), updated_at_ns=40
    )
    limit = attrs.evolve(
        fixed, order_type=OrderType.LIMIT, stop_price=None, limit_price=D(5), updated_at_ns=50
    )

    stopped = joined([("seen", trailing), ("seen", fixed)])
    limited = joined([("seen", limit), ("seen", fixed), ("seen", trailing)])

    assert (None, D(4)) == (stopped.trailing, stopped.stop_price)
    assert (None, None, D(5)) == (limited.trailing, limited.stop_price, limited.limit_price)
