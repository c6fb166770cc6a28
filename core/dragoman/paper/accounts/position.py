"""One bucket of an account: its quantity and exact cost, folded from operations.

A bucket is a pure fold over its operations. So taking an execution back is folding the others
again: what comes out is what a history without it would have left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from dragoman.models import Side
from dragoman.money import ZERO, add, average, multiply, negate, subtract

from .terms import PRECISE, quotient

if TYPE_CHECKING:
    from decimal import Decimal

    from dragoman.models import Liquidity, PositionEffect

    from .terms import Terms

__all__ = ["Accrual", "Bucket", "Execution", "Operation", "Settlement", "Split"]


class Execution(NamedTuple):
    """One fill as the books take it: `quantity` is above 0, `price` is per unit."""

    fill_id: str
    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    liquidity: Liquidity | None
    effect: PositionEffect | None
    position_id: str | None
    time_ns: int


class Accrual(NamedTuple):
    """Cash for holding: `rate` times the value at `price`, or times the quantity if None."""

    rate: Decimal
    price: Decimal | None
    time_ns: int


class Split(NamedTuple):
    """Each unit becomes `ratio` units at the same total cost."""

    ratio: Decimal
    time_ns: int


class Settlement(NamedTuple):
    """The contract ends: the whole quantity is closed at `price`."""

    price: Decimal
    time_ns: int


Operation: TypeAlias = Execution | Accrual | Split | Settlement


class Bucket:
    """A signed quantity of one instrument and what it cost.

    `cost` is signed as quantity x price and exact: what fills brought in, less what closing fills
    took out. A partial close takes out cost x closed / quantity (rounded as `terms.quotient` says;
    the rest keeps the remainder) and leaves the average as it is. A fill through zero closes all,
    then opens at its price. `realized` counts from the first operation on, before commissions,
    whether or not the bucket was flat in between. `traded_cash` is the cash that fills moved,
    `ledger_cash` and `ledger_quantity` what all other operations moved.
    """

    __slots__ = (
        "average",
        "basis",
        "cost",
        "ledger_cash",
        "ledger_quantity",
        "opened_at_ns",
        "operations",
        "position_id",
        "quantity",
        "realized",
        "terms",
        "traded_cash",
        "updated_at_ns",
    )

    def __init__(self, position_id: str, terms: Terms) -> None:
        self.position_id: str = position_id
        self.terms: Terms = terms
        self.operations: list[Operation] = []
        self.quantity: Decimal = ZERO
        self.cost: Decimal = ZERO
        self.basis: Decimal = ZERO
        self.realized: Decimal = ZERO
        self.traded_cash: Decimal = ZERO
        self.ledger_cash: Decimal = ZERO
        self.ledger_quantity: Decimal = ZERO
        self.average: Decimal | None = None
        self.opened_at_ns: int | None = None
        self.updated_at_ns: int | None = None

    def execute(self, execution: Execution) -> tuple[Decimal, Decimal]:
        """Take a fill; return the profit it realized and the cash it moved."""
        price = execution.price
        signed = execution.quantity if execution.side is Side.BUY else negate(execution.quantity)
        self.operations.append(execution)
        self.updated_at_ns = execution.time_ns
        value = self.terms.value(signed, price)
        held = self.quantity
        if held and (held > 0) != (signed > 0):
            realized = self._reduce(signed, price, value)
            self.realized = add(self.realized, realized)
        else:
            realized = ZERO
            self._increase(signed, price, value)
        if not held or (self.quantity and (held > 0) != (self.quantity > 0)):
            self.opened_at_ns = execution.time_ns
        moved = negate(value) if self.terms.is_funded else realized
        self.traded_cash = add(self.traded_cash, moved)
        return realized, moved

    def _increase(self, signed: Decimal, price: Decimal, value: Decimal) -> None:
        terms = self.terms
        if not self.quantity:
            self.quantity, self.cost, self.average = signed, value, price
            self.basis = terms.basis(signed, price, value)
            return
        self.quantity = add(self.quantity, signed)
        self.cost = add(self.cost, value)
        self.basis = PRECISE.add(self.basis, terms.basis(signed, price, value))
        if price != self.average:
            self.average = self._derived_average()

    def _derived_average(self) -> Decimal:
        units = multiply(self.quantity, self.terms.multiplier)
        if self.terms.is_inverse:
            return average(units, self.basis)
        return average(self.basis, units)

    def _reduce(self, signed: Decimal, price: Decimal, value: Decimal) -> Decimal:
        held = self.quantity
        rest = add(held, signed)
        if rest and (rest > 0) == (held > 0):
            cost = quotient(multiply(self.cost, negate(signed)), held)
            self.basis = PRECISE.divide(PRECISE.multiply(self.basis, rest), held)
            self.quantity, self.cost = rest, subtract(self.cost, cost)
            return self.terms.gain(negate(value), cost)
        cost = self.cost
        self._clear()
        if not rest:
            return self.terms.gain(negate(value), cost)
        self._increase(rest, price, self.terms.value(rest, price))
        return self.terms.gain(self.terms.value(held, price), cost)

    def _clear(self) -> None:
        self.quantity = self.cost = self.basis = ZERO
        self.average = None

    def settle(self, operation: Settlement) -> None:
        """Close all at the settlement price; the cash and the quantity go through the ledger."""
        self.operations.append(operation)
        if not self.quantity:
            return
        value = self.terms.value(self.quantity, operation.price)
        realized = self.terms.gain(value, self.cost)
        self.realized = add(self.realized, realized)
        self.ledger_cash = add(self.ledger_cash, value if self.terms.is_funded else realized)
        self.ledger_quantity = subtract(self.ledger_quantity, self.quantity)
        self.updated_at_ns = operation.time_ns
        self._clear()

    def split(self, operation: Split) -> None:
        """Multiply the quantity; the cost stays, so the average moves against it."""
        self.operations.append(operation)
        if not self.quantity:
            return
        quantity = multiply(self.quantity, operation.ratio)
        self.ledger_quantity = add(self.ledger_quantity, subtract(quantity, self.quantity))
        self.quantity = quantity
        self.average = self._derived_average()
        self.updated_at_ns = operation.time_ns

    def accrue(self, operation: Accrual) -> None:
        """Take cash for what is held now; the sign follows rate and position."""
        self.operations.append(operation)
        price = operation.price
        held = self.quantity if price is None else self.terms.value(self.quantity, price)
        self.ledger_cash = add(self.ledger_cash, multiply(held, operation.rate))

    def take(self, operation: Operation) -> None:
        """Take any operation."""
        match operation:
            case Execution():
                self.execute(operation)
            case Settlement():
                self.settle(operation)
            case Split():
                self.split(operation)
            case Accrual():
                self.accrue(operation)

    def without(self, fill_id: str) -> tuple[Bucket, Execution] | None:
        """Return this bucket as it would be without one fill, and that fill; None if not here."""
        executions = (each for each in self.operations if isinstance(each, Execution))
        found = next((each for each in executions if each.fill_id == fill_id), None)
        if found is None:
            return None
        other = Bucket(self.position_id, self.terms)
        for operation in self.operations:
            if operation is not found:
                other.take(operation)
        return other, found
