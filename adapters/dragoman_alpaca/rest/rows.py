"""Rows of a response, each with the bytes it was read from where those are to be kept."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import attrs
import msgspec

from dragoman.errors import DecodeError
from dragoman.transport.codec import JsonDecoder, Limits
from dragoman_alpaca.wire.mending import PatientDecoder

from .endpoints import MOST_ASSET_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ContractPage", "Latest", "Page", "RowReader", "Seen"]

Row = TypeVar("Row")
Row_co = TypeVar("Row_co", covariant=True)

_NULL: Final = b"null"

_log: Final = logging.getLogger(__name__)


@attrs.frozen
class Seen(Generic[Row_co]):
    """One row as the venue sent it; `raw` are its bytes, None where they are not kept."""

    row: Row_co
    raw: bytes | None = None


class Page(msgspec.Struct, kw_only=True):
    """One page of market data by symbol; which of the fields is there depends on what was asked.

    A symbol without data stands with null, or not at all. No `next_page_token` on the last page.
    """

    bars: dict[str, list[msgspec.Raw] | None] | None = None
    trades: dict[str, list[msgspec.Raw] | None] | None = None
    quotes: dict[str, list[msgspec.Raw] | None] | None = None
    next_page_token: str | None = None

    def of(self, symbol: str) -> Iterable[msgspec.Raw]:
        """Return what there is of one symbol, not read yet."""
        held = self.bars or self.trades or self.quotes or {}
        return held.get(symbol) or ()


class Latest(msgspec.Struct, kw_only=True):
    """The latest of each symbol; which of the fields is there depends on what was asked."""

    quotes: dict[str, msgspec.Raw] | None = None
    orderbooks: dict[str, msgspec.Raw] | None = None
    snapshots: dict[str, msgspec.Raw] | None = None
    next_page_token: str | None = None

    @property
    def held(self) -> dict[str, msgspec.Raw]:
        """What there is by symbol, not read yet."""
        return self.quotes or self.orderbooks or self.snapshots or {}


class ContractPage(msgspec.Struct, kw_only=True):
    """One page of option contracts; no `next_page_token` on the last."""

    option_contracts: list[msgspec.Raw] | None = None
    next_page_token: str | None = None


class RowReader(Generic[Row]):
    """Reads bodies that are a row, a list of rows, or hold rows by symbol.

    Rows are read one by one, so that each can be told from the others in the bytes.

    Raises:
        DecodeError: From every method: the body, or one of its rows, makes no sense.
    """

    def __init__(self, shape: type[Row]) -> None:
        limits = Limits(max_bytes=MOST_ASSET_BYTES)
        self._one: PatientDecoder[Row] = PatientDecoder(shape)
        self._rows: JsonDecoder[list[msgspec.Raw]] = JsonDecoder(list[msgspec.Raw], limits)
        self._by_symbol: JsonDecoder[dict[str, msgspec.Raw]] = JsonDecoder(dict[str, msgspec.Raw])

    def one(self, data: bytes | msgspec.Raw, *, keep_raw: bool) -> Seen[Row]:
        """Read a row."""
        text = bytes(data)
        return Seen(self._one.decode(text), text if keep_raw else None)

    def many(self, rows: Iterable[msgspec.Raw], *, keep_raw: bool) -> list[Seen[Row]]:
        """Read rows that stand in something larger, without those that are null."""
        return [self.one(row, keep_raw=keep_raw) for row in rows if bytes(row) != _NULL]

    def rows(self, body: bytes, *, keep_raw: bool) -> list[Seen[Row]]:
        """Read a list of rows, without those that are null."""
        return self.many(self._rows.decode(body), keep_raw=keep_raw)

    def readable(self, body: bytes, *, keep_raw: bool) -> list[Seen[Row]]:
        """Read a list of rows, and leave out, with a warning, those that make no sense.

        For catalogues, where one odd row must not hide all others; never for what is owned or owed.
        """
        found: list[Seen[Row]] = []
        for row in self._rows.decode(body):
            try:
                found += self.many([row], keep_raw=keep_raw)
            except DecodeError as error:
                _log.warning("a row that makes no sense was left out", extra={"error": str(error)})
        return found

    def by_symbol(self, body: bytes, *, keep_raw: bool) -> dict[str, Seen[Row]]:
        """Read rows that stand under their symbols, without those that are null."""
        return self.each(self._by_symbol.decode(body), keep_raw=keep_raw)

    def each(self, rows: dict[str, msgspec.Raw], *, keep_raw: bool) -> dict[str, Seen[Row]]:
        """Read rows by symbol that stand in something larger, without those that are null."""
        there = {symbol: row for symbol, row in rows.items() if bytes(row) != _NULL}
        return {symbol: self.one(row, keep_raw=keep_raw) for symbol, row in there.items()}
