"""Whatever becomes of an order's words on the way, its life ends alike and reads well."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.effort import effort

from dragoman import (
    Broker,
    ConnectionState,
    Fill,
    Order,
    OrderEvent,
    OrderEventKind,
    OrderRequest,
    OrderStatus,
    OutcomeUnknownError,
    PendingAction,
)

from .fake_adapter import BUY, FakeVenue, connection, event, filled, history, settle

if TYPE_CHECKING:
    from dragoman import (
        Event,
    )

D = Decimal
Kind = OrderEventKind
REQUEST = OrderRequest.limit("AAPL", BUY, 10, "5", client_order_id="one")
ENDS = {Kind.CANCELED, Kind.EXPIRED, Kind.REJECTED}
FILLS = {Kind.FILL, Kind.FILL_BUSTED}

Life = tuple[Order, list[OrderEvent], list[Fill], Order]
"""An order as the response shows it, what the stream says, its fills, and how it ends."""


def bust(of: OrderEvent, left: object, at_ns: int) -> OrderEvent:
    assert of.fill is not None
    order = attrs.evolve(of.order, filled_quantity=D(left), updated_at_ns=at_ns)  # type: ignore[arg-type]
    return event(Kind.FILL_BUSTED, order, fill=of.fill, venue_time_ns=at_ns)


def lives(venue: FakeVenue) -> dict[str, Life]:
    """Return one consistent life of each kind."""
    opened = venue.order_of(REQUEST, 1)
    pending = attrs.evolve(opened, status=OrderStatus.PENDING, updated_at_ns=5)
    begin = [event(Kind.SUBMITTED, pending), event(Kind.ACCEPTED, opened)]
    first, second = filled(opened, 1, 4, 4), filled(opened, 2, 6, 10)
    canceling = attrs.evolve(first.order, pending=PendingAction.CANCEL, updated_at_ns=150)
    cancel = [
        event(Kind.PENDING_CANCEL, canceling),
        event(
            Kind.CANCELED,
            attrs.evolve(canceling, status=OrderStatus.CANCELED, pending=None, updated_at_ns=160),
        ),
    ]
    renewed = attrs.evolve(
        first.order, revision=1, quantity=D(12), venue_order_ids=("v1",), updated_at_ns=150
    )
    rest = filled(renewed, 200, 8, 12)
    busted = bust(first, 0, 170)
    ended = attrs.evolve(busted.order, status=OrderStatus.EXPIRED, updated_at_ns=180)
    refused = attrs.evolve(opened, status=OrderStatus.REJECTED, reason="no", updated_at_ns=20)
    return {
        "filled": life(opened, *begin, first, second),
        "canceled": life(opened, *begin, first, *cancel),
        "replaced": life(opened, *begin, first, event(Kind.REPLACED, renewed), rest),
        "busted": life(opened, *begin, first, busted, event(Kind.EXPIRED, ended)),
        "rejected": life(pending, begin[0], event(Kind.REJECTED, refused)),
    }


def life(response: Order, *events: OrderEvent) -> Life:
    fills: dict[str, Fill] = {}
    for one in events:
        if one.fill is not None:
            is_busted = one.kind is Kind.FILL_BUSTED
            fills[one.fill.fill_id] = attrs.evolve(
                one.fill, is_busted=is_busted, received_at_ns=10_000
            )
    numbered = [attrs.evolve(one, event_id=f"e{index}") for index, one in enumerate(events)]
    return response, numbered, list(fills.values()), events[-1].order


async def lived(name: str, chance: random.Random, *, is_in_order: bool = False) -> Broker:
    """Send one order through a broker whose stream loses, repeats and shuffles its words."""
    venue = FakeVenue()
    response, events, fills, end = lives(venue)[name]
    answer: asyncio.Future[Order] = asyncio.get_running_loop().create_future()
    venue.script("submit", answer)
    async with venue.connect(
        timeout_s=0.001 if not is_in_order and chance.random() < 0.2 else 5
    ) as broker:
        caller = asyncio.ensure_future(broker.submit(REQUEST))
        await settle()
        words: list[Event | None] = [*events, None]
        if not is_in_order:
            words = [one for one in words if chance.random() < 0.8]
            words += [one for one in words if one is not None and chance.random() < 0.4]
            chance.shuffle(words)
        for word in words:
            if word is not None:
                venue.stream(word)
            elif not answer.done():
                answer.set_result(response)
            await settle(chance.choice([0, 0, 8]))
        venue.fills = fills
        venue.shown = {"one": end}
        venue.stream(connection(ConnectionState.RECONNECTED))
        await settle()
        venue.stream(*[one for one in events if chance.random() < 0.5], connection(_UP))
        await settle()
        (outcome,) = await asyncio.gather(caller, return_exceptions=True)
        assert isinstance(outcome, Order | OutcomeUnknownError) or name == "rejected"
        return broker


_UP = ConnectionState.CONNECTED


def check(told: Sequence[OrderEvent]) -> None:
    kinds = [one.kind for one in told]
    counts = Counter((one.kind, one.fill.fill_id) for one in told if one.fill is not None)
    assert set(counts.values()) <= {1}
    assert Kind.SUBMITTED is kinds[0]
    assert all(kinds.count(kind) <= 1 for kind in {*ENDS, Kind.ACCEPTED, Kind.SUBMITTED})
    if FILLS & set(kinds):
        assert kinds.index(Kind.ACCEPTED) < min(kinds.index(one) for one in FILLS & set(kinds))
    for kind, fill_id in counts:
        if kind is Kind.FILL_BUSTED:
            of_fill = [one.kind for one in told if one.fill and one.fill.fill_id == fill_id]
            assert [Kind.FILL, Kind.FILL_BUSTED] == of_fill
    ends = [index for index, kind in enumerate(kinds) if kind in ENDS]
    if ends:
        assert set(kinds[ends[0] + 1 :]) <= FILLS
    assert sorted({one.sequence for one in told}) == [one.sequence for one in told]


@pytest.mark.parametrize("name", ["filled", "canceled", "replaced", "busted", "rejected"])
async def test_a_life_told_in_order_is_told_as_it_was(name: str) -> None:
    broker = await lived(name, random.Random(1), is_in_order=True)

    events = [one.kind for one in lives(FakeVenue())[name][1]]
    assert events == [one.kind for one in history(broker)]


@pytest.mark.parametrize("name", ["filled", "canceled", "replaced", "busted", "rejected"])
@given(seed=st.integers(0, 2**32))
@settings(max_examples=effort(75), deadline=None)
def test_any_loss_repetition_and_order_of_words_ends_in_the_same_order(
    name: str, seed: int
) -> None:
    expected = asyncio.run(lived(name, random.Random(1), is_in_order=True))

    broker = asyncio.run(lived(name, random.Random(seed)))

    check(history(broker))
    assert _lasting(expected.state.order("one")) == _lasting(broker.state.order("one"))
    told = {(one.kind, one.fill.fill_id) for one in history(broker) if one.fill is not None}
    assert told == {
        (one.kind, one.fill.fill_id) for one in history(expected) if one.fill is not None
    }


def _lasting(order: Order | None) -> Order:
    """Leave out when words arrived."""
    assert order is not None
    return attrs.evolve(order, received_at_ns=0)
