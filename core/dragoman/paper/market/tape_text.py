"""Reading tapes: recorded market data as CSV or NDJSON, strictly, each number as written.

Columns (CSV, by header) or keys (NDJSON, one object a line) are `time` and `symbol` in every row,
then a quote (`bid_price`, `bid_size`, `ask_price`, `ask_size`; one side may be missing), or a print
(`price`, `size` and, where known, `side`: BUY or SELL, who took), or both. Times are RFC 3339 or
whole nanoseconds since 1970, and never fall from row to row. A column that is absent, empty or null
is not known; a name that is none of these is an error.
"""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Final, NoReturn, cast

from dragoman.errors import InvalidValueError, Violation
from dragoman.models import Side
from dragoman.money import parse_decimal
from dragoman.times import parse_time

from .feed import MarketTick

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from decimal import Decimal
    from pathlib import Path

__all__ = ["COLUMNS", "load_rows", "read_csv", "read_ndjson"]

COLUMNS: Final = (
    "time",
    "symbol",
    "bid_price",
    "bid_size",
    "ask_price",
    "ask_size",
    "price",
    "size",
    "side",
)
_PAIRS: Final = (("bid_price", "bid_size"), ("ask_price", "ask_size"), ("price", "size"))


def load_rows(path: Path) -> tuple[MarketTick, ...]:
    """Read the tape in a file; its suffix, `.csv` or `.ndjson`, tells how it is written.

    Raises:
        InvalidValueError: The suffix is another, or a row is no good; the message names file and
        line. OSError: The file can't be read.
    """
    readers = {".csv": read_csv, ".ndjson": read_ndjson}
    reader = readers.get(path.suffix)
    if reader is None:
        _refuse(str(path), "suffix", path.suffix, "'.csv' or '.ndjson'")
    with path.open(encoding="utf-8", newline="") as lines:
        return reader(lines, path.name)


def read_csv(lines: Iterable[str], name: str) -> tuple[MarketTick, ...]:
    """Read a tape written as CSV with a header. `name` stands for it in errors.

    Raises:
        InvalidValueError: A row is no good; the message says where, the field, the value and what
        is allowed.
    """
    return _in_order(_csv_rows(lines, name))


def read_ndjson(lines: Iterable[str], name: str) -> tuple[MarketTick, ...]:
    """Read a tape written as one JSON object a line; `name` stands for it in errors.

    Blank lines are passed over.

    Raises:
        InvalidValueError: A row is no good; the message says where, the field, the value and what
        is allowed.
    """
    return _in_order(_ndjson_rows(lines, name))


def _csv_rows(lines: Iterable[str], name: str) -> Iterator[tuple[str, dict[str, str]]]:
    reader = csv.reader(lines, strict=True)
    header: list[str] | None = None
    try:
        for values in reader:
            where = f"{name}:{reader.line_num}"
            if header is None:
                header = _checked_header(values, where)
            elif len(values) != len(header):
                _refuse(where, "row", ",".join(values), f"{len(header)} values, as the header has")
            else:
                yield (
                    where,
                    {key: value for key, value in zip(header, values, strict=True) if value},
                )
    except csv.Error as error:
        _refuse(f"{name}:{reader.line_num}", "row", str(error), "a line of CSV")


def _checked_header(names: list[str], where: str) -> list[str]:
    for name in names:
        if name not in COLUMNS or names.count(name) > 1:
            _refuse(where, "column", name, f"each at most once: {', '.join(COLUMNS)}")
    return names


def _ndjson_rows(lines: Iterable[str], name: str) -> Iterator[tuple[str, dict[str, str]]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            where = f"{name}:{number}"
            yield where, _json_row(line, where)


def _json_row(line: str, where: str) -> dict[str, str]:
    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        names = [key for key, _ in pairs]
        _checked_header(names, where)
        return dict(pairs)

    try:
        row: object = json.loads(line, parse_float=str, parse_int=str, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        _refuse(where, "line", line.strip(), f"a JSON object ({error.msg})")
    if not isinstance(row, dict):
        _refuse(where, "line", line.strip(), "a JSON object")
    values = {
        key: value for key, value in cast("dict[str, object]", row).items() if value is not None
    }
    for key, value in values.items():
        if not isinstance(value, str):
            _refuse(where, key, value, "a text or a number")
    return cast("dict[str, str]", values)


def _in_order(rows: Iterable[tuple[str, dict[str, str]]]) -> tuple[MarketTick, ...]:
    found: list[MarketTick] = []
    for where, row in rows:
        tick = _to_tick(row, where)
        if found and tick.time_ns < found[-1].time_ns:
            _refuse(where, "time", row["time"], "a time not before the row above")
        found.append(tick)
    return tuple(found)


def _to_tick(row: Mapping[str, str], where: str) -> MarketTick:
    if not row.get("symbol"):
        _refuse(where, "symbol", None, "the symbol or alias of an instrument")
    amounts = {name: _amount(row, name, where) for pair in _PAIRS for name in pair}
    for price, size in _PAIRS:
        if (amounts[price] is None) != (amounts[size] is None):
            missing, given = (price, size) if amounts[price] is None else (size, price)
            _refuse(where, missing, None, f"a number, as {given} is given")
    bid, ask = amounts["bid_price"], amounts["ask_price"]
    if bid is None and ask is None and amounts["price"] is None:
        _refuse(where, "price", None, "a number, as the row has no bid and no ask")
    if bid is not None and ask is not None and bid > ask:
        _refuse(where, "bid_price", bid, f"at most the ask of {ask}")
    return MarketTick(
        time_ns=_instant(row, where),
        symbol=row["symbol"],
        bid_price=bid,
        bid_size=amounts["bid_size"],
        ask_price=ask,
        ask_size=amounts["ask_size"],
        last_price=amounts["price"],
        last_size=amounts["size"],
        aggressor=_side(row, where),
    )


def _instant(row: Mapping[str, str], where: str) -> int:
    text = row.get("time", "")
    if text.isascii() and text.isdigit() and len(text) <= 19:
        return int(text)
    try:
        return parse_time(text)
    except InvalidValueError:
        _refuse(where, "time", text, "RFC 3339 with an offset, or nanoseconds since 1970")


def _amount(row: Mapping[str, str], name: str, where: str) -> Decimal | None:
    text = row.get(name)
    if text is None:
        return None
    try:
        value = parse_decimal(text)
    except InvalidValueError:
        _refuse(where, name, text, "a decimal number")
    if name.endswith("size") and value <= 0:
        _refuse(where, name, text, "a number above 0")
    return value


def _side(row: Mapping[str, str], where: str) -> Side | None:
    text = row.get("side")
    if text is None:
        return None
    if text not in Side.__members__ or "price" not in row:
        _refuse(where, "side", text, "BUY or SELL, of a print")
    return Side(text)


def _refuse(where: str, field: str, value: object, allowed: str) -> NoReturn:
    raise InvalidValueError.of(where, [Violation.of(field, value, allowed)])
