"""Positions, the account's numbers, and how both are left: closed, halted, flattened."""

from decimal import Decimal

import pytest
from tests.shared.rig import eventually

from dragoman import Exit, InstrumentKind, OrderStatus, OrderType, Side, TimeInForce
from dragoman.errors import HaltedError, NotFoundError

SELL = Side.SELL
GTC = TimeInForce.GTC


async def bought(rig, name="c1", **fields):
    await rig.submit(name, **fields)
    return await rig.becomes(OrderStatus.FILLED, name=name)


async def test_a_position_has_its_quantity_and_its_average_price(rig):
    await bought(rig, "c1", quantity="10")
    await rig.venue.quote("109", "111", last="110")
    await bought(rig, "c2", quantity="30")

    (position,) = await rig.broker.fetch_positions()

    await rig.holds("40")
    assert ("AAPL", Decimal(40)) == (position.symbol, position.quantity)
    assert Decimal("108.5") == position.average_entry_price
    assert Decimal(60) == position.unrealized_pnl.amount
    assert "USD" == position.unrealized_pnl.currency


async def test_a_short_position_is_negative(rig):
    await bought(rig, side=SELL)

    (position,) = await rig.broker.fetch_positions("AAPL")

    await rig.holds("-10")
    assert (Decimal(-10), Decimal(99)) == (position.quantity, position.average_entry_price)


async def test_a_position_in_a_coin_has_the_name_that_orders_have(rig):
    await bought(rig, symbol="BTC/USD", quantity="0.5", time_in_force=GTC)

    (position,) = await rig.broker.fetch_positions("BTC/USD")

    assert ("BTC/USD", Decimal("0.5")) == (position.symbol, position.quantity)
    assert Decimal(50010) == position.average_entry_price


async def test_a_position_turns_round(rig):
    await bought(rig, "c1", quantity="10")
    await rig.holds("10")

    await bought(rig, "c2", side=SELL, quantity="25")

    await rig.holds("-15")
    (position,) = await rig.broker.fetch_positions()
    assert (Decimal(-15), Decimal(99)) == (position.quantity, position.average_entry_price)


async def test_an_option_is_traded_by_its_contract(rig):
    listed = await rig.observer.instrument("AAPL-CALL")
    await rig.venue.quote("5.00", "5.20", listed.symbol, size="50")

    found = await rig.broker.instrument(listed.symbol)
    await bought(rig, symbol=listed.symbol, quantity="2", time_in_force=TimeInForce.DAY)

    assert listed.symbol == found.symbol
    assert (listed.strike, listed.expires_at_ns) == (found.strike, found.expires_at_ns)
    assert (Decimal(100), InstrumentKind.OPTION) == (found.multiplier, found.kind)
    (position,) = await rig.broker.fetch_positions()
    assert (Decimal(2), Decimal("5.2")) == (position.quantity, position.average_entry_price)
    assert Decimal(-20) == position.unrealized_pnl.amount
    await rig.holds("2", listed.symbol)
    await rig.broker.close(listed.symbol)
    await rig.holds("0", listed.symbol)


async def test_a_position_is_closed_in_part_and_then_whole(rig):
    await bought(rig)
    await rig.holds("10")

    part = await rig.broker.close("AAPL", "4", client_order_id="part")
    await rig.becomes(OrderStatus.FILLED, name="part")
    await rig.holds("6")
    await rig.broker.close("AAPL", client_order_id="rest")
    await rig.becomes(OrderStatus.FILLED, name="rest")

    await rig.holds("0")
    assert (SELL, OrderType.MARKET, Decimal(4)) == (part.side, part.order_type, part.quantity)
    assert part.reduce_only
    assert () == await rig.broker.fetch_positions()


async def test_what_is_not_held_can_not_be_closed(rig):
    with pytest.raises(NotFoundError):
        await rig.broker.close("AAPL")


async def test_every_position_is_closed(rig):
    await bought(rig, "c1")
    await bought(rig, "c2", symbol="MSFT", side=SELL)
    await bought(rig, "c3", symbol="BTC/USD", quantity="0.5", time_in_force=GTC)
    await rig.holds("10")
    await rig.holds("-10", "MSFT")
    await rig.holds("0.5", "BTC/USD")

    results = await rig.broker.close_all()

    assert [None] * 3 == [one.error for one in results]
    for symbol in ("AAPL", "MSFT", "BTC/USD"):
        await rig.holds("0", symbol)
    assert () == await rig.broker.fetch_positions()


async def test_the_accounts_numbers_are_those_of_the_venue(rig):
    await bought(rig)
    await rig.venue.quote("109", "111", last="110")

    account = await rig.broker.fetch_account()

    told = await rig.venue.mock.look(lambda engine: engine.account("paper-1"))
    assert rig.broker.account_id == account.account_id
    assert ("USD", True) == (account.currency, account.can_trade)
    assert told.equity == account.equity
    assert told.buying_power == account.buying_power
    assert [one.total for one in told.balances] == [one.total for one in account.balances]


async def test_while_halted_nothing_is_sent_and_cancels_go(rig):
    await rig.rest()

    rig.broker.halt("enough")
    with pytest.raises(HaltedError):
        await rig.rest("c2")
    await rig.broker.cancel("c1")

    await rig.becomes(OrderStatus.CANCELED)
    assert None is rig.order("c2")
    rig.broker.resume()
    await rig.rest("c3")
    await rig.becomes(OrderStatus.OPEN, name="c3")


async def test_halt_and_cancel_takes_every_order_along(rig):
    await rig.rest("c1")
    await rig.place_elsewhere("other", symbol="MSFT")

    await rig.broker.halt_and_cancel("enough")

    await rig.becomes(OrderStatus.CANCELED)
    await eventually(lambda: not rig.broker.state.open_orders)
    assert () == await rig.broker.fetch_open_orders()


async def test_flatten_leaves_nothing(rig):
    await bought(rig, "c1")
    await bought(rig, "c2", symbol="BTC/USD", quantity="0.5", time_in_force=GTC)
    await rig.rest("c3", symbol="MSFT")
    await rig.holds("10")

    exits = {"stop_loss": Exit(price="95"), "take_profit": Exit(price="110")}
    await bought(rig, "c4", time_in_force=GTC, **exits)
    await rig.becomes(OrderStatus.OPEN, name="c4-tp")
    await rig.holds("20")

    report = await rig.broker.flatten("enough")

    assert report.is_flat
    assert () == await rig.broker.fetch_positions()
    assert () == await rig.broker.fetch_open_orders()
