"""Commands that look: account, quotes, positions, orders, fills."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from dragoman.errors import RequestError
from dragoman.models import Window

from .connection_options import ConnectionOptions
from .exit_codes import ExitCode
from .output import Sheet
from .shell import ShellParameter
from .windows import End, Start, window
from .wording import amount, day_time, money, order_prices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.broker import Broker
    from dragoman.models import Account, Order, Position

__all__ = [
    "account",
    "fills",
    "known_symbols",
    "order_sheet",
    "orders",
    "position_sheet",
    "positions",
    "quote",
]

_DEFAULT = ConnectionOptions()
_ORDER_TITLES = "ID SIDE QUANTITY FILLED AVERAGE SYMBOL TYPE PRICE STATUS"
_POSITION_TITLES = "SYMBOL QUANTITY ENTRY MARK UNREALIZED REALIZED ID"

SymbolFilter = Annotated[str | None, Parameter(help="Of this symbol only.")]
_FLAG = Parameter(negative="", show_default=False)


async def account(*, options: ConnectionOptions = _DEFAULT, shell: ShellParameter) -> int:
    """Show the account: equity, cash, buying power, margin, profit."""
    async with options.connect(shell.find_registry(), read_only=True) as broker:
        found = await broker.fetch_account()
        if options.json:
            shell.answer_json(broker, {"account": found})
            return ExitCode.DONE
        shell.heading(broker)
        shell.sheet(Sheet.of("TOTAL AMOUNT", _totals(found), numbers="AMOUNT"))
        if found.balances:
            shell.line()
            rows = [
                (one.currency, amount(one.total), amount(one.available), amount(one.reserved))
                for one in found.balances
            ]
            titles = "CURRENCY TOTAL AVAILABLE RESERVED"
            shell.sheet(Sheet.of(titles, rows, numbers="TOTAL AVAILABLE RESERVED"))
    return ExitCode.DONE


async def quote(
    *symbols: Annotated[str, Parameter(help="Symbols or aliases.")],
    options: ConnectionOptions = _DEFAULT,
    shell: ShellParameter,
) -> int:
    """Show the top of the book of each symbol."""
    if not symbols:
        raise RequestError("name at least one symbol")
    async with options.connect(shell.find_registry(), read_only=True) as broker:
        names = await known_symbols(broker, symbols)
        quotes = await broker.fetch_quotes(names)
        found = [quotes[name] for name in names]
        if options.json:
            shell.answer_json(broker, {"quotes": found})
            return ExitCode.DONE
        rows = [
            (
                one.symbol,
                amount(one.bid_size),
                amount(one.bid_price),
                amount(one.ask_price),
                amount(one.ask_size),
                day_time(one.venue_time_ns or one.received_at_ns),
            )
            for one in found
        ]
        numbers = "BID_SIZE BID ASK ASK_SIZE"
        shell.sheet(Sheet.of(f"SYMBOL {numbers} TIME", rows, numbers=numbers))
    return ExitCode.DONE


async def positions(
    *,
    symbol: SymbolFilter = None,
    options: ConnectionOptions = _DEFAULT,
    shell: ShellParameter,
) -> int:
    """Show the open positions."""
    async with options.connect(shell.find_registry(), read_only=True) as broker:
        found = await broker.fetch_positions(await _resolved(broker, symbol))
        if options.json:
            shell.answer_json(broker, {"positions": found})
        else:
            shell.sheet(position_sheet(found))
    return ExitCode.DONE


async def orders(
    *,
    every: Annotated[
        bool, _FLAG, Parameter(name="--all", help="Those that have ended too.")
    ] = False,
    only_open: Annotated[
        bool, _FLAG, Parameter(name="--open", help="Open ones only, which is the default.")
    ] = False,
    symbol: SymbolFilter = None,
    start: Start = None,
    end: End = None,
    options: ConnectionOptions = _DEFAULT,
    shell: ShellParameter,
) -> int:
    """Show orders: the open ones, or with --all every one of a span of time, oldest first."""
    if every and only_open:
        raise RequestError("name one of --open and --all, not both")
    asked = window(start, end)
    if not every and asked != Window():
        raise RequestError("--start and --end go with --all: open orders are those of now")
    async with options.connect(shell.find_registry(), read_only=True) as broker:
        name = await _resolved(broker, symbol)
        if every:
            found = [order async for order in broker.fetch_orders(asked, name)]
        else:
            found = [*await broker.fetch_open_orders(name)]
        if options.json:
            shell.answer_json(broker, {"orders": found})
        else:
            shell.sheet(order_sheet(found, empty="no orders" if every else "no open orders"))
    return ExitCode.DONE


async def fills(
    *,
    symbol: SymbolFilter = None,
    start: Start = None,
    end: End = None,
    options: ConnectionOptions = _DEFAULT,
    shell: ShellParameter,
) -> int:
    """Show executions of a span of time, oldest first."""
    asked = window(start, end)
    async with options.connect(shell.find_registry(), read_only=True) as broker:
        name = await _resolved(broker, symbol)
        found = [fill async for fill in broker.fetch_fills(asked, name)]
        if options.json:
            shell.answer_json(broker, {"fills": found})
            return ExitCode.DONE
        rows = [
            (
                day_time(fill.venue_time_ns),
                fill.side,
                amount(fill.quantity),
                fill.symbol,
                amount(fill.price),
                money(fill.commission),
                fill.client_order_id,
            )
            for fill in found
        ]
        titles = "TIME SIDE QUANTITY SYMBOL PRICE COMMISSION ORDER"
        numbers = "QUANTITY PRICE COMMISSION"
        shell.sheet(Sheet.of(titles, rows, numbers=numbers, empty="no fills"))
    return ExitCode.DONE


async def known_symbols(broker: Broker, names: Sequence[str]) -> list[str]:
    """Return the symbols that names or aliases stand for, each once.

    Raises:
        UnknownInstrumentError: One stands for none (NOT_SENT).
    """
    found = [(await broker.instrument(name)).symbol for name in names]
    return list(dict.fromkeys(found))


def order_sheet(orders: Sequence[Order], *, empty: str = "no orders") -> Sheet:
    """Return orders as a table."""
    rows = [
        (
            order.client_order_id,
            order.side,
            amount(order.quantity if order.quantity is not None else order.notional),
            amount(order.filled_quantity),
            amount(order.average_fill_price),
            order.symbol,
            order.order_type,
            order_prices(order),
            order.status,
        )
        for order in orders
    ]
    return Sheet.of(_ORDER_TITLES, rows, numbers="QUANTITY FILLED AVERAGE PRICE", empty=empty)


def position_sheet(positions: Sequence[Position]) -> Sheet:
    """Return positions as a table."""
    rows = [
        (
            position.symbol,
            amount(position.quantity),
            amount(position.average_entry_price),
            amount(position.mark_price),
            money(position.unrealized_pnl),
            money(position.realized_pnl),
            position.position_id,
        )
        for position in positions
    ]
    numbers = "QUANTITY ENTRY MARK UNREALIZED REALIZED"
    return Sheet.of(_POSITION_TITLES, rows, numbers=numbers, empty="no open positions")


async def _resolved(broker: Broker, symbol: str | None) -> str | None:
    return None if symbol is None else (await broker.instrument(symbol)).symbol


def _totals(found: Account) -> list[tuple[str, str]]:
    totals = (
        ("equity", found.equity),
        ("cash", found.cash),
        ("buying power", found.buying_power),
        ("margin used", found.margin_used),
        ("margin available", found.margin_available),
        ("unrealized profit", found.unrealized_pnl),
        ("realized profit", found.realized_pnl),
    )
    currency = f" {found.currency}" if found.currency else ""
    return [(name, f"{amount(total)}{currency}") for name, total in totals if total is not None]
