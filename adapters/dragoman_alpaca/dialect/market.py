"""Alpaca's market data API over any broker: its routes, and who may use them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from aiohttp import web

from dragoman.dialects import Scope
from dragoman.errors import AuthenticationError, DragomanError

from .entry import credentials_of
from .market_asked import check_place, symbols_in
from .market_history import history_of_many, history_of_one
from .market_latest import (
    latest_of_many,
    latest_of_one,
    order_books,
    snapshot_of_one,
    snapshots_of_many,
)
from .market_options import chain_of, option_snapshots
from .market_refusals import NotServedError, refusal, refusal_of
from .market_rows import CRYPTO, EXCHANGES, OPTION, STOCK
from .market_streams import MarketSettings, MarketStreams
from .market_text import JsonText
from .market_view import KINDS, MarketView

if TYPE_CHECKING:
    from dragoman.dialects import DialectHost

    from .market_rows import Row
    from .market_view import Books, Kind

__all__ = ["MarketSettings", "mount_market"]

Answer = Callable[[MarketView, web.Request], Awaitable[object]]

_ANYBODY: Final = "anybody"
_TICK_TYPES: Final = frozenset({"trade", "quote"})
_KIND_NAMES: Final = "|".join(KINDS)
_JSON: Final = JsonText()


def mount_market(
    app: web.Application,
    host: DialectHost,
    books: Books,
    *,
    settings: MarketSettings | None = None,
) -> None:
    """Add the routes of market data, REST and streams.

    Args:
        app: What is served.
        host: Who serves it.
        books: The assets of each broker.
        settings: The limits of the streams.
    """
    desk = _MarketDesk(host, books)
    for path, asset_class, answer in _routes():
        app.router.add_get(path, desk.handler(asset_class, answer))
    MarketStreams(host, books, settings or MarketSettings()).mount(app)


class _MarketDesk:
    """Answers requests, each for the broker that its credentials reach."""

    def __init__(self, host: DialectHost, books: Books) -> None:
        self._host = host
        self._books = books

    def handler(
        self, asset_class: str, answer: Answer
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return the handler of one route."""

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                view = await self._view(request, asset_class)
                body = _JSON.item(await answer(view, request))
            except NotServedError as refused:
                return refusal(refused.message, refused.status)
            except DragomanError as error:
                return refusal_of(error)
            return web.Response(body=body, content_type="application/json")

        return handle

    async def _view(self, request: web.Request, asset_class: str) -> MarketView:
        key_id, secret = credentials_of(request)
        if asset_class == CRYPTO and key_id is None and secret is None:
            # The venue asks for no key here; a host that has keys of its own refuses this one.
            key_id = secret = _ANYBODY
        if not secret:
            raise AuthenticationError("the request has no credentials")
        access = await self._host.authenticate(key_id, secret)
        access.require(Scope.READ)
        book = self._books.book_of(access.broker)
        return MarketView(access.broker, book, asset_class)


def _routes() -> list[tuple[str, str, Answer]]:
    """Return every path, its asset class and what answers there; first come, first served."""
    stocks, options, crypto = "/v2/stocks", "/v1beta1/options", "/v1beta3/crypto/{place}"
    kind = f"{{kind:{_KIND_NAMES}}}"
    return [
        (f"{stocks}/meta/exchanges", STOCK, partial(_constant, body=EXCHANGES)),
        (f"{stocks}/meta/conditions/{{tick}}", STOCK, _conditions),
        (f"{stocks}/snapshots", STOCK, _stock_snapshots),
        (f"{stocks}/auctions", STOCK, _auctions),
        (f"{stocks}/{kind}", STOCK, _history),
        (f"{stocks}/{kind}/latest", STOCK, _latest),
        (f"{stocks}/{{symbol}}/snapshot", STOCK, _stock_snapshot),
        (f"{stocks}/{{symbol}}/auctions", STOCK, _auctions),
        (f"{stocks}/{{symbol}}/{kind}", STOCK, _history),
        (f"{stocks}/{{symbol}}/{kind}/latest", STOCK, _latest),
        (f"{crypto}/{kind}", CRYPTO, _history),
        (f"{crypto}/latest/{kind}", CRYPTO, _latest),
        (f"{crypto}/latest/orderbooks", CRYPTO, _order_books),
        (f"{crypto}/snapshots", CRYPTO, _crypto_snapshots),
        (f"{options}/meta/exchanges", OPTION, partial(_constant, body={})),
        (f"{options}/meta/conditions/{{tick}}", OPTION, _conditions),
        (f"{options}/{{kind:bars|trades}}", OPTION, _history),
        (f"{options}/{{kind:quotes|trades}}/latest", OPTION, _latest),
        (f"{options}/snapshots", OPTION, _option_snapshots),
        (f"{options}/snapshots/{{underlying}}", OPTION, _chain),
    ]


async def _history(view: MarketView, request: web.Request) -> Row:
    _check_place(request)
    symbol = request.match_info.get("symbol")
    if symbol is None:
        symbols = symbols_in(request.query)
        return await history_of_many(view, _kind(request), symbols, request.query)
    symbol = symbols_in({"symbols": symbol})[0]
    return await history_of_one(view, _kind(request), symbol, request.query)


async def _latest(view: MarketView, request: web.Request) -> Row:
    _check_place(request)
    symbol = request.match_info.get("symbol")
    if symbol is None:
        symbols = symbols_in(request.query)
        return await latest_of_many(view, _kind(request), symbols, request.query)
    symbol = symbols_in({"symbols": symbol})[0]
    return await latest_of_one(view, _kind(request), symbol, request.query)


async def _stock_snapshots(view: MarketView, request: web.Request) -> dict[str, Row]:
    return await snapshots_of_many(view, symbols_in(request.query), request.query)


async def _stock_snapshot(view: MarketView, request: web.Request) -> Row:
    symbol = symbols_in({"symbols": request.match_info["symbol"]})[0]
    return await snapshot_of_one(view, symbol, request.query)


async def _crypto_snapshots(view: MarketView, request: web.Request) -> Row:
    _check_place(request)
    found = await snapshots_of_many(view, symbols_in(request.query), request.query)
    return {"snapshots": found}


async def _order_books(view: MarketView, request: web.Request) -> Row:
    _check_place(request)
    return await order_books(view, symbols_in(request.query), request.query)


async def _option_snapshots(view: MarketView, request: web.Request) -> Row:
    return await option_snapshots(view, symbols_in(request.query), request.query)


async def _chain(view: MarketView, request: web.Request) -> Row:
    underlying = symbols_in({"symbols": request.match_info["underlying"]})[0]
    return await chain_of(view, underlying, request.query)


async def _auctions(view: MarketView, _: web.Request) -> Row:
    raise NotServedError(f"{view.broker.provider} offers no auctions", 403)


async def _conditions(_: MarketView, request: web.Request) -> Row:
    """Return what condition codes mean: brokers tell the codes alone."""
    tick = request.match_info["tick"]
    if tick not in _TICK_TYPES:
        raise NotServedError(f"invalid tick type: {tick[:80]}")
    return {}


async def _constant(_: MarketView, __: web.Request, *, body: object) -> object:
    return body


def _kind(request: web.Request) -> Kind:
    return KINDS[request.match_info["kind"]]


def _check_place(request: web.Request) -> None:
    place = request.match_info.get("place")
    if place is not None:
        check_place(place)
