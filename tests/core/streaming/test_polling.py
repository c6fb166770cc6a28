"""Polling: what is found by asking is told as a stream would tell it, and each piece once."""

from decimal import Decimal
from random import Random
from types import SimpleNamespace

import attrs
import pytest

from dragoman.errors import AuthenticationError, VenueUnavailableError
from dragoman.models import (
    ConnectionState,
    Fill,
    Order,
    OrderEventKind,
    OrderStatus,
    OrderType,
    PendingAction,
    Position,
    Side,
)
from dragoman.streaming import PolledAccount, SentOrders
from dragoman.tasks import TaskScope
from dragoman.times import SECOND_NS, ManualClock

ACCOUNT = "A1"
NOW_NS = ManualClock().now_ns()


def order(number="1", *, status=OrderStatus.OPEN, filled="0", **changes):
    return Order(
        client_order_id=f"c{number}",
        account_id=ACCOUNT,
        symbol="AAPL",
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        status=status,
        provider="acme",
        received_at_ns=NOW_NS,
        quantity=Decimal(8),
        limit_price=Decimal(100),
        venue_order_ids=(number,),
        filled_quantity=Decimal(filled),
        **changes,
    )


def fill(number, quantity, *, of="1", at_s=0, is_busted=False):
    return Fill(
        fill_id=number,
        account_id=ACCOUNT,
        client_order_id=f"c{of}",
        symbol="AAPL",
        side=Side.BUY,
        quantity=Decimal(quantity),
        price=Decimal(100),
        venue_time_ns=NOW_NS + at_s * SECOND_NS,
        provider="acme",
        received_at_ns=NOW_NS,
        venue_order_id=of,
        is_busted=is_busted,
    )


def position(quantity):
    return Position(
        position_id="AAPL",
        account_id=ACCOUNT,
        symbol="AAPL",
        quantity=Decimal(quantity),
        provider="acme",
        received_at_ns=NOW_NS,
    )


class Venue:
    """An adapter that answers from plain lists, or fails."""

    def __init__(self):
        self.context = SimpleNamespace(clock=ManualClock(), account_id=ACCOUNT, random=Random(0))
        self.orders = {}
        self.fills = []
        self.positions = ()
        self.error = None
        self.rounds = 0

    def take(self, *orders):
        self.orders |= {one.venue_order_id: one for one in orders}

    async def fetch_open_orders(self, account_id):
        self.rounds += 1
        if self.error is not None:
            raise self.error
        return tuple(one for one in self.orders.values() if not one.status.is_terminal)

    async def fetch_order(self, account_id, *, venue_order_id):
        return self.orders.get(venue_order_id)

    async def fetch_positions(self, account_id):
        return self.positions

    async def fetch_fills(self, account_id, window):
        for one in self.fills:
            if window.covers(one.venue_time_ns):
                yield one


@pytest.fixture
def venue():
    return Venue()


@pytest.fixture
def sent():
    return SentOrders()


@pytest.fixture
async def events(venue, sent):
    async with PolledAccount(venue, sent).open() as found:
        [connected] = await anext(found)
        assert ConnectionState.CONNECTED is connected.state
        yield found


async def news(venue, events, seconds=1):
    """Return what the next round tells, that comes when the time is there."""
    scope = TaskScope()
    try:
        task = scope.spawn(anext(events), "reader")
        await venue.context.clock.advance(seconds=seconds)
        return await task
    finally:
        await scope.close()


def kinds(told):
    return [event.kind for event in told]


async def test_an_order_is_told_when_it_is_first_seen(venue, events):
    venue.take(order())

    assert [OrderEventKind.ACCEPTED] == kinds(await news(venue, events))


async def test_what_was_there_before_is_no_news(venue, sent):
    venue.take(order())
    venue.fills.append(fill("f1", 2))
    venue.positions = (position(2),)

    async with PolledAccount(venue, sent).open() as events:
        await anext(events)
        venue.take(order(filled="4", status=OrderStatus.PARTIALLY_FILLED))
        venue.fills.append(fill("f2", 2, at_s=1))

        [told] = await news(venue, events)

    assert (OrderEventKind.FILL, "f2", Decimal(4)) == (
        told.kind,
        told.fill.fill_id,
        told.order.filled_quantity,
    )


async def test_fills_are_told_one_by_one_and_before_the_end(venue, events):
    venue.take(order())
    await news(venue, events)
    venue.take(order(status=OrderStatus.CANCELED, filled="5"))
    venue.fills += [fill("f1", 2), fill("f2", 3, at_s=1)]

    told = await news(venue, events)

    assert [OrderEventKind.FILL, OrderEventKind.FILL, OrderEventKind.CANCELED] == kinds(told)
    assert [Decimal(2), Decimal(5), Decimal(5)] == [one.order.filled_quantity for one in told]
    assert [False, False, True] == [one.order.status.is_terminal for one in told]


async def test_a_fill_of_an_order_that_came_and_went_between_rounds_is_told(venue, events):
    venue.take(order(status=OrderStatus.FILLED, filled="8"))
    venue.fills.append(fill("f1", 8))

    assert [OrderEventKind.ACCEPTED, OrderEventKind.FILL] == kinds(await news(venue, events))


async def test_a_fill_that_is_taken_back_is_told_as_such(venue, events):
    venue.take(order(status=OrderStatus.PARTIALLY_FILLED, filled="2"))
    venue.fills.append(fill("f1", 2))
    await news(venue, events)
    venue.take(order())
    venue.fills[0] = fill("f1", 2, is_busted=True)

    [told] = await news(venue, events)

    assert (OrderEventKind.FILL_BUSTED, Decimal(0)) == (told.kind, told.order.filled_quantity)


async def test_other_terms_are_told_as_a_restatement(venue, events):
    venue.take(order())
    await news(venue, events)
    venue.take(attrs.evolve(order(), limit_price=Decimal(99)))

    assert [OrderEventKind.RESTATED] == kinds(await news(venue, events))


async def test_an_order_that_the_venue_does_not_know_is_followed_no_more(venue, sent, events):
    sent.submitted(order("9"))
    venue.take(order("1"))

    assert ["c1"] == [one.order.client_order_id for one in await news(venue, events)]
    assert () == sent.missing([order("1")])


async def test_a_position_that_is_gone_is_told_as_flat(venue, events):
    venue.positions = (position(8),)
    [opened] = await news(venue, events)
    venue.positions = ()
    [closed] = await news(venue, events)

    assert (Decimal(0), Decimal(8)) == (opened.previous_quantity, opened.position.quantity)
    assert (Decimal(8), Decimal(0)) == (closed.previous_quantity, closed.position.quantity)


async def test_a_command_stirs_the_next_round(venue, sent, events):
    sent.submitted(order())
    venue.take(order(status=OrderStatus.CANCELED))

    assert [OrderEventKind.CANCELED] == kinds(await news(venue, events, seconds=0.001))


async def test_many_commands_stir_two_rounds_a_period_at_most(venue, sent, events):
    scope = TaskScope()
    reader = scope.spawn(anext(events), "reader")
    before = venue.rounds
    for _ in range(9):
        sent.stirred.set()
        await venue.context.clock.advance(seconds=0.1)

    assert 2 >= venue.rounds - before
    reader.cancel()
    await scope.close()


async def test_a_round_that_fails_is_told_as_a_loss_and_then_as_a_return(venue, events):
    venue.error = VenueUnavailableError("away")
    [lost] = await news(venue, events)
    [still] = await news(venue, events, seconds=20)
    venue.error = None
    [back] = await news(venue, events, seconds=20)

    assert [
        ConnectionState.DISCONNECTED,
        ConnectionState.RECONNECTING,
        ConnectionState.RECONNECTED,
    ] == [lost.state, still.state, back.state]
    assert 1 * SECOND_NS < back.gap_ns


async def test_credentials_that_are_refused_end_it(venue, events):
    venue.error = AuthenticationError("no more")

    with pytest.raises(AuthenticationError):
        await news(venue, events)


async def test_a_clock_far_ahead_of_the_venue_loses_no_fill(venue, sent):
    venue.fills.append(fill("old", 1, at_s=-1800))

    async with PolledAccount(venue, sent).open() as events:
        await anext(events)
        venue.take(order(status=OrderStatus.PARTIALLY_FILLED, filled="2"))
        venue.fills.append(fill("new", 2, at_s=-1700))

        told = await news(venue, events)

    assert [OrderEventKind.ACCEPTED, OrderEventKind.FILL] == kinds(told)


def test_a_cancel_that_shows_fills_leaves_the_end_to_the_next_round(sent):
    before, answer = order(), order(status=OrderStatus.CANCELED, filled="3")

    told = sent.canceled(before, answer)

    assert (OrderStatus.OPEN, PendingAction.CANCEL, Decimal(0)) == (
        told.status,
        told.pending,
        told.filled_quantity,
    )
    assert ("1",) == sent.missing(())


def test_a_cancel_without_fills_is_told_at_once(sent):
    answer = order(status=OrderStatus.CANCELED)

    assert answer is sent.canceled(order(), answer)
