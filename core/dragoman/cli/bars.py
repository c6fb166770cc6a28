"""The command that reads historical prices: to the terminal, to a pipe, into a file."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from dragoman.errors import RequestError
from dragoman.models import Timeframe, Window
from dragoman.models.serde import to_json
from dragoman.times import DAY_NS

from .bars_out import bar_file
from .connection_options import ConnectionOptions
from .exit_codes import ExitCode
from .output import Sheet, json_text
from .shell import Shell, ShellParameter
from .windows import End, Start, window
from .wording import amount, day_time

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from dragoman.broker import Broker
    from dragoman.models import Bar

__all__ = ["bars"]

_DEFAULT = ConnectionOptions()
_LATEST: Final = 100
_CHUNK: Final = 5_000
_LONGEST_MONTH_NS: Final = 31 * DAY_NS

Limit = Annotated[
    int | None,
    Parameter(help="At most so many: the first from --start, else the latest (100 by default)."),
]
Out = Annotated[
    Path | None, Parameter(metavar="FILE", help="Into this .csv or .parquet file, exactly.")
]


async def bars(
    symbol: Annotated[str, Parameter(help="Symbol or alias.")],
    timeframe: Annotated[str, Parameter(help="A count and s, m, h, d, w or M: 1m, 4h, 1d.")],
    /,
    *,
    start: Start = None,
    end: End = None,
    limit: Limit = None,
    out: Out = None,
    options: ConnectionOptions = _DEFAULT,
    shell: ShellParameter,
) -> int:
    """Read bars, oldest first: complete, or an error and no file."""
    frame = Timeframe.parse(timeframe)
    if limit is not None and limit < 1:
        raise RequestError(f"--limit must be at least 1, found {limit}")
    asked = _span(frame, window(start, end), limit, shell.clock.now_ns())
    async with options.connect(shell.find_registry(), read_only=True) as broker:
        name = (await broker.instrument(symbol)).symbol
        async with aclosing(_chunks(shell, broker, name, frame, asked)) as chunks:
            if out is not None:
                count = await _into_file(out, chunks)
                _tell_file(shell, broker, out, count, as_json=options.json)
            elif options.json:
                await _as_json(shell, broker, chunks)
            else:
                shell.sheet(_sheet([bar async for chunk in chunks for bar in chunk]))
    return ExitCode.DONE


def _span(frame: Timeframe, asked: Window, limit: int | None, now_ns: int) -> Window:
    """Return what to read; without a start, the latest bars before the end."""
    if asked.start_ns is not None:
        return Window(start_ns=asked.start_ns, end_ns=asked.end_ns, limit=limit)
    length_ns = frame.length_ns or _LONGEST_MONTH_NS * frame.count
    end_ns = now_ns if asked.end_ns is None else asked.end_ns
    return Window(
        start_ns=max(0, end_ns - (limit or _LATEST) * length_ns), end_ns=end_ns, limit=limit
    )


async def _chunks(
    shell: Shell, broker: Broker, symbol: str, frame: Timeframe, asked: Window
) -> AsyncGenerator[list[Bar], None]:
    """Yield the bars in chunks, showing on standard error how far it is."""
    waiting: list[Bar] = []
    with _progress(shell) as progress:
        task = progress.add_task(f"{symbol} {frame}", total=_expected(frame, asked, shell))
        async for bar in broker.fetch_bars(symbol, frame, asked):
            waiting.append(bar)
            if len(waiting) == _CHUNK:
                progress.advance(task, _CHUNK)
                yield waiting
                waiting = []
        progress.advance(task, len(waiting))
    if waiting:
        yield waiting


def _expected(frame: Timeframe, asked: Window, shell: Shell) -> int | None:
    """Return how many bars there can be at most."""
    if asked.start_ns is None or frame.length_ns is None:
        return asked.limit
    end_ns = shell.clock.now_ns() if asked.end_ns is None else asked.end_ns
    count = max(0, end_ns - asked.start_ns) // frame.length_ns + 1
    return count if asked.limit is None else min(count, asked.limit)


def _progress(shell: Shell) -> Progress:
    is_drawn = shell.err.is_terminal and not shell.err.is_dumb_terminal
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=shell.err,
        transient=True,
        disable=not is_drawn,
    )


async def _into_file(out: Path, chunks: AsyncIterator[list[Bar]]) -> int:
    count = 0
    with bar_file(out) as file:
        async for chunk in chunks:
            file.write(chunk)
            count += len(chunk)
    return count


def _tell_file(shell: Shell, broker: Broker, out: Path, count: int, *, as_json: bool) -> None:
    if as_json:
        shell.answer_json(broker, {"file": str(out), "count": count})
    else:
        shell.line(f"{count} bars written to {out}")


async def _as_json(shell: Shell, broker: Broker, chunks: AsyncIterator[list[Bar]]) -> None:
    """Write one JSON document piece by piece, so that a long history needs no memory."""
    origin = {"provider": broker.provider, "environment": broker.environment}
    head = json_text({**origin, "account_id": broker.account_id})
    shell.out.file.write(f'{head.removesuffix("}")}, "bars": [')
    separator = ""
    async for chunk in chunks:
        for bar in chunk:
            shell.out.file.write(separator + to_json(bar))
            separator = ",\n"
    shell.line("]}")


def _sheet(found: list[Bar]) -> Sheet:
    rows = [
        (
            day_time(bar.open_time_ns),
            amount(bar.open),
            amount(bar.high),
            amount(bar.low),
            amount(bar.close),
            amount(bar.volume),
        )
        for bar in found
    ]
    numbers = "OPEN HIGH LOW CLOSE VOLUME"
    return Sheet.of(f"TIME {numbers}", rows, numbers=numbers, empty="no bars in that span")
