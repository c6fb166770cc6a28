"""Bars into a file, exactly and whole: a file under its own name is always complete.

CSV holds amounts as plain decimal text and times as RFC 3339 with nanoseconds; what is not known is
empty. Parquet holds amounts as `decimal128(38, 18)` (20 digits before the point, 18 after; one that
does not fit is refused, never rounded) and times as nanosecond timestamps in UTC.
"""

from __future__ import annotations

import csv
from contextlib import contextmanager, suppress
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol

from dragoman.errors import InvalidValueError, MissingDependencyError, Violation
from dragoman.money import format_decimal
from dragoman.times import format_time

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from dragoman.models import Bar

__all__ = ["FIELDS", "BarFile", "bar_file"]

FIELDS: Final = (
    "symbol",
    "timeframe",
    "open_time",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "turnover",
    "vwap",
    "trade_count",
    "price_source",
    "is_complete",
)
"""The columns of a file of bars, in order."""

_DIGITS: Final = 38
_PLACES: Final = 18
_PIP_LINE: Final = 'writing Parquet needs pyarrow; run: pip install "dragoman[arrow]"'


class BarFile(Protocol):
    """Takes bars in chunks."""

    def write(self, bars: Sequence[Bar]) -> None:
        """Write some bars."""
        ...

    def close(self) -> None:
        """Write what belongs at the end."""
        ...


@contextmanager
def bar_file(path: Path) -> Generator[BarFile]:
    """Open a file for bars; it appears under its name once all of them are in it.

    Raises:
        InvalidValueError: The name ends in neither .csv nor .parquet (NOT_SENT).
        MissingDependencyError: Parquet is asked for without pyarrow (NOT_SENT).
        OSError: The place can't be written.
    """
    beside = path.with_name(f".{path.name}.part")
    file: BarFile
    match path.suffix.lower():
        case ".csv":
            file = _CsvFile(beside)
        case ".parquet":
            file = _ParquetFile(beside)
        case _:
            allowed = "a name that ends in .csv or .parquet"
            raise InvalidValueError.of("bars", [Violation.of("--out", str(path), allowed)])
    try:
        yield file
        file.close()
        beside.replace(path)
    except BaseException:
        file.close()
        with suppress(FileNotFoundError):
            beside.unlink()
        raise


class _CsvFile:
    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(FIELDS)

    def write(self, bars: Sequence[Bar]) -> None:
        for bar in bars:
            cells = dict(zip(FIELDS, _values(bar), strict=True))
            cells["open_time"] = format_time(bar.open_time_ns)
            self._writer.writerow([*map(_text, cells.values())])

    def close(self) -> None:
        self._file.close()


class _ParquetFile:
    def __init__(self, path: Path) -> None:
        try:
            self._arrow: Any = import_module("pyarrow")
            parquet: Any = import_module("pyarrow.parquet")
        except ImportError as error:
            raise MissingDependencyError(_PIP_LINE) from error
        self._schema = _schema(self._arrow)
        self._writer: Any = parquet.ParquetWriter(str(path), self._schema)

    def write(self, bars: Sequence[Bar]) -> None:
        rows = [_values(bar) for bar in bars]
        columns = dict(zip(FIELDS, map(list, zip(*rows, strict=True)), strict=True))
        try:
            table = self._arrow.table(columns, schema=self._schema)
        except self._arrow.ArrowInvalid as error:
            allowed = f"at most {_DIGITS - _PLACES} digits before the point and {_PLACES} after"
            found = Violation.of("an amount", error, f"{allowed}; write .csv, which takes any")
            raise InvalidValueError.of("Parquet", [found]) from None
        self._writer.write_table(table)

    def close(self) -> None:
        self._writer.close()


def _schema(arrow: Any) -> Any:  # noqa: ANN401 - pyarrow has no types
    decimal = arrow.decimal128(_DIGITS, _PLACES)
    kinds = {
        "symbol": arrow.string(),
        "timeframe": arrow.string(),
        "open_time": arrow.timestamp("ns", tz="UTC"),
        "trade_count": arrow.int64(),
        "price_source": arrow.string(),
        "is_complete": arrow.bool_(),
    }
    return arrow.schema([(name, kinds.get(name, decimal)) for name in FIELDS])


def _values(bar: Bar) -> tuple[object, ...]:
    """Return a bar's cells; the time stays nanoseconds."""
    special = {
        "timeframe": str(bar.timeframe),
        "open_time": bar.open_time_ns,
        "price_source": str(bar.price_source),
    }
    return tuple(special[name] if name in special else getattr(bar, name) for name in FIELDS)


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format_decimal(value)
        case _:
            return str(value)
