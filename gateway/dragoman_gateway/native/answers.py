"""What answers are made of besides the models of the core, and how all of it becomes JSON."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Self

import attrs
import msgspec
from aiohttp import web

from dragoman.errors import RejectReason, Violation
from dragoman.models import Account, Order, Position
from dragoman.models.enums import Contingency, HealthState
from dragoman.models.exits import Exit
from dragoman.models.instants import InstantView
from dragoman.models.request import OrderRequest
from dragoman.models.serde import to_plain
from dragoman.models.values import Money

from .problems import Problem, plain_error

if TYPE_CHECKING:
    from dragoman.broker import Broker
    from dragoman.models import CommandResult
    from dragoman.models.answers import Preview
    from dragoman.models.serde import Plain
    from dragoman.orders.halt import HaltReport
    from dragoman.session import Health

__all__ = [
    "AccountState",
    "AccountStatus",
    "CloseOrder",
    "FlattenOrder",
    "HaltAnswer",
    "HaltOrder",
    "HealthAnswer",
    "OrderList",
    "PositionExits",
    "PreviewAnswer",
    "ResultRow",
    "WaitAnswer",
    "answered",
    "answered_plain",
    "encoded",
    "row_of",
]


@attrs.frozen(kw_only=True)
class HealthAnswer:
    """Whether the account can be traded with; `causes` are all that say no, worst first."""

    state: HealthState
    causes: tuple[str, ...]
    since_ns: int
    since: ClassVar[InstantView] = InstantView()

    @classmethod
    def of(cls, health: Health) -> HealthAnswer:
        """Say what the health of a broker says."""
        return cls(state=health.state, causes=health.causes, since_ns=health.since_ns)


@attrs.frozen(kw_only=True)
class AccountStatus:
    """One account served here, and how it stands. `sequence` is that of its newest private event.

    `environment` says with whose money it trades; LIVE is real.
    """

    provider: str
    account_id: str
    environment: str
    is_halted: bool
    sequence: int
    health: HealthAnswer

    @classmethod
    def of(cls, broker: Broker) -> AccountStatus:
        """Describe a broker as it stands now."""
        return AccountStatus(
            provider=broker.provider,
            account_id=broker.account_id,
            environment=str(broker.environment),
            is_halted=broker.is_halted,
            sequence=broker.state.sequence,
            health=HealthAnswer.of(broker.health),
        )


@attrs.frozen(kw_only=True)
class AccountState:
    """What is true now, as far as evidence goes; the venue was not asked.

    It says all that an `AccountStatus` says, and what the account holds.
    """

    provider: str
    account_id: str
    environment: str
    is_halted: bool
    sequence: int
    health: HealthAnswer
    account: Account | None
    positions: tuple[Position, ...]
    open_orders: tuple[Order, ...]

    @classmethod
    def of(cls, broker: Broker) -> AccountState:
        """Describe a broker and all it holds."""
        state = broker.state
        return cls(
            provider=broker.provider,
            account_id=broker.account_id,
            environment=str(broker.environment),
            is_halted=broker.is_halted,
            sequence=state.sequence,
            health=HealthAnswer.of(broker.health),
            account=state.account,
            positions=state.positions,
            open_orders=state.open_orders,
        )


@attrs.frozen(kw_only=True)
class HaltAnswer:
    """What a halt found and did; it claims no more than was proved.

    `open_orders` may be live, `unknown` are those among them the venue has said nothing about.
    `sent` are on their way, `unsent` never will be. `is_flat` is true only if the venue has shown
    that nothing works and nothing is held.
    """

    halted_at_ns: int
    cause: str
    open_orders: tuple[str, ...]
    unknown: tuple[str, ...]
    open_positions: tuple[str, ...]
    sent: tuple[str, ...]
    unsent: tuple[str, ...]
    is_flat: bool
    problems: tuple[str, ...]
    halted_at: ClassVar[InstantView] = InstantView()

    @classmethod
    def of(cls, report: HaltReport) -> Self:
        """Say what a report says."""
        return cls(**attrs.asdict(report, recurse=False))


@attrs.frozen(kw_only=True)
class HaltOrder:
    """Why to stop, and whether to cancel every order as well."""

    cause: str = "halted by a client of the gateway"
    cancel: bool = False


@attrs.frozen(kw_only=True)
class FlattenOrder:
    """Why to stop and to close everything."""

    cause: str = "flattened by a client of the gateway"


@attrs.frozen(kw_only=True)
class CloseOrder:
    """How much of a position to close, all of it by default, and under which name."""

    quantity: Decimal | None = None
    client_order_id: str | None = None
    tag: str | None = None


@attrs.frozen(kw_only=True)
class PositionExits:
    """The protective orders a position is to have; null takes a leg off."""

    stop_loss: Exit | None = None
    take_profit: Exit | None = None


@attrs.frozen(kw_only=True)
class OrderList:
    """Orders that depend on each other (OCO, OTO) or go together (NONE)."""

    requests: tuple[OrderRequest, ...]
    contingency: Contingency = Contingency.NONE
    all_or_none: bool = False


@attrs.frozen(kw_only=True)
class WaitAnswer:
    """An order as it is now, and whether what was waited for has come."""

    is_met: bool
    order: Order


@attrs.frozen(kw_only=True)
class PreviewAnswer:
    """What an order would cost and all that stands in its way; nothing was sent."""

    is_acceptable: bool
    violations: tuple[Violation, ...]
    warnings: tuple[str, ...]
    margin: Money | None
    commission: Money | None
    reject_reason: RejectReason | None

    @classmethod
    def of(cls, found: Preview) -> Self:
        """Say what a preview says."""
        return cls(**attrs.asdict(found, recurse=False), is_acceptable=found.is_acceptable)


@attrs.frozen(kw_only=True)
class ResultRow:
    """What became of one order of several."""

    client_order_id: str
    order: Order | None
    error: Problem | None


def row_of(result: CommandResult) -> dict[str, Plain]:
    """Return one order's fate as a `ResultRow` in plain data."""
    return {
        "client_order_id": result.client_order_id,
        "order": None if result.order is None else to_plain(result.order),
        "error": None if result.error is None else plain_error(result.error),
    }


def answered(model: object, status: int = 200) -> web.Response:
    """Return the answer that holds one model."""
    return answered_plain(to_plain(model), status)


def answered_plain(plain: Plain, status: int = 200) -> web.Response:
    """Return the answer that holds plain data."""
    return web.Response(status=status, body=encoded(plain), content_type="application/json")


def encoded(plain: Plain) -> bytes:
    """Return plain data as JSON."""
    try:
        return msgspec.json.encode(plain)
    except UnicodeEncodeError:  # half a character that a venue or a client sent: escaped then
        return json.dumps(plain, separators=(",", ":"), allow_nan=False).encode()
