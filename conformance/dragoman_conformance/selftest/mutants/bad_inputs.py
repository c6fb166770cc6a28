"""Bugs by which what can't be meant gets to the venue."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import attrs

import dragoman.models.request as requests
import dragoman.models.request_rules as rules
from dragoman.models import Side, checks
from dragoman.times import from_datetime
from dragoman.transport import urls

from ...references.beacon import mapping as beacon
from ...references.wharf import mapping as wharf
from ..grafts import retells
from ..mutant import mutant

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..mutant import Plant

_CENT = Decimal("0.01")


def _rounding(plant: Plant, how: Callable[[Any], str]) -> None:
    """Let wharf's orders be rounded to cents, and nobody know what steps a price has."""
    retells(plant, wharf, "instrument_of", lambda _: {"tick_size": None, "tick_bands": ()})

    def make(true: Any) -> Any:
        def order_body(request: Any) -> Any:
            if request.limit_price is not None:
                price = request.limit_price.quantize(_CENT, rounding=how(request))
                request = attrs.evolve(request, limit_price=price)
            return true(request)

        return order_body

    plant.replace(wharf, "order_body", make)


@mutant("M04", of="wharf", kills=("BAD-040",))
def rounds_prices_to_the_tick(plant: Plant) -> None:
    """Rounds a price to the next tick instead of refusing it."""
    _rounding(plant, lambda _: ROUND_HALF_UP)


@mutant("M05", of="wharf", kills=("DEC-060",))
def rounds_the_two_sides_apart(plant: Plant) -> None:
    """Rounds prices up on a buy, and half to even on a sell."""
    _rounding(plant, lambda request: ROUND_CEILING if request.side is Side.BUY else ROUND_HALF_EVEN)


@mutant("M63", of="wharf", kills=("BAD-010",))
def sends_what_is_no_amount(plant: Plant) -> None:
    """Lets negative quantities through to the venue."""
    plant.replace(requests, "request_violations", lambda _: lambda _: [])


@mutant("M64", of="wharf", kills=("BAD-060",))
def leaves_symbols_in_paths_as_they_are(plant: Plant) -> None:
    """Puts symbols into paths without quoting them."""
    plant.replace(urls, "_segment", lambda _: lambda _, value: value)


@mutant("M141", of="beacon", kills=("BAD-020",))
def sends_what_contradicts_itself(plant: Plant) -> None:
    """Looks at each field of an order, and never at how they go together."""
    plant.replace(rules, "_shape_violations", lambda _: lambda _: ())
    plant.replace(rules, "_time_violations", lambda _: lambda _: ())


@mutant("M142", of="beacon", kills=("BAD-030",))
def takes_any_text_for_an_id(plant: Plant) -> None:
    """Lets ids through that hold what nobody sees."""
    plant.replace(rules, "id_violations", lambda _: lambda _: ())


@mutant("M144", of="beacon", kills=("BAD-070",))
def decodes_ids_before_it_sends_them(plant: Plant) -> None:
    """Takes a client order id for a text from a URL, and decodes it."""

    def make(true: Any) -> Any:
        def order_body(request: Any) -> Any:
            return true(attrs.evolve(request, client_order_id=unquote(request.client_order_id)))

        return order_body

    plant.replace(beacon, "order_body", make)


@mutant("M145", of="wharf", kills=("BAD-080",))
def takes_nobodys_midnight_for_utc(plant: Plant) -> None:
    """Takes a datetime without a zone to be in UTC."""

    def make(_: Any) -> Any:
        from datetime import UTC  # noqa: PLC0415 - used here only

        def lenient(instant: Any, field: str = "time") -> int:
            return from_datetime(instant if instant.tzinfo else instant.replace(tzinfo=UTC), field)

        return lenient

    plant.replace(checks, "from_datetime", make)


@mutant("M194", of="beacon", kills=("BAD-070",))
def cuts_long_ids(plant: Plant) -> None:
    """Sends no more than the first letters of a client order id."""

    def make(true: Any) -> Any:
        def order_body(request: Any) -> Any:
            return true(attrs.evolve(request, client_order_id=request.client_order_id[:36]))

        return order_body

    plant.replace(beacon, "order_body", make)
