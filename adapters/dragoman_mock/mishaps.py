"""The faults that strike the venue itself: halts, busts, strangers' orders, jumps, liquidations."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from dragoman.errors import DragomanError
from dragoman.models import OrderEvent, OrderRequest, OrderType, Side
from dragoman.money import ZERO
from dragoman.paper.faults.plan import FaultKind

from .delivery import to_ns

if TYPE_CHECKING:
    from dragoman.models import Event
    from dragoman.paper.faults.plan import Fault

    from .venue import MockVenue

__all__ = ["MISHAPS", "Mishaps"]

MISHAPS: Final = frozenset(
    {
        FaultKind.HALT_SYMBOL,
        FaultKind.BUST_FILL,
        FaultKind.EXTERNAL_ORDER,
        FaultKind.PRICE_JUMP,
        FaultKind.LIQUIDATE,
    }
)
"""The kinds that are carried out here."""


_LOGGER: Final = logging.getLogger(__name__)


class Mishaps:
    """Carries out what happens at the venue.

    Args:
        venue: Where it happens.
        account_id: Whose account is concerned; None: the venue's first.
    """

    def __init__(self, venue: MockVenue, account_id: str | None) -> None:
        self._venue = venue
        self.account_id: str = account_id or venue.settings.accounts[0].account_id
        self._strangers = 0

    def happen(self, fault: Fault, event: Event | None = None) -> None:
        """Carry out one fault; `event` is what set it off, if an event did.

        One that can't be, because there is no such fill, say, is logged: the plan is at fault.
        """
        try:
            self._carry_out(fault, event)
        except DragomanError as error:
            _LOGGER.warning(
                "scripted fault not carried out", extra={"fault": str(fault), "error": str(error)}
            )

    def late_fill(self, fault: Fault, client_order_id: str) -> None:
        """Let a canceled order execute after all, some time later."""
        quantity = fault.amount("quantity")
        due_ns = self._venue.engine.now_ns + to_ns(fault.amount("seconds"))

        def execute() -> None:
            self._venue.do(
                lambda engine: engine.execute(self.account_id, client_order_id, quantity)
            )

        self._venue.schedule(due_ns, execute)

    def _carry_out(self, fault: Fault, event: Event | None) -> None:
        match fault.kind:
            case FaultKind.HALT_SYMBOL:
                self._halt(fault)
            case FaultKind.BUST_FILL:
                self._bust(fault, event)
            case FaultKind.EXTERNAL_ORDER:
                self._send_strangers_order(fault)
            case FaultKind.PRICE_JUMP:
                self._jump(fault)
            case FaultKind.LIQUIDATE:
                self._venue.do(lambda engine: engine.liquidate(self.account_id))
            case _:
                raise AssertionError(f"{fault.kind} does not strike the venue")

    def _halt(self, fault: Fault) -> None:
        symbol = self._symbol(fault)
        self._venue.do(lambda engine: engine.halt_symbol(symbol, "halted by a scripted fault"))
        seconds = fault.amount("seconds")
        if seconds is not None:
            due_ns = self._venue.engine.now_ns + to_ns(seconds)
            self._venue.schedule(due_ns, lambda: self._resume(symbol))

    def _resume(self, symbol: str) -> None:
        self._venue.do(lambda engine: engine.resume_symbol(symbol))

    def _bust(self, fault: Fault, event: Event | None) -> None:
        fill_id = fault.text("fill_id") or self._fill_of(event) or self._last_fill()
        if fill_id is not None:
            self._venue.do(lambda engine: engine.bust(self.account_id, fill_id))

    def _fill_of(self, event: Event | None) -> str | None:
        if isinstance(event, OrderEvent) and event.fill is not None:
            return event.fill.fill_id
        return None

    def _last_fill(self) -> str | None:
        fills = self._venue.engine.fills(self.account_id)
        standing = [fill.fill_id for fill in fills if not fill.is_busted]
        return standing[-1] if standing else None

    def _send_strangers_order(self, fault: Fault) -> None:
        self._strangers += 1
        limit_price = fault.amount("limit_price")
        request = OrderRequest(
            symbol=self._symbol(fault),
            side=Side(fault.text("side") or Side.BUY),
            order_type=OrderType.MARKET if limit_price is None else OrderType.LIMIT,
            quantity=fault.amount("quantity") or ZERO,
            limit_price=limit_price,
            client_order_id=f"external-{self._venue.engine.now_ns}-{self._strangers}",
            account_id=self.account_id,
        )
        self._venue.do(lambda engine: engine.submit(request))

    def _jump(self, fault: Fault) -> None:
        engine = self._venue.engine
        percent = fault.amount("percent") or ZERO
        self._venue.prices.jump(self._symbol(fault), percent, engine.now_ns)

    def _symbol(self, fault: Fault) -> str:
        return self._venue.engine.find(fault.symbol or "").symbol
