"""Sending a command that trades: asked for, waited for, and never left in doubt silently."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Annotated, Final

import attrs
from cyclopts import Group, Parameter

from dragoman.errors import NotFoundError, Outcome

from .connection_options import ConnectionOptions, ShortIds, provider_name
from .problems import StillOpenError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from dragoman.broker import Broker
    from dragoman.models import Order, Position

    from .shell import Shell

__all__ = [
    "SendOptions",
    "find_order",
    "find_position",
    "in_doubt_if_interrupted",
    "new_order_id",
    "trading",
]

_GROUP: Final = Group("Sending", sort_key=2)
_FLAG: Final = Parameter(negative="", show_default=False)


@Parameter(name="*", group=_GROUP)
@attrs.frozen(kw_only=True)
class SendOptions:
    """How a command is sent, and how long its end is waited for."""

    wait: Annotated[bool, _FLAG, Parameter(help="Wait until the order has ended.")] = False
    timeout: Annotated[
        float,
        Parameter(metavar="SECONDS", help="For the venue's evidence, and for --wait."),
    ] = 10.0
    yes: Annotated[bool, _FLAG, Parameter(help="Do not ask before trading with real money.")] = (
        False
    )

    async def settled(self, broker: Broker, order: Order) -> Order:
        """Return the order once it has ended, if that is to be waited for.

        Raises:
            StillOpenError: It had not when time was up; it stays open.
        """
        if not self.wait or order.is_terminal:
            return order
        try:
            return await broker.wait(order, timeout_s=self.timeout)
        except TimeoutError as error:
            raise StillOpenError(str(error)) from None


@asynccontextmanager
async def trading(shell: Shell, options: ConnectionOptions, *, yes: bool) -> AsyncGenerator[Broker]:
    """Connect for a command that trades; on real money only if it can be confirmed.

    Raises:
        RequestError: It can't (NOT_SENT).
    """
    registry = shell.find_registry()
    _, provider = registry.find(provider_name(options.provider, options.profile))
    shell.check_can_confirm(provider.environment, yes=yes)
    async with options.connect(registry) as broker:
        yield broker


@contextmanager
def in_doubt_if_interrupted(shell: Shell, client_order_id: str) -> Generator[None]:
    """Tell of an order that was on its way when the command was interrupted."""
    try:
        yield
    except asyncio.CancelledError:
        shell.note(
            f"dragoman: interrupted while order {client_order_id} was on its way: it may be live. "
            "Next: `dragoman orders --all` shows what became of it"
        )
        raise


async def find_order(broker: Broker, name: str) -> Order:
    """Return the order of a client order id or a venue order id.

    Raises:
        NotFoundError: Neither here nor at the venue is there such an order (NOT_SENT).
    """
    for order in broker.state.orders:
        if name == order.client_order_id or name in order.venue_order_ids:
            return order
    found = await broker.fetch_order(name)
    if found is None:
        raise _not_there(broker, f"there is no order {name!r}")
    return found


async def find_position(broker: Broker, name: str) -> Position:
    """Return the open position of an id, a symbol or an alias.

    Raises:
        NotFoundError: There is none (NOT_SENT).
        UnknownInstrumentError: No such instrument either (NOT_SENT).
    """
    held = broker.state.position(name)
    if held is None:
        held = broker.state.position((await broker.instrument(name)).symbol)
    if held is None:
        raise _not_there(broker, f"there is no open position {name!r}")
    return held


def new_order_id() -> str:
    """Return a fresh client order id, made before anything is sent."""
    return ShortIds().next_id()


def _not_there(broker: Broker, message: str) -> NotFoundError:
    return NotFoundError(message, provider=broker.provider, outcome=Outcome.NOT_SENT)
