"""Bugs in what is done about commands whose fate is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from dragoman.errors import (
    ConnectFailedError,
    DragomanError,
    OrderRejectedError,
    Outcome,
    OutcomeUnknownError,
    RejectReason,
    UnknownReason,
)
from dragoman.models import CommandResult, Order, OrderStatus

from ...references.wharf import asking, errors, mapping, rest
from ...references.wharf.adapter import WharfAdapter
from ..mutant import mutant
from ..twists import called, looked_up, written

if TYPE_CHECKING:
    from dragoman.models import OrderRequest

    from ..mutant import Plant


@mutant("M06", of="wharf", kills=("ORD-AMB-020",))
def sends_an_order_again_after_a_reset(plant: Plant) -> None:
    """Sends an order again when the connection was reset before its answer."""

    async def twist(true: Any, _: Any, request: Any) -> object:
        try:
            return await true(request)
        except OutcomeUnknownError as error:
            if error.reason is not UnknownReason.CONNECTION_LOST:
                raise
            return await true(request)

    called(plant, WharfAdapter, "submit", twist)


@mutant("M07", of="wharf", kills=("ORD-AMB-020",))
def sends_an_order_again_after_a_timeout(plant: Plant) -> None:
    """Sends an order again when no answer came in time."""

    def hasty(endpoint: Any) -> Any:
        return attrs.evolve(endpoint, timeout_s=0.5)

    async def twist(true: Any, _: Any, request: Any) -> object:
        try:
            return await true(request)
        except OutcomeUnknownError as error:
            if error.reason is not UnknownReason.TIMEOUT:
                raise
            return await true(request)

    plant.replace(rest, "SUBMIT", hasty)
    called(plant, WharfAdapter, "submit", twist)


@mutant("M08", of="wharf", kills=("ORD-AMB-030",))
def names_an_order_anew_to_send_it_again(plant: Plant) -> None:
    """Sends an order of unknown fate again under a new client id."""

    async def twist(true: Any, _: Any, request: OrderRequest) -> object:
        try:
            return await true(request)
        except OutcomeUnknownError:
            again = attrs.evolve(request, client_order_id=f"{request.client_order_id}-again")
            order: Order = await true(again)
            return attrs.evolve(order, client_order_id=str(request.client_order_id))

    called(plant, WharfAdapter, "submit", twist)


@mutant("M09", of="wharf", kills=("ORD-AMB-040",))
def tells_a_lost_answer_as_a_refusal(plant: Plant) -> None:
    """Tells an order whose answer was lost as rejected."""

    async def twist(true: Any, _: Any, request: Any) -> object:
        try:
            return await true(request)
        except OutcomeUnknownError as error:
            raise OrderRejectedError("no answer", reason=RejectReason.OTHER) from error

    called(plant, WharfAdapter, "submit", twist)


@mutant("M10", of="wharf", kills=("ORD-AMB-050", "ORD-AMB-130"))
def never_finds_an_order_by_its_client_id(plant: Plant) -> None:
    """Looks orders up by the venue's id only, so lost ones are never found."""

    def blind(true: Any) -> Any:
        async def fetch_order(self: Any, account_id: str, **ids: Any) -> object:
            return await true(self, account_id, **ids) if ids.get("venue_order_id") else None

        return fetch_order

    plant.replace(WharfAdapter, "fetch_order", blind)


@mutant("M11", of="wharf", kills=("ORD-AMB-060",))
def takes_a_taken_name_for_a_plain_refusal(plant: Plant) -> None:
    """Tells an order that is there already as rejected, since its name is taken."""
    changes = {"duplicate_client_id": RejectReason.OTHER}
    looked_up(plant, errors, "REASONS", changes)


@mutant("M12", of="wharf", kills=("ORD-AMB-070",))
def tells_an_unanswered_cancel_as_done(plant: Plant) -> None:
    """Tells an order as canceled when its cancel was not answered."""

    async def twist(true: Any, _: Any, order: Order) -> object:
        try:
            return await true(order)
        except OutcomeUnknownError:
            return attrs.evolve(order, status=OrderStatus.CANCELED)
        except DragomanError as error:
            if error.outcome is Outcome.REJECTED:
                raise
            return attrs.evolve(order, status=OrderStatus.CANCELED)

    called(plant, WharfAdapter, "cancel", twist)


@mutant("M13", of="wharf", kills=("ORD-AMB-080",))
def tells_each_order_of_a_failed_list_as_refused(plant: Plant) -> None:
    """Tells every order of a list as rejected when the list as a whole failed."""

    def strict(true: Any) -> Any:
        async def submit_list(self: Any, requests: Any, *args: Any, **kwargs: Any) -> object:
            try:
                return await true(self, requests, *args, **kwargs)
            except OutcomeUnknownError:
                return tuple(
                    CommandResult(
                        client_order_id=str(one.client_order_id),
                        error=OrderRejectedError("the list failed"),
                    )
                    for one in requests
                )

        return submit_list

    plant.replace(WharfAdapter, "submit_list", strict)


@mutant("M201", of="wharf", kills=("ORD-AMB-010",))
def sends_orders_without_a_name(plant: Plant) -> None:
    """Leaves the client id out of the request for an order."""
    written(plant, mapping, "order_body", lambda body, _: body | {"client_id": None})


@mutant("M202", of="wharf", kills=("ORD-AMB-090",))
def sends_a_replace_again(plant: Plant) -> None:
    """Sends a replace of unknown fate again."""

    async def twist(true: Any, _: Any, order: Any, change: Any) -> object:
        try:
            return await true(order, change)
        except OutcomeUnknownError:
            return await true(order, change)

    called(plant, WharfAdapter, "replace", twist)


@mutant("M203", of="wharf", kills=("ORD-AMB-090",))
def tells_an_unanswered_replace_as_done(plant: Plant) -> None:
    """Tells the new terms as those that hold when the replace was not answered."""

    async def twist(true: Any, _: Any, order: Any, change: Any) -> object:
        try:
            return await true(order, change)
        except OutcomeUnknownError:
            terms = {"limit_price": change.limit_price or order.limit_price}
            return attrs.evolve(order, **terms, revision=order.revision + 1)

    called(plant, WharfAdapter, "replace", twist)


@mutant("M204", of="wharf", kills=("ORD-AMB-100",))
def tells_an_unsent_order_as_unknown(plant: Plant) -> None:
    """Tells the fate of an order as unknown though no connection was made."""

    async def twist(true: Any, _: Any, request: Any) -> object:
        try:
            return await true(request)
        except ConnectFailedError as error:
            raise OutcomeUnknownError("no answer") from error

    called(plant, WharfAdapter, "submit", twist)


@mutant("M205", of="wharf", kills=("ORD-AMB-110",))
def takes_not_found_for_rejected(plant: Plant) -> None:
    """Tells an order that can't be looked up yet as rejected."""
    sent: dict[str, OrderRequest] = {}

    async def remember(true: Any, _: Any, request: OrderRequest) -> object:
        sent[str(request.client_order_id)] = request
        return await true(request)

    def sure(true: Any) -> Any:
        async def fetch_order(self: Any, account_id: str, **ids: Any) -> object:
            found = await true(self, account_id, **ids)
            request = sent.get(str(ids.get("client_order_id")))
            if found is not None or request is None:
                return found
            return Order(
                client_order_id=str(request.client_order_id),
                account_id=account_id,
                symbol=request.symbol,
                side=request.side,
                order_type=request.order_type,
                status=OrderStatus.REJECTED,
                provider=self.context.provider,
                received_at_ns=self.context.clock.now_ns(),
                quantity=request.quantity,
                limit_price=request.limit_price,
            )

        return fetch_order

    called(plant, WharfAdapter, "submit", remember)
    plant.replace(WharfAdapter, "fetch_order", sure)


@mutant("M206", of="wharf", kills=("ORD-AMB-120",))
def takes_a_failed_lookup_for_not_found(plant: Plant) -> None:
    """Tells an order as not there when the venue fails to look it up."""

    def forgiving(true: Any) -> Any:
        async def fetch_order(self: Any, account_id: str, **ids: Any) -> object:
            try:
                return await true(self, account_id, **ids)
            except DragomanError:
                return None

        return fetch_order

    def once(true: Any) -> Any:
        return attrs.evolve(true, is_safe_to_repeat=False)

    plant.replace(rest, "ORDER_BY_CLIENT_ID", once)
    plant.replace(WharfAdapter, "fetch_order", forgiving)


@mutant("M208", of="wharf", kills=("ORD-AMB-140",))
def sends_an_order_again_that_never_arrived(plant: Plant) -> None:
    """Sends an order again whenever its fate is unknown, under the same name."""

    async def twist(true: Any, _: Any, request: Any) -> object:
        try:
            return await true(request)
        except OutcomeUnknownError:
            return await true(request)

    called(plant, WharfAdapter, "submit", twist)


@mutant("M210", of="wharf", kills=("ORD-AMB-160",))
def sends_a_lost_market_order_again(plant: Plant) -> None:
    """Sends a market order of unknown fate again, under another name."""

    async def twist(true: Any, _: Any, request: OrderRequest) -> object:
        try:
            return await true(request)
        except OutcomeUnknownError:
            if request.limit_price is not None:
                raise
            again = attrs.evolve(request, client_order_id=f"{request.client_order_id}-2")
            order: Order = await true(again)
            return attrs.evolve(order, client_order_id=str(request.client_order_id))

    called(plant, WharfAdapter, "submit", twist)


@mutant("M211", of="wharf", kills=("ORD-AMB-170", "ORD-LIFE-240"))
def names_orders_differently_in_each_process(plant: Plant) -> None:
    """Calls an order on the wire by a hash that changes with each process."""
    runs: list[int] = []

    async def twist(true: Any, _: Any) -> None:
        runs.append(len(runs))
        await true()

    def salted(true: Any) -> Any:
        return lambda name: f"{true(name)}{len(runs)}"[-36:]

    called(plant, WharfAdapter, "open", twist)
    plant.replace(asking, "token_of", salted)
    plant.replace(mapping, "token_of", salted)


@mutant("M212", of="wharf", kills=("ORD-AMB-180",))
def takes_any_answer_for_its_own(plant: Plant) -> None:
    """Takes whatever order is answered for the one that was sent."""

    def trusting(_: Any) -> Any:
        def answered(self: Any, row: Any, client_order_id: str) -> Order:
            order = mapping.order_of(row, self._reading())
            return attrs.evolve(order, client_order_id=client_order_id)

        return answered

    plant.replace(WharfAdapter, "_answered", trusting)
