"""The account and its positions. A gateway speaks for one account, which it rarely names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import UnmappedValueError
from dragoman.models import Account, Balance, MarginMode, Position
from dragoman.money import ZERO, negate

from .reading import money, positive, time_of, understood
from .words import MARGIN_MODES, POSITION_MODES, POSITION_SIDES

if TYPE_CHECKING:
    from dragoman.models import Money
    from dragoman_tektii.wire import AccountRow, PositionRow

    from .reading import Reading

__all__ = ["ACCOUNT_ID", "account_of", "position_of"]

ACCOUNT_ID: Final = "gateway"
"""What the one account of a gateway is called here, where the gateway does not name it."""


@understood
def account_of(
    row: AccountRow,
    reading: Reading,
    *,
    is_simulated: bool | None = None,
    position_mode: str | None = None,
) -> Account:
    """Read the account. What is there of its one currency is its cash, else its balance."""
    currency = row.currency or None
    held = row.balance if row.cash is None else row.cash
    balances = () if held is None or currency is None else (Balance(currency=currency, total=held),)
    return Account(
        account_id=reading.account_id,
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        is_simulated=is_simulated,
        currency=currency,
        equity=row.equity,
        margin_used=row.margin_used,
        margin_available=row.margin_available,
        unrealized_pnl=row.unrealized_pnl,
        realized_pnl=row.realized_pnl,
        balances=balances,
        position_mode=POSITION_MODES.get(position_mode or ""),
    )


@understood
def position_of(row: PositionRow, reading: Reading, *, is_closed: bool = False) -> Position:
    """Read a position; prices of 0 are not known.

    Raises:
        UnmappedValueError: It is neither long nor short.
    """
    sign = POSITION_SIDES.get(row.side.upper())
    if sign is None:
        raise UnmappedValueError(f"{row.side[:40]!r} is no side of a position that is known")
    quantity = row.quantity if sign > 0 else negate(row.quantity)
    quantity = ZERO if is_closed or not quantity else quantity
    return Position(
        position_id=row.id,
        account_id=reading.account_id,
        symbol=row.symbol,
        quantity=quantity,
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        average_entry_price=positive(row.average_entry_price) if quantity else None,
        mark_price=positive(row.current_price),
        liquidation_price=positive(row.liquidation_price),
        leverage=positive(row.leverage),
        margin_mode=MARGIN_MODES.get(row.margin_mode or "", MarginMode.UNKNOWN)
        if row.margin_mode
        else None,
        unrealized_pnl=_result(row, reading) if quantity else None,
        realized_pnl=money(positive(row.realized_pnl), reading.currency),
        opened_at_ns=time_of(row.opened_at),
        updated_at_ns=time_of(row.updated_at),
    )


def _result(row: PositionRow, reading: Reading) -> Money | None:
    """Return the result of a position; 0 without the prices that make it is not known."""
    if not row.unrealized_pnl and not (row.average_entry_price and row.current_price):
        return None
    return money(row.unrealized_pnl, reading.currency)
