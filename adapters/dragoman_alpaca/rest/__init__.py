"""Alpaca's REST interfaces: endpoints as data, and one typed function for each, giving rows.

Rows are read into the library's models next door; here is no order, no account, only what was
asked and what was answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.errors import Outcome, VenueError
from dragoman.transport.codec import encode

from .client import Clients
from .endpoints import any_endpoint
from .market import MarketRest
from .rows import Seen
from .trading import TradingRest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.adapter import AdapterContext
    from dragoman.transport.base import HttpResponse, Transport
    from dragoman.transport.endpoint import Endpoint

__all__ = ["AlpacaRest", "MarketRest", "Seen", "TradingRest"]


class _AnsweredError(VenueError):
    """A response that says no, to somebody who wants to see it himself."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__("answered", outcome=Outcome.REJECTED)
        self.response = response


class AlpacaRest:
    """One session's REST interfaces.

    Args:
        context: Endpoints, credentials, clock, and whether rows keep their bytes.
        transport: Carries the requests; it stays open.
        location: Which crypto venue is asked for market data.
    """

    def __init__(self, context: AdapterContext, transport: Transport, location: str) -> None:
        clients = Clients.of(context, transport)
        self._by_hand = Clients.of(context, transport, judge=_answer)
        self.trading: TradingRest = TradingRest(clients.trading, keep_raw=context.keep_raw)
        self.market: MarketRest = MarketRest(clients.market, location, keep_raw=context.keep_raw)

    async def request(
        self, method: str, path: str, query: Mapping[str, str], body: object
    ) -> HttpResponse:
        """Send one request of any kind and return the answer, whatever its status.

        Raises:
            DragomanError: There is no whole answer, or nothing was sent; see `HttpClient.call`.
        """
        endpoint = any_endpoint(method, path)
        clients = self._by_hand
        client = clients.market if endpoint.base == "data" else clients.trading
        content = b"" if body is None else encode(body)
        try:
            return await client.call(endpoint, query=query.items(), body=content)
        except _AnsweredError as answer:
            return answer.response


def _answer(endpoint: Endpoint, response: HttpResponse) -> _AnsweredError:
    """Take every refusal for an answer."""
    del endpoint
    return _AnsweredError(response)
