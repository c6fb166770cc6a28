"""One paper account: what it may trade, what its fills and events do, and how it tells itself.

Accounting: of funded instruments (spot but FX, options) a fill moves its whole value through cash
and the position's market value counts in equity; of all others only realized profit moves cash and
the open profit counts. So, exact to the last digit, for each currency: cash = start + ledger
amounts - commissions - signed values of funded fills + realized profit of all other fills; and for
each symbol: position = signed fill quantities + ledger quantities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from dragoman.errors import ConflictError, InvalidValueError, NotFoundError, Violation
from dragoman.models import LedgerKind, PositionEffect, RejectReason
from dragoman.money import ZERO, negate, subtract

from . import adjustments, approval, solvency
from .account_state import AccountState, read_state, write_state
from .adjustments import Booked, Change
from .exposure import Exposure
from .holdings import Holdings
from .position import Execution

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from dragoman.models import (
        Account,
        AccountEventKind,
        Instrument,
        LedgerEntry,
        Money,
        Position,
        PositionMode,
        Side,
    )

    from ..settings import AccountSettings, FeeSchedule
    from .position import Bucket

__all__ = [
    "AccountState",
    "Applied",
    "Booked",
    "Change",
    "Execution",
    "Exposure",
    "PaperAccount",
]


class Applied(NamedTuple):
    """What one execution, or taking one back, changed.

    `commission` is positive when paid. Of a bust, `commission` and `realized_pnl` are the changes
    of the account's sums, and `entries` what had to be corrected in the ledger; so sums over all of
    these are the account's sums.
    """

    commission: Money
    realized_pnl: Money
    position_id: str
    position: Position
    previous_quantity: Decimal
    entries: tuple[LedgerEntry, ...] = ()


class PaperAccount:
    """The books of one account. Pure: no clock, no I/O; times come with each call.

    Not for use by several threads at once.
    """

    def __init__(
        self,
        settings: AccountSettings,
        instruments: Mapping[str, Instrument],
        fees: FeeSchedule,
        *,
        provider: str,
        maintenance_fraction: Decimal,
    ) -> None:
        self.settings = settings
        self.account_id: Final = settings.account_id
        self._provider = provider
        self._fraction = maintenance_fraction
        self._holdings = Holdings(settings, instruments, fees, provider=provider)

    @property
    def position_mode(self) -> PositionMode:
        """Whether positions net or hedge now."""
        return self._holdings.mode

    @property
    def ledger(self) -> list[LedgerEntry]:
        """Every entry so far, oldest first. Read only."""
        return self._holdings.ledger.entries

    def cash(self, currency: str | None = None) -> Decimal:
        """Return the cash of one currency, the account's own by default; negative when borrowed."""
        pool = self._holdings.sheet.pools.get(currency or self.settings.currency)
        return ZERO if pool is None else pool.cash

    def admit(self, exposure: Exposure) -> RejectReason | None:
        """Return why an order of that exposure can't be taken now; None when it can.

        What is held for the same client order id does not count against it. A CLOSE order needs no
        funds: it is refused WOULD_INCREASE only if there is nothing to close.
        """
        if not self.settings.can_trade:
            return RejectReason.NOT_PERMITTED
        return approval.refusal(self._holdings, exposure)

    def explain(self, exposure: Exposure, reason: RejectReason) -> str:
        """Return what `admit` said of an exposure in words, with the amounts that are known."""
        return approval.explanation(self._holdings, exposure, reason)

    def reserve(self, exposure: Exposure) -> None:
        """Hold buying power for an open order, in place of what its id held. CLOSE holds nothing.

        `apply` lowers the hold by what executes; `release` ends it.
        """
        if exposure.effect is PositionEffect.CLOSE or exposure.quantity <= 0:
            self._holdings.drop_hold(exposure.client_order_id)
        else:
            self._holdings.put_hold(exposure)

    def release(self, client_order_id: str) -> None:
        """Hold nothing more for an order; an unknown id changes nothing."""
        self._holdings.drop_hold(client_order_id)

    def closable(self, symbol: str, side: Side, position_id: str | None = None) -> Decimal:
        """Return how much a CLOSE order of that side may trade now; 0 where it would not close."""
        return approval.closable_quantity(self._holdings, symbol, side, position_id)

    def bucket_of(
        self,
        symbol: str,
        side: Side,
        effect: PositionEffect | None = None,
        position_id: str | None = None,
    ) -> str:
        """Return the position an order trades: the symbol, in HEDGING "symbol:LONG" or ":SHORT".

        Raises:
            InvalidValueError: `position_id` names another one (NOT_SENT); `admit` says
                POSITION_MODE of it.
        """
        expected = approval.bucket_id(self._holdings.mode, symbol, side, effect)
        if position_id not in (None, expected):
            raise InvalidValueError.of(
                "order", [Violation.of("position_id", position_id, expected)]
            )
        return expected

    def apply(self, execution: Execution) -> Applied:
        """Take one execution, whatever the funds: it has happened.

        In HEDGING a closing execution never exceeds what is `closable`; the caller sees to that.
        """
        holdings = self._holdings
        symbol = execution.symbol
        terms = holdings.known_terms(symbol)
        position_id = execution.position_id or approval.bucket_id(
            holdings.mode, symbol, execution.side, execution.effect
        )
        bucket = holdings.bucket(position_id, terms)
        previous = bucket.quantity
        realized, moved = bucket.execute(execution)
        fee = holdings.commission(terms, execution)
        holdings.move(terms.currency, subtract(moved, fee), realized)
        holdings.reduce_hold(execution.client_order_id, execution.quantity)
        holdings.marks.setdefault(symbol, execution.price)
        holdings.touch(symbol)
        holdings.seen_ns = execution.time_ns
        position = holdings.position(bucket, execution.time_ns)
        return Applied(terms.money(fee), terms.money(realized), position_id, position, previous)

    def bust(self, fill_id: str, time_ns: int) -> Applied:
        """Take one execution back: everything becomes what a history without it would have left.

        Later executions and events of its position are worked out anew, in their order: what later
        fills realized, dividends, funding, splits and settlements included. What that changes of
        entries already in the ledger is posted as one ADJUSTMENT; the entries stay. What was held
        for its order is not held again. In HEDGING a bucket whose opening is taken back after it
        was closed is left with the opposite sign.

        Raises:
            NotFoundError: No such execution stands; it was never applied, or is already taken back
                (REJECTED).
        """
        holdings = self._holdings
        for bucket in holdings.buckets.values():
            found = bucket.without(fill_id)
            if found is not None:
                return self._replace(bucket, *found, time_ns)
        raise NotFoundError(f"no execution {fill_id!r} stands in account {self.account_id!r}")

    def _replace(self, old: Bucket, new: Bucket, execution: Execution, time_ns: int) -> Applied:
        holdings, terms = self._holdings, old.terms
        fee = negate(holdings.commission(terms, execution))
        realized = subtract(new.realized, old.realized)
        moved = subtract(subtract(new.traded_cash, old.traded_cash), fee)
        new.updated_at_ns = time_ns
        holdings.replace(new)
        holdings.move(terms.currency, moved, realized)
        entries = holdings.correct(old, new, execution.fill_id, time_ns)
        holdings.seen_ns = time_ns
        position = holdings.position(new, time_ns)
        return Applied(
            terms.money(fee),
            terms.money(realized),
            new.position_id,
            position,
            old.quantity,
            entries,
        )

    def mark(self, symbol: str, price: Decimal, time_ns: int) -> None:
        """Value positions in a symbol, and currencies it prices, at a new price."""
        self._holdings.mark(symbol, price)
        self._holdings.seen_ns = time_ns

    def positions(self, symbol: str | None = None) -> tuple[Position, ...]:
        """Return every position that is not flat, in the order they were first opened."""
        holdings = self._holdings
        buckets = (
            holdings.buckets.values() if symbol is None else holdings.by_symbol.get(symbol, ())
        )
        return tuple(holdings.position(each, holdings.seen_ns) for each in buckets if each.quantity)

    def snapshot(self, now_ns: int) -> Account:
        """Return the account as the venue tells it, totals in its currency.

        A total is None while a part of it is in a currency for which no rate is known.
        `buying_power` is the value that can still be opened at the account's leverage, or at a
        margin rate of 1 where it has none.
        """
        return solvency.account_of(
            self._holdings, self.settings, self._provider, self._fraction, now_ns
        )

    def margin_alert(self) -> AccountEventKind | None:
        """Return MARGIN_CALL below maintenance, MARGIN_WARNING below 1.2 times it, else None."""
        return solvency.alert(self._holdings, self._fraction)

    def margin_call(self, now_ns: int) -> tuple[Position, ...]:
        """Return the positions to liquidate, worst loss first; () while equity covers maintenance.

        They are the fewest in that order whose closing at the mark brings the rest back above.
        """
        return solvency.to_liquidate(self._holdings, self._fraction, now_ns)

    def estimate(self, exposure: Exposure) -> tuple[Money, Money]:
        """Return the initial margin of an order if all of it opens, and a taker's commission.

        Raises:
            NotFoundError: There is no such instrument (REJECTED).
        """
        return self._holdings.estimate(exposure)

    def post(
        self, kind: LedgerKind, amount: Money, time_ns: int, *, description: str | None = None
    ) -> LedgerEntry:
        """Move cash by a signed amount (a fee charged is negative) and enter why."""
        self._holdings.seen_ns = time_ns
        return self._holdings.book(kind, time_ns, amount=amount, description=description)

    def fund(self, amount: Money, time_ns: int) -> LedgerEntry:
        """Deposit an amount above 0, or withdraw one below it.

        Raises:
            InvalidValueError: The amount is 0 (NOT_SENT).
            ConflictError: More is withdrawn than is in cash and not bound by positions and orders
                (REJECTED).
        """
        if not amount.amount:
            allowed = "above 0 to deposit, below 0 to withdraw"
            raise InvalidValueError.of("fund", [Violation.of("amount", amount.amount, allowed)])
        if amount.amount > 0:
            return self.post(LedgerKind.DEPOSIT, amount, time_ns)
        free = solvency.withdrawable(self._holdings, amount.currency)
        if negate(amount.amount) > free:
            found = f"{negate(amount.amount):f} {amount.currency}"
            raise ConflictError(f"cannot withdraw {found}: at most {free:f} is free")
        return self.post(LedgerKind.WITHDRAWAL, amount, time_ns)

    def charge_funding(
        self, symbol: str, rate: Decimal, time_ns: int, *, price: Decimal | None = None
    ) -> Booked:
        """Charge longs `rate` times their value at `price` (None: the mark); shorts receive it."""
        self._holdings.seen_ns = time_ns
        return adjustments.charge_funding(self._holdings, symbol, rate, price, time_ns)

    def pay_dividend(self, symbol: str, per_unit: Decimal, time_ns: int) -> Booked:
        """Pay cash for each unit held; shorts pay it."""
        self._holdings.seen_ns = time_ns
        return adjustments.pay_dividend(self._holdings, symbol, per_unit, time_ns)

    def split(self, symbol: str, ratio: Decimal, time_ns: int) -> Booked:
        """Turn each unit held into `ratio` (above 0); cost and cash stay, the mark is divided."""
        self._holdings.seen_ns = time_ns
        return adjustments.split(self._holdings, symbol, ratio, time_ns)

    def settle(self, symbol: str, price: Decimal, time_ns: int) -> Booked:
        """End a contract: close every position in it through the ledger, at what a unit is worth.

        An option's price is its intrinsic value: above 0 it is settled in cash, at 0 it expires.
        """
        self._holdings.seen_ns = time_ns
        return adjustments.settle(self._holdings, symbol, price, time_ns)

    def set_leverage(self, leverage: Decimal | None, symbol: str | None = None) -> None:
        """Set the leverage of a symbol, or of all that have none of their own; None takes it off.

        Margins of positions and holds of open orders are worked out anew.

        Raises:
            InvalidValueError: The leverage is not above 0 (NOT_SENT).
        """
        if leverage is not None and leverage <= 0:
            raise InvalidValueError.of(
                "set_leverage", [Violation.of("leverage", leverage, "a number above 0")]
            )
        self._holdings.set_leverage(symbol or "", leverage)

    def set_position_mode(self, mode: PositionMode) -> None:
        """Let positions net or hedge from now on.

        Raises:
            ConflictError: A position or an order that may open one stands (REJECTED).
        """
        if mode is self._holdings.mode:
            return
        if self.positions() or any(self._holdings.holds):
            raise ConflictError("the position mode can change only without positions and orders")
        self._holdings.mode = mode

    def state(self) -> AccountState:
        """Return all there is to know to go on from here, as plain JSON data."""
        return write_state(self._holdings)

    def restore(self, state: AccountState) -> None:
        """Become the account that gave `state`; this one is fresh, of the same settings."""
        read_state(self._holdings, state)
