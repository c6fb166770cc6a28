"""Whether an account's funds carry its positions, what to liquidate if not, and its totals."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from dragoman.models import Account, AccountEventKind, Balance
from dragoman.models.trusted import builder
from dragoman.money import ZERO, add, multiply, subtract

from .position import Bucket

if TYPE_CHECKING:
    from dragoman.models import Position

    from ..settings import AccountSettings
    from .holdings import Holdings
    from .margin import Pool

__all__ = ["account_of", "alert", "to_liquidate", "withdrawable"]

_told_account = builder(Account)
_told_balance = builder(Balance)
_WARNING: Final = Decimal("1.2")


class Purse(NamedTuple):
    """Funds that answer for the positions of some currencies."""

    currency: str
    equity: Decimal
    margin: Decimal
    members: frozenset[str]


def _purses(holdings: Holdings, currency: str) -> tuple[Purse, ...]:
    """Return one purse for all currencies, or one for each while the totals are not known."""
    holdings.refresh()
    pools = holdings.sheet.pools
    totals = holdings.sheet.totals()
    if totals.equity is not None and totals.margin is not None:
        return (Purse(currency, totals.equity, totals.margin, frozenset(pools)),)
    return tuple(
        Purse(each, pool.equity, pool.margin, frozenset((each,))) for each, pool in pools.items()
    )


def alert(holdings: Holdings, fraction: Decimal) -> AccountEventKind | None:
    """Return MARGIN_CALL, MARGIN_WARNING (below 1.2 times maintenance) or None."""
    result: AccountEventKind | None = None
    for purse in _purses(holdings, holdings.currency):
        if purse.margin:
            maintenance = multiply(purse.margin, fraction)
            if purse.equity < maintenance:
                return AccountEventKind.MARGIN_CALL
            if purse.equity < multiply(maintenance, _WARNING):
                result = AccountEventKind.MARGIN_WARNING
    return result


def to_liquidate(holdings: Holdings, fraction: Decimal, now_ns: int) -> tuple[Position, ...]:
    """Return the fewest positions, worst loss first, without which maintenance is covered."""
    chosen: list[Bucket] = []
    for purse in _purses(holdings, holdings.currency):
        chosen.extend(_short_of(holdings, purse, fraction))
    return tuple(holdings.position(bucket, now_ns) for bucket in chosen)


def _short_of(holdings: Holdings, purse: Purse, fraction: Decimal) -> list[Bucket]:
    margin, chosen = purse.margin, list[Bucket]()
    if purse.equity >= multiply(margin, fraction):
        return chosen
    members = [
        bucket
        for bucket in holdings.buckets.values()
        if bucket.terms.currency in purse.members and bucket.quantity
    ]
    members.sort(key=lambda each: _in(holdings, purse, each, holdings.figures(each).unrealized))
    for bucket in members:
        if purse.equity >= multiply(margin, fraction):
            break
        chosen.append(bucket)
        margin = subtract(margin, _in(holdings, purse, bucket, holdings.figures(bucket).margin))
    return chosen


def _in(holdings: Holdings, purse: Purse, bucket: Bucket, amount: Decimal) -> Decimal:
    converted = holdings.rates.convert(amount, bucket.terms.currency, purse.currency)
    return ZERO if converted is None else converted


def withdrawable(holdings: Holdings, currency: str) -> Decimal:
    """Return how much cash of a currency is not bound; never below 0."""
    holdings.refresh()
    pool = holdings.sheet.pool(currency)
    free = holdings.sheet.totals().free
    if free is not None:
        free = holdings.rates.convert(free, holdings.currency, currency)
    return max(ZERO, min(pool.cash, pool.free if free is None else free))


def _balance(currency: str, pool: Pool, fraction: Decimal) -> Balance:
    return _told_balance(
        currency=currency,
        total=pool.cash,
        available=max(ZERO, min(pool.cash, pool.free)),
        reserved=pool.reserved,
        borrowed=max(ZERO, pool.cash.copy_negate()),
        margin_used=pool.margin,
        maintenance_margin=multiply(pool.margin, fraction),
        unrealized_pnl=pool.unrealized,
    )


def account_of(
    holdings: Holdings, settings: AccountSettings, provider: str, fraction: Decimal, now_ns: int
) -> Account:
    """Return the account as the venue tells it."""
    holdings.refresh()
    totals = holdings.sheet.totals()
    free, margin, reserved = totals.free, totals.margin, totals.reserved
    leverage = holdings.rules.leverage_of("")
    power = (
        None if free is None else max(ZERO, free if leverage is None else multiply(free, leverage))
    )
    pools = holdings.sheet.pools
    return _told_account(
        account_id=settings.account_id,
        provider=provider,
        received_at_ns=now_ns,
        is_simulated=True,
        can_trade=settings.can_trade,
        currency=settings.currency,
        equity=totals.equity,
        cash=totals.cash,
        buying_power=power,
        margin_used=None if margin is None or reserved is None else add(margin, reserved),
        margin_available=free,
        maintenance_margin=None if margin is None else multiply(margin, fraction),
        unrealized_pnl=totals.unrealized,
        realized_pnl=totals.realized,
        balances=tuple(
            _balance(each, pools[each], fraction)
            for each in sorted(pools)
            if each == settings.currency or pools[each].is_used
        ),
        position_mode=holdings.mode,
        margin_mode=settings.margin_mode,
        leverage=leverage,
    )
