"""What changes a position or its cash without a fill: funding, dividends, splits, settlement."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dragoman.errors import InvalidValueError, Violation
from dragoman.models import LedgerKind, OptionRight
from dragoman.money import ZERO, multiply, negate, subtract

from .position import Accrual, Settlement, Split
from .terms import quotient

if TYPE_CHECKING:
    from decimal import Decimal

    from dragoman.models import Instrument, LedgerEntry, Position

    from .holdings import Holdings
    from .position import Bucket, Operation
    from .terms import Terms

__all__ = [
    "Booked",
    "Change",
    "charge_funding",
    "intrinsic_value",
    "pay_dividend",
    "settle",
    "split",
]


class Change(NamedTuple):
    """A position as it is now and the quantity it had before."""

    position: Position
    previous_quantity: Decimal


class Booked(NamedTuple):
    """The entries an event left in the ledger, and the positions it changed."""

    entries: tuple[LedgerEntry, ...]
    changes: tuple[Change, ...]


def charge_funding(
    holdings: Holdings, symbol: str, rate: Decimal, price: Decimal | None, time_ns: int
) -> Booked:
    """Charge each position the rate times its value at `price` (None: at the mark).

    Longs pay a positive rate and shorts receive it.
    Without either price nothing is charged.
    """
    terms = holdings.known_terms(symbol)
    at = holdings.marks.get(symbol) if price is None else price
    if at is None:
        return Booked((), ())
    return _book(holdings, terms, Accrual(negate(rate), at, time_ns), LedgerKind.FUNDING)


def pay_dividend(holdings: Holdings, symbol: str, per_unit: Decimal, time_ns: int) -> Booked:
    """Pay cash for each unit held, multiplier included; shorts pay it."""
    terms = holdings.known_terms(symbol)
    per_quantity = multiply(per_unit, terms.multiplier)
    return _book(holdings, terms, Accrual(per_quantity, None, time_ns), LedgerKind.DIVIDEND)


def split(holdings: Holdings, symbol: str, ratio: Decimal, time_ns: int) -> Booked:
    """Turn each unit into `ratio` units (> 0) and divide the mark by it; cost and cash stay.

    Fractions of a lot stay in the position. Open orders and what is held for them are the engine's
    to restate.
    """
    terms = holdings.known_terms(symbol)
    if ratio <= 0:
        raise InvalidValueError.of("split", [Violation.of("ratio", ratio, "a number above 0")])
    mark = holdings.marks.get(symbol)
    if mark is not None:
        holdings.mark(symbol, quotient(mark, ratio))
    return _book(holdings, terms, Split(ratio, time_ns), LedgerKind.SPLIT)


def settle(holdings: Holdings, symbol: str, price: Decimal, time_ns: int) -> Booked:
    """End a contract at what one unit of it is worth then: close every position in it.

    An option's price is its intrinsic value: above 0 it is settled in cash, long or short
    (SETTLEMENT); at 0 it expires (EXPIRY). All other contracts settle their profit.
    """
    terms = holdings.known_terms(symbol)
    kind = LedgerKind.EXPIRY if terms.is_option and not price else LedgerKind.SETTLEMENT
    holdings.mark(symbol, price)
    return _book(holdings, terms, Settlement(price, time_ns), kind)


def intrinsic_value(option: Instrument, underlying_price: Decimal) -> Decimal:
    """Return what one unit of an option is worth at its end; 0 for what is no option.

    Args:
        option: The contract; its strike and right decide.
        underlying_price: The price its underlying settled at.
    """
    if option.strike is None or option.option_right is None:
        return ZERO
    above = subtract(underlying_price, option.strike)
    return max(ZERO, above if option.option_right is OptionRight.CALL else negate(above))


def _book(holdings: Holdings, terms: Terms, operation: Operation, kind: LedgerKind) -> Booked:
    entries: list[LedgerEntry] = []
    moved: list[tuple[Bucket, Decimal]] = []
    for bucket in holdings.by_symbol.get(terms.symbol, ()):
        held, cash = bucket.quantity, bucket.ledger_cash
        realized = bucket.realized
        bucket.take(operation)
        if held:
            holdings.move(terms.currency, ZERO, subtract(bucket.realized, realized))
            amount = subtract(bucket.ledger_cash, cash)
            entries.append(_entry(holdings, bucket, operation, kind, (held, amount)))
            if bucket.quantity != held:
                moved.append((bucket, held))
    holdings.touch(terms.symbol)
    changes = (Change(holdings.position(bucket, operation.time_ns), held) for bucket, held in moved)
    return Booked(tuple(entries), tuple(changes))


def _entry(
    holdings: Holdings,
    bucket: Bucket,
    operation: Operation,
    kind: LedgerKind,
    before: tuple[Decimal, Decimal],
) -> LedgerEntry:
    held, amount = before
    change = subtract(bucket.quantity, held)
    price = operation.price if isinstance(operation, (Accrual, Settlement)) else None
    return holdings.book(
        kind,
        operation.time_ns,
        amount=None if isinstance(operation, Split) else bucket.terms.money(amount),
        symbol=bucket.terms.symbol,
        quantity=change or None,
        price=price,
        description=bucket.position_id,
    )
