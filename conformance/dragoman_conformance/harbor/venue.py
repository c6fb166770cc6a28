"""The harbor itself: a whole venue in one object, driven by a clock and a scheduler it is given.

It does no input or output and imports nothing of dragoman. Whoever serves it, over sockets or in
memory, hands each request to `handle` and each stream to `open_stream`; time passes only through
`now_ns` and `schedule`. Everything it does is in `ledger`, which is what a checker believes.

The protocol. Requests carry the header `harbor-key`; a refusal is `{"code", "message"}`.

    GET    /time                          {"time_ns"}
    GET    /accounts                      [account]
    GET    /instruments                   [instrument]
    POST   /orders                        {"account", "client_id", "symbol", "side", "type",
                                           "quantity", "price"?, "reduce_only"?}  -> 201 order
    GET    /orders/{venue_id}             order, or 404 unknown-order
    GET    /orders/by-client-id/{id}      order, or 404 unknown-order
    PATCH  /orders/{venue_id}             {"quantity"?, "price"?}                 -> 200 order
    DELETE /orders/{venue_id}             202 order, or 404, or 409 order-ended
    DELETE /orders/by-client-id/{id}      likewise
    GET    /orders/open?account           {"rows": [order], "next": cursor | null}
    GET    /orders/history?account&since_ns&until_ns
    GET    /fills?account&since_ns&until_ns
    GET    /positions?account             [position]

The stream takes `{"op": "auth", "key"}`, then `{"op": "subscribe", "account", "id"}`, each answered
(`{"type": "auth", "ok"}`, `{"type": "subscribed", "id", "ok"}`), then says `order`, `position` and,
every five seconds, `heartbeat`. Every amount is text, every time is text of UTC nanoseconds.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from .book import Book
from .desk import Desk
from .ledger import Ledger
from .messages import Refusal
from .settings import SECOND_NS, HarborSettings
from .streams import HarborStream
from .throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Callable

    from .messages import Json, Reply, Request

__all__ = ["HarborVenue"]


class HarborVenue:
    """One venue.

    Args:
        settings: Its terms.
        now_ns: Tells the venue's time in UTC nanoseconds.
        schedule: Calls an action after so many nanoseconds; over asyncio,
            `lambda delay_ns, action: loop.call_later(delay_ns / 1e9, action)`.
        seed: What the market's choices follow from.
        copy: Is handed each row of the ledger as it is added, if given.
    """

    def __init__(
        self,
        settings: HarborSettings | None = None,
        *,
        now_ns: Callable[[], int],
        schedule: Callable[[int, Callable[[], None]], object],
        seed: int = 0,
        copy: Callable[[Json], None] | None = None,
    ) -> None:
        self.settings = settings or HarborSettings()
        self.ledger = Ledger(now_ns, copy)
        self._now_ns = now_ns
        self._schedule = schedule
        self._streams: list[HarborStream] = []
        self._throttle = Throttle(self.settings, now_ns)
        self._book = Book(
            self.settings,
            Random(seed),  # noqa: S311 - choices to repeat, no secret
            self.ledger,
            schedule=schedule,
            tell=self._tell,
        )
        self._desk = Desk(self._book)
        self._closed_until_ns = 0
        self._banned_until_ns = 0
        self.ledger.add(
            "opened",
            rate_limit=self.settings.rate_limit,
            rate_window_ns=self.settings.rate_window_ns,
        )

    @property
    def streams(self) -> tuple[HarborStream, ...]:
        """The streams open now, oldest first."""
        return tuple(self._streams)

    def handle(self, request: Request) -> Reply:
        """Answer one request; whatever it does is done, and in the ledger, when this returns."""
        try:
            self._check(request)
            reply = self._desk.answer(request)
        except Refusal as refusal:
            reply = refusal.reply()
        self.ledger.add("request", method=request.method, path=request.path, status=reply.status)
        return reply

    def open_stream(self, send: Callable[[str], None]) -> HarborStream:
        """Open one stream; `send` is called with each text for the client, never re-entered.

        Hand every text of the client to `receive` of what is returned, and call `close` at the end.
        """
        stream = HarborStream(
            self.settings, send, now_ns=self._now_ns, schedule=self._schedule, gone=self._gone
        )
        self._streams.append(stream)
        return stream

    def place_external(
        self, symbol: str, side: str, quantity: str, price: str, *, account: str | None = None
    ) -> str:
        """Take an order that some other client sends (`side` is "buy" or "sell"); its venue id."""
        terms: Json = {
            "account": account or self.settings.accounts[0],
            "client_id": None,
            "symbol": symbol,
            "side": side,
            "type": "limit",
            "quantity": quantity,
            "price": price,
        }
        return self._book.place(terms, origin="external").venue_id

    def fill(self, venue_id: str, quantity: str | None = None) -> str | None:
        """Fill an order now, all that is left or less, even after it was canceled; the fill's id.

        None where nothing of it is left.
        """
        return self._book.fill(venue_id, quantity)

    def end(self, venue_id: str, state: str = "canceled") -> None:
        """End an order by the venue's own will: "canceled" or "expired"."""
        self._book.end(venue_id, state)

    def venue_id_of(self, client_id: str) -> str | None:
        """Return the venue id of an order by its client id, visible or not; None if not taken."""
        return self._book.venue_id_of(client_id)

    def orders(self) -> list[Json]:
        """Return every order ever taken as it stands now, oldest first."""
        return self._book.rows()

    def positions(self) -> dict[tuple[str, str], str]:
        """Return the net quantity by account and symbol, as text."""
        return self._book.positions()

    def set_visibility_delay(self, delay_ns: int) -> None:
        """Change how long orders taken from now on stay invisible to lookups and lists."""
        self._book.visibility_delay_ns = delay_ns

    def close_for(self, duration_ns: int) -> None:
        """Be in maintenance: every request is answered 503 with Retry-After."""
        self._closed_until_ns = self._now_ns() + duration_ns
        self.ledger.add("maintenance", until_ns=self._closed_until_ns)

    def ban_for(self, duration_ns: int) -> None:
        """Ban the client: every request is answered 418 with Retry-After."""
        self._banned_until_ns = self._now_ns() + duration_ns
        self.ledger.add("ban", until_ns=self._banned_until_ns)

    def _check(self, request: Request) -> None:
        now_ns = self._now_ns()
        if now_ns < self._banned_until_ns:
            raise Refusal(418, "banned", _seconds(self._banned_until_ns - now_ns))
        self._throttle.check()
        if now_ns < self._closed_until_ns:
            raise Refusal(503, "maintenance", _seconds(self._closed_until_ns - now_ns))
        if request.headers.get("harbor-key") != self.settings.key:
            raise Refusal(401, "bad-key")

    def _tell(self, account: str, message: Json) -> None:
        for stream in self.streams:
            stream.tell(account, message)

    def _gone(self, stream: HarborStream) -> None:
        if stream in self._streams:
            self._streams.remove(stream)


def _seconds(duration_ns: int) -> int:
    return -(-duration_ns // SECOND_NS)
