"""Providers connected, dialects mounted, ports opened: what is served, from its settings."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any, Final

import attrs

from dragoman.adapter import Environment
from dragoman.broker import Broker
from dragoman.cli.connection_options import ShortIds, kept_settings, options_of
from dragoman.cli.shell import Shell
from dragoman.config import state_path
from dragoman.connection import connect
from dragoman.dialects import Dialect
from dragoman.dialects.listening import Listener
from dragoman.errors import ConfigurationError
from dragoman.transport.urls import is_loopback

from .application import drain, make_app
from .config import (
    DEFAULT_HOST,
    DEFAULT_PORT,
    GatewaySettings,
    ListenerSettings,
    ProviderSettings,
)
from .limits import USUAL_LIMITS
from .mounts import Mount
from .tls import server_context

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AsyncExitStack
    from pathlib import Path

    from aiohttp import web

    from dragoman.registry import Registry

    from .config import (
        DialectSettings,
    )

__all__ = ["Port", "Served", "Serving"]

_DEFAULT_PROVIDER: Final = "mock"
_PORTS: Final = range(65536)
_ANY: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - told apart, not chosen


@attrs.frozen(kw_only=True)
class Served:
    """One dialect below a prefix, and the brokers it is served over, the default one first.

    `url` and `hints`, which tell a person how to point a client there, are known once it listens.
    """

    prefix: str
    dialect: Dialect
    brokers: tuple[Broker, ...]
    url: str = ""
    hints: tuple[str, ...] = ()

    def at(self, url: str) -> Served:
        """Return it as it is served by the port of that URL."""
        own = url if self.prefix == "/" else f"{url}{self.prefix}"
        return attrs.evolve(self, url=own, hints=self.dialect.hints(own))


@attrs.frozen(kw_only=True)
class Port:
    """One port that is listened on."""

    url: str
    served: tuple[Served, ...]
    brokers: tuple[Broker, ...]
    has_page: bool


@attrs.frozen(kw_only=True)
class Serving:
    """What is served to whom; built from settings that have been merged."""

    settings: GatewaySettings
    shell: Shell
    yes: bool

    @property
    def providers(self) -> tuple[ProviderSettings, ...]:
        """The providers, the default one first."""
        named = self.settings.providers or (ProviderSettings(),)
        return tuple(
            attrs.evolve(
                one,
                provider=one.provider or _DEFAULT_PROVIDER,
                label=one.label or one.provider or _DEFAULT_PROVIDER,
            )
            for one in named
        )

    @property
    def listeners(self) -> tuple[ListenerSettings, ...]:
        """The ports; one if none is named."""
        return self.settings.listeners or (ListenerSettings(),)

    def check(self) -> None:
        """Refuse what must not be served, before anything is connected.

        Raises:
            ConfigurationError: Real money, or a port that others can reach, without keys
                (NOT_SENT).
            RequestError: Real money, and nobody who could confirm it (NOT_SENT).
        """
        registry, is_open = self.shell.find_registry(), self.settings.keys is None
        for one in self.listeners:
            host, port = one.host or DEFAULT_HOST, one.port or 0
            if port not in _PORTS:
                raise ConfigurationError(f"a port is a number from 0 to 65535, found {port}")
            if is_open and not is_loopback(host):
                raise ConfigurationError(
                    f"other machines can reach {host}, which is served with keys only: "
                    "`dragoman keys new` makes one, --access names the file"
                )
        for provider in self.providers:
            environment = registry.find(provider.provider or "")[1].environment
            if environment is Environment.LIVE and is_open:
                raise ConfigurationError(
                    f"{provider.provider} trades with real money, which is served with keys only: "
                    "set DRAGOMAN_SERVE_KEYS, or name a file with --access"
                )
            self.shell.check_can_confirm(environment, yes=self.yes)

    async def open(self, stack: AsyncExitStack) -> tuple[Port, ...]:
        """Connect every provider, then listen on every port; `stack` closes it all."""
        registry = self.shell.find_registry()
        spoken = [self._dialects(listener, registry) for listener in self.listeners]
        brokers = {one.label: await self._connect(one, registry, stack) for one in self.providers}
        self._confirm(tuple(brokers.values()), spoken)
        ports: list[Port] = []
        apps: list[web.Application] = []
        for listener, dialects in zip(self.listeners, spoken, strict=True):
            served = _mounted(dialects, brokers)
            every = _every(brokers.values())
            ports.append(await self._listen(listener, served, every, apps, stack))
        stack.push_async_callback(_drain, apps)  # all of them, before any port is closed
        return tuple(ports)

    def _dialects(
        self, listener: ListenerSettings, registry: Registry
    ) -> tuple[tuple[DialectSettings, Dialect], ...]:
        """Make every dialect of a port and configure it; nothing is connected yet."""
        found: list[tuple[DialectSettings, Dialect]] = []
        for one in listener.dialects:
            dialect = registry.find_dialect(one.name).make_dialect()
            settings = {**self.settings.dialect_settings.get(one.name, {}), **one.settings}
            if settings:
                dialect.configure(settings)
            found.append((one, dialect))
        return tuple(found)

    async def _connect(
        self, settings: ProviderSettings, registry: Registry, stack: AsyncExitStack
    ) -> tuple[Broker, ...]:
        """Connect an account, and every other one that a key names."""
        provider = registry.find(settings.provider or "")[1]
        folder = self._state_dir
        texts = {name: each for name, each in settings.options.items() if isinstance(each, str)}
        given = {**settings.options, **options_of(provider, texts)}
        kept = kept_settings(provider, given, folder, profile=settings.profile)
        secrets = {name: each.reveal() for name, each in settings.credentials.items()}
        own: dict[str, Any] = {**secrets, **kept}
        accounts = self._accounts(settings)
        connection = connect(
            provider.name,
            account_id=settings.account_id or next(iter(accounts), None),
            profile=settings.profile,
            endpoints=settings.endpoints,
            allow_hosts=settings.allow_hosts,
            limits=settings.limits,
            ids=ShortIds(),
            state_dir=folder,
            registry=registry,
            **own,
        )
        broker = await stack.enter_async_context(connection)
        brokers = [broker]
        for account_id in accounts:
            if account_id != broker.account_id:
                brokers.append(await broker.for_account(account_id))
                stack.push_async_callback(brokers[-1].aclose)
        return tuple(brokers)

    def _accounts(self, settings: ProviderSettings) -> tuple[str, ...]:
        """Return the accounts of a provider that keys name."""
        is_only = len(self.providers) == 1
        return tuple(
            dict.fromkeys(
                key.account_id
                for key in self.settings.keys or ()
                if key.account_id is not None
                and (key.provider == settings.provider or (key.provider is None and is_only))
            )
        )

    @property
    def _state_dir(self) -> Path:
        return state_path(self.settings.state_dir)

    def _confirm(
        self,
        brokers: tuple[tuple[Broker, ...], ...],
        spoken: list[tuple[tuple[DialectSettings, Dialect], ...]],
    ) -> None:
        names = dict.fromkeys(one.name for dialects in spoken for one, _ in dialects)
        what = f"serve it as {' and '.join(names) or 'native'}"
        for first, *_ in brokers:
            self.shell.confirm(first, what, yes=self.yes)

    async def _listen(
        self,
        listener: ListenerSettings,
        served: tuple[Served, ...],
        brokers: tuple[Broker, ...],
        apps: list[web.Application],
        stack: AsyncExitStack,
    ) -> Port:
        settings = self.settings
        has_page = listener.page is not False
        app = make_app(
            brokers,
            [Mount(dialect=one.dialect, prefix=one.prefix, brokers=one.brokers) for one in served],
            keys=settings.keys,
            limits=settings.limits or USUAL_LIMITS,
            allow_hosts=(*settings.allow_hosts, *_names(listener.host or DEFAULT_HOST)),
            allow_origins=settings.allow_origins,
            metrics=settings.metrics,
            page=has_page,
        )
        apps.append(app)
        url = await self._open_port(listener, app, stack)
        told = tuple(one.at(url) for one in served)
        return Port(url=url, served=told, brokers=brokers, has_page=has_page)

    async def _open_port(
        self, listener: ListenerSettings, app: web.Application, stack: AsyncExitStack
    ) -> str:
        host = listener.host or DEFAULT_HOST
        port = DEFAULT_PORT if listener.port is None else listener.port
        context = None
        if listener.tls_certificate is not None and listener.tls_key is not None:
            context = server_context(listener.tls_certificate, listener.tls_key)
        elif not is_loopback(host):
            self.shell.note(
                f"dragoman: {host} is served without TLS: keys travel in the clear unless "
                "something before it encrypts"
            )
        limits = self.settings.limits or USUAL_LIMITS
        opened = Listener(app, (host, port), limits, ssl=context)
        stack.push_async_callback(opened.close)
        stack.callback(opened.stop)
        await opened.open()
        return opened.url


def _mounted(
    dialects: tuple[tuple[DialectSettings, Dialect], ...], brokers: dict[str, tuple[Broker, ...]]
) -> tuple[Served, ...]:
    """Give each dialect of a port its place and its brokers."""
    return tuple(
        Served(
            dialect=dialect,
            prefix=one.prefix or ("/" if len(dialects) == 1 else f"/{one.name}"),
            brokers=_every(brokers[label] for label in one.providers or brokers),
        )
        for one, dialect in dialects
    )


def _names(host: str) -> tuple[str, ...]:
    """Return the names that clients on other machines use for this one."""
    if is_loopback(host):
        return ()
    return (socket.gethostname(),) if host in _ANY else (host, socket.gethostname())


async def _drain(apps: list[web.Application]) -> None:
    await asyncio.gather(*[drain(app) for app in apps])


def _every(brokers: Iterable[tuple[Broker, ...]]) -> tuple[Broker, ...]:
    return tuple(one for found in brokers for one in found)
