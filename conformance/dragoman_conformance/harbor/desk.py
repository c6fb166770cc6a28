"""The venue's REST surface: which request asks for what."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from .messages import Refusal, reply_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .book import Book
    from .messages import Json, Reply, Request
    from .order import HarborOrder

__all__ = ["Desk"]


class Desk:
    """Answers requests out of one book."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._reads: dict[tuple[str, ...], Callable[[Request], object]] = {
            ("GET", "time"): self._time,
            ("GET", "accounts"): self._accounts,
            ("GET", "instruments"): self._instruments,
            ("GET", "positions"): self._positions,
            ("GET", "fills"): self._fills_page,
            ("GET", "orders", "open"): self._open_page,
            ("GET", "orders", "history"): self._history_page,
        }

    def answer(self, request: Request) -> Reply:
        """Answer one request; raises `Refusal` for every no."""
        head = (request.method, *request.segments)
        read = self._reads.get(head)
        if read is not None:
            return reply_of(200, read(request))
        if head == ("POST", "orders"):
            terms = _content(request)
            return reply_of(201, self._book.place(terms, origin="api", mark=request.mark).row())
        if request.segments[0] == "orders":
            return self._one(request, request.segments[1:])
        raise Refusal(404, "unknown-path")

    def _time(self, _: Request) -> Json:
        return {"time_ns": str(self._book.now_ns)}

    def _accounts(self, _: Request) -> list[Json]:
        return [_account(name) for name in self._book.settings.accounts]

    def _instruments(self, _: Request) -> list[Json]:
        return [_instrument(name) for name in self._book.settings.symbols]

    def _open_page(self, request: Request) -> Json:
        rows = [one.row() for one in self._shown(request) if not one.has_ended]
        return self._page(request, rows)

    def _history_page(self, request: Request) -> Json:
        return self._page(request, self._history(request))

    def _fills_page(self, request: Request) -> Json:
        return self._page(request, self._fills(request))

    def _one(self, request: Request, name: Sequence[str]) -> Reply:
        order = self._named(name)
        if request.method == "GET":
            if order.visible_ns > self._book.now_ns:
                raise Refusal(404, "unknown-order")
            return reply_of(200, order.row())
        if request.method == "PATCH":
            self._book.replace(order, _content(request))
            return reply_of(200, order.row())
        if request.method == "DELETE":
            self._book.cancel(order)
            return reply_of(202, order.row())
        raise Refusal(405, "wrong-method")

    def _named(self, name: Sequence[str]) -> HarborOrder:
        order = None
        match name:
            case [venue_id]:
                order = self._book.find(venue_id)
            case ["by-client-id", client_id]:
                order = self._book.find_by_client_id(client_id)
            case _:
                raise Refusal(404, "unknown-path")
        if order is None:
            raise Refusal(404, "unknown-order")
        return order

    def _shown(self, request: Request) -> list[HarborOrder]:
        account = request.query.get("account")
        return [one for one in self._book.visible() if one.account == account]

    def _history(self, request: Request) -> list[Json]:
        since_ns, until_ns = _window(request)
        shown = self._shown(request)
        return [one.row() for one in shown if since_ns <= one.created_ns < until_ns]

    def _fills(self, request: Request) -> list[Json]:
        since_ns, until_ns = _window(request)
        account = request.query.get("account")
        return [
            one
            for one in self._book.fills
            if one["account"] == account and since_ns <= int(one["time_ns"]) < until_ns
        ]

    def _positions(self, request: Request) -> list[Json]:
        account = request.query.get("account")
        return [
            {"account": owner, "symbol": symbol, "quantity": quantity}
            for (owner, symbol), quantity in self._book.positions().items()
            if owner == account
        ]

    def _page(self, request: Request, rows: list[Json]) -> Json:
        start, size = int(request.query.get("cursor", "0")), self._book.settings.page_size
        following = start + size
        return {
            "rows": rows[start:following],
            "next": str(following) if following < len(rows) else None,
        }


def _account(name: str) -> Json:
    return {"account": name, "currency": "USD", "cash": "100000.00"}


def _instrument(symbol: str) -> Json:
    return {"symbol": symbol, "currency": "USD", "tick": "0.01", "lot": "0.01"}


def _window(request: Request) -> tuple[int, int]:
    try:
        return int(request.query["since_ns"]), int(request.query["until_ns"])
    except (KeyError, ValueError):
        raise Refusal(400, "bad-window") from None


def _content(request: Request) -> Json:
    try:
        content: object = json.loads(request.body)
    except ValueError:
        raise Refusal(400, "bad-json") from None
    if not isinstance(content, dict):
        raise Refusal(400, "bad-json")
    return cast("Json", content)
