"""The ports: what any broker can be asked, as abstract classes that a contributor implements.

One call is one exchange with the venue (or one paged read). Nothing here retries, looks up or
remembers; every failure carries its `outcome`. Commands get the whole order, never a bare id:
venues ask for symbol, account key, parent and even unchanged terms.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from .errors import DragomanError, UnsupportedError
from .models.answers import Idea, OptionQuote, Preview, RawAnswer
from .models.enums import (
    Adjustment,
    OrderType,
    PositionEffect,
    PriceSource,
    Side,
)
from .models.order import CommandResult
from .models.request import OrderRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from decimal import Decimal

    from .models import (
        Account,
        Bar,
        Depth,
        Event,
        Exit,
        Fill,
        Instrument,
        InstrumentKind,
        LedgerEntry,
        LedgerKind,
        MarginMode,
        MarketHours,
        MarketStatus,
        Order,
        OrderChange,
        Position,
        PositionMode,
        Quote,
        Subscription,
        Ticker,
        Timeframe,
        Trade,
        Window,
    )
    from .models.enums import (
        Contingency,
    )

__all__ = [
    "AccountPort",
    "DeadManPort",
    "EventPort",
    "ExitPort",
    "Idea",
    "IdeaPort",
    "InstrumentPort",
    "LeveragePort",
    "ListPort",
    "MarketDataPort",
    "OptionQuote",
    "OptionsPort",
    "OrderPort",
    "PositionPort",
    "Preview",
    "PreviewPort",
    "RawAnswer",
    "RawPort",
]


class AccountPort(ABC):
    """Accounts and their ledgers."""

    @abstractmethod
    async def fetch_accounts(self) -> tuple[Account, ...]:
        """Return every account that the credentials reach."""

    @abstractmethod
    async def fetch_account(self, account_id: str) -> Account:
        """Return one account; raises `NotFoundError` for an id the credentials do not reach."""

    @abstractmethod
    def fetch_ledger(
        self, account_id: str, window: Window, kinds: Sequence[LedgerKind] = ()
    ) -> AsyncIterator[LedgerEntry]:
        """Yield ledger entries of the window, oldest first; no kinds means all."""


class InstrumentPort(ABC):
    """The catalogue and the trading calendar."""

    @abstractmethod
    async def load_instruments(
        self, kinds: Sequence[InstrumentKind] = ()
    ) -> tuple[Instrument, ...]:
        """Return the whole catalogue, or only the kinds named."""

    @abstractmethod
    async def search_instruments(self, text: str, limit: int = 20) -> tuple[Instrument, ...]:
        """Return instruments whose symbol, alias or name contains `text`, best first."""

    @abstractmethod
    async def fetch_instrument(self, symbol_or_alias: str) -> Instrument:
        """Return one instrument; raises `UnknownInstrumentError` or `AmbiguousInstrumentError`."""

    @abstractmethod
    async def fetch_hours(self, symbol: str, window: Window) -> tuple[MarketHours, ...]:
        """Return the calendar rows that touch the window, in order."""


class OrderPort(ABC):
    """Orders: commands and reads.

    Accepted is not done: see `status` and `pending` of what comes back.
    """

    def wire_client_id(self, client_order_id: str, revision: int) -> str:
        """Return the token that names one revision of an intent on the wire. Pure."""
        return client_order_id if revision == 0 else f"{client_order_id}.{revision}"

    @abstractmethod
    async def submit(self, request: OrderRequest) -> Order:
        """Send one order; `client_order_id` and `account_id` are set. Never sends twice."""

    @abstractmethod
    async def replace(self, order: Order, change: OrderChange) -> Order:
        """Ask the venue to change an order; what `change` does not name stays."""

    @abstractmethod
    async def cancel(self, order: Order) -> Order:
        """Ask the venue to cancel an order.

        Raises:
            ConflictError: The order has ended or can't be canceled now (REJECTED).
            NotFoundError: The venue knows no such order (REJECTED).
        """

    async def cancel_all(
        self, account_id: str, symbol: str | None = None
    ) -> tuple[CommandResult, ...]:
        """Cancel every open order, of one symbol or all; one result per order.

        Here one by one; override it where the venue has one request for all.
        """
        results: list[CommandResult] = []
        for order in await self.fetch_open_orders(account_id, symbol):
            try:
                results.append(
                    CommandResult(
                        client_order_id=order.client_order_id, order=await self.cancel(order)
                    )
                )
            except DragomanError as error:
                results.append(CommandResult(client_order_id=order.client_order_id, error=error))
        return tuple(results)

    @abstractmethod
    async def fetch_order(
        self,
        account_id: str,
        *,
        client_order_id: str | None = None,
        venue_order_id: str | None = None,
        symbol: str | None = None,
    ) -> Order | None:
        """Look one order up by either id.

        None means not visible now, which is no proof of absence.
        """

    @abstractmethod
    async def fetch_open_orders(
        self, account_id: str, symbol: str | None = None
    ) -> tuple[Order, ...]:
        """Return every order that may still execute, wherever the venue keeps it."""

    @abstractmethod
    def fetch_orders(
        self, account_id: str, window: Window, symbol: str | None = None
    ) -> AsyncIterator[Order]:
        """Yield the orders created in the window, oldest first."""


class PositionPort(ABC):
    """Positions and fills."""

    @abstractmethod
    async def fetch_positions(
        self, account_id: str, symbol: str | None = None
    ) -> tuple[Position, ...]:
        """Return the open positions."""

    @abstractmethod
    def fetch_fills(
        self, account_id: str, window: Window, symbol: str | None = None
    ) -> AsyncIterator[Fill]:
        """Yield the fills of the window, oldest first."""

    async def close(self, position: Position, quantity: Decimal | None = None) -> Order | None:
        """Close a position, or part of it, here by a closing market order.

        None means that the venue names no order.
        """
        if not isinstance(self, OrderPort):
            message = "this adapter takes no orders to close a position with"
            raise UnsupportedError(message)
        return await self.submit(
            OrderRequest(
                symbol=position.symbol,
                side=Side.SELL if position.quantity > 0 else Side.BUY,
                order_type=OrderType.MARKET,
                quantity=position.quantity.copy_abs() if quantity is None else quantity,
                account_id=position.account_id,
                position_id=position.position_id,
                position_effect=PositionEffect.CLOSE,
            )
        )


class MarketDataPort(ABC):
    """What the market shows, now and before."""

    @abstractmethod
    async def fetch_quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """Return the top of the book of each symbol."""

    @abstractmethod
    async def fetch_tickers(self, symbols: Sequence[str]) -> Mapping[str, Ticker]:
        """Return the ticker of each symbol."""

    @abstractmethod
    async def fetch_depth(self, symbol: str, levels: int) -> Depth:
        """Return a snapshot of the book, at most `levels` a side."""

    @abstractmethod
    async def fetch_market_status(self, symbol: str | None = None) -> MarketStatus:
        """Return what the market, or one instrument, lets one do now."""

    @abstractmethod
    def fetch_bars(
        self,
        symbol: str,
        timeframe: Timeframe,
        window: Window,
        price_source: PriceSource = PriceSource.LAST,
        adjustment: Adjustment = Adjustment.RAW,
    ) -> AsyncIterator[Bar]:
        """Yield the bars that open in the window, oldest first: complete, or an error."""

    @abstractmethod
    def fetch_trades(self, symbol: str, window: Window) -> AsyncIterator[Trade]:
        """Yield the public prints of the window, oldest first."""

    @abstractmethod
    def fetch_quote_history(self, symbol: str, window: Window) -> AsyncIterator[Quote]:
        """Yield the quotes of the window, oldest first."""


class EventPort(ABC):
    """Streams."""

    @abstractmethod
    def stream(
        self, subscription: Subscription
    ) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Event]]]:
        """Open one stream of batches. Entered means subscribed: no later event is missed.

        The iterator ends only by its reader, by a terminal error, or after a ConnectionEvent ENDED.
        """

    async def acknowledge(  # noqa: B027 - most venues are not paced and have nothing to do
        self, event_ids: Sequence[str]
    ) -> None:
        """Tell a paced venue that these events were worked on; nothing to do for the others."""

    def pace_by(  # noqa: B027 - most venues are not paced and have nothing to do
        self, worked_on: Callable[[], Awaitable[None]]
    ) -> None:
        """Let a paced venue wait for its readers.

        A venue that waits for each event to be acknowledged, as a backtest does, is told so once
        whoever reads `stream` has asked for the next batch and `worked_on()` has returned: then
        every reader behind that one has worked on what it had. Called once, before any stream is
        opened; nobody to wait for besides where it never is.
        """


class ListPort(ABC):
    """Optional: several orders in one request."""

    @abstractmethod
    async def submit_list(
        self,
        requests: Sequence[OrderRequest],
        contingency: Contingency,
        *,
        all_or_none: bool = False,
    ) -> tuple[CommandResult, ...]:
        """Send orders that depend on each other (OCO, OTO) or not (NONE: a batch).

        Returns one result per request, in order.
        """


class ExitPort(ABC):
    """Optional: protective orders on an open position."""

    @abstractmethod
    async def set_exits(
        self, position: Position, stop_loss: Exit | None = None, take_profit: Exit | None = None
    ) -> tuple[Order, ...]:
        """Set a position's exits; None takes a leg off. Returns the orders that protect it now."""


class LeveragePort(ABC):
    """Optional: leverage and modes."""

    @abstractmethod
    async def set_leverage(
        self, account_id: str, symbol: str, leverage: Decimal, margin_mode: MarginMode | None = None
    ) -> None:
        """Set how many times its margin a position in `symbol` may be worth."""

    @abstractmethod
    async def set_position_mode(self, account_id: str, mode: PositionMode) -> None:
        """Choose netting or hedging; raises `ConflictError` while positions or orders are open."""


class DeadManPort(ABC):
    """Optional: the venue cancels all by itself unless told to wait."""

    @abstractmethod
    async def arm(
        self, account_id: str, timeout_s: float | None, symbol: str | None = None
    ) -> None:
        """Start the timer anew; None disarms it."""


class PreviewPort(ABC):
    """Optional: the venue judges an order without taking it."""

    @abstractmethod
    async def preview(self, requests: Sequence[OrderRequest]) -> Preview:
        """Return margin, cost and the reason it would be refused for."""


class OptionsPort(ABC):
    """Optional: option chains."""

    @abstractmethod
    async def fetch_chain(
        self, underlying: str, expiry: str | None = None
    ) -> tuple[OptionQuote, ...]:
        """Return the chain of an underlying, of one expiry (ISO date) or all."""


class IdeaPort(ABC):
    """Optional: trading ideas."""

    @abstractmethod
    def fetch_ideas(self, window: Window) -> AsyncIterator[Idea]:
        """Yield the ideas of the window, oldest first."""

    @abstractmethod
    def stream_ideas(self) -> AsyncIterator[Idea]:
        """Yield ideas as they come, until the reader stops."""


class RawPort(ABC):
    """Optional: any request to the venue's own API."""

    @abstractmethod
    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
    ) -> RawAnswer:
        """Send one request, signed and within the rate limits; `path` begins with "/".

        Only a GET may be sent again. `body` is written as JSON. A status that says no is an answer,
        not an error.
        """
