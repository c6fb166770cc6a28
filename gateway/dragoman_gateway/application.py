"""The application that speaks every dialect of a gateway, alone on a port or inside another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import web

from dragoman.broker import Broker
from dragoman.dialects.door import Door
from dragoman.dialects.listening import KEYED
from dragoman.errors import ConfigurationError
from dragoman.transport.urls import is_loopback

from .gateway import Gateway
from .limits import USUAL_LIMITS
from .mounts import NATIVE, mounts_of
from .reach import check_brokers, check_keys

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from dragoman.dialects import AccessKey, Dialect, HashedKey, HostLimits
    from dragoman.ids import IdSource

    from .mounts import Mount

__all__ = ["drain", "make_app"]

_GATEWAY: Final = web.AppKey("dragoman.gateway", Gateway)


def make_app(
    brokers: Broker | Sequence[Broker],
    dialects: Sequence[Mount | Dialect | str] = (),
    *,
    keys: Sequence[AccessKey | HashedKey] | None = None,
    limits: HostLimits | None = None,
    allow_hosts: Collection[str] = (),
    allow_origins: Collection[str] = (),
    ids: IdSource | None = None,
    metrics: bool | None = None,
    native: bool = True,
    page: bool = True,
) -> web.Application:
    """Return an application that serves brokers in foreign languages, and in our own.

    Run it by itself or add it to another one: `outer.add_subapp("/desk", make_app(...))`. What it
    needs is opened when the application starts and closed when it is cleaned up; the brokers stay
    the caller's, open before and closed after. `drain` ends it in good order.

    Args:
        brokers: A broker, or one for each provider and account, the default one first.
        dialects: What is spoken where. A name or an instance by itself is served at the root if it
            is the only one, else below its name.
        keys: What clients must show. None lets in everybody who is on this machine, with every
            scope; a connection from elsewhere is refused then, whoever listens.
        limits: Limits on what clients may ask; None are those of `HostLimits`, but idle connections
            end after a minute, one address has at most 1,000, and bodies 2 MiB.
        allow_hosts: Names that clients may use for this server besides those of loopback.
        allow_origins: Origins whose pages may ask besides the server's own, such as
            "https://desk.example".
        ids: Where fresh ids come from; None makes random ones.
        metrics: Whether `/metrics` tells numbers to Prometheus; None where its client is installed.
        native: Whether our own protocol is spoken below `/native`.
        page: Whether there is a page to look at. It needs the native protocol.

    Raises:
        ConfigurationError: Two mounts have one place, two brokers one account, a key is for what is
            not served, or names of other machines are allowed without keys (NOT_SENT).
        MissingDependencyError: Metrics are asked for without the client of Prometheus (NOT_SENT).
    """
    served = (brokers,) if isinstance(brokers, Broker) else tuple(brokers)
    mounts = mounts_of(dialects)
    every = _every_broker(served, mounts)
    check_brokers(served)
    if keys is not None:
        check_keys(keys, every)
    _check_names(allow_hosts, allow_origins, is_keyed=keys is not None)
    gateway = Gateway(
        brokers=every,
        keys=keys,
        limits=limits or USUAL_LIMITS,
        door=Door(hosts=allow_hosts, origins=allow_origins, is_keyed=keys is not None),
        ids=ids,
        metrics=metrics,
    )
    app = gateway.make_app(served, mounts, native=native, page=page and native)
    app[KEYED] = keys is not None
    app[_GATEWAY] = gateway
    return app


async def drain(app: web.Application) -> None:
    """Take no new commands, wait for those begun, and take leave of every socket. Idempotent.

    `/readyz` says 503 first, commands and new sockets are refused with a 503 that may be repeated
    elsewhere, reads are still answered. Commands being answered are waited for, for `drain_s` at
    most; then each dialect says its farewell, and its sockets are closed. Whoever stops a gateway
    calls it while the port is still open; an application that is cleaned up without does it then.
    """
    await app[_GATEWAY].drain()


def _every_broker(served: tuple[Broker, ...], mounts: tuple[Mount, ...]) -> tuple[Broker, ...]:
    found = {(one.provider, one.account_id): one for one in served}
    for mount in mounts:
        if mount.prefix == NATIVE:
            raise ConfigurationError(f"{NATIVE!r} is where the native protocol is served")
        for broker in mount.brokers or ():
            known = found.setdefault((broker.provider, broker.account_id), broker)
            if known is not broker:
                raise ConfigurationError("two brokers of a gateway are for the same account")
    return tuple(found.values())


def _check_names(hosts: Collection[str], origins: Collection[str], *, is_keyed: bool) -> None:
    for name in hosts:
        if not name or "/" in name or not name.isprintable():
            raise ConfigurationError(f"a host is a name without a port, found {name!r}")
        if not is_keyed and not is_loopback(name):
            raise ConfigurationError(
                f"clients that come by the name {name!r} may be on other machines: configure keys"
            )
    for origin in origins:
        scheme, sign, name = origin.partition("://")
        if scheme not in {"http", "https"} or not sign or not name or "/" in name:
            raise ConfigurationError(
                f'an origin is such as "https://desk.example", found {origin!r}'
            )
