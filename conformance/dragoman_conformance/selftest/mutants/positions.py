"""Bugs in how positions are told and closed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs

from dragoman.models import Money, PositionEffect

from ...references.wharf import mapping
from ...references.wharf.adapter import WharfAdapter
from ..mutant import mutant
from ..twists import read, written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..mutant import Plant


def _told(plant: Plant, twist: Callable[[Any, Any], Mapping[str, object]]) -> None:
    read(plant, mapping, "position_of", twist)


@mutant("M28", of="wharf", kills=("POS-010",))
def tells_short_positions_as_long(plant: Plant) -> None:
    """Tells the size of a position and not its side."""
    _told(plant, lambda one, _: {"quantity": abs(one.quantity)})


@mutant("M29", of="wharf", kills=("POS-040",))
def keeps_the_price_of_what_is_gone(plant: Plant) -> None:
    """Tells a position that was closed as one of nothing, at the average it had."""
    seen: dict[str, Any] = {}

    def twisted(true: Any) -> Any:
        async def fetch_positions(self: Any, account_id: str, symbol: str | None = None) -> object:
            found = await true(self, account_id, symbol)
            gone = [one for name, one in seen.items() if name not in {row.symbol for row in found}]
            seen.update({one.symbol: one for one in found})
            return (*found, *[attrs.evolve(one, quantity=Decimal(0)) for one in gone])

        return fetch_positions

    plant.replace(WharfAdapter, "fetch_positions", twisted)


@mutant("M292", of="wharf", kills=("POS-020", "POS-030"))
def tells_the_market_as_the_average(plant: Plant) -> None:
    """Tells the price a position is valued at as the one it was opened at."""
    _told(plant, lambda one, _: {"average_entry_price": one.mark_price} if one.quantity else {})


@mutant("M293", of="wharf", kills=("POS-050",))
def loses_a_position_that_turns(plant: Plant) -> None:
    """Leaves out a position that is on another side than when it was first seen."""
    first: dict[str, bool] = {}

    def twisted(true: Any) -> Any:
        async def fetch_positions(self: Any, account_id: str, symbol: str | None = None) -> object:
            found = await true(self, account_id, symbol)
            return tuple(
                [
                    one
                    for one in found
                    if first.setdefault(one.symbol, one.quantity > 0) is (one.quantity > 0)
                ]
            )

        return fetch_positions

    plant.replace(WharfAdapter, "fetch_positions", twisted)


@mutant("M294", of="wharf", kills=("POS-060", "POS-070"))
def closes_half_of_what_it_should(plant: Plant) -> None:
    """Sends orders that close for half their quantity."""

    def twist(body: dict[str, Any], request: Any) -> dict[str, Any]:
        if request.position_effect is not PositionEffect.CLOSE:
            return body
        return body | {"quantity": str(request.quantity / 2)}

    written(plant, mapping, "order_body", twist)


@mutant("M295", of="wharf", kills=("POS-080", "POS-120"))
def reads_positions_of_every_symbol(plant: Plant) -> None:
    """Reads all positions when it is asked for those of one symbol."""

    def twisted(true: Any) -> Any:
        async def fetch_positions(self: Any, account_id: str, symbol: str | None = None) -> object:
            del symbol
            return await true(self, account_id, None)

        return fetch_positions

    plant.replace(WharfAdapter, "fetch_positions", twisted)


@mutant("M296", of="wharf", kills=("POS-100",))
def turns_the_sign_of_results(plant: Plant) -> None:
    """Tells a gain as a loss."""

    def twist(one: Any, _: Any) -> dict[str, object]:
        gain = one.unrealized_pnl
        return {"unrealized_pnl": None if gain is None else Money(-gain.amount, gain.currency)}

    _told(plant, twist)


@mutant("M297", of="wharf", kills=("POS-110",))
def tells_only_full_lots(plant: Plant) -> None:
    """Tells positions in whole multiples of four."""
    _told(plant, lambda one, _: {"quantity": one.quantity // 4 * 4})


@mutant("M298", of="wharf", kills=("POS-130",))
def finds_only_long_positions(plant: Plant) -> None:
    """Leaves short positions out when it is asked for all there are."""

    def twisted(true: Any) -> Any:
        async def fetch_positions(self: Any, *args: Any) -> object:
            return tuple([one for one in await true(self, *args) if one.quantity > 0])

        return fetch_positions

    plant.replace(WharfAdapter, "fetch_positions", twisted)


@mutant("M299", of="wharf", kills=("POS-140",))
def tells_no_average(plant: Plant) -> None:
    """Tells positions without the price they began at."""
    _told(plant, lambda *_: {"average_entry_price": None})
