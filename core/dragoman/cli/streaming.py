"""The command that listens: a live table on a terminal, lines or NDJSON over a pipe."""

from __future__ import annotations

import asyncio
import math
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import attrs
from cyclopts import Parameter

from dragoman.errors import RequestError
from dragoman.models import Subscription
from dragoman.models.serde import to_json

from .connection_options import ConnectionOptions
from .event_lines import event_line
from .exit_codes import ExitCode
from .live_table import LiveTable
from .reading import known_symbols
from .shell import Shell, ShellParameter

if TYPE_CHECKING:
    from dragoman.broker import Broker
    from dragoman.models import Event

__all__ = ["stream"]

_DEFAULT = ConnectionOptions()

_FLAG = Parameter(negative="", show_default=False)


async def stream(
    *symbols: Annotated[str, Parameter(help="Symbols or aliases.")],
    quotes: Annotated[
        bool, _FLAG, Parameter(help="Tops of the books; the default if nothing is named.")
    ] = False,
    trades: Annotated[bool, _FLAG, Parameter(help="Public prints.")] = False,
    bars: Annotated[
        str | None, Parameter(metavar="TIMEFRAME", help="Bars of this length, such as 1m.")
    ] = None,
    orders: Annotated[bool, _FLAG, Parameter(help="Events of the account's own orders.")] = False,
    seconds: Annotated[float | None, Parameter(help="End after so many seconds.")] = None,
    count: Annotated[int | None, Parameter(help="End after so many events.")] = None,
    options: ConnectionOptions = _DEFAULT,
    shell: ShellParameter,
) -> int:
    """Show events as they come: a live table, or one line for each over a pipe."""
    _check_ends(seconds, count)
    wanted = _subscription(symbols, quotes=quotes, trades=trades, bars=bars, orders=orders)
    async with options.connect(shell.find_registry(), read_only=not orders, is_copy=True) as broker:
        names = await known_symbols(broker, symbols)
        wanted = _subscription(names, quotes=quotes, trades=trades, bars=bars, orders=orders)
        deadline = asyncio.timeout(seconds)
        try:
            async with deadline:
                await _show(shell, broker, wanted, count, as_json=options.json)
        except TimeoutError:
            if not deadline.expired():
                raise
    return ExitCode.DONE


def _check_ends(seconds: float | None, count: int | None) -> None:
    if count is not None and count < 1:
        raise RequestError(f"--count must be at least 1, found {count}")
    if seconds is not None and not 0 < seconds < math.inf:
        raise RequestError(f"--seconds must be a number above 0, found {seconds}")


def _subscription(
    symbols: tuple[str, ...] | list[str],
    *,
    quotes: bool,
    trades: bool,
    bars: str | None,
    orders: bool,
) -> Subscription:
    """Return what is asked for; quotes, if symbols are named without a channel.

    Raises:
        RequestError: Nothing is asked for, or a channel has no symbols (NOT_SENT).
    """
    is_plain = bool(symbols) and not (trades or bars or orders)
    wanted = Subscription(
        quotes=symbols if quotes or is_plain else (),
        trades=symbols if trades else (),
        bars=[(symbol, bars) for symbol in symbols] if bars else (),
        orders=orders,
    )
    if wanted.is_empty or (not symbols and (quotes or trades or bars)):
        raise RequestError("name symbols, with --quotes, --trades or --bars; or only --orders")
    return wanted


async def _show(
    shell: Shell, broker: Broker, wanted: Subscription, count: int | None, *, as_json: bool
) -> None:
    table = LiveTable(shell.out, broker) if shell.is_live and not as_json else None
    fields = {name: getattr(wanted, name) for name in attrs.fields_dict(Subscription)}
    seen = 0
    with table or nullcontext():
        async with broker.stream(**fields) as events:
            async for batch in events.batches():
                left = len(batch) if count is None else count - seen
                for event in batch[:left]:
                    _tell(shell, table, event, as_json=as_json)
                seen += len(batch)
                shell.out.file.flush()
                if count is not None and seen >= count:
                    return


def _tell(shell: Shell, table: LiveTable | None, event: Event, *, as_json: bool) -> None:
    if table is not None:
        table.take(event)
    elif as_json:
        shell.out.file.write(f"{to_json(event)}\n")
    else:
        shell.line(event_line(event))
