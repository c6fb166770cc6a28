"""What the venue does when an account's equity no longer covers its maintenance margin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.models import AccountEventKind, OrderOrigin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from dragoman.models import Position

    from .desk import Desk
    from .intake import Intake
    from .lifecycle import Lifecycle
    from .listed import Listing
    from .order import WorkingOrder

__all__ = ["Liquidation"]


class Liquidation:
    """Warns at 1.2 times maintenance; below it cancels risk and closes positions."""

    def __init__(self, life: Lifecycle, intake: Intake, listings: Mapping[str, Listing]) -> None:
        self._life = life
        self._intake = intake
        self._listings = listings

    def watch(self, desk: Desk) -> None:
        """Act on an account's margin as it is now."""
        alert = desk.account.margin_alert()
        if alert is not desk.alert and alert is not None:
            self._tell(desk, alert)
        desk.alert = alert
        if alert is AccountEventKind.MARGIN_CALL:
            self._cancel_risk(desk)
            self._close(desk, desk.account.margin_call(self._life.recorder.now_ns))

    def call(self, desk: Desk, positions: Sequence[Position]) -> None:
        """Close positions as a margin call does, whatever the margin."""
        self._tell(desk, AccountEventKind.MARGIN_CALL)
        self._cancel_risk(desk)
        self._close(desk, positions)

    def _close(self, desk: Desk, positions: Sequence[Position]) -> None:
        """Close positions at the market; one that is being closed already is left to that."""
        closing = {
            order.position_id
            for order in desk.live.values()
            if order.origin is OrderOrigin.LIQUIDATION
        }
        for position in positions:
            listing = self._listings[position.symbol]
            if position.position_id not in closing and listing.halted is None:
                self._intake.liquidate(desk, listing, position)

    def _cancel_risk(self, desk: Desk) -> None:
        held = {position.symbol: position.quantity for position in desk.account.positions()}
        for order in tuple(desk.live.values()):
            if _adds_risk(order, held.get(order.symbol)):
                self._life.end(order, reason="the account is below its maintenance margin")

    def _tell(self, desk: Desk, kind: AccountEventKind) -> None:
        time_ns = self._life.recorder.stamp()
        self._life.recorder.account(kind, desk.account.snapshot(time_ns), time_ns)


def _adds_risk(order: WorkingOrder, held: Decimal | None) -> bool:
    if order.reduces:
        return False
    if not held or (held > 0) == (order.side.sign > 0):
        return True
    remaining = order.remaining
    return remaining is None or remaining > abs(held)
