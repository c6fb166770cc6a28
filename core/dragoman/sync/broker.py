"""The synchronous broker: every method of `Broker`, for threads."""

# Written by tools/generate_sync.py from broker.py: change that, run the tool.

from __future__ import annotations

from typing import TYPE_CHECKING, Self, Unpack, final, overload

from dragoman.models.enums import Contingency

from .controls import SyncBrokerControls
from .listener import SyncListener
from .loop_thread import Whole
from .stream import SyncEventStream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from dragoman.models import (
        Amount,
        ChangeFields,
        Event,
        Exit,
        Order,
        OrderChange,
        OrderFields,
        OrderOptions,
        OrderRequest,
        Position,
        SubscriptionFields,
    )
    from dragoman.models.order import CommandResult
    from dragoman.reads import OrderTarget

__all__ = ["SyncBroker"]


@final
class SyncBroker(SyncBrokerControls):
    """One account at one provider. Made by `dragoman.connect_sync`.

    Ends with `close()` or `with`.

    Every failed command carries its `outcome`: NOT_SENT, REJECTED or UNKNOWN. No order is ever sent
    twice. Safe to use from many threads at once, also from those that run an event loop; `halt()`
    and `state` wait for nobody. Interrupting a call (Ctrl-C) takes nothing back: what was sent
    stays tracked. A forked process must connect by itself.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def submit(
        self,
        request: OrderRequest | None = None,
        /,
        *,
        timeout_s: float | None = None,
        **fields: Unpack[OrderFields],
    ) -> Order:
        """Send one order and return it at the venue's first evidence of it, not at its fill.

        Idempotent per `client_order_id`: the same id with equal terms returns the existing order.
        Interrupting the call does not take the order back.

        Args:
            request: The order, or none and its fields as keywords.
            timeout_s: How long to wait for the first evidence; None is the connection's default.

        Raises:
            RequestError: The order can't be sent as it stands: `InvalidOrderError` lists every
                violation, `UnsupportedError`, `UnknownInstrumentError`, `DuplicateOrderError`,
                `LimitExceededError` (NOT_SENT).
            LifecycleError: Halted, closed, read-only or not in step with the venue (NOT_SENT).
            ConnectFailedError: No byte was written (NOT_SENT).
            OrderRejectedError: The venue refused it, for `reason` (REJECTED).
            OutcomeUnknownError: No evidence in time; it may be live and stays tracked (UNKNOWN).
                Never send it again.
        """
        return self._loop.command(
            lambda: self._broker.submit(request, timeout_s=timeout_s, **fields)
        )

    def submit_list(
        self,
        requests: Sequence[OrderRequest],
        contingency: Contingency = Contingency.NONE,
        *,
        all_or_none: bool = False,
        timeout_s: float | None = None,
    ) -> tuple[CommandResult, ...]:
        """Send orders that depend on each other (OCO, OTO) or go together (NONE).

        One result per request, in order. A list sent before, with equal terms, is waited for.

        Raises:
            UnsupportedError: The provider takes no such list (NOT_SENT).
            RequestError: Any of the requests can't be sent; then none is (NOT_SENT).
            LifecycleError: Halted, closed, read-only or not in step with the venue (NOT_SENT).
        """
        return self._loop.command(
            lambda: self._broker.submit_list(
                requests, contingency, all_or_none=all_or_none, timeout_s=timeout_s
            )
        )

    def replace(
        self,
        order: OrderTarget,
        change: OrderChange | None = None,
        /,
        *,
        timeout_s: float | None = None,
        **fields: Unpack[ChangeFields],
    ) -> Order:
        """Change an open order; `quantity` is the new total, and what is not named stays.

        Raises:
            InvalidOrderError: The change breaks a rule, or the provider can't change that field
                (NOT_SENT).
            LimitExceededError: It makes the order larger than a risk limit (NOT_SENT).
            LifecycleError: Halted, closed, read-only or not in step with the venue (NOT_SENT).
            ConflictError: The order has ended (NOT_SENT, or REJECTED by the venue).
            OrderRejectedError: The venue refuses; the order stands as it was (REJECTED).
            OutcomeUnknownError: No answer; the old or the new terms may hold (UNKNOWN).
        """
        return self._loop.command(
            lambda: self._broker.replace(order, change, timeout_s=timeout_s, **fields)
        )

    def cancel(self, order: OrderTarget, *, timeout_s: float | None = None) -> Order:
        """Cancel an order and return it; if it had ended, that terminal order and no error.

        Goes through while halted or out of step: a cancel adds no exposure. Accepted is not done:
        see `pending`.

        Raises:
            NotFoundError: No such order here (NOT_SENT).
            ConflictError: The venue refuses, and shows that the order lives on (REJECTED).
            OutcomeUnknownError: No answer; the order may live (UNKNOWN).
        """
        return self._loop.command(lambda: self._broker.cancel(order, timeout_s=timeout_s))

    def cancel_all(
        self, symbol: str | None = None, *, timeout_s: float | None = None
    ) -> tuple[CommandResult, ...]:
        """Cancel every open order, of one symbol or all, orders placed elsewhere included.

        One result per order. Those known here go first, then what else the venue shows.

        Raises:
            DragomanError: The venue's list could not be read; those known here were canceled.
        """
        return self._loop.command(lambda: self._broker.cancel_all(symbol, timeout_s=timeout_s))

    @overload
    def close(self) -> None: ...

    @overload
    def close(
        self,
        position: Position | str,
        quantity: Amount | None = None,
        *,
        timeout_s: float | None = None,
        **options: Unpack[OrderOptions],
    ) -> Order: ...

    def close(
        self,
        position: Position | str | Whole = Whole.CONNECTION,
        quantity: Amount | None = None,
        *,
        timeout_s: float | None = None,
        **options: Unpack[OrderOptions],
    ) -> Order | None:
        """End the connection: `close()`; or close a position, or part of it: `close(position)`.

        Without arguments: listeners and streams end, then the connection, which is gone when its
        last broker is closed. Open orders stay as they are. Idempotent.

        With a position: an ordinary market order is sent that can only close.

        Args:
            position: The position, its id or, where that has one position only, its symbol.
            quantity: How much to close, above 0; None is all of it.
            timeout_s: As `submit`.
            **options: What else the order says; see `OrderOptions`.

        Raises:
            NotFoundError: There is no such position (NOT_SENT).
            InvalidOrderError: The symbol has several (NOT_SENT).
            DragomanError: As `submit`.
        """
        if position is not Whole.CONNECTION:
            return self._loop.command(
                lambda: self._broker.close(position, quantity, timeout_s=timeout_s, **options)
            )
        if quantity is not None or timeout_s is not None or options:
            raise TypeError("to close a position, name it: close(position, ...)")
        self._loop.close(self._broker)
        return None

    def close_all(
        self, symbol: str | None = None, *, timeout_s: float | None = None
    ) -> tuple[CommandResult, ...]:
        """Close every position, of one symbol or all, side by side.

        One result per position, never stopping at an error.
        """
        return self._loop.command(lambda: self._broker.close_all(symbol, timeout_s=timeout_s))

    def set_exits(
        self,
        position: Position | str,
        stop_loss: Exit | None = None,
        take_profit: Exit | None = None,
    ) -> tuple[Order, ...]:
        """Set a position's protective orders; None takes a leg off.

        Raises `UnsupportedError` where not offered.
        """
        return self._loop.command(lambda: self._broker.set_exits(position, stop_loss, take_profit))

    def stream(
        self,
        *,
        since: int | None = None,
        buffer: int = 10_000,
        **subscription: Unpack[SubscriptionFields],
    ) -> SyncEventStream:
        """Open one stream of everything named.

        `quotes=["AAPL"]`, `bars=[("AAPL", "1m")]`, `orders=True`, ...

        Args:
            since: Start private events after this sequence, from the journal; None starts with the
                next.
            buffer: How many events may wait for this reader before market data is conflated.
        """
        make = self._here().stream
        opened = self._loop.look(lambda: make(since=since, buffer=buffer, **subscription))
        return SyncEventStream(self._loop, opened)

    def listen(
        self,
        callback: Callable[[Event], None],
        *,
        since: int | None = None,
        buffer: int = 10_000,
        **subscription: Unpack[SubscriptionFields],
    ) -> SyncListener:
        """Call `callback` with each event, from one thread of its own.

        Its errors are reported and stop nobody.
        """
        stream = self.stream(since=since, buffer=buffer, **subscription)
        return SyncListener(self._loop, self._broker, stream, callback).start()

    def for_account(self, account_id: str) -> SyncBroker:
        """Return a broker for another account of the same credentials.

        One session, its own journal and sequence.

        Raises:
            ConfigurationError: The credentials do not reach that account.
        """
        if account_id == self.account_id:
            return self
        other = self._loop.connect(lambda: self._broker.for_account(account_id))
        return SyncBroker(self._loop, other)
