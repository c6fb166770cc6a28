"""What a synchronous connection is steered by: halts, settings, raw requests."""

# Written by tools/generate_sync.py from controls.py: change that, run the tool.

from __future__ import annotations

from typing import TYPE_CHECKING

from .reads import SyncBrokerReads

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from dragoman.models import MarginMode, PositionMode
    from dragoman.models.answers import RawAnswer
    from dragoman.orders.halt import HaltReport

__all__ = ["SyncBrokerControls"]


class SyncBrokerControls(SyncBrokerReads):
    """The steering half of a `SyncBroker`: all that is no order of one's own."""

    def halt(self, cause: str = "halted by the user", *, cancel: bool = False) -> HaltReport:
        """Stop trading: from now on no order is sent until `resume()`. Callable from any thread.

        Once this has returned, no first byte of an order or a change is written here. Cancels still
        go. It outlives the process where there is a state folder. A signal handler may call it.

        Returns what is known at that moment; it claims nothing about what the venue does with open
        orders.

        Args:
            cause: Why; told to whoever is refused.
            cancel: Also begin to cancel every order; `halt_and_cancel()` waits for it.

        Raises:
            JournalUnavailableError: Trading is halted here, but the marker for other processes and
                for the next start can't be written.
        """
        return self._here().halt(cause, cancel=cancel)

    def halt_and_cancel(
        self, cause: str = "halted by the user", *, timeout_s: float | None = None
    ) -> HaltReport:
        """Stop trading and cancel every order, those placed elsewhere and children included.

        Positions stay. What goes wrong stands in the report's `problems`; nothing stops at it.

        Args:
            cause: Why; told to whoever is refused.
            timeout_s: How long to go on; None is the connection's default.
        """
        return self._loop.command(lambda: self._broker.halt_and_cancel(cause, timeout_s=timeout_s))

    def flatten(
        self, cause: str = "flattened by the user", *, timeout_s: float | None = None
    ) -> HaltReport:
        """Stop trading, cancel every order, close every position by a market order, and prove it.

        The one way to close positions of a halted account: its orders can only close, and pass the
        halt because without them the way out would be the venue's own screen. A position is closed
        only when nothing works in its symbol any more, so that no two orders close it. Limits of
        one's own do not stand in the way.

        The report's `is_flat` is True only if the venue has shown that nothing works and, after
        that, that nothing is held; an order that fills later raises the alarm NOT_FLAT. The account
        stays halted until `resume()`.

        Args:
            cause: Why; told to whoever is refused.
            timeout_s: How long to go on; None is the connection's default.
        """
        return self._loop.command(lambda: self._broker.flatten(cause, timeout_s=timeout_s))

    def resume(self) -> None:
        """Let this account trade on after a halt; one of the whole provider stands.

        Callable from any thread.

        Raises:
            JournalUnavailableError: The halt's marker can't be taken away; the halt holds.
        """
        self._here().resume()

    def reconcile(self) -> None:
        """Compare with the venue now, and take in what is found, as the timer does by itself.

        What it finds is told by events whose source is RECONCILED.

        Raises:
            DragomanError: Something could not be read; what is known stays as it was.
        """
        self._loop.command(self._broker.reconcile)

    def set_leverage(
        self, symbol: str, leverage: Decimal, margin_mode: MarginMode | None = None
    ) -> None:
        """Set how many times its margin a position may be worth.

        Raises `UnsupportedError` where not offered.
        """
        self._loop.command(lambda: self._broker.set_leverage(symbol, leverage, margin_mode))

    def set_position_mode(self, mode: PositionMode) -> None:
        """Choose netting or hedging. Raises `UnsupportedError` where not offered."""
        self._loop.command(lambda: self._broker.set_position_mode(mode))

    def arm(self, timeout_s: float | None, symbol: str | None = None) -> None:
        """Have the venue cancel all unless called again within `timeout_s`; None disarms."""
        self._loop.command(lambda: self._broker.arm(timeout_s, symbol))

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        timeout_s: float | None = None,
    ) -> RawAnswer:
        """Send one request to the venue's own API, signed and within its rate limits.

        The way to what this library does not know. Only a GET is ever sent again. Anything but GET
        and DELETE counts as new exposure: it is refused while halted or out of step, and is not
        tracked.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: Begins with "/"; the base URL is the provider's.
            query: What follows the "?".
            body: Anything that JSON can say.
            timeout_s: How long to wait for the answer; None is the connection's default.

        Returns:
            The answer, whatever its status.

        Raises:
            UnsupportedError: Not offered (NOT_SENT).
            InvalidValueError: A method or path that is none (NOT_SENT).
            LifecycleError: Closed; or, not for a GET: read-only, halted or out of step (NOT_SENT).
            OutcomeUnknownError: No answer in time: it may have taken effect (UNKNOWN).
        """
        return self._loop.command(
            lambda: self._broker.request(method, path, query=query, body=body, timeout_s=timeout_s)
        )

    def acknowledge(self, event_ids: Sequence[str]) -> None:
        """Tell a paced venue that these events were worked on."""
        self._loop.command(lambda: self._broker.acknowledge(event_ids))
