"""Bugs in orders that belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from dragoman.models import Contingency

from ...references.wharf import mapping
from ...references.wharf.adapter import WharfAdapter
from ..mutant import mutant
from ..twists import adapter_of, read, written

if TYPE_CHECKING:
    from ..mutant import Plant


def _without(plant: Plant, name: str) -> None:
    written(
        plant,
        mapping,
        "order_body",
        lambda body, _: {key: value for key, value in body.items() if key != name},
    )


@mutant("M270", of="wharf", kills=("ORD-TYPE-240",))
def enters_without_the_stop_loss(plant: Plant) -> None:
    """Leaves the stop loss of an entry out of its request."""
    _without(plant, "stop_loss")


@mutant("M271", of="wharf", kills=("ORD-TYPE-250",))
def enters_without_the_take_profit(plant: Plant) -> None:
    """Leaves the take profit of an entry out of its request."""
    _without(plant, "take_profit")


@mutant("M272", of="wharf", kills=("ORD-TYPE-260",))
def swaps_the_levels_of_a_bracket(plant: Plant) -> None:
    """Sends the level of the stop loss as that of the take profit, and the other way round."""

    def twist(body: dict[str, Any], _: Any) -> dict[str, Any]:
        loss, profit = body.get("stop_loss"), body.get("take_profit")
        if loss is None or profit is None:
            return body
        return body | {
            "stop_loss": loss | {"stop_price": profit["limit_price"]},
            "take_profit": profit | {"limit_price": loss["stop_price"]},
        }

    written(plant, mapping, "order_body", twist)


@mutant("M273", of="wharf", kills=("ORD-TYPE-270",))
def says_nothing_of_exits_that_end(plant: Plant) -> None:
    """Tells nothing when an exit is canceled because the other one filled."""

    def twisted(true: Any) -> Any:
        def events_of(frame: Any, reading: Any) -> object:
            is_leg = frame.order is not None and frame.order.parent_client_id is not None
            return () if is_leg and frame.event == "canceled" else true(frame, reading)

        return events_of

    plant.replace(mapping, "events_of", twisted)


@mutant("M274", of="wharf", kills=("ORD-TYPE-280",))
def answers_a_list_in_another_order(plant: Plant) -> None:
    """Gives the results of a list under each other's names."""

    def twisted(true: Any) -> Any:
        async def submit_list(self: Any, requests: Any, *args: Any, **kwargs: Any) -> object:
            rows = await true(self, requests, *args, **kwargs)
            names = [one.client_order_id for one in reversed(rows)]
            return tuple(
                attrs.evolve(
                    row,
                    client_order_id=name,
                    order=row.order and attrs.evolve(row.order, client_order_id=name),
                )
                for name, row in zip(names, rows, strict=True)
            )

        return submit_list

    plant.replace(WharfAdapter, "submit_list", twisted)


def _loose(plant: Plant) -> None:
    """Let the mock's adapter send the orders of a list one by one, tied to nothing."""

    def twisted(true: Any) -> Any:
        async def submit_list(self: Any, requests: Any, contingency: Any, **kwargs: Any) -> object:
            del contingency
            return await true(self, requests, Contingency.NONE, **kwargs)

        return submit_list

    plant.replace(adapter_of(plant), "submit_list", twisted)


@mutant("M275", of="mock", kills=("ORD-TYPE-290",))
def lets_all_orders_of_a_list_work_at_once(plant: Plant) -> None:
    """Sends orders of which the first triggers the rest as if they had nothing to do."""
    _loose(plant)


@mutant("M276", of="mock", kills=("ORD-TYPE-300",))
def refuses_a_batch_for_one_of_it(plant: Plant) -> None:
    """Asks for all orders of a batch or none, whatever was asked for."""

    def twisted(true: Any) -> Any:
        async def submit_list(self: Any, requests: Any, contingency: Any, **_: Any) -> object:
            return await true(self, requests, contingency, all_or_none=True)

        return submit_list

    plant.replace(adapter_of(plant), "submit_list", twisted)


@mutant("M218", of="wharf", kills=("ORD-TYPE-260",))
def tells_a_stop_limit_exit_as_a_stop(plant: Plant) -> None:
    """Tells the stop loss of an entry without its limit."""

    def twist(order: Any, _: Any) -> dict[str, object]:
        loss = order.stop_loss
        return {"stop_loss": None if loss is None else attrs.evolve(loss, limit_price=None)}

    read(plant, mapping, "order_of", twist)
