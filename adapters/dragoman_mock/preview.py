"""What orders would do: they are sent to a copy of the venue whose market stands still.

So a preview can't differ from what a submit would meet at the same instant, and changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from dragoman.models import Money, OrderEvent, OrderEventKind
from dragoman.money import ZERO, add, subtract
from dragoman.paper.engine import Engine
from dragoman.ports import Preview

from .errors import rejection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dragoman.models import Event, OrderRequest
    from dragoman.paper.market.feed import MarketTick

__all__ = ["preview_orders"]


def preview_orders(engine: Engine, requests: Sequence[OrderRequest]) -> Preview:
    """Judge orders as if they were sent one after another, all from the first one's account.

    `margin` is by how much more of the account would be bound, filled or not; `commission` is that
    of what would fill at once, None if nothing would. An order without a client id is given one.
    """
    if not requests:
        return Preview()
    account_id = requests[0].account_id or ""
    before = engine.account(account_id)
    twin = Engine.restore(
        engine.state(),
        engine.settings,
        instruments=engine.instruments.values(),
        feed=_StillFeed(engine.instruments),
    )
    events = [event for request in _named(requests) for event in twin.submit(request)]
    refused = [event.order for event in _of_kind(events, OrderEventKind.REJECTED)]
    bound = subtract(twin.account(account_id).margin_used or ZERO, before.margin_used or ZERO)
    return Preview(
        warnings=tuple(rejection(order).message for order in refused),
        margin=Money(max(ZERO, bound), before.currency or ""),
        commission=_commission(events),
        reject_reason=refused[0].reject_reason if refused else None,
    )


class _StillFeed:
    """A market in which nothing happens any more."""

    def __init__(self, symbols: Iterable[str]) -> None:
        self.symbols = frozenset(symbols)

    def next_event_ns(self) -> int | None:
        return None

    def take(self, to_ns: int) -> Sequence[MarketTick]:  # noqa: ARG002 - the feed's signature
        return ()

    def skip_to(self, instant_ns: int) -> None:
        pass

    def state(self) -> dict[str, object]:
        return {}

    def restore(self, state: dict[str, object]) -> None:
        pass


def _named(requests: Sequence[OrderRequest]) -> Iterator[OrderRequest]:
    for number, request in enumerate(requests):
        name = request.client_order_id or f"preview-{number}"
        yield attrs.evolve(request, client_order_id=name)


def _of_kind(events: Sequence[Event], kind: OrderEventKind) -> Iterator[OrderEvent]:
    for event in events:
        if isinstance(event, OrderEvent) and event.kind is kind:
            yield event


def _commission(events: Sequence[Event]) -> Money | None:
    """Return the sum of what fills cost; None if there are none, or several currencies."""
    paid = [event.fill.commission for event in _of_kind(events, OrderEventKind.FILL) if event.fill]
    amounts = [money for money in paid if money is not None]
    if not amounts or len({money.currency for money in amounts}) > 1:
        return None
    total = amounts[0]
    for money in amounts[1:]:
        total = Money(add(total.amount, money.amount), total.currency)
    return total
