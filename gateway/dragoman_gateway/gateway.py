"""One gateway: its mounts, what they share, and how all of it begins and ends."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from aiohttp import web

from dragoman.dialects.discretion import facts_of
from dragoman.dialects.farewell import say_farewell
from dragoman.dialects.guard import Guard
from dragoman.ids import RandomIds
from dragoman.tasks import TaskScope

from .entrance import Entrance
from .host import GatewayHost
from .house import House, Identities
from .idempotency import Idempotency
from .lookout import Lookout
from .measures import make_measures
from .mounts import NATIVE, Mount
from .plain import PlainDialect
from .probes import Probes
from .watch import Watch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp.typedefs import Handler

    from dragoman.broker import Broker
    from dragoman.dialects import AccessKey, Dialect, HashedKey, HostLimits
    from dragoman.dialects.door import Door
    from dragoman.ids import IdSource

__all__ = ["Gateway"]

_log: Final = logging.getLogger(__name__)


class Gateway:
    """What stands behind the application of `make_app`, which documents the arguments."""

    def __init__(
        self,
        *,
        brokers: tuple[Broker, ...],
        keys: Sequence[AccessKey | HashedKey] | None,
        limits: HostLimits,
        door: Door,
        ids: IdSource | None,
        metrics: bool | None,
    ) -> None:
        clock = brokers[0].clock
        self._limits = limits
        self._scope = TaskScope(_report)
        self._lookout = Lookout(brokers)
        self._measures = make_measures(is_wanted=metrics)
        self._idempotency = Idempotency(
            brokers, ids or RandomIds(), clock, on_replay=self._measures.note_replay
        )
        self._house = House(
            entrance=Entrance(keys, clock),
            ids=self._idempotency.ids,
            limits=limits,
            identities=Identities(),
            count=self._measures.count,
            is_draining=lambda: self._guard.is_draining,
        )
        self._guard = Guard(
            self._voice,
            limits,
            door=door,
            around=self._around,
            lost=self._idempotency.lost,
            watcher=Watch(self._measures),
        )
        self._probes = Probes(self._lookout, self._guard, self._measures)
        self._hosts: dict[web.Application, GatewayHost] = {}
        self._plain: Dialect = PlainDialect()
        self._draining: asyncio.Task[None] | None = None

    def make_app(
        self, brokers: tuple[Broker, ...], mounts: tuple[Mount, ...], *, native: bool, page: bool
    ) -> web.Application:
        """Return the application; called once."""
        app = self._guard.make_app()
        app.on_startup.append(self._open)
        if native:
            from .native import NativeDialect  # noqa: PLC0415 - only where it is spoken

            mounts = (*mounts, Mount(dialect=NativeDialect(), prefix=NATIVE))
        for mount in mounts:
            self._mount(app, mount, mount.brokers or brokers)
        if page:
            from .page import add_page  # noqa: PLC0415 - only where it is shown

            add_page(app)
        self._probes.add(app)
        app.on_shutdown.append(self._shut)
        app.on_cleanup.append(self._close)
        self._measures.watch(self._guard, self._hosts.values(), self._lookout)
        return app

    async def drain(self) -> None:
        """See `drain` of the package."""
        if self._draining is None:
            self._draining = self._scope.spawn(self._drain(), "drain")
        await asyncio.shield(self._draining)

    def _mount(self, app: web.Application, mount: Mount, brokers: tuple[Broker, ...]) -> None:
        host = GatewayHost(mount, brokers, self._house)
        if mount.prefix == "/":
            self._hosts[app] = host
            mount.dialect.mount(app, host)
            return
        below = web.Application()
        self._hosts[below] = host
        mount.dialect.mount(below, host)
        if mount.prefix == NATIVE:
            self._probes.add(below)
        app.add_subapp(mount.prefix, below)

    def _voice(self, request: web.Request) -> Dialect:
        host = self._host_of(request)
        return self._plain if host is None else host.dialect

    def _host_of(self, request: web.Request) -> GatewayHost | None:
        for app in reversed(request.match_info.apps):
            if app in self._hosts:
                return self._hosts[app]
        return None

    async def _around(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        host = self._host_of(request)
        if host is None:
            return await handler(request)
        return await self._idempotency(request, host, handler)

    async def _open(self, _: web.Application) -> None:
        await self._idempotency.open()
        self._lookout.start(self._scope, self._measures.note_event)

    async def _drain(self) -> None:
        await self._guard.drain()
        hosts = tuple(self._hosts.values())
        await asyncio.gather(*[say_farewell(host.dialect, self._limits) for host in hosts])
        await asyncio.gather(*[host.sockets.close() for host in hosts])

    async def _shut(self, _: web.Application) -> None:
        await self.drain()
        await self._guard.close()

    async def _close(self, _: web.Application) -> None:
        try:
            await asyncio.gather(*[host.scope.close() for host in self._hosts.values()])
            await self._scope.close()
        finally:
            try:
                await self._idempotency.close()
            finally:
                self._house.identities.close()


def _report(name: str, error: BaseException) -> None:
    _log.error("a task of the gateway failed", extra={"task": name, **facts_of(error)})
