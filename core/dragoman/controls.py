"""What a connection is steered by: halts, settings at the venue, raw requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import InvalidValueError, Violation
from .halting import Halting
from .intake import checked_timeout
from .ports import DeadManPort, LeveragePort, RawPort
from .reads import BrokerReads

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from .models import MarginMode, PositionMode
    from .models.answers import RawAnswer
    from .orders.halt import HaltReport
    from .orders.limits import RiskLimits
    from .session import AccountSession

__all__ = ["BrokerControls"]

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class BrokerControls(BrokerReads):
    """The steering half of a `Broker`: all that is no order of one's own."""

    def __init__(
        self,
        session: AccountSession,
        limits: RiskLimits,
        *,
        read_only: bool,
        timeout_s: float,
        reconciling_wait_s: float,
    ) -> None:
        super().__init__(session, limits, read_only=read_only)
        self._commands = session.commands
        self._halting = Halting(session, self._intake)
        self._intake.read_timeout_s = timeout_s
        self._timeout_s = timeout_s
        self._reconciling_wait_s = reconciling_wait_s

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
        try:
            return self._session.halt(cause)
        finally:
            if cancel and not self._read_only:
                self._halting.cancel_soon(self._timeout_s)

    async def halt_and_cancel(
        self, cause: str = "halted by the user", *, timeout_s: float | None = None
    ) -> HaltReport:
        """Stop trading and cancel every order, those placed elsewhere and children included.

        Positions stay. What goes wrong stands in the report's `problems`; nothing stops at it.

        Args:
            cause: Why; told to whoever is refused.
            timeout_s: How long to go on; None is the connection's default.
        """
        self._check_commands()
        return await self._halting.cancel(cause, self._timeout(timeout_s))

    async def flatten(
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
        self._check_commands()
        return await self._halting.flatten(cause, self._timeout(timeout_s))

    def resume(self) -> None:
        """Let this account trade on after a halt; one of the whole provider stands.

        Callable from any thread.

        Raises:
            JournalUnavailableError: The halt's marker can't be taken away; the halt holds.
        """
        self._session.resume()

    async def reconcile(self) -> None:
        """Compare with the venue now, and take in what is found, as the timer does by itself.

        What it finds is told by events whose source is RECONCILED.

        Raises:
            DragomanError: Something could not be read; what is known stays as it was.
        """
        self._check_commands()
        await self._session.reconcile()

    async def set_leverage(
        self, symbol: str, leverage: Decimal, margin_mode: MarginMode | None = None
    ) -> None:
        """Set how many times its margin a position may be worth.

        Raises `UnsupportedError` where not offered.
        """
        self._check_commands()
        if not isinstance(self._adapter, LeveragePort):
            raise self._not_offered("leverage")
        setting = self._adapter.set_leverage(self.account_id, symbol, leverage, margin_mode)
        await self._commands.ask("setting the leverage", setting, self._timeout_s)

    async def set_position_mode(self, mode: PositionMode) -> None:
        """Choose netting or hedging. Raises `UnsupportedError` where not offered."""
        self._check_commands()
        if not isinstance(self._adapter, LeveragePort):
            raise self._not_offered("position modes")
        setting = self._adapter.set_position_mode(self.account_id, mode)
        await self._commands.ask("setting the position mode", setting, self._timeout_s)

    async def arm(self, timeout_s: float | None, symbol: str | None = None) -> None:
        """Have the venue cancel all unless called again within `timeout_s`; None disarms."""
        self._check_commands()
        if not isinstance(self._adapter, DeadManPort):
            raise self._not_offered("a cancel timer")
        arming = self._adapter.arm(self.account_id, timeout_s, symbol)
        await self._commands.ask("arming the cancel timer", arming, self._timeout_s)

    async def request(
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
        _check_request(method, path)
        self._check_open()
        if method != "GET":
            self._check_commands()
        adds_exposure = method not in {"GET", "DELETE"}
        if adds_exposure:
            await self._expect_exposure()
        if not isinstance(self._adapter, RawPort):
            raise self._not_offered("raw requests")
        if adds_exposure:
            self._blotter.check_owner()
        asking = self._adapter.request(method, path, query=query, body=body)
        return await self._commands.ask(
            f"{method} {path}", asking, self._timeout(timeout_s), adds_exposure=adds_exposure
        )

    async def acknowledge(self, event_ids: Sequence[str]) -> None:
        """Tell a paced venue that these events were worked on."""
        self._check_open()
        await self._adapter.acknowledge(event_ids)

    async def _expect_exposure(self) -> None:
        """Refuse what may add exposure; being out of step is waited out for as long as agreed."""
        if self._reconciling_wait_s and self._session.monitor.blindness is not None:
            self._check_commands()
            self._blotter.check_halt()
            await self._session.monitor.sighted(self._reconciling_wait_s)
        self._check_exposure()

    def _check_exposure(self) -> None:
        """Refuse what may add exposure while halted or not in step with the venue."""
        self._check_commands()
        self._blotter.check_halt()
        self._session.check_live()

    def _timeout(self, timeout_s: float | None) -> float:
        return self._timeout_s if timeout_s is None else checked_timeout(timeout_s)


def _check_request(method: str, path: str) -> None:
    found: list[Violation] = []
    if method not in _METHODS:
        found.append(Violation.of("method", method, ", ".join(_METHODS)))
    if not path.startswith("/") or path.startswith("//") or not path.isprintable():
        found.append(Violation.of("path", path, 'a path of the API, such as "/v2/account"'))
    if found:
        raise InvalidValueError.of("request", found)
