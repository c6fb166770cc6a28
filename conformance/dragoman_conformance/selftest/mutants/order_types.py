"""Bugs in what is asked for, and in how kinds of orders are told."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs

from dragoman.errors import RejectReason
from dragoman.models import OrderRequest, OrderStatus, OrderType, PositionEffect, Side

from ...references.beacon import mapping as beacon
from ...references.wharf import errors, mapping
from ...references.wharf.adapter import WharfAdapter
from ..mutant import mutant
from ..twists import adapter_of, called, looked_up, read, written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dragoman.models import Order, OrderChange

    from ..mutant import Plant


def _asked(
    plant: Plant, twist: Callable[[dict[str, Any], OrderRequest], Mapping[str, object]]
) -> None:
    """Let every request for an order be what `twist` makes of its body."""
    written(plant, mapping, "order_body", twist)


def _without(plant: Plant, name: str) -> None:
    """Leave a field out of every request for an order."""
    _asked(plant, lambda body, _: {key: value for key, value in body.items() if key != name})


def _plainer(plant: Plant, **terms: Any) -> None:
    """Let the mock's adapter send every order with some of its terms as if never asked for."""

    async def twist(true: Any, _: Any, request: OrderRequest) -> object:
        return await true(attrs.evolve(request, **terms))

    called(plant, adapter_of(plant), "submit", twist)


@mutant("M19", of="beacon", kills=("ORD-TYPE-020",))
def takes_signed_units_for_their_size(plant: Plant) -> None:
    """Reads every order as one to buy, since it forgets that units below zero sell."""
    plant.replace(beacon, "side_of", lambda _: lambda __: Side.BUY)


@mutant("M250", of="beacon", kills=("ORD-TYPE-020",))
def sends_units_without_their_sign(plant: Plant) -> None:
    """Sends every order as one to buy."""
    plant.replace(beacon, "units_of", lambda _: lambda __, quantity: quantity)


@mutant("M20", of="wharf", kills=("ORD-TYPE-050", "ORD-TYPE-040"))
def swaps_stop_and_limit_price(plant: Plant) -> None:
    """Sends the stop price of a stop-limit order as its limit, and the limit as its stop."""

    def twist(body: dict[str, Any], request: OrderRequest) -> dict[str, Any]:
        if request.order_type is not OrderType.STOP_LIMIT:
            return body
        return body | {"limit_price": body["stop_price"], "stop_price": body["limit_price"]}

    _asked(plant, twist)


@mutant("M251", of="wharf", kills=("ORD-TYPE-050",))
def tells_the_stop_price_as_the_limit(plant: Plant) -> None:
    """Reads the limit price of every order for its stop price too."""
    read(
        plant,
        mapping,
        "order_of",
        lambda order, _: {"stop_price": order.limit_price} if order.stop_price else {},
    )


@mutant("M21", of="wharf", kills=("ORD-TYPE-080",))
def sends_immediate_orders_as_lasting(plant: Plant) -> None:
    """Sends immediate-or-cancel orders good till canceled."""
    _asked(
        plant,
        lambda body, _: body | ({"time_in_force": "gtc"} if body["time_in_force"] == "ioc" else {}),
    )


@mutant("M22", of="wharf", kills=("ORD-TYPE-110",))
def forgets_to_reduce_on_a_replace(plant: Plant) -> None:
    """Replaces an order by a cancel and a new one, and forgets that it may only reduce."""

    def twisted(_: Any) -> Any:
        async def replace(self: Any, order: Order, change: OrderChange) -> object:
            await self.cancel(order)
            name, revision = order.client_order_id, order.revision + 1
            request = _anew(order, change, f"{name}-{revision}")
            answer = await self.submit(request)
            return attrs.evolve(answer, client_order_id=name, revision=revision)

        return replace

    plant.replace(WharfAdapter, "replace", twisted)


def _anew(order: Order, change: OrderChange, name: str) -> OrderRequest:
    """Return what a replaced order is sent anew as."""
    return OrderRequest(
        client_order_id=name,
        account_id=order.account_id,
        symbol=order.symbol,
        side=order.side,
        order_type=order.order_type,
        quantity=change.quantity or order.quantity,
        limit_price=change.limit_price or order.limit_price,
        time_in_force=order.time_in_force,
    )


@mutant("M252", of="wharf", kills=("ORD-TYPE-010",))
def reads_if_touched_orders_as_stops(plant: Plant) -> None:
    """Reads orders that wait for a better price as if they waited for a worse one."""
    looked_up(plant, mapping, "ORDER_TYPES", {"market_if_touched": OrderType.STOP})


@mutant("M253", of="wharf", kills=("ORD-TYPE-030",))
def sends_twice_the_quantity_to_sell(plant: Plant) -> None:
    """Sends orders to sell for twice their quantity."""

    def twist(body: dict[str, Any], request: OrderRequest) -> dict[str, Any]:
        is_sale = request.side is Side.SELL and request.quantity is not None
        return body | ({"quantity": str((request.quantity or 0) * 2)} if is_sale else {})

    _asked(plant, twist)


@mutant("M254", of="wharf", kills=("ORD-TYPE-040",))
def rounds_limit_prices(plant: Plant) -> None:
    """Sends limit prices rounded down to a whole number."""

    def twist(body: dict[str, Any], request: OrderRequest) -> dict[str, Any]:
        price = request.limit_price
        return body | ({} if price is None else {"limit_price": str(int(price))})

    _asked(plant, twist)


@mutant("M255", of="wharf", kills=("ORD-TYPE-060",))
def sends_every_distance_as_one_in_price(plant: Plant) -> None:
    """Sends a distance in percent as one in price."""

    def twist(body: dict[str, Any], _: Any) -> dict[str, Any]:
        return body | ({"trail": body["trail"] | {"unit": "price"}} if "trail" in body else {})

    _asked(plant, twist)


@mutant("M256", of="mock", kills=("ORD-TYPE-070",))
def sends_an_amount_twice_over(plant: Plant) -> None:
    """Sends an order for an amount of money for twice as much."""

    async def twist(true: Any, _: Any, request: OrderRequest) -> object:
        amount = request.notional
        return await true(attrs.evolve(request, notional=None if amount is None else amount * 2))

    called(plant, adapter_of(plant), "submit", twist)


@mutant("M257", of="wharf", kills=("ORD-TYPE-090",))
def sends_an_expiry_as_a_day(plant: Plant) -> None:
    """Sends an expiry as the midnight that begins the day after it."""

    def twist(body: dict[str, Any], _: Any) -> dict[str, Any]:
        due = body.get("expires_at")
        return body if due is None else body | {"expires_at": f"{due[:8]}28T00:00:00Z"}

    _asked(plant, twist)


@mutant("M258", of="wharf", kills=("ORD-TYPE-100", "POS-090"))
def lets_reducing_orders_open(plant: Plant) -> None:
    """Leaves out that an order may only reduce."""
    _without(plant, "reduce_only")


@mutant("M259", of="wharf", kills=("ORD-TYPE-120", "ORD-TYPE-130"))
def lets_post_only_orders_take(plant: Plant) -> None:
    """Leaves out that an order is to post only."""
    _without(plant, "post_only")


@mutant("M260", of="wharf", kills=("ORD-TYPE-130",))
def gives_no_reason_where_an_order_would_take(plant: Plant) -> None:
    """Tells a post-only order that would take as refused for some other reason."""
    looked_up(plant, errors, "REASONS", {"would_take": RejectReason.OTHER})


@mutant("M261", of="wharf", kills=("ORD-TYPE-140",))
def shows_all_of_an_order(plant: Plant) -> None:
    """Leaves out how much of an order is to be shown."""
    _without(plant, "display_quantity")


@mutant("M262", of="wharf", kills=("ORD-TYPE-190",))
def keeps_the_tag_to_itself(plant: Plant) -> None:
    """Leaves the tag out of the request for an order."""
    _without(plant, "tag")


@mutant("M263", of="wharf", kills=("ORD-TYPE-200",))
def takes_a_canceled_rest_for_filled(plant: Plant) -> None:
    """Reads an order that has filled in part and ended as filled."""

    def twist(order: Any, _: Any) -> dict[str, object]:
        is_part = order.status is OrderStatus.CANCELED and order.filled_quantity
        return {"status": OrderStatus.FILLED} if is_part else {}

    read(plant, mapping, "order_of", twist)


@mutant("M264", of="wharf", kills=("ORD-TYPE-210",))
def fills_what_it_can_of_all_or_nothing(plant: Plant) -> None:
    """Sends fill-or-kill orders as immediate-or-cancel."""
    _asked(
        plant,
        lambda body, _: body | ({"time_in_force": "ioc"} if body["time_in_force"] == "fok" else {}),
    )


@mutant("M265", of="wharf", kills=("ORD-TYPE-220",))
def sends_stops_as_if_touched(plant: Plant) -> None:
    """Sends stops as orders that wait for a better price, which are triggered at once."""
    _asked(
        plant,
        lambda body, _: body | ({"type": "market_if_touched"} if body["type"] == "stop" else {}),
    )


@mutant("M266", of="wharf", kills=("ORD-TYPE-230", "ORD-TYPE-060"))
def trails_at_half_the_distance(plant: Plant) -> None:
    """Sends half the distance of a trailing order."""

    def twist(body: dict[str, Any], _: Any) -> dict[str, Any]:
        trail = body.get("trail")
        if trail is None:
            return body
        return body | {"trail": trail | {"value": str(Decimal(trail["value"]) / 2)}}

    _asked(plant, twist)


@mutant("M267", of="mock", kills=("ORD-TYPE-310",))
def forgets_that_an_order_is_to_open(plant: Plant) -> None:
    """Leaves out that an order is to open a position."""

    async def twist(true: Any, _: Any, request: OrderRequest) -> object:
        is_open = request.position_effect is PositionEffect.OPEN
        return await true(attrs.evolve(request, position_effect=None) if is_open else request)

    called(plant, adapter_of(plant), "submit", twist)


@mutant("M268", of="mock", kills=("ORD-TYPE-160",))
def keeps_to_the_regular_session(plant: Plant) -> None:
    """Leaves out that an order may trade outside the regular session."""
    _plainer(plant, extended_hours=False)


@mutant("M269", of="mock", kills=("ORD-TYPE-170",))
def lets_the_venue_choose_the_trigger(plant: Plant) -> None:
    """Leaves out which price triggers a stop."""
    _plainer(plant, trigger=None)


@mutant("M290", of="mock", kills=("ORD-TYPE-150",))
def shows_what_was_to_be_hidden(plant: Plant) -> None:
    """Leaves out that an order is to be hidden."""
    _plainer(plant, display_quantity=None)


@mutant("M291", of="mock", kills=("ORD-TYPE-180",))
def follows_another_price(plant: Plant) -> None:
    """Sends an order that follows the bid as one that follows the ask, and the other way round."""

    async def twist(true: Any, _: Any, request: OrderRequest) -> object:
        if request.peg is None:
            return await true(request)
        swapped = {"BID": "ASK", "ASK": "BID"}.get(request.peg.value, request.peg.value)
        return await true(attrs.evolve(request, peg=type(request.peg)(swapped)))

    called(plant, adapter_of(plant), "submit", twist)


@mutant("M217", of="wharf", kills=("ORD-TYPE-400",))
def forgets_the_tag_of_an_order(plant: Plant) -> None:
    """Tells orders without their tag."""
    read(plant, mapping, "order_of", lambda *_: {"tag": None})
