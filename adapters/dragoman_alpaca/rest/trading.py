"""The trading plane: one typed function for each endpoint, in Alpaca's own words."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from dragoman.errors import DecodeError, OutcomeUnknownError, ProtocolError, UnknownReason
from dragoman.times import SECOND_NS, format_time
from dragoman.transport.codec import JsonDecoder, encode
from dragoman.transport.statuses import error_for_status
from dragoman_alpaca.errors import error_of
from dragoman_alpaca.wire.trading import (
    AccountRow,
    ActivityRow,
    AssetRow,
    CalendarRow,
    CanceledRow,
    ClockRow,
    OptionContractRow,
    OrderRow,
    PositionRow,
    Problem,
)

from . import endpoints
from .paging import PAGE_OF_ORDERS, Turns, order_pages
from .rows import ContractPage, RowReader, Seen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from dragoman.errors import DragomanError
    from dragoman.transport.client import HttpClient
    from dragoman.transport.endpoint import Endpoint

__all__ = ["TradingRest"]

_ACCOUNT: Final = RowReader(AccountRow)
_ACTIVITIES: Final = RowReader(ActivityRow)
_ASSETS: Final = RowReader(AssetRow)
_CALENDAR: Final = RowReader(CalendarRow)
_CANCELED: Final = RowReader(CanceledRow)
_CLOCK: Final = RowReader(ClockRow)
_CONTRACTS: Final = RowReader(OptionContractRow)
_CONTRACT_PAGES: Final = JsonDecoder(ContractPage)
_ORDERS: Final = RowReader(OrderRow)
_POSITIONS: Final = RowReader(PositionRow)
_PAGE_OF_ACTIVITIES: Final = 100
_PAGE_OF_CONTRACTS: Final = 1000
_TAKEN: Final = range(200, 300)
_NO_STATUS: Final = 0
_NESTED: Final = ("nested", "true")


class TradingRest:
    """What Alpaca answers about an account, its orders and what can be traded.

    Raises everywhere what `HttpClient.call` raises, and `DecodeError` where a response to a read
    makes no sense.

    Args:
        client: Sends.
        keep_raw: Whether rows keep the bytes that they were read from.
    """

    def __init__(self, client: HttpClient, *, keep_raw: bool) -> None:
        self._client = client
        self._keep_raw = keep_raw

    async def account(self) -> Seen[AccountRow]:
        """Ask `GET /v2/account`."""
        response = await self._client.call(endpoints.ACCOUNT)
        return _ACCOUNT.one(response.body, keep_raw=self._keep_raw)

    async def assets(self, asset_class: str, status: str | None = None) -> list[Seen[AssetRow]]:
        """Ask `GET /v2/assets`; without a status, of all. Rows that make no sense are left out."""
        query = [("asset_class", asset_class)]
        if status is not None:
            query.append(("status", status))
        response = await self._client.call(endpoints.ASSETS, query=query)
        return _ASSETS.readable(response.body, keep_raw=self._keep_raw)

    async def asset(self, name: str) -> Seen[AssetRow]:
        """Ask `GET /v2/assets/{name}`, by symbol or id.

        Raises:
            NotFoundError: There is none.
        """
        response = await self._client.call(endpoints.ASSET, path={"name": name})
        return _ASSETS.one(response.body, keep_raw=self._keep_raw)

    async def contract(self, name: str) -> Seen[OptionContractRow]:
        """Ask `GET /v2/options/contracts/{name}`, by symbol or id.

        Raises:
            NotFoundError: There is none.
        """
        response = await self._client.call(endpoints.CONTRACT, path={"name": name})
        return _CONTRACTS.one(response.body, keep_raw=self._keep_raw)

    async def contracts(
        self, underlying: str, *, first: str, last: str, most: int | None = None
    ) -> list[Seen[OptionContractRow]]:
        """Ask `GET /v2/options/contracts`, page by page.

        Args:
            underlying: Whose contracts.
            first: The earliest expiry, an ISO date.
            last: The latest expiry, an ISO date.
            most: How many are wanted; None is all.
        """
        query = [
            ("underlying_symbols", underlying),
            ("expiration_date_gte", first),
            ("expiration_date_lte", last),
            ("limit", str(min(most or _PAGE_OF_CONTRACTS, _PAGE_OF_CONTRACTS))),
        ]
        turns, found = Turns(endpoints.CONTRACTS.name), list[Seen[OptionContractRow]]()
        while True:
            asked = [*query, *turns.query]
            response = await self._client.call(endpoints.CONTRACTS, query=asked)
            page = _CONTRACT_PAGES.decode(response.body)
            found += _CONTRACTS.many(page.option_contracts or (), keep_raw=self._keep_raw)
            is_enough = most is not None and len(found) >= most
            if is_enough or not turns.follow(page.next_page_token):
                return found[:most]

    async def submit(self, body: Mapping[str, object], token: str | None) -> Seen[OrderRow]:
        """Ask `POST /v2/orders`.

        Raises:
            OutcomeUnknownError: Besides a lost answer: the answer makes no sense, or is about an
                order that does not go by `token` (UNKNOWN).
        """
        seen = await self._command(endpoints.SUBMIT, {}, body)
        if token is not None and seen.row.client_order_id != token:
            raise _senseless(endpoints.SUBMIT, "the answer is about another order")
        return seen

    async def replace(
        self, venue_order_id: str, body: Mapping[str, object], token: str
    ) -> Seen[OrderRow]:
        """Ask `PATCH /v2/orders/{venue_order_id}`; the answer is the order that is to replace it.

        Raises:
            OutcomeUnknownError: As `submit`.
        """
        path = {"venue_order_id": venue_order_id}
        seen = await self._command(endpoints.REPLACE, path, body)
        row = seen.row
        if row.client_order_id != token and venue_order_id not in (row.replaces, row.id):
            raise _senseless(endpoints.REPLACE, "the answer is about another order")
        return seen

    async def cancel(self, venue_order_id: str) -> None:
        """Ask `DELETE /v2/orders/{venue_order_id}`; no error means taken, not done.

        Raises:
            ConflictError: The order has ended (REJECTED).
            NotFoundError: There is none (REJECTED).
        """
        await self._client.call(endpoints.CANCEL, path={"venue_order_id": venue_order_id})

    async def cancel_all(self) -> list[tuple[str, DragomanError | None]]:
        """Ask `DELETE /v2/orders`; of each order its id, and why it was not taken.

        Raises:
            OutcomeUnknownError: Besides a lost answer: the answer makes no sense (UNKNOWN).
        """
        response = await self._client.call(endpoints.CANCEL_ALL)
        try:
            rows = _CANCELED.rows(response.body, keep_raw=False)
        except DecodeError as error:
            raise _senseless(endpoints.CANCEL_ALL, error.message) from None
        return [(seen.row.id, _refusal(seen.row)) for seen in rows]

    async def order(self, venue_order_id: str) -> Seen[OrderRow]:
        """Ask `GET /v2/orders/{venue_order_id}`, legs nested.

        Raises:
            NotFoundError: There is none.
        """
        path = {"venue_order_id": venue_order_id}
        response = await self._client.call(endpoints.ORDER, path=path, query=[_NESTED])
        return _ORDERS.one(response.body, keep_raw=self._keep_raw)

    async def order_by_client_id(self, token: str) -> Seen[OrderRow]:
        """Ask `GET /v2/orders:by_client_order_id`.

        Raises:
            NotFoundError: None is visible.
            ProtocolError: The answer is about another order.
        """
        query = [("client_order_id", token), _NESTED]
        response = await self._client.call(endpoints.ORDER_BY_CLIENT_ID, query=query)
        seen = _ORDERS.one(response.body, keep_raw=self._keep_raw)
        if seen.row.client_order_id != token:
            name = endpoints.ORDER_BY_CLIENT_ID.name
            raise ProtocolError(f"{name}: the answer is about another order")
        return seen

    async def open_orders(self) -> list[Seen[OrderRow]]:
        """Ask `GET /v2/orders` for all that are open, page by page, legs nested."""
        pages = order_pages(partial(self._orders, [("status", "open")], None), None)
        return [seen async for page in pages for seen in page]

    async def orders(
        self,
        *,
        after_ns: int | None = None,
        until_ns: int | None = None,
        symbols: Sequence[str] = (),
    ) -> AsyncIterator[list[Seen[OrderRow]]]:
        """Ask `GET /v2/orders` for all submitted between two instants, oldest first, by pages.

        Both instants are excluded, None leaves a side open; legs are nested. No symbols means all.
        Where one instant has more orders than fit a page, some later than `until_ns` may be shown.
        """
        query = [("status", "all")]
        if symbols:
            query.append(("symbols", ",".join(symbols)))
        async for page in order_pages(partial(self._orders, query, until_ns), after_ns):
            yield page

    async def positions(self) -> list[Seen[PositionRow]]:
        """Ask `GET /v2/positions`."""
        response = await self._client.call(endpoints.POSITIONS)
        return _POSITIONS.rows(response.body, keep_raw=self._keep_raw)

    async def activities(
        self,
        *,
        kinds: Sequence[str] = (),
        category: str | None = None,
        after_ns: int | None = None,
        until_ns: int | None = None,
    ) -> AsyncIterator[Seen[ActivityRow]]:
        """Ask `GET /v2/account/activities`, oldest first, page by page.

        Args:
            kinds: The activity types; none means all.
            category: All types of a category instead.
            after_ns: Only what was created after it; asked for by whole seconds, not later.
            until_ns: Only what was created before it; asked for by whole seconds, not earlier.
        """
        query = [("direction", "asc"), ("page_size", str(_PAGE_OF_ACTIVITIES))]
        if kinds:
            query.append(("activity_types", ",".join(kinds)))
        if category is not None:
            query.append(("category", category))
        if after_ns is not None:
            query.append(("after", _whole_seconds(after_ns)))
        if until_ns is not None:
            query.append(("until", _whole_seconds(until_ns + SECOND_NS - 1)))
        turns = Turns(endpoints.ACTIVITIES.name)
        while True:
            asked = [*query, *turns.query]
            response = await self._client.call(endpoints.ACTIVITIES, query=asked)
            rows = _ACTIVITIES.rows(response.body, keep_raw=self._keep_raw)
            for seen in rows:
                yield seen
            if len(rows) < _PAGE_OF_ACTIVITIES or not turns.follow(rows[-1].row.id):
                return

    async def clock(self) -> Seen[ClockRow]:
        """Ask `GET /v2/clock`."""
        response = await self._client.call(endpoints.CLOCK)
        return _CLOCK.one(response.body, keep_raw=self._keep_raw)

    async def calendar(self, first: str | None, last: str | None) -> list[CalendarRow]:
        """Ask `GET /v2/calendar` for the days from one ISO date to another, both included."""
        bounds = (("start", first), ("end", last))
        query = [(name, text) for name, text in bounds if text is not None]
        response = await self._client.call(endpoints.CALENDAR, query=query)
        return [seen.row for seen in _CALENDAR.rows(response.body, keep_raw=False)]

    async def _orders(
        self,
        query: Sequence[tuple[str, str]],
        until_ns: int | None,
        after_ns: int | None,
        after_id: str | None,
    ) -> list[Seen[OrderRow]]:
        """Ask for one page; behind an id, Alpaca takes no times, and shows later orders as well."""
        asked = [*query, ("limit", str(PAGE_OF_ORDERS)), ("direction", "asc"), _NESTED]
        if after_id is not None:
            asked.append(("after_order_id", after_id))
        else:
            bounds = (("until", until_ns), ("after", after_ns))
            asked += [(name, format_time(at_ns)) for name, at_ns in bounds if at_ns is not None]
        response = await self._client.call(endpoints.ORDERS, query=asked)
        return _ORDERS.rows(response.body, keep_raw=self._keep_raw)

    async def _command(
        self, endpoint: Endpoint, path: Mapping[str, str], body: Mapping[str, object]
    ) -> Seen[OrderRow]:
        """Send a command; a response that makes no sense leaves its fate open."""
        response = await self._client.call(endpoint, path=path, body=encode(body))
        try:
            return _ORDERS.one(response.body, keep_raw=self._keep_raw)
        except DecodeError as error:
            raise _senseless(endpoint, error.message) from None


def _senseless(endpoint: Endpoint, cause: str) -> OutcomeUnknownError:
    """Return the error of a command whose answer proves nothing."""
    message = f"{endpoint.name}: {cause}; it was sent and may be in effect"
    return OutcomeUnknownError(message, reason=UnknownReason.BAD_RESPONSE)


def _refusal(row: CanceledRow) -> DragomanError | None:
    """Return why one of many orders was not canceled: its row has a status of its own."""
    said = str(row.status)
    status = int(said) if said.isascii() and said.isdigit() else _NO_STATUS
    if status in _TAKEN:
        return None
    known = error_of(endpoints.CANCEL, status, row.body or Problem())
    return known or error_for_status(endpoints.CANCEL, status, {})


def _whole_seconds(instant_ns: int) -> str:
    return format_time(instant_ns // SECOND_NS * SECOND_NS).partition(".")[0] + "Z"
