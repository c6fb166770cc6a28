"""Which of what a subject declares evidence from outside bears out, and how strong it is.

A declaration is borne out by a row that makes use of it: an order type by a documented order of
that type, a read by a documented answer to it, a stream by a documented frame. What a row expects
to be refused bears out nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from dragoman.adapter import Environment
from dragoman.models import Contingency, OrderRequest
from dragoman.models.enums import PositionEffect, Support
from dragoman.models.serde import from_plain

from ..declared import declared_names
from ..verdicts import Basis
from .calls import load_calls
from .meanings import load_meanings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dragoman.capabilities import Capabilities
    from dragoman.models import Exit

    from ..subject import Subject
    from .calls import CallRow
    from .meanings import Meaning

__all__ = ["documented_capabilities"]

_UNSHOWN: Final = ("kind.",)
"""What no row is about: each is about an order or a read, of an instrument of some kind."""
_READS: Final = {
    "fetch_account": "account.read",
    "fetch_accounts": "account.read",
    "fetch_bars": "bars.read",
    "fetch_depth": "depth.read",
    "fetch_fills": "fills.read",
    "fetch_hours": "hours.read",
    "fetch_instrument": "instruments.read",
    "fetch_ledger": "ledger.read",
    "fetch_market_status": "market_status.read",
    "fetch_orders": "order_history.read",
    "fetch_positions": "positions.read",
    "fetch_quote_history": "quote_history.read",
    "fetch_quotes": "quotes.read",
    "fetch_tickers": "tickers.read",
    "fetch_trades": "trades.read",
    "load_instruments": "instruments.read",
}
_COMMANDS: Final = {
    "cancel": "orders.cancel",
    "cancel_all": "feature.cancel_all",
    "replace": "orders.replace",
}
_STREAMS: Final = {
    "AccountEvent": "stream.account",
    "Bar": "stream.bars",
    "Depth": "stream.depth",
    "LedgerEvent": "stream.ledger",
    "MarketStatus": "stream.market_status",
    "OrderEvent": "stream.orders",
    "PositionEvent": "stream.positions",
    "Quote": "stream.quotes",
    "Ticker": "stream.tickers",
    "Trade": "stream.trades",
}
"""Which stream it is that tells a model; a bare model in a frame is one of the market's."""
_POLLED: Final = {
    "stream.account": "account.read",
    "stream.orders": "order_history.read",
    "stream.positions": "positions.read",
    "stream.quotes": "quotes.read",
}
"""Which read a stream is made of where the venue has none."""
_BASES: Final = tuple(Basis)


def documented_capabilities(
    subject: Subject, capabilities: Capabilities
) -> Mapping[str, Basis | None]:
    """Return what bears out each declared name (`declared_names`): the strongest there is.

    None stands for what no row shows. Names that no row is ever about, and what the library does in
    the venue's place, are left out. Streams of a polled subject are borne out by reads. Empty where
    there is no evidence from outside: no folder, or a venue that is itself a simulation.

    Raises:
        ConfigurationError: A table is wrong; the message names file and place.
    """
    is_simulated = subject.declared.environment is Environment.SIMULATED
    if subject.evidence is None or subject.in_process is not None or is_simulated:
        return {}
    emulated = _emulated(capabilities)
    declared = [
        name
        for name in declared_names(capabilities)
        if not name.startswith(_UNSHOWN) and name not in emulated
    ]
    found: dict[str, Basis] = {}
    for _, table in load_calls(subject.evidence / "tables"):
        for row in table.rows:
            _note(found, _shown_by_call(row, capabilities), table.basis_of(row))
    for meaning in load_meanings(subject.evidence):
        _note(found, _shown_by_frame(meaning), meaning.basis)
    if subject.is_polled:
        found |= {stream: found[read] for stream, read in _POLLED.items() if read in found}
    return {name: found.get(name) for name in declared}


def _emulated(capabilities: Capabilities) -> frozenset[str]:
    """Return what the library does for the venue, which documents of the venue say nothing of."""
    features = {
        f"feature.{feature.lower()}"
        for feature, support in capabilities.features.items()
        if support is Support.EMULATED
    }
    is_replaced = capabilities.replace.support is Support.EMULATED
    return frozenset(features | ({"orders.replace"} if is_replaced else set()))


def _note(found: dict[str, Basis], names: Iterable[str], basis: Basis) -> None:
    for name in names:
        if name not in found or _BASES.index(found[name]) < _BASES.index(basis):
            found[name] = basis


def _shown_by_call(row: CallRow, capabilities: Capabilities) -> Iterator[str]:
    if row.fails is not None:
        return
    if row.call in _READS:
        yield _READS[row.call]
    if row.call in _COMMANDS:
        yield _COMMANDS[row.call]
    if row.call == "stream":
        yield from _shown_by_events(row.tells)
    if row.call == "submit":
        yield from _shown_by_order(row.given["request"], capabilities)
    if row.call == "submit_list":
        contingency = Contingency(row.given["contingency"])
        yield f"list.{contingency.lower()}"
        yield "feature.batch"
        for request in row.given["requests"]:
            yield from _shown_by_order(request, capabilities)


def _shown_by_order(plain: object, capabilities: Capabilities) -> Iterator[str]:
    request = from_plain(OrderRequest, cast("Any", plain))
    yield f"orders.{request.order_type.lower()}"
    yield f"time.{(request.time_in_force or capabilities.default_time_in_force).lower()}"
    shown = request.display_quantity
    used = {
        "notional": request.notional is not None,
        "post_only": request.post_only,
        "reduce_only": request.reduce_only,
        "open_effect": request.position_effect is PositionEffect.OPEN,
        "close_whole_position": request.quantity is None and request.notional is None,
        "position_id": request.position_id is not None,
        "display_quantity": bool(shown),
        "hidden": shown is not None and not shown,
        "extended_hours": request.extended_hours,
        "activation_price": request.activation_price is not None,
        "group": request.group_id is not None,
        "tag": request.tag is not None,
    }
    yield from (f"feature.{name}" for name, is_used in used.items() if is_used)
    yield from (f"exit.{name}" for name in _exits(request.stop_loss, request.take_profit))


def _exits(stop: Exit | None, target: Exit | None) -> Iterator[str]:
    if stop is not None:
        yield "stop_loss"
        yield from ("trailing",) if stop.trailing is not None else ()
        yield from ("stop_limit",) if stop.limit_price is not None else ()
    if target is not None:
        yield "take_profit"
        yield from ("limit_if_touched",) if target.limit_price is not None else ()
    if stop is not None and target is not None:
        yield "bracket"
    legs = [leg for leg in (stop, target) if leg is not None]
    yield from ("offset",) if any(leg.offset is not None for leg in legs) else ()
    yield from ("partial",) if any(leg.quantity is not None for leg in legs) else ()


def _shown_by_frame(meaning: Meaning) -> Iterator[str]:
    if meaning.is_frame:
        yield from _shown_by_events(meaning.tells)


def _shown_by_events(told: object) -> Iterator[str]:
    for item in cast("list[object]", told) if isinstance(told, list) else ():
        kind = cast("dict[str, object]", item).get("type") if isinstance(item, dict) else None
        if isinstance(kind, str) and kind in _STREAMS:
            yield _STREAMS[kind]
