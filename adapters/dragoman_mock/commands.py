"""Commands: what a client tells the venue to do, and what becomes of it.

Each is one exchange: the venue does it at one instant and tells everybody, and only then is its
answer read, so what a command returns and what the streams said before it agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.errors import NotFoundError
from dragoman.models import (
    CommandResult,
    OrderEvent,
    OrderEventKind,
    OrderRequest,
    PositionEffect,
    Side,
)

from .call_faults import Call
from .errors import cancel_error, exits_error, replace_error, submit_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    from dragoman.errors import DragomanError
    from dragoman.models import (
        Contingency,
        Event,
        Exit,
        Order,
        OrderChange,
        Position,
    )
    from dragoman.paper.engine import Engine

    from .connection import Connection

__all__ = ["Commands"]


class Commands:
    """The commands of one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._venue = connection.venue

    async def submit(self, request: OrderRequest) -> Order:
        """Send one order; raises what `submit_error` makes of a refusal."""
        client_order_id = request.client_order_id or ""
        return await self._on_order(
            Call("submit", client_order_id, request.symbol),
            request.account_id or "",
            lambda engine: engine.submit(request),
            submit_error,
        )

    async def close(
        self, position: Position, quantity: Decimal | None, client_order_id: str
    ) -> Order:
        """Close a position, or part of it, by a market order that can only close."""
        request = OrderRequest.market(
            position.symbol,
            Side.SELL if position.quantity > 0 else Side.BUY,
            abs(position.quantity) if quantity is None else quantity,
            client_order_id=client_order_id,
            account_id=position.account_id,
            position_id=position.position_id,
            position_effect=PositionEffect.CLOSE,
        )
        return await self.submit(request)

    async def replace(self, order: Order, change: OrderChange) -> Order:
        """Change an order; raises what `replace_error` makes of a refusal."""
        account_id, client_order_id = order.account_id, order.client_order_id
        return await self._on_order(
            Call("replace", client_order_id, order.symbol),
            account_id,
            lambda engine: engine.replace(account_id, client_order_id, change),
            replace_error,
        )

    async def cancel(self, order: Order) -> Order:
        """Cancel an order; raises what `cancel_error` makes of a refusal."""
        account_id, client_order_id = order.account_id, order.client_order_id
        return await self._on_order(
            Call("cancel", client_order_id, order.symbol),
            account_id,
            lambda engine: engine.cancel(account_id, client_order_id),
            cancel_error,
        )

    async def cancel_all(self, account_id: str, symbol: str | None) -> tuple[CommandResult, ...]:
        """Cancel every open order; one result per order that was open."""

        async def work() -> tuple[CommandResult, ...]:
            orders = await self._venue.look(lambda engine: engine.open_orders(account_id, symbol))
            self._venue.do(lambda engine: engine.cancel_all(account_id, symbol))
            return tuple(
                CommandResult(
                    client_order_id=order.client_order_id,
                    order=self._order(account_id, order.client_order_id),
                )
                for order in orders
            )

        return await self._connection.call(Call("cancel_all", symbol=symbol), work)

    async def submit_list(
        self, requests: Sequence[OrderRequest], contingency: Contingency, *, all_or_none: bool
    ) -> tuple[CommandResult, ...]:
        """Send several orders in one request; one result per request, in order."""

        async def work() -> tuple[CommandResult, ...]:
            events = await self._venue.act(
                lambda engine: engine.submit_list(requests, contingency, all_or_none=all_or_none)
            )
            return tuple(self._row(request, events) for request in requests)

        return await self._connection.call(Call("submit_list"), work)

    async def set_exits(
        self, position: Position, stop_loss: Exit | None, take_profit: Exit | None
    ) -> tuple[Order, ...]:
        """Set a position's exits; returns the orders that protect it now."""
        account_id, position_id = position.account_id, position.position_id

        async def work() -> tuple[Order, ...]:
            events = await self._venue.act(
                lambda engine: engine.set_exits(account_id, position_id, stop_loss, take_profit)
            )
            error = exits_error(events)
            if error is not None:
                raise error
            accepted = (
                event.order.client_order_id
                for event in events
                if isinstance(event, OrderEvent) and event.kind is OrderEventKind.ACCEPTED
            )
            return tuple(self._order(account_id, each) for each in accepted)

        return await self._connection.call(Call("set_exits", symbol=position.symbol), work)

    async def do(self, call: Call, command: Callable[[Engine], Sequence[Event]]) -> None:
        """Let the venue do something that has no answer."""
        await self._connection.call(call, lambda: self._venue.act(command))

    async def _on_order(
        self,
        call: Call,
        account_id: str,
        command: Callable[[Engine], Sequence[Event]],
        error_of: Callable[[Sequence[Event], str], DragomanError | None],
    ) -> Order:
        """Let the venue do something about one order, and return the order as it then stands."""
        client_order_id = call.client_order_id or ""

        async def work() -> Order:
            error = error_of(await self._venue.act(command), client_order_id)
            if error is not None:
                raise error
            return self._order(account_id, client_order_id)

        return await self._connection.call(call, work)

    def _row(self, request: OrderRequest, events: Sequence[Event]) -> CommandResult:
        client_order_id = request.client_order_id or ""
        error = submit_error(events, client_order_id)
        order = None if error else self._order(request.account_id or "", client_order_id)
        return CommandResult(client_order_id=client_order_id, order=order, error=error)

    def _order(self, account_id: str, client_order_id: str) -> Order:
        order = self._venue.engine.order(account_id, client_order_id)
        if order is None:
            message = f"account {account_id!r} has no order {client_order_id!r}"
            raise NotFoundError(message, provider=self._venue.settings.provider)
        return order
