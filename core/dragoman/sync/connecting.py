"""Connecting to a provider by name, without an event loop of one's own."""

# Written by tools/generate_sync.py from connection.py: change that, run the tool.

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.connect_settings import DEFAULT_RECONCILE_EVERY_S, DEFAULT_TIMEOUT_S
from dragoman.connection import connect
from dragoman.halting import ExitPolicy
from dragoman.orders.journal import Durability

from .broker import SyncBroker
from .loop_thread import LoopThread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from random import Random

    from dragoman.ids import IdSource
    from dragoman.orders.limits import RiskLimits
    from dragoman.registry import Registry
    from dragoman.times import Clock
    from dragoman.transport.base import Transport

__all__ = ["connect_sync"]


def connect_sync(
    provider: str,
    *,
    account_id: str | None = None,
    profile: str | None = None,
    endpoints: Mapping[str, str] | None = None,
    allow_hosts: Sequence[str] = (),
    limits: RiskLimits | None = None,
    read_only: bool = False,
    keep_raw: bool = False,
    clock: Clock | None = None,
    ids: IdSource | None = None,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    state_dir: Path | str | None = None,
    durability: Durability | str = Durability.PROCESS,
    on_exit: ExitPolicy | str = ExitPolicy.LEAVE,
    reconcile_every_s: float = DEFAULT_RECONCILE_EVERY_S,
    reconciling_wait_s: float = 0.0,
    transport: Transport | Callable[[], Transport] | None = None,
    random: Random | None = None,
    registry: Registry | None = None,
    **credentials: object,
) -> SyncBroker:
    """Connect to a provider.

    `with connect_sync("mock") as broker`, or without `with`.

    An event loop runs in a thread of its own until the last broker of the connection is closed, at
    the latest by the exit of the interpreter. The caller may run a loop itself, as notebooks do.
    Credentials are taken from `credentials`, then from the provider's environment variables, then
    from the profile; the provider's own settings likewise.

    Args:
        provider: A name such as "alpaca-paper"; `dragoman providers` lists them.
        account_id: Which account; None takes the only one.
        profile: A profile of the configuration file; None takes the one named like the provider, if
            there is one.
        endpoints: Base URLs by role, instead of the provider's; then from its environment
            variables, then from the profile.
        allow_hosts: Hosts besides the provider's own that endpoints may name.
        limits: Risk limits checked before every order.
        read_only: Refuse commands, and skip what only they need.
        keep_raw: Keep the venue's bytes on every model.
        clock: Where the time comes from.
        ids: Where fresh client order ids come from.
        timeout_s: How long a command waits for evidence.
        state_dir: A folder for what outlives the process: the journal of orders, and a halt. None
            is DRAGOMAN_STATE_DIR or the platform's own, except for simulated providers, which keep
            nothing; ":memory:" keeps nothing either.
        durability: What the journal survives: "process" (its death), or "power" (its loss; slower).
        on_exit: What closing does with the account: "leave" it, "cancel" every order, or "flatten".
        reconcile_every_s: How long state may go uncompared with the venue while all looks well.
        reconciling_wait_s: How long a new order waits for state to be proved; 0 refuses at once.
        transport: How requests travel: a transport, which is closed with the connection, or what
            makes one; None is HTTP.
        random: What spreads retries and reconnects.
        registry: The protocols to choose from; None takes those installed.
        **credentials: The provider's credentials and settings.

    Raises:
        UnknownProviderError: No such provider (NOT_SENT).
        MissingCredentialsError: Naming each variable that is missing (NOT_SENT).
        ConfigurationError: A setting is wrong, an environment is mixed up, or no account was chosen
            (NOT_SENT).
    """
    connection = connect(
        provider,
        account_id=account_id,
        profile=profile,
        endpoints=endpoints,
        allow_hosts=allow_hosts,
        limits=limits,
        read_only=read_only,
        keep_raw=keep_raw,
        clock=clock,
        ids=ids,
        timeout_s=timeout_s,
        state_dir=state_dir,
        durability=durability,
        on_exit=on_exit,
        reconcile_every_s=reconcile_every_s,
        reconciling_wait_s=reconciling_wait_s,
        transport=transport,
        random=random,
        registry=registry,
        **credentials,
    )
    loop = LoopThread(provider)
    try:
        broker = loop.connect(lambda: connection)
    except BaseException:
        loop.service.end()
        raise
    return SyncBroker(loop, broker)
