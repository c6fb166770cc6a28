"""The adapter: what a contributor writes, and everything it is given."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from enum import StrEnum
from random import Random, SystemRandom
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

import attrs

from .credentials import Credentials
from .ids import IdSource, RandomIds
from .ports import (
    AccountPort,
    EventPort,
    InstrumentPort,
    MarketDataPort,
    OrderPort,
    PositionPort,
)
from .times import Clock, SystemClock
from .transport.base import Transport

if TYPE_CHECKING:
    from .capabilities import Capabilities

__all__ = ["Adapter", "AdapterContext", "Environment"]


class Environment(StrEnum):
    """Whose money a provider trades with: LIVE is real, everything else is not."""

    LIVE = "LIVE"
    PAPER = "PAPER"
    TESTNET = "TESTNET"
    PRACTICE = "PRACTICE"
    SIMULATED = "SIMULATED"


def _make_transport() -> Transport:
    from .transport.http import AiohttpTransport  # noqa: PLC0415 - aiohttp is loaded when it is used

    return AiohttpTransport()


@attrs.frozen(kw_only=True)
class AdapterContext:
    """Everything an adapter may depend on, injected.

    `endpoints` are base URLs by role (`rest`, `stream`, ...). `options` are the provider's own
    settings, checked against its declaration, never secret. `make_transport` makes the transport of
    one session; `random` spreads retries and reconnects.
    """

    provider: str
    environment: Environment
    endpoints: Mapping[str, str] = MappingProxyType({})
    credentials: Credentials = attrs.field(factory=Credentials)
    account_id: str | None = None
    clock: Clock = attrs.field(factory=SystemClock)
    ids: IdSource = attrs.field(factory=RandomIds)
    options: Mapping[str, object] = MappingProxyType({})
    keep_raw: bool = False
    make_transport: Callable[[], Transport] = attrs.field(default=_make_transport, repr=False)
    random: Random = attrs.field(factory=SystemRandom, repr=False)


class Adapter(AccountPort, InstrumentPort, OrderPort, PositionPort, MarketDataPort, EventPort):
    """One venue, spoken to. Stateless about orders: one call is one exchange.

    It retries nothing, looks nothing up and journals nothing; what a call's failure means is in the
    error's `outcome`. Optional ports are inherited besides. Constructing one does no I/O.

    Where a replace gives an order a new venue id, the old id is no order that has ended: an adapter
    must not tell CANCELED for the old id of a replace that renumbers. It tells REPLACED, with the
    next revision, for the new one.
    """

    def __init__(self, context: AdapterContext) -> None:
        self.context = context

    @property
    @abstractmethod
    def capabilities(self) -> Capabilities:
        """What this provider declares."""

    @abstractmethod
    def for_account(self, account_id: str) -> Self:
        """Return an adapter bound to that account, in its context and in its streams.

        It shares the session with this one; `aclose` of the last of them ends it. Returns itself
        for its own account.
        """

    @abstractmethod
    async def open(self) -> None:
        """Connect and authenticate.

        Raises:
            AuthenticationError: The venue does not accept the credentials.
            ConnectFailedError: The venue was not reached (NOT_SENT).
            ConfigurationError: Endpoints, credentials and environment do not fit (NOT_SENT).
        """

    @abstractmethod
    async def aclose(self) -> None:
        """End every session and task. Idempotent; raises nothing."""
