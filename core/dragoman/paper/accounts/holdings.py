"""The holdings of one account: buckets, marks, holds and their weight, kept level.

Whatever moves a bucket, a mark or a hold touches its symbol; figures are worked out when they are
next read. Nothing here decides anything: `account` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.errors import NotFoundError
from dragoman.models import LedgerKind, MarginMode, Position, PositionMode, Side
from dragoman.models.trusted import builder
from dragoman.money import ZERO, add, subtract

from .exposure import Hold, Holds
from .fees import commission
from .ledger import Ledger
from .margin import Line, MarginRules, MarginSheet, figures
from .position import Bucket
from .rates import Rates
from .terms import Terms

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from dragoman.models import Instrument, LedgerEntry, Money

    from ..settings import AccountSettings, FeeSchedule
    from .exposure import Exposure, Standing
    from .margin import Figures
    from .position import Execution

__all__ = ["Holdings"]

_position = builder(Position)


class Holdings:
    """All that one account holds, and the sums over it."""

    def __init__(
        self,
        settings: AccountSettings,
        instruments: Mapping[str, Instrument],
        fees: FeeSchedule,
        *,
        provider: str,
    ) -> None:
        self._settings = settings
        self.currency: str = settings.currency
        self._provider = provider
        self._instruments = instruments
        self._fees = fees
        self._terms: dict[str, Terms] = {}
        self._figures: dict[str, Figures] = {}
        self._last_hold: Hold | None = None
        self.stale: dict[str, None] = {}
        self.buckets: dict[str, Bucket] = {}
        self.by_symbol: dict[str, list[Bucket]] = {}
        self.marks: dict[str, Decimal] = {}
        self.holds: Holds = Holds()
        self.mode: PositionMode = settings.position_mode
        self.rules: MarginRules = MarginRules(settings.margin_mode, settings.leverage)
        self.rates: Rates = Rates(instruments, self.marks)
        self.sheet: MarginSheet = MarginSheet(settings.currency, self.rates)
        self.sheet.pool(settings.currency).cash = settings.cash
        self.ledger: Ledger = Ledger(settings.account_id, provider)
        self.seen_ns = 0

    def terms(self, symbol: str) -> Terms | None:
        """Return the terms of a symbol; None where there is no such instrument."""
        terms = self._terms.get(symbol)
        if terms is None and symbol in self._instruments:
            instrument = self._instruments[symbol]
            terms = self._terms[symbol] = Terms(instrument, self._fees.fee_of(instrument))
        return terms

    def bucket(self, position_id: str, terms: Terms) -> Bucket:
        """Return a bucket, made on first use."""
        bucket = self.buckets.get(position_id)
        if bucket is None:
            bucket = Bucket(position_id, terms)
            self.by_symbol.setdefault(terms.symbol, []).append(bucket)
            self.buckets[position_id] = bucket
        return bucket

    def replace(self, bucket: Bucket) -> None:
        """Put another bucket in the place of the one with its id."""
        old = self.buckets[bucket.position_id]
        of_symbol = self.by_symbol[bucket.terms.symbol]
        of_symbol[of_symbol.index(old)] = bucket
        self.buckets[bucket.position_id] = bucket
        self.touch(bucket.terms.symbol)

    def touch(self, symbol: str) -> None:
        """Have a symbol's figures worked out anew when they are next read."""
        self.stale[symbol] = None
        for bucket in self.by_symbol.get(symbol, ()):
            self._figures.pop(bucket.position_id, None)

    def refresh(self) -> None:
        """Level the sheet with every symbol touched since."""
        if self.stale:
            for symbol in self.stale:
                terms = self.known_terms(symbol)
                standing = self.holds.standing(symbol)
                self.sheet.put(terms, self._line(terms, standing))
            self.stale.clear()

    def _line(self, terms: Terms, standing: Standing) -> Line:
        worth = unrealized = margin = ZERO
        for bucket in self.by_symbol.get(terms.symbol, ()):
            if bucket.quantity:
                part = self.figures(bucket)
                worth = add(worth, part.value if terms.is_funded else part.unrealized)
                unrealized = add(unrealized, part.unrealized)
                margin = add(margin, part.margin)
        return Line(worth, unrealized, margin, self.reserved(terms.symbol, standing))

    def figures(self, bucket: Bucket) -> Figures:
        """Return what a bucket is worth at its symbol's mark."""
        found = self._figures.get(bucket.position_id)
        if found is None:
            found = figures(bucket, self.marks.get(bucket.terms.symbol), self.rules)
            self._figures[bucket.position_id] = found
        return found

    def reserved(self, symbol: str, standing: Standing) -> Decimal:
        """Return what open orders of a symbol with that standing bind beyond its positions."""
        if not standing.buy_need and not standing.sell_need:
            return ZERO
        if self.mode is PositionMode.HEDGING:
            return add(standing.buy_need, standing.sell_need)
        bucket = self.buckets.get(symbol)
        if bucket is None or not bucket.quantity:
            return standing.opening_need(ZERO, ZERO)
        return standing.opening_need(bucket.quantity, self.figures(bucket).margin)

    def hold_for(self, terms: Terms, exposure: Exposure) -> Hold:
        """Return what an exposure needs if all of it opens: initial margin and a taker's fee."""
        if self._last_hold is not None and self._last_hold.exposure is exposure:
            return self._last_hold
        self._last_hold = Hold(exposure, self._need(terms, exposure))
        return self._last_hold

    def _need(self, terms: Terms, exposure: Exposure) -> Decimal:
        quantity = exposure.quantity
        signed = quantity if exposure.side is Side.BUY else quantity.copy_negate()
        value = terms.value(signed, exposure.price)
        fee = commission(terms.fee, value, quantity)
        margin = self.rules.margin(terms, signed, value)
        return add(margin, max(ZERO, fee))

    def position(self, bucket: Bucket, time_ns: int) -> Position:
        """Return a bucket as the venue tells it."""
        terms = bucket.terms
        symbol = terms.symbol
        part = self.figures(bucket)
        return _position(
            position_id=bucket.position_id,
            account_id=self._settings.account_id,
            symbol=symbol,
            quantity=bucket.quantity,
            provider=self._provider,
            received_at_ns=time_ns,
            average_entry_price=bucket.average,
            mark_price=self.marks.get(symbol),
            leverage=self.rules.leverage_of(symbol),
            margin_mode=self._settings.margin_mode,
            available_quantity=self._available(bucket),
            unrealized_pnl=terms.money(part.unrealized),
            realized_pnl=terms.money(bucket.realized),
            margin=terms.money(part.margin),
            opened_at_ns=bucket.opened_at_ns,
            updated_at_ns=bucket.updated_at_ns,
        )

    def _available(self, bucket: Bucket) -> Decimal:
        held = bucket.quantity
        if self.mode is PositionMode.HEDGING:
            return held
        standing = self.holds.standing(bucket.terms.symbol)
        if held > 0:
            return max(ZERO, subtract(held, standing.sell_quantity))
        return min(ZERO, add(held, standing.buy_quantity))

    def known_terms(self, symbol: str) -> Terms:
        """Return the terms of a symbol.

        Raises:
            NotFoundError: There is no such instrument (REJECTED).
        """
        terms = self._terms.get(symbol) or self.terms(symbol)
        if terms is None:
            raise NotFoundError(f"there is no instrument {symbol!r}")
        return terms

    def mark(self, symbol: str, price: Decimal) -> None:
        """Value positions in a symbol, and the currencies it prices, at a price."""
        old = self.marks.get(symbol)
        if old == price:
            return
        self.marks[symbol] = price
        if symbol in self.by_symbol:
            self.touch(symbol)
        if (old is None or (old > 0) != (price > 0)) and symbol in self.rates.symbols:
            self.rates.forget_paths()

    def commission(self, terms: Terms, execution: Execution) -> Decimal:
        """Return what one execution costs."""
        if terms.fee is None:
            return ZERO
        value = terms.value(execution.quantity, execution.price)
        return commission(terms.fee, value, execution.quantity, execution.liquidity)

    def put_hold(self, exposure: Exposure) -> None:
        """Hold what an exposure needs, in place of what its order held."""
        terms = self.known_terms(exposure.symbol)
        replaced = self.holds.put(self.hold_for(terms, exposure))
        if replaced is not None:
            self.stale[replaced.exposure.symbol] = None
        self.stale[exposure.symbol] = None

    def drop_hold(self, client_order_id: str) -> None:
        """Hold nothing more for an order."""
        hold = self.holds.drop(client_order_id)
        if hold is not None:
            self.stale[hold.exposure.symbol] = None

    def reduce_hold(self, client_order_id: str, executed: Decimal) -> None:
        """Hold only for what is left of an order after an execution."""
        hold = self.holds.get(client_order_id)
        if hold is None:
            return
        rest = subtract(hold.exposure.quantity, executed)
        if rest > 0:
            self.put_hold(hold.exposure._replace(quantity=rest))
        else:
            self.drop_hold(client_order_id)

    def set_leverage(self, symbol: str, leverage: Decimal | None) -> None:
        """Set a symbol's leverage ("" for all others) and work everything out anew by it."""
        self.rules.set_leverage(symbol, leverage)
        self._last_hold = None
        for hold in self.holds:
            self.put_hold(hold.exposure)
        for each in self.by_symbol:
            self.touch(each)

    def estimate(self, exposure: Exposure) -> tuple[Money, Money]:
        """Return the initial margin of an exposure and a taker's commission on it."""
        terms = self.known_terms(exposure.symbol)
        quantity = exposure.quantity
        signed = quantity if exposure.side is Side.BUY else quantity.copy_negate()
        value = terms.value(signed, exposure.price)
        margin = self.rules.margin(terms, signed, value)
        return terms.money(margin), terms.money(commission(terms.fee, value, quantity))

    def free_for(self, terms: Terms) -> Decimal:
        """Return the funds an order in this instrument may still bind, in its settlement currency.

        In `MarginMode.CASH`, and where the totals or the rate are not known, only those of that
        currency.
        """
        self.refresh()
        if self.rules.mode is not MarginMode.CASH:
            free = self.sheet.totals().free
            if free is not None:
                converted = self.rates.convert(free, self._settings.currency, terms.currency)
                if converted is not None:
                    return converted
        return self.sheet.pool(terms.currency).free

    def move(self, currency: str, cash: Decimal, realized: Decimal) -> None:
        """Add signed amounts to the cash and the realized profit of a currency."""
        pool = self.sheet.pool(currency)
        pool.cash = add(pool.cash, cash)
        if realized:
            pool.realized = add(pool.realized, realized)

    def correct(
        self, old: Bucket, new: Bucket, fill_id: str, time_ns: int
    ) -> tuple[LedgerEntry, ...]:
        """Post what the ledger would hold otherwise had `new` stood for `old`, if anything."""
        cash = subtract(new.ledger_cash, old.ledger_cash)
        quantity = subtract(new.ledger_quantity, old.ledger_quantity)
        if not cash and not quantity:
            return ()
        entry = self.book(
            LedgerKind.ADJUSTMENT,
            time_ns,
            amount=new.terms.money(cash) if cash else None,
            symbol=new.terms.symbol,
            quantity=quantity or None,
            fill_id=fill_id,
            description=new.position_id,
        )
        return (entry,)

    def book(
        self,
        kind: LedgerKind,
        time_ns: int,
        *,
        amount: Money | None = None,
        symbol: str | None = None,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
        fill_id: str | None = None,
        description: str | None = None,
    ) -> LedgerEntry:
        """Move cash by an amount and post the entry that says so."""
        if amount is not None:
            self.move(amount.currency, amount.amount, ZERO)
        return self.ledger.post(
            kind,
            time_ns,
            amount=amount,
            symbol=symbol,
            quantity=quantity,
            price=price,
            fill_id=fill_id,
            description=description,
        )
