"""Bugs in market data."""

from __future__ import annotations

import importlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs

from dragoman.models import TradingState
from dragoman.times import MINUTE_NS, SECOND_NS, format_time, parse_time

from ...references.beacon import mapping as beacon
from ...references.wharf import adapter as wharf_adapter
from ...references.wharf import mapping
from ...references.wharf.adapter import WharfAdapter
from ...references.wharf.rest import WharfRest
from ..grafts import around, retells, rewrites
from ..mutant import mutant

if TYPE_CHECKING:
    from dragoman.models import Bar

    from ..mutant import Plant

_ZERO = Decimal(0)


@mutant("M370", of="wharf", kills=("MKT-010", "MKT-030"))
def swaps_bid_and_ask(plant: Plant) -> None:
    """Tells the bid as the ask, and the ask as the bid."""
    retells(
        plant,
        mapping,
        "quote_of",
        lambda one: {"bid_price": one.ask_price, "ask_price": one.bid_price},
    )


@mutant("M371", of="wharf", kills=("MKT-020", "MKT-030"))
def tells_nobody_as_zero(plant: Plant) -> None:
    """Tells a side without anybody as a price of zero."""
    retells(
        plant,
        mapping,
        "quote_of",
        lambda one: {"bid_price": one.bid_price or _ZERO, "ask_price": one.ask_price or _ZERO},
    )


@mutant("M372", of="beacon", kills=("MKT-010",))
def tells_one_size_for_both_sides(plant: Plant) -> None:
    """Tells one unit as the size of every quote."""
    retells(plant, beacon, "quote_of", lambda one: {"bid_size": one.bid_size and Decimal(1)})


@mutant("M373", of="wharf", kills=("MKT-010", "MKT-030"))
def dates_quotes_by_their_arrival(plant: Plant) -> None:
    """Dates a quote by its own clock, a second ahead."""
    retells(
        plant, mapping, "quote_of", lambda one: {"venue_time_ns": one.received_at_ns + SECOND_NS}
    )


@mutant("M374", of="wharf", kills=("MKT-020",))
def mends_crossed_markets(plant: Plant) -> None:
    """Turns a crossed market round."""

    def turned(one: Any) -> dict[str, Any]:
        if one.bid_price is None or one.ask_price is None or one.bid_price <= one.ask_price:
            return {}
        return {"bid_price": one.ask_price, "ask_price": one.bid_price}

    retells(plant, mapping, "quote_of", turned)


@mutant("M375", of="wharf", kills=("MKT-040", "MKT-050"))
def tells_prints_of_one_unit(plant: Plant) -> None:
    """Tells every print as one of a single unit."""
    retells(plant, mapping, "trade_of", lambda _: {"size": Decimal(1)})


@mutant("M376", of="wharf", kills=("MKT-050",))
def stops_after_the_first_page(plant: Plant) -> None:
    """Reads the first page of what has many."""

    def first(_: Any) -> Any:
        async def pages(self: Any, endpoint: Any, read: Any, query: Any) -> Any:
            response = await self._client.call(endpoint, query=tuple(query))
            for row in read(response.body).rows:
                yield row

        return pages

    plant.replace(WharfRest, "_pages", first)


@mutant("M377", of="wharf", kills=("MKT-060", "MKT-090"))
def includes_the_end_of_a_window(plant: Plant) -> None:
    """Asks for a window as if its end belonged to it."""

    def wider(found: Any, *_: object, **__: object) -> Any:
        return tuple([(name, _later(value) if name == "until" else value) for name, value in found])

    rewrites(plant, wharf_adapter, "_query", wider)


def _later(text: str) -> str:
    return format_time(parse_time(text) + 1)


@mutant("M378", of="wharf", kills=("MKT-070", "MKT-100"))
def swaps_open_and_close(plant: Plant) -> None:
    """Tells the open of a bar as its close, and its close as its open."""
    retells(
        plant,
        mapping,
        "bar_of",
        lambda one: {"open": one.close, "close": one.open},
    )


@mutant("M379", of="wharf", kills=("MKT-070",))
def dates_bars_by_their_end(plant: Plant) -> None:
    """Tells when a bar ends as when it opens."""
    retells(plant, mapping, "bar_of", lambda one: {"open_time_ns": one.open_time_ns + MINUTE_NS})


@mutant("M380", of="wharf", kills=("MKT-080",))
def invents_bars_where_nobody_traded(plant: Plant) -> None:
    """Fills a gap between bars with bars of the last price."""

    def filled(true: Any) -> Any:
        async def fetch_bars(self: Any, *args: Any, **named: Any) -> Any:
            last: Bar | None = None
            async for bar in true(self, *args, **named):
                while last is not None and last.open_time_ns + MINUTE_NS < bar.open_time_ns:
                    last = attrs.evolve(last, open_time_ns=last.open_time_ns + MINUTE_NS)
                    yield last
                yield bar
                last = bar

        return fetch_bars

    plant.replace(WharfAdapter, "fetch_bars", filled)


@mutant("M381", of="wharf", kills=("MKT-100",))
def takes_every_bar_for_complete(plant: Plant) -> None:
    """Tells bars that still grow as complete."""
    retells(plant, mapping, "bar_of", lambda _: {"is_complete": True})


@mutant("M382", of="wharf", kills=("MKT-030",))
def gives_the_first_quote_for_all(plant: Plant) -> None:
    """Gives the first quote it was told for every symbol that was asked for."""

    async def first(true: Any, self: WharfAdapter, symbols: Any) -> Any:
        found = await true(self, symbols)
        one = next(iter(found.values()))
        return {symbol: attrs.evolve(one, symbol=symbol) for symbol in found}

    around(plant, WharfAdapter, "fetch_quotes", first)


@mutant("M383", of="alpaca", kills=("MKT-120",))
def confuses_high_and_low(plant: Plant) -> None:
    """Tells the high of the day as its low."""

    async def swapped(true: Any, self: Any, symbols: Any) -> Any:
        found = await true(self, symbols)
        return {
            symbol: attrs.evolve(one, high=one.low, low=one.high) for symbol, one in found.items()
        }

    around(plant, _adapter_of(plant), "fetch_tickers", swapped)


@mutant("M384", of="alpaca", kills=("MKT-130",))
def tells_an_open_market_as_halted(plant: Plant) -> None:
    """Tells an open market as halted."""

    async def halted(true: Any, self: Any, *args: Any) -> Any:
        return attrs.evolve(await true(self, *args), state=TradingState.HALTED)

    around(plant, _adapter_of(plant), "fetch_market_status", halted)


@mutant("M385", of="alpaca", kills=("MKT-140",))
def tells_hours_out_of_order(plant: Plant) -> None:
    """Tells the latest hours first."""

    async def reversed_rows(true: Any, self: Any, *args: Any) -> Any:
        return tuple(reversed(await true(self, *args)))

    around(plant, _adapter_of(plant), "fetch_hours", reversed_rows)


@mutant("M386", of="mock", kills=("MKT-110",))
def tells_bids_upside_down(plant: Plant) -> None:
    """Tells the worst bid first."""

    async def turned(true: Any, self: Any, *args: Any) -> Any:
        found = await true(self, *args)
        return attrs.evolve(found, bids=tuple(reversed(found.bids)))

    around(plant, _adapter_of(plant), "fetch_depth", turned)


def _adapter_of(plant: Plant) -> Any:
    """Return the class of the subject's adapter."""
    module, _, name = plant.subject.protocol.adapter.partition(":")
    return getattr(importlib.import_module(module), name)
