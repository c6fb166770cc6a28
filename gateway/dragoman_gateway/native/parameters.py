"""The parameters that routes take: what they are called, what is allowed, what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import attrs

from dragoman.models.enums import (
    Adjustment,
    InstrumentKind,
    LedgerKind,
    OrderStatus,
    PriceSource,
)

from .asking import LONGEST_TEXT
from .market import MOST_LEVELS, MOST_SYMBOLS
from .orders import LONGEST_WAIT_S, Listed
from .paging import LARGEST_PAGE, USUAL_PAGE

if TYPE_CHECKING:
    from enum import StrEnum

__all__ = [
    "ACCOUNT_PATH",
    "ADJUSTMENT",
    "CLIENT_ORDER_ID",
    "CURSOR",
    "INSTRUMENT_KINDS",
    "LEDGER_KINDS",
    "LEVELS",
    "LISTED",
    "NEEDED_SYMBOL",
    "POSITION_ID",
    "PRICE_SOURCE",
    "REFRESH",
    "SEARCH",
    "SPAN",
    "SPAN_NEEDED",
    "SYMBOL",
    "SYMBOLS",
    "SYMBOL_PATH",
    "TIMED_PAGE",
    "TIMEFRAME",
    "WAITING",
    "Parameter",
]

_TEXT: Final[Mapping[str, Any]] = {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT}
_TIME: Final[Mapping[str, Any]] = {"type": "string", "format": "date-time"}


@attrs.frozen
class Parameter:
    """One parameter of a route; `schema` is the JSON Schema of its value."""

    name: str
    place: str
    schema: Mapping[str, Any]
    description: str
    is_required: bool = False


def _query(
    name: str, schema: Mapping[str, Any], description: str, *, is_required: bool = False
) -> Parameter:
    return Parameter(name, "query", schema, description, is_required)


def _path(name: str, description: str) -> Parameter:
    return Parameter(name, "path", _TEXT, description, is_required=True)


def _one_of(kind: type[StrEnum], **more: object) -> dict[str, Any]:
    return {"type": "string", "enum": list(kind.__members__), **more}


def _some_of(items: Mapping[str, Any], **more: object) -> dict[str, Any]:
    return {"type": "array", "items": items, "maxItems": 100, "uniqueItems": True, **more}


ACCOUNT_PATH: Final = (
    _path("provider", "The provider's name."),
    _path("account_id", "The account, as the provider names it."),
)
CLIENT_ORDER_ID: Final = Parameter(
    "client_order_id",
    "path",
    {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
    "The name of the order for life: visible ASCII characters.",
    is_required=True,
)
POSITION_ID: Final = _path("position_id", "A position's id or, where it has one, its symbol.")
SYMBOL_PATH: Final = _path("symbol", "A symbol or an alias.")
SYMBOL: Final = _query("symbol", _TEXT, "Only what concerns this symbol.")
NEEDED_SYMBOL: Final = _query("symbol", _TEXT, "The symbol.", is_required=True)
SYMBOLS: Final = _query(
    "symbol",
    _some_of(_TEXT, minItems=1, maxItems=MOST_SYMBOLS),
    "The symbols; the parameter is repeated.",
    is_required=True,
)
SPAN: Final = (
    _query("start", _TIME, "The beginning of the time wanted, included."),
    _query("end", _TIME, "The end of the time wanted, excluded."),
)
SPAN_NEEDED: Final = tuple(attrs.evolve(one, is_required=True) for one in SPAN)
CURSOR: Final = (
    _query(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": USUAL_PAGE},
        "The most rows of one answer.",
    ),
    _query("cursor", _TEXT, "The `next_cursor` of an answer to the same request."),
)
TIMED_PAGE: Final = (*SPAN, *CURSOR)
LISTED: Final = _query("status", _one_of(Listed, default=Listed.ALL), "Which orders.")
REFRESH: Final = _query(
    "refresh", {"type": "boolean", "default": False}, "Whether the venue is asked first."
)
SEARCH: Final = _query("query", _TEXT, "What the symbol, an alias or the name contains.")
INSTRUMENT_KINDS: Final = _query("kind", _some_of(_one_of(InstrumentKind)), "Only these kinds.")
LEDGER_KINDS: Final = _query("kind", _some_of(_one_of(LedgerKind)), "Only these kinds.")
LEVELS: Final = _query(
    "levels",
    {"type": "integer", "minimum": 1, "maximum": MOST_LEVELS, "default": 10},
    "How many levels a side, at most.",
)
TIMEFRAME: Final = _query(
    "timeframe",
    {"type": "string", "pattern": "^[1-9][0-9]{0,4}[smhdwM]$"},
    "The length of a bar: a count and s, m (minutes), h, d, w or M (months).",
    is_required=True,
)
PRICE_SOURCE: Final = _query(
    "price_source", _one_of(PriceSource, default=PriceSource.LAST), "What bars are made of."
)
ADJUSTMENT: Final = _query(
    "adjustment", _one_of(Adjustment, default=Adjustment.RAW), "What prices are adjusted for."
)
WAITING: Final = (
    _query("until", _some_of(_one_of(OrderStatus)), "The statuses waited for; none: it has ended."),
    _query(
        "timeout_s",
        {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT_S, "default": 20},
        "How long to wait, in seconds.",
    ),
)
