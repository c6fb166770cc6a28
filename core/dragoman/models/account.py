"""Accounts as pools of margin, positions as buckets in them, the ledger of all that is no fill."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import attrs

from .checks import check_amounts, check_text
from .enums import LedgerKind, MarginMode, PositionMode, RiskLimitKind
from .instants import InstantView, OptionalInstantView
from .values import Money

__all__ = ["Account", "Balance", "LedgerEntry", "Lot", "Position", "RiskLimit"]

_ACCOUNT_AMOUNTS = (
    "equity",
    "cash",
    "buying_power",
    "margin_used",
    "margin_available",
    "maintenance_margin",
    "unrealized_pnl",
    "realized_pnl",
    "leverage",
)
_BALANCE_AMOUNTS = (
    "available",
    "reserved",
    "borrowed",
    "interest",
    "margin_used",
    "maintenance_margin",
    "unrealized_pnl",
)
_POSITION_AMOUNTS = (
    "average_entry_price",
    "mark_price",
    "liquidation_price",
    "leverage",
    "available_quantity",
)


@attrs.frozen(kw_only=True)
class RiskLimit:
    """A limit the venue or the firm sets on an account, and how much of it is used."""

    kind: RiskLimitKind
    limit: Decimal
    used: Decimal | None = None
    flatten_at_ns: int | None = None
    flatten_at: ClassVar[OptionalInstantView] = OptionalInstantView()

    def __attrs_post_init__(self) -> None:
        """Refuse amounts that are no finite decimals."""
        check_amounts(self, ("used",), required=("limit",))


@attrs.frozen(kw_only=True)
class Balance:
    """What an account holds of one currency or asset."""

    currency: str
    total: Decimal
    available: Decimal | None = None
    reserved: Decimal | None = None
    borrowed: Decimal | None = None
    interest: Decimal | None = None
    margin_used: Decimal | None = None
    maintenance_margin: Decimal | None = None
    unrealized_pnl: Decimal | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse amounts that are no finite decimals."""
        check_amounts(self, _BALANCE_AMOUNTS, required=("total",))


@attrs.frozen(kw_only=True)
class Account:
    """One pool of margin.

    Totals are in `currency`; None there means the venue has balances only.
    """

    account_id: str = attrs.field(validator=check_text)
    provider: str
    received_at_ns: int
    name: str | None = None
    is_simulated: bool | None = None
    can_trade: bool | None = None
    currency: str | None = None
    equity: Decimal | None = None
    cash: Decimal | None = None
    buying_power: Decimal | None = None
    margin_used: Decimal | None = None
    margin_available: Decimal | None = None
    maintenance_margin: Decimal | None = None
    unrealized_pnl: Decimal | None = None
    realized_pnl: Decimal | None = None
    balances: tuple[Balance, ...] = ()
    position_mode: PositionMode | None = None
    margin_mode: MarginMode | None = None
    leverage: Decimal | None = None
    risk_limits: tuple[RiskLimit, ...] = ()
    raw: bytes | None = attrs.field(default=None, repr=False, eq=False)
    received_at: ClassVar[InstantView] = InstantView()

    def __attrs_post_init__(self) -> None:
        """Refuse amounts that are no finite decimals."""
        check_amounts(self, _ACCOUNT_AMOUNTS)


@attrs.frozen(kw_only=True)
class Lot:
    """One opening that is still part of a position; `quantity` is signed."""

    lot_id: str
    quantity: Decimal
    entry_price: Decimal
    opened_at_ns: int | None = None
    unrealized_pnl: Money | None = None
    realized_pnl: Money | None = None
    financing: Money | None = None
    opened_at: ClassVar[OptionalInstantView] = OptionalInstantView()

    def __attrs_post_init__(self) -> None:
        """Refuse amounts that are no finite decimals."""
        check_amounts(self, (), required=("quantity", "entry_price"))


@attrs.frozen(kw_only=True)
class Position:
    """One bucket of an account.

    `quantity` is signed, negative for short, in units of the instrument; 0 only in the event that
    closes it. `average_entry_price` is None when flat.
    """

    position_id: str = attrs.field(validator=check_text)
    account_id: str = attrs.field(validator=check_text)
    symbol: str = attrs.field(validator=check_text)
    quantity: Decimal
    provider: str
    received_at_ns: int
    average_entry_price: Decimal | None = None
    mark_price: Decimal | None = None
    liquidation_price: Decimal | None = None
    leverage: Decimal | None = None
    available_quantity: Decimal | None = None
    margin_mode: MarginMode | None = None
    unrealized_pnl: Money | None = None
    realized_pnl: Money | None = None
    margin: Money | None = None
    opened_at_ns: int | None = None
    updated_at_ns: int | None = None
    lots: tuple[Lot, ...] = ()
    raw: bytes | None = attrs.field(default=None, repr=False, eq=False)
    received_at: ClassVar[InstantView] = InstantView()
    opened_at: ClassVar[OptionalInstantView] = OptionalInstantView()
    updated_at: ClassVar[OptionalInstantView] = OptionalInstantView()

    def __attrs_post_init__(self) -> None:
        """Refuse amounts that are no finite decimals."""
        check_amounts(self, _POSITION_AMOUNTS, required=("quantity",))


@attrs.frozen(kw_only=True)
class LedgerEntry:
    """A change of cash or of a position that is not a fill.

    `quantity` is the signed change of the position.
    """

    entry_id: str = attrs.field(validator=check_text)
    account_id: str = attrs.field(validator=check_text)
    kind: LedgerKind
    venue_time_ns: int
    provider: str
    received_at_ns: int
    amount: Money | None = None
    symbol: str | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    client_order_id: str | None = None
    fill_id: str | None = None
    description: str | None = None
    raw: bytes | None = attrs.field(default=None, repr=False, eq=False)
    venue_time: ClassVar[InstantView] = InstantView()
    received_at: ClassVar[InstantView] = InstantView()

    def __attrs_post_init__(self) -> None:
        """Refuse amounts that are no finite decimals."""
        check_amounts(self, ("quantity", "price"))
