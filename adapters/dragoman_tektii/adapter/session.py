"""What one session with a gateway knows and shares: whom it speaks to, and what was learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.adapter import Environment
from dragoman.errors import ConfigurationError, NotFoundError, Outcome
from dragoman_tektii.mapping import frames
from dragoman_tektii.mapping.account import ACCOUNT_ID
from dragoman_tektii.mapping.book import Book
from dragoman_tektii.mapping.reading import Reading
from dragoman_tektii.mapping.words import PLATFORMS
from dragoman_tektii.rest import TektiiRest
from dragoman_tektii.stream import GatewayStream, OrderWatch, Pacer
from dragoman_tektii.wire import CapabilityRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.adapter import AdapterContext
    from dragoman.models import Event, Order
    from dragoman.transport.base import Transport

__all__ = ["INSTRUMENTS", "WISHES", "Session"]

INSTRUMENTS: Final = "instruments"
"""The feature of gateways that list their instruments."""
WISHES: Final = "client_subscriptions"
"""The feature of gateways that let each client say what it wants to be told."""

_OPEN_TRADES: Final = "oanda-"
_HANDLED: Final = "handled"
_RECEIVED: Final = "received"


class Session:
    """One session: transport, requests, stream, and the memory that both read with.

    Args:
        context: What everything depends on.

    Raises:
        ConfigurationError: An option is none of its words (NOT_SENT).
    """

    def __init__(self, context: AdapterContext) -> None:
        when = str(context.options.get("acknowledge", _HANDLED)).lower()
        if when not in {_HANDLED, _RECEIVED}:
            message = f"acknowledge must be {_HANDLED!r} or {_RECEIVED!r}, found {when[:40]!r}"
            raise ConfigurationError(message, provider=context.provider)
        self.context = context
        self.users: int = 0
        self.book: Book = Book()
        self.offered: CapabilityRow = CapabilityRow()
        self.platforms: tuple[str, ...] = ()
        self.account_id: str = ACCOUNT_ID
        self.currency: str | None = None
        self.transport: Transport = context.make_transport()
        self.rest: TektiiRest = TektiiRest(context, self.transport)
        self.watch: OrderWatch = OrderWatch(context, self.look)
        self.pacer: Pacer = Pacer(context, waits=when == _HANDLED)
        self.stream: GatewayStream = GatewayStream(
            context,
            self.transport,
            reading=self.reading,
            watch=self.watch,
            pacer=self.pacer,
            takes_wishes=lambda: WISHES in self.offered.features,
        )

    @property
    def is_simulated(self) -> bool:
        """Whether none of the brokers behind the gateway trades with real money."""
        return all(PLATFORMS.get(one) not in {None, Environment.LIVE} for one in self.platforms)

    @property
    def has_executions(self) -> bool:
        """Whether the gateway lists executions, and not open trades in their place."""
        return not any(one.startswith(_OPEN_TRADES) for one in self.platforms)

    def reading(self) -> Reading:
        """Return what rows are read with now."""
        return Reading(
            provider=self.context.provider,
            account_id=self.account_id,
            received_at_ns=self.context.clock.now_ns(),
            currency=self.currency,
            has_executions=self.has_executions,
            book=self.book,
        )

    async def open(self) -> None:
        """Learn whom the gateway speaks to, whether it takes the key, and what it offers.

        Raises:
            AuthenticationError: It does not take the key.
            ConnectFailedError: It was not reached (NOT_SENT).
            ConfigurationError: It trades with real money and this provider does not, or the other
                way round (NOT_SENT).
        """
        self.platforms = tuple([one.platform for one in (await self.rest.health()).providers])
        self._check_environment()
        self.offered = await self.rest.capabilities()
        account = await self.rest.account()
        self.currency = account.currency or None
        self.account_id = account.account_id or ACCOUNT_ID

    def check_account(self, account_id: str | None) -> None:
        """Refuse what is asked of another account than the gateway's own.

        Raises:
            NotFoundError: It is another (NOT_SENT).
        """
        if account_id not in {None, self.account_id}:
            message = f"the gateway has the account {self.account_id!r}, not {account_id!r:.42}"
            raise NotFoundError(message, provider=self.context.provider, outcome=Outcome.NOT_SENT)

    async def look(self, order_id: str) -> tuple[Sequence[Event], bool]:
        """Ask what became of an order; returns what to tell, and whether that was its end."""
        try:
            row = await self.rest.order(order_id)
        except NotFoundError:
            return (), True
        if self.book.is_superseded(order_id) or not row.symbol:
            return (), not row.symbol
        events: list[Event] = []
        if not self.has_executions:
            self.book.learn(row)
            told_events = frames.stands(row, self.reading())
            return told_events, told_events[-1].order.is_terminal
        if self.book.untold(row) > 0:
            query = (("symbol", row.symbol), ("order_id", order_id))
            trades = await self.rest.trades(query)
            self.book.learn(row)
            for trade in sorted(trades, key=lambda one: one.timestamp or ""):
                if trade.order_id == order_id:
                    events += frames.fill_events(trade, self.reading())
        told = frames.restated(row, self.reading())
        events.append(told)
        is_told = self.book.untold(row) <= 0
        return events, told.order.is_terminal and is_told

    def answered(self, order: Order) -> Order:
        """Take note of an order that a command was answered with, and have it followed."""
        if order.venue_order_id is not None:
            self.watch.suspect(order.venue_order_id)
        return order

    async def aclose(self) -> None:
        """End everything. Idempotent; raises nothing."""
        await self.stream.aclose()
        await self.transport.aclose()

    def _check_environment(self) -> None:
        """Refuse a gateway that trades with other money than this provider stands for.

        A platform that is not known here is taken for real money.
        """
        is_live = self.context.environment is Environment.LIVE
        found = ", ".join(self.platforms) or "no broker"
        if not self.platforms:
            message = "the gateway does not say which broker it speaks to"
        elif is_live and self.is_simulated:
            message = f"the gateway speaks to {found}: that is no real money; use tektii"
        elif not is_live and not self.is_simulated:
            message = f"the gateway speaks to {found}: that may be real money; use tektii-live"
        else:
            return
        raise ConfigurationError(message, provider=self.context.provider)
