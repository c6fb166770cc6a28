"""Connecting to a provider by name.

Settings resolved, the account chosen, the session brought into step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from .adapter import AdapterContext, Environment
from .broker import Broker
from .config import (
    config_path,
    endpoints_of_environment,
    load_profiles,
    resolve_credentials,
    resolve_endpoints,
    resolve_options,
    state_path,
)
from .connect_settings import (
    DEFAULT_RECONCILE_EVERY_S,
    DEFAULT_TIMEOUT_S,
    IN_MEMORY,
    ConnectSettings,
    refuse_setting,
)
from .errors import ConfigurationError
from .halting import ExitPolicy
from .ids import RandomIds
from .orders.halt import HaltSwitch, halt_marker
from .orders.journal import Durability, MemoryJournal, open_journal
from .orders.limits import RiskLimits
from .registry import installed
from .session import AccountSession
from .times import SystemClock
from .transport.base import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from pathlib import Path
    from random import Random
    from types import TracebackType

    from .adapter import Adapter
    from .config import Profile
    from .ids import IdSource
    from .orders.journal import Journal
    from .registry import Protocol, Provider, Registry
    from .times import Clock

__all__ = ["ConnectSettings", "Connection", "connect"]


def connect(
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
) -> Connection:
    """Connect to a provider.

    `async with connect("mock") as broker`, or `broker = await connect("mock")`.

    Nothing is done before the connection is entered or awaited. Credentials are taken from
    `credentials`, then from the provider's environment variables, then from the profile; the
    provider's own settings likewise.

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
    _check_provider(provider)
    settings = ConnectSettings(
        account_id=account_id,
        profile=profile,
        endpoints={} if endpoints is None else endpoints,
        allow_hosts=allow_hosts,
        limits=RiskLimits() if limits is None else limits,
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
    )
    return Connection(provider, settings, credentials)


class Connection:
    """A connection about to be made: await it, or enter it. Each use makes one."""

    def __init__(
        self, provider: str, settings: ConnectSettings, credentials: Mapping[str, object]
    ) -> None:
        self._provider = provider
        self._settings = settings
        self._credentials = credentials
        self._entered: list[Broker] = []

    def __await__(self) -> Generator[None, None, Broker]:
        return self._open().__await__()

    async def __aenter__(self) -> Broker:
        self._entered.append(await self._open())
        return self._entered[-1]

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._entered.pop().aclose()

    def __repr__(self) -> str:
        return f"<Connection to {self._provider}>"

    async def _open(self) -> Broker:
        protocol, provider = (self._settings.registry or installed()).find(self._provider)
        profile = _profile(provider, self._settings.profile)
        adapter = protocol.make_adapter(
            _context(protocol, provider, self._settings, self._credentials, profile)
        )
        try:
            await adapter.open()
            account_id = await _choose_account(adapter)
            return await self._open_account(adapter, account_id)
        except BaseException:
            await adapter.aclose()
            raise

    async def _open_account(self, first: Adapter, account_id: str) -> Broker:
        adapter = first.for_account(account_id)
        try:
            return await self._open_session(adapter, account_id)
        except BaseException:
            if adapter is not first:
                await adapter.aclose()
            raise

    async def _open_session(self, adapter: Adapter, account_id: str) -> Broker:
        settings = self._settings
        session = AccountSession(
            adapter,
            account_id,
            _journal(settings, adapter, account_id),
            _halt(settings, adapter, account_id),
            reconcile_every_s=settings.reconcile_every_s,
        )

        async def open_other(other_id: str) -> Broker:
            await _check_account(adapter, other_id)
            return await self._open_account(adapter, other_id)

        try:
            if settings.read_only:
                session.stay_blind("read-only: the private stream is not read")
            else:
                await session.open()
        except BaseException:
            await session.aclose()
            raise
        return Broker(
            session,
            limits=settings.limits,
            timeout_s=settings.timeout_s,
            read_only=settings.read_only,
            open_account=open_other,
            reconciling_wait_s=settings.reconciling_wait_s,
            on_exit=ExitPolicy.LEAVE if settings.read_only else settings.on_exit,
            state_dir=_state_folder(settings, adapter),
        )


def _check_provider(name: object) -> None:
    if not isinstance(name, str) or not name:
        refuse_setting("provider", name, "the name of a provider, such as 'mock'")


def _profile(provider: Provider, name: str | None) -> Profile | None:
    path = config_path()
    profiles = load_profiles(path)
    profile = profiles.get(name or provider.name)
    if profile is None and name is not None:
        known = ", ".join(sorted(profiles)) or "none"
        message = f"{path} has no profile {name!r}; it has: {known}"
        raise ConfigurationError(message, provider=provider.name)
    if profile is not None and profile.provider != provider.name:
        message = f"profile {profile.name!r} is for {profile.provider}, not for {provider.name}"
        raise ConfigurationError(message, provider=provider.name)
    return profile


def _context(
    protocol: Protocol,
    provider: Provider,
    settings: ConnectSettings,
    credentials: Mapping[str, object],
    profile: Profile | None,
) -> AdapterContext:
    overrides = {
        **(profile.endpoints if profile else {}),
        **endpoints_of_environment(provider),
        **settings.endpoints,
    }
    hosts = (*(profile.allow_hosts if profile else ()), *settings.allow_hosts)
    context = AdapterContext(
        provider=provider.name,
        environment=provider.environment,
        endpoints=resolve_endpoints(protocol, provider, overrides, hosts),
        credentials=resolve_credentials(provider, credentials, profile),
        account_id=settings.account_id or (profile.account_id if profile else None),
        clock=settings.clock or SystemClock(),
        ids=settings.ids or RandomIds(),
        options=resolve_options(provider, credentials, profile),
        keep_raw=settings.keep_raw,
    )
    if settings.random is not None:
        context = attrs.evolve(context, random=settings.random)
    transport = settings.transport
    if transport is None:
        return context
    make = (lambda: transport) if isinstance(transport, Transport) else transport
    return attrs.evolve(context, make_transport=make)


async def _choose_account(adapter: Adapter) -> str:
    """Take the account asked for, or the only one."""
    wanted = adapter.context.account_id
    if wanted is not None:
        await _check_account(adapter, wanted)
        return wanted
    ids = [account.account_id for account in await adapter.fetch_accounts()]
    if len(ids) == 1:
        return ids[0]
    choices = ", ".join(ids) or "no account"
    message = f"choose one with account_id=; {adapter.context.provider} has: {choices}"
    raise ConfigurationError(message, provider=adapter.context.provider)


async def _check_account(adapter: Adapter, account_id: str) -> None:
    ids = [account.account_id for account in await adapter.fetch_accounts()]
    if account_id not in ids:
        message = (
            f"{adapter.context.provider} has no account {account_id!r}; it has: {', '.join(ids)}"
        )
        raise ConfigurationError(message, provider=adapter.context.provider)


def _state_folder(settings: ConnectSettings, adapter: Adapter) -> Path | None:
    """Return where to keep what outlives the process; None keeps nothing."""
    if settings.state_dir is not None:
        return None if settings.state_dir == IN_MEMORY else settings.state_dir
    is_simulated = adapter.context.environment is Environment.SIMULATED
    return None if is_simulated else state_path()


def _journal(settings: ConnectSettings, adapter: Adapter, account_id: str) -> Journal:
    if settings.read_only:
        return MemoryJournal()
    context = adapter.context
    return open_journal(
        context.provider,
        account_id,
        _state_folder(settings, adapter),
        settings.durability,
        now_ns=context.clock.now_ns(),
    )


def _halt(settings: ConnectSettings, adapter: Adapter, account_id: str) -> HaltSwitch:
    folder = _state_folder(settings, adapter)
    if folder is None:
        return HaltSwitch()
    provider = adapter.context.provider
    return HaltSwitch(halt_marker(folder, provider, account_id), halt_marker(folder, provider))
