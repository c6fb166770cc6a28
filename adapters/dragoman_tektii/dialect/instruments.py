"""What can be traded: an extension that is announced, since the protocol lists no instruments.

Rows are the library's own `Instrument` in plain data. Only those that the protocol has words for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import AmbiguousInstrumentError, UnknownInstrumentError, UnsupportedError
from dragoman.models import InstrumentKind
from dragoman.models.serde import to_plain

from .problems import json_response, symbol_not_found, unsupported

if TYPE_CHECKING:
    from aiohttp import web

    from dragoman.models import Instrument

    from .desks import Desk

__all__ = ["FEATURE", "get_instrument", "list_instruments"]

FEATURE: Final = "instruments"
"""What the capabilities say where this is offered."""

_KINDS: Final = frozenset(
    {InstrumentKind.SPOT, InstrumentKind.CFD, InstrumentKind.FUTURE, InstrumentKind.PERPETUAL}
)
_LONGEST_SYMBOL: Final = 20


async def list_instruments(_: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v1/instruments`: all of them, read anew."""
    try:
        listed = await desk.broker.load_instruments()
    except UnsupportedError as error:
        raise unsupported("list_instruments", desk.platform, error.message) from None
    return json_response([to_plain(one) for one in listed if _is_told(one)])


async def get_instrument(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v1/instruments/{symbol}`: by its symbol or an alias."""
    text = request.match_info["symbol"]
    try:
        found = await desk.broker.instrument(text)
    except (AmbiguousInstrumentError, UnknownInstrumentError):
        raise symbol_not_found(text) from None
    except UnsupportedError as error:
        raise unsupported("get_instrument", desk.platform, error.message) from None
    if not _is_told(found):
        raise symbol_not_found(text)
    return json_response(to_plain(found))


def _is_told(one: Instrument) -> bool:
    return one.kind in _KINDS and len(one.symbol) <= _LONGEST_SYMBOL
