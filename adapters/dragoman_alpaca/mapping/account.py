"""Accounts, positions and the ledger: what Alpaca's rows say of what one has."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from dragoman.errors import InvalidValueError, ProtocolError
from dragoman.models import (
    Account,
    Balance,
    FrozenMapping,
    LedgerEntry,
    LedgerKind,
    MarginMode,
    Money,
    Position,
    PositionMode,
    RiskLimit,
    RiskLimitKind,
)
from dragoman.money import format_decimal, signed

from .words import new_york_time, time_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.models import Scalar
    from dragoman_alpaca.wire.trading import (
        AccountRow,
        ActivityRow,
        ConfigurationsRow,
        PositionRow,
    )

    from .reading import Reading

__all__ = [
    "LEDGER_KINDS",
    "account_of",
    "configuration",
    "ledger_entry_of",
    "position_of",
]

_CURRENCY: Final = "USD"
_ONE: Final = Decimal(1)
_DAY_TRADES: Final = Decimal(3)
"""How many day trades in five days a small margin account may make that is no pattern day trader's.

Source: FINRA rule 4210, as it stood until 2026-06-04; newer accounts tell no count.
"""
_FREE_FROM_EQUITY: Final = Decimal(25_000)

_TIME_OF_ID: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(\d{4})\d{5}::", re.ASCII)
"""Its year, month, day, and hour with minute; then seconds and thousandths."""

_CAN_TRADE: Final[Mapping[str, bool | None]] = {
    "ACTIVE": True,
    "ACCOUNT_UPDATED": None,
    "LIMITED": None,
    "PAPER_ONLY": None,
    "ACTION_REQUIRED": None,
    "ACCOUNT_CLOSED_PENDING": None,
    "INACTIVE": False,
    "ONBOARDING": False,
    "SUBMISSION_FAILED": False,
    "SUBMITTED": False,
    "APPROVAL_PENDING": False,
    "APPROVED": False,
    "REJECTED": False,
    "ACCOUNT_CLOSED": False,
}

LEDGER_KINDS: Final[Mapping[str, LedgerKind]] = {
    "CSD": LedgerKind.DEPOSIT,
    "CSW": LedgerKind.WITHDRAWAL,
    "TRANS": LedgerKind.TRANSFER,
    "ACATC": LedgerKind.TRANSFER,
    "ACATS": LedgerKind.TRANSFER,
    "JNL": LedgerKind.TRANSFER,
    "JNLC": LedgerKind.TRANSFER,
    "JNLS": LedgerKind.TRANSFER,
    "FOPT": LedgerKind.TRANSFER,
    "FEE": LedgerKind.FEE,
    "CFEE": LedgerKind.FEE,
    "DIVFEE": LedgerKind.FEE,
    "PTC": LedgerKind.FEE,
    "PTR": LedgerKind.FEE,
    "INT": LedgerKind.INTEREST,
    "INTNRA": LedgerKind.TAX,
    "INTTW": LedgerKind.TAX,
    "WH": LedgerKind.TAX,
    "DIV": LedgerKind.DIVIDEND,
    "DIVCGL": LedgerKind.DIVIDEND,
    "DIVCGS": LedgerKind.DIVIDEND,
    "DIVROC": LedgerKind.DIVIDEND,
    "DIVTXEX": LedgerKind.DIVIDEND,
    "CGD": LedgerKind.DIVIDEND,
    "DIVFT": LedgerKind.TAX,
    "DIVNRA": LedgerKind.TAX,
    "DIVTW": LedgerKind.TAX,
    "SPLIT": LedgerKind.SPLIT,
    "MA": LedgerKind.MERGER,
    "NC": LedgerKind.SYMBOL_CHANGE,
    "SPIN": LedgerKind.ADJUSTMENT,
    "REORG": LedgerKind.ADJUSTMENT,
    "VOF": LedgerKind.ADJUSTMENT,
    "OPCA": LedgerKind.ADJUSTMENT,
    "OPASN": LedgerKind.ASSIGNMENT,
    "OPEXC": LedgerKind.EXERCISE,
    "OPEXP": LedgerKind.EXPIRY,
    "OPTRD": LedgerKind.SETTLEMENT,
    "OPCSH": LedgerKind.SETTLEMENT,
    "MISC": LedgerKind.OTHER,
}
"""The kind of each type of activity that is no execution.

`OPTRD` is the delivery of the shares after an exercise or an assignment, `PTR` a fee given back.
"""

_MOVES_QUANTITY: Final = frozenset(
    {
        "ACATS",
        "JNLS",
        "FOPT",
        "CFEE",
        "SPLIT",
        "MA",
        "NC",
        "SPIN",
        "REORG",
        "VOF",
        "OPCA",
        "OPASN",
        "OPEXC",
        "OPEXP",
        "OPTRD",
    }
)
"""Elsewhere `qty` says for how many shares money was paid; none of them moved."""


def account_of(row: AccountRow, reading: Reading, *, is_simulated: bool | None = None) -> Account:
    """Return an account; its `account_id` is the row's own.

    Raises:
        ProtocolError: The row's id is none.
    """
    try:
        return Account(
            account_id=row.id,
            provider=reading.provider,
            received_at_ns=reading.received_at_ns,
            name=row.account_number or None,
            is_simulated=is_simulated,
            can_trade=_can_trade(row, reading),
            currency=row.currency or None,
            equity=row.portfolio_value if row.equity is None else row.equity,
            cash=row.cash,
            buying_power=row.buying_power,
            margin_used=row.initial_margin,
            maintenance_margin=row.maintenance_margin,
            balances=_balances(row),
            position_mode=PositionMode.NETTING,
            margin_mode=_margin_mode(row.multiplier),
            leverage=row.multiplier,
            risk_limits=_risk_limits(row),
        )
    except InvalidValueError as error:
        raise ProtocolError(f"an account's row is none: {error.message}") from error


def configuration(row: ConfigurationsRow) -> FrozenMapping[Scalar]:
    """Return an account's settings by Alpaca's names for them, without those it does not say."""
    found: dict[str, Scalar] = {}
    for name in row.__struct_fields__:
        value: object = getattr(row, name)
        if isinstance(value, Decimal):
            found[name] = format_decimal(value)
        elif isinstance(value, (str, bool)):
            found[name] = value
    return FrozenMapping(found)


def position_of(row: PositionRow, reading: Reading, *, currency: str = _CURRENCY) -> Position:
    """Return a position; `currency` is the account's, which Alpaca states profits in.

    Where only the asset's id is said, that names the symbol, if it is known, or stands for it.

    Raises:
        ProtocolError: The row does not say how much it is of, or its symbol is none.
    """
    if row.qty is None:
        raise ProtocolError("a position does not say its quantity")
    sign = -1 if row.side == "short" or row.qty < 0 else 1
    quantity = _signed(row.qty, sign)
    said = row.asset_id if row.symbol is None else row.symbol
    symbol = reading.symbols.symbol_of((said or "").strip())
    available, profit = row.qty_available, row.unrealized_pl
    try:
        return Position(
            position_id=symbol,
            account_id=reading.account_id,
            symbol=symbol,
            quantity=quantity,
            provider=reading.provider,
            received_at_ns=reading.received_at_ns,
            average_entry_price=row.avg_entry_price if quantity else None,
            mark_price=row.current_price,
            available_quantity=None if available is None else _signed(available, sign),
            unrealized_pnl=None if profit is None else Money(profit, currency),
        )
    except InvalidValueError as error:
        raise ProtocolError(f"a position's row is none: {error.message}") from error


def ledger_entry_of(row: ActivityRow, reading: Reading) -> LedgerEntry | None:
    """Return the ledger entry that an activity is; None for executions and what was taken back.

    Raises:
        ProtocolError: It does not say when, or its id is none.
    """
    word = row.activity_type
    if word == "FILL" or row.status == "canceled":
        return None
    kind = LEDGER_KINDS.get(word)
    if kind is None:
        reading.strangers.report("activity", word)
    time_ns = time_of(row.created_at) or time_of(row.transaction_time) or _day_of(row)
    if time_ns is None:
        raise ProtocolError(f"an activity {word[:40]!r} does not say when")
    is_moved = word in _MOVES_QUANTITY or row.activity_sub_type == "SDIV"
    quantity = row.qty if is_moved and row.qty else None
    amount = row.net_amount if row.net_amount or quantity is None else None
    try:
        return LedgerEntry(
            entry_id=row.id,
            account_id=reading.account_id,
            kind=kind or LedgerKind.OTHER,
            venue_time_ns=time_ns,
            provider=reading.provider,
            received_at_ns=reading.received_at_ns,
            amount=None if amount is None else Money(amount, row.currency or _CURRENCY),
            symbol=reading.symbols.symbol_of(row.symbol) if row.symbol else None,
            quantity=quantity,
            price=row.price,
            description=row.description or row.activity_sub_type or None,
        )
    except InvalidValueError as error:
        raise ProtocolError(f"an activity's row is none: {error.message}") from error


def _signed(quantity: Decimal, sign: int) -> Decimal:
    return signed(quantity.copy_abs(), sign if quantity else 1)


def _can_trade(row: AccountRow, reading: Reading) -> bool | None:
    if row.trading_blocked or row.account_blocked or row.trade_suspended_by_user:
        return False
    if not row.status:
        return None
    if row.status not in _CAN_TRADE:
        reading.strangers.report("account status", row.status)
    return _CAN_TRADE.get(row.status)


def _balances(row: AccountRow) -> tuple[Balance, ...]:
    if row.cash is None or not row.currency:
        return ()
    return (Balance(currency=row.currency, total=row.cash),)


def _margin_mode(multiplier: Decimal | None) -> MarginMode | None:
    if multiplier is None:
        return None
    return MarginMode.CASH if multiplier <= _ONE else MarginMode.CROSS


def _risk_limits(row: AccountRow) -> tuple[RiskLimit, ...]:
    equity = row.portfolio_value if row.equity is None else row.equity
    is_free = row.pattern_day_trader or (equity is not None and equity >= _FREE_FROM_EQUITY)
    if row.daytrade_count is None or is_free:
        return ()
    kind = RiskLimitKind.DAY_TRADES
    return (RiskLimit(kind=kind, limit=_DAY_TRADES, used=row.daytrade_count),)


def _day_of(row: ActivityRow) -> int | None:
    """Return the time of the day that an activity is of, or else what its id begins with."""
    day = time_of(row.date) or new_york_time(row.date)
    at = _TIME_OF_ID.match(row.id) if day is None else None
    return day if at is None else new_york_time("-".join(at.groups()[:3]), at.group(4))
