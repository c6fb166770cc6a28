"""Bugs that lose digits."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import attrs

from dragoman.models import Money

from ...references.beacon import mapping as beacon
from ...references.ferry import mapping as ferry
from ...references.wharf import mapping as wharf
from ..grafts import retells, rewrites
from ..mutant import mutant

if TYPE_CHECKING:
    from ..mutant import Plant

_CENT: Final = Decimal("0.01")
_EIGHT: Final = Decimal("1E-8")


def _by_way_of_a_float(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else Decimal(repr(float(amount)))


@mutant("M01", of="ferry", kills=("DEC-010",))
def reads_prices_as_floats(plant: Plant) -> None:
    """Reads the numbers of a quote as floats."""
    retells(
        plant,
        ferry,
        "quote_of",
        lambda told: {
            "bid_price": _by_way_of_a_float(told.bid_price),
            "ask_price": _by_way_of_a_float(told.ask_price),
        },
    )


@mutant("M02", of="wharf", kills=("DEC-030",))
def sends_quantities_as_numbers(plant: Plant) -> None:
    """Sends a quantity as a JSON number, made of a float."""

    def with_number(body: Any, request: Any) -> Any:
        return {**body, "quantity": float(request.quantity)}

    rewrites(plant, wharf, "order_body", with_number)


@mutant("M03", of="beacon", kills=("DEC-040",))
def writes_numbers_with_exponents(plant: Plant) -> None:
    """Writes amounts as Python shows them."""
    plant.replace(beacon, "number", lambda _: str)


@mutant("M170", of="beacon", kills=("DEC-020",))
def tells_floats(plant: Plant) -> None:
    """Tells the prices of a quote as floats."""
    retells(plant, beacon, "quote_of", lambda told: {"bid_price": float(told.bid_price)})


@mutant("M171", of="beacon", kills=("DEC-050",))
def rounds_the_price_of_a_fill(plant: Plant) -> None:
    """Tells the price of a fill to the cent."""
    retells(plant, beacon, "fill_of", lambda told: {"price": told.price.quantize(_CENT)})


@mutant("M172", of="wharf", kills=("DEC-070",))
def rounds_commissions(plant: Plant) -> None:
    """Tells what a fill cost to the cent."""

    def rounded(told: Any) -> dict[str, Any]:
        paid = told.commission
        return (
            {}
            if paid is None
            else {"commission": Money(paid.amount.quantize(_CENT), paid.currency)}
        )

    retells(plant, wharf, "fill_of", rounded)


@mutant("M173", of="wharf", kills=("DEC-030",))
def changes_orders_by_way_of_a_float(plant: Plant) -> None:
    """Sends the new price of an order with the digits of a float."""

    def make(true: Any) -> Any:
        def change_body(change: Any) -> Any:
            price = _by_way_of_a_float(change.limit_price)
            return true(attrs.evolve(change, limit_price=price))

        return change_body

    plant.replace(wharf, "change_body", make)


@mutant("M174", of="ferry", kills=("DEC-070",))
def keeps_eight_digits_of_a_position(plant: Plant) -> None:
    """Tells what is held to eight digits behind the point."""
    retells(plant, ferry, "position_of", lambda told: {"quantity": told.quantity.quantize(_EIGHT)})


@mutant("M175", of="ferry", kills=("DEC-030",))
def sends_prices_as_floats(plant: Plant) -> None:
    """Writes the price of an order with the digits of a float."""

    def make(true: Any) -> Any:
        def order_form(request: Any, token: str) -> Any:
            price = _by_way_of_a_float(request.limit_price)
            return true(attrs.evolve(request, limit_price=price), token)

        return order_form

    plant.replace(ferry, "order_form", make)


@mutant("M176", of="wharf", kills=("DEC-010",))
def streams_prices_as_floats(plant: Plant) -> None:
    """Reads the numbers of the market stream as floats."""

    def floated(events: Any, *_: Any) -> Any:
        found = []
        for one in events:
            price = getattr(one, "bid_price", None)
            is_quote = isinstance(price, Decimal)
            found.append(
                attrs.evolve(one, bid_price=_by_way_of_a_float(price)) if is_quote else one
            )
        return tuple(found)

    rewrites(plant, wharf, "events_of", floated)


@mutant("M177", of="beacon", kills=("DEC-050",))
def adds_floats(plant: Plant) -> None:
    """Tells what is held as the sum of floats."""

    def summed(told: Any) -> dict[str, Any]:
        tenths = float(told.quantity) / 3
        return {"quantity": Decimal(repr(tenths + tenths + tenths + 1e-17)) + _EIGHT * _EIGHT}

    retells(plant, beacon, "position_of", summed)


@mutant("M178", of="wharf", kills=("DEC-070",))
def reads_the_price_of_a_fill_as_a_float(plant: Plant) -> None:
    """Tells the price of a fill with the digits of a float."""
    retells(plant, wharf, "fill_of", lambda told: {"price": _by_way_of_a_float(told.price)})
