"""Accounts, positions, executions, quotes and bars as the protocol shows them.

Its readers need every number, so one that the broker does not tell is worked out of those it does,
and only a number that is nothing there is a zero.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from dragoman.models import Liquidity
from dragoman.money import ZERO, add, divide, subtract, total
from dragoman_tektii.mapping.words import MARGIN_MODES, POSITION_SIDE_WORDS, SIDE_WORDS

from .order_rows import present
from .texts import amount, instant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dragoman.models import Account, Bar, Fill, Money, Position, Quote, Ticker

    from .desks import Desk

__all__ = ["account_row", "bar_row", "middle", "position_row", "quote_row", "trade_row"]

_TWO: Final = Decimal(2)
_MODES: Final = {mode: word for word, mode in MARGIN_MODES.items()}
_USUAL: Final = ("USD", "USDT", "USDC", "EUR")


def account_row(account: Account, positions: Iterable[Position]) -> dict[str, object]:
    """Return an account; its id, its cash and its realized profit are extensions.

    By its id two gateways are told apart. `balance` is what `equity` is without open profit, as the
    protocol defines it; where shares are paid in full, that is not the cash.
    """
    gains = [one.unrealized_pnl.amount for one in positions if one.unrealized_pnl is not None]
    unrealized = total(gains) if account.unrealized_pnl is None else account.unrealized_pnl
    currency = account.currency or _usual_currency(account)
    cash, equity = account.cash, account.equity
    if cash is None and equity is None:
        held = [one.total for one in account.balances if one.currency == currency]
        cash = total(held)
    if equity is None:
        equity = add(cash or ZERO, unrealized)
    used = ZERO if account.margin_used is None else account.margin_used
    free = account.margin_available
    if free is None:
        free = account.buying_power
    row: dict[str, object] = {
        "balance": amount(subtract(equity, unrealized)),
        "equity": amount(equity),
        "margin_used": amount(used),
        "margin_available": amount(subtract(equity, used) if free is None else free),
        "unrealized_pnl": amount(unrealized),
        "currency": currency,
        "account_id": account.account_id,
    }
    if cash is not None:
        row["cash"] = amount(cash)
    if account.realized_pnl is not None:
        row["realized_pnl"] = amount(account.realized_pnl)
    return row


def _usual_currency(account: Account) -> str:
    held = [one.currency for one in account.balances]
    return next((one for one in _USUAL if one in held), held[0] if held else "USD")


def position_row(
    desk: Desk, position: Position, *, price: Decimal | None = None, sign: int = 0
) -> dict[str, object]:
    """Return a position.

    Args:
        desk: The account it belongs to.
        position: The position; its quantity is 0 only where its end is told.
        price: What it is worth a unit; None is what the broker says.
        sign: Which way it was, once it is flat.
    """
    known = desk.last_position(position.position_id)
    entry = position.average_entry_price
    if entry is None and known is not None:
        entry = known.average_entry_price
    now = price if position.mark_price is None else position.mark_price
    now = entry if now is None else now
    entry = now if entry is None else entry
    opened_ns = position.opened_at_ns
    updated_ns = position.updated_at_ns or position.received_at_ns
    if opened_ns is None:
        opened_ns = updated_ns if known is None else known.opened_at_ns or updated_ns
    mode = position.margin_mode
    return present(
        {
            "id": position.position_id,
            "symbol": desk.naming.spelled(position.symbol),
            "side": POSITION_SIDE_WORDS[-1 if (position.quantity or sign) < 0 else 1],
            "quantity": amount(position.quantity.copy_abs()),
            "average_entry_price": amount(ZERO if entry is None else entry),
            "current_price": amount(ZERO if now is None else now),
            "unrealized_pnl": _money(position.unrealized_pnl),
            "realized_pnl": _money(position.realized_pnl),
            "margin_mode": None if mode is None else _MODES.get(mode),
            "leverage": amount(position.leverage),
            "liquidation_price": amount(position.liquidation_price),
            "opened_at": instant(opened_ns),
            "updated_at": instant(updated_ns),
        }
    )


def _money(money: Money | None) -> str:
    return amount(ZERO if money is None else money.amount)


def trade_row(desk: Desk, fill: Fill, currency: str) -> dict[str, object]:
    """Return an execution.

    Args:
        desk: The account it belongs to.
        fill: The execution.
        currency: What a fee would be paid in where the broker tells of none.
    """
    fee = fill.commission
    maker = fill.liquidity
    return present(
        {
            "id": fill.fill_id,
            "order_id": fill.client_order_id,
            "symbol": desk.naming.spelled(fill.symbol, fill.client_order_id),
            "side": SIDE_WORDS[fill.side],
            "quantity": amount(fill.quantity),
            "price": amount(fill.price),
            "commission": _money(fee),
            "commission_currency": currency if fee is None else fee.currency,
            "is_maker": None if maker is None else maker is Liquidity.MAKER,
            "timestamp": instant(fill.venue_time_ns),
        }
    )


def middle(quote: Quote) -> Decimal | None:
    """Return the price between bid and ask, or the one side there is."""
    bid, ask = quote.bid_price, quote.ask_price
    if bid is None or ask is None:
        return ask if bid is None else bid
    return divide(add(bid, ask), _TWO)


def quote_row(
    quote: Quote, symbol: str, *, last: Decimal | None = None, ticker: Ticker | None = None
) -> dict[str, object] | None:
    """Return a quote; None for one that shows no price at all.

    Where nobody is on a side, its size is 0, and its price, which readers need, the last one.

    Args:
        quote: The top of the book.
        symbol: How the client spells it.
        last: The last price, where it is known; else the ticker's, else the middle of the book.
        ticker: What else is known of the instrument.
    """
    between = middle(quote)
    if last is None and ticker is not None:
        last = ticker.last_price
    last = between if last is None else last
    if last is None:
        return None
    return present(
        {
            "symbol": symbol,
            "provider": quote.provider,
            "bid": amount(last if quote.bid_price is None else quote.bid_price),
            "bid_size": amount(ZERO if quote.bid_price is None else quote.bid_size),
            "ask": amount(last if quote.ask_price is None else quote.ask_price),
            "ask_size": amount(ZERO if quote.ask_price is None else quote.ask_size),
            "last": amount(last),
            "volume": None if ticker is None else amount(ticker.volume),
            "timestamp": instant(quote.venue_time_ns or quote.received_at_ns),
        }
    )


def bar_row(bar: Bar, symbol: str) -> dict[str, object]:
    """Return a bar, spelled as its client does."""
    return {
        "symbol": symbol,
        "provider": bar.provider,
        "timeframe": str(bar.timeframe),
        "timestamp": instant(bar.open_time_ns),
        "open": amount(bar.open),
        "high": amount(bar.high),
        "low": amount(bar.low),
        "close": amount(bar.close),
        "volume": amount(ZERO if bar.volume is None else bar.volume),
    }
