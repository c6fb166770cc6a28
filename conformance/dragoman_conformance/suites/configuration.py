"""Setting up: endpoints, credentials, environments, options, and the end of a connection."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch
from urllib.parse import urlsplit

from dragoman.capabilities import ReadFeature
from dragoman.config import resolve_endpoints
from dragoman.errors import (
    AuthenticationError,
    ClosedError,
    ConfigurationError,
    ConnectFailedError,
    DragomanError,
    LifecycleError,
    MissingCredentialsError,
    VenueUnavailableError,
)
from dragoman.models import Channel
from dragoman.transport.urls import is_loopback

from ..chaos import ChaosProxy, HttpFault, HttpToxic, Reply
from ..guard import NetworkForbidden
from ..looks.orders import token
from ..looks.probes import read_probes, stream_probes
from ..looks.source import adapter_package, calls_on_import
from ..looks.surroundings import open_things, tasks_but_own
from ..scenario import Need, scenario
from ..stage.stage import endpoints_at

if TYPE_CHECKING:
    from collections.abc import Generator

    from dragoman.broker import Broker
    from dragoman.registry import CredentialField, Provider

    from ..play import Play
    from ..subject import Subject

_WIRE: Final = (Need.VENUE, Need.WIRE)
_PLAIN: Final = frozenset({"http", "ws"})


@contextlib.contextmanager
def _no_environment(play: Play) -> Generator[None]:
    """Hide the variables and profiles of whoever runs the kit."""
    hidden = {name for field in play.subject.declared.credentials for name in field.variables}
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    kept["DRAGOMAN_CONFIG"] = str(Path(os.devnull).parent / "no-such-configuration")
    with patch.dict(os.environ, kept, clear=True):
        yield


@scenario("CFG-010", "CFG-030", needs=_WIRE, is_smoke=True)
async def every_endpoint_is_obeyed(play: Play) -> None:
    """Each role of the provider is led to a place of its own, and everything is used once."""
    await play.open()
    async with contextlib.AsyncExitStack() as stack:
        places: dict[str, ChaosProxy] = {}
        endpoints: dict[str, str] = {}
        for role, url in play.subject.declared.endpoints.items():
            proxy = ChaosProxy(play.wire.port, clock=play.clock)
            places[role] = await stack.enter_async_context(proxy)
            endpoints |= endpoints_at({role: url}, proxy.port)
        direct = play.wire.connects
        try:
            await play.connect(endpoints=endpoints)
            await _use_everything(play)
        except NetworkForbidden as error:
            play.insist("CFG-030", held=False, why=f"an address of its own was used: {error}")
        for role, proxy in places.items():
            is_used = proxy.connects > 0
            play.check("CFG-010", is_used, f"nothing ever came to the endpoint of role {role!r}")
        through = sum(proxy.connects for proxy in places.values())
        found = play.wire.connects - direct
        play.check("CFG-030", found <= through, "the venue was reached past the endpoints given")
        await play.disconnect()


async def _use_everything(play: Play) -> None:
    """Read and stream whatever is declared, and place an order."""
    await play.take()
    for probe in [*read_probes(play, play.symbol), *stream_probes(play, play.symbol)]:
        if probe.is_declared:
            with contextlib.suppress(DragomanError):
                await probe.call()


@scenario("CFG-020", fits=lambda subject: bool(subject.declared.credentials))
async def a_missing_credential_is_told_before_anything_is_sent(play: Play) -> None:
    """Each credential is left out, or is blank, in turn."""
    await play.open()
    with _no_environment(play):
        for field in play.subject.declared.credentials:
            if field.is_required:
                with play.silent("CFG-020", f"without {field.name}"):
                    await _without(play, field)
            else:
                await _can_do_without(play, field)
            for blank in ("", "   "):
                with play.silent("CFG-020", f"with a blank {field.name}"):
                    connecting = play.stage.connect(**{field.name: blank})
                    what = f"a blank {field.name}"
                    error = await play.fails("CFG-020", connecting, ConfigurationError, what)
                    is_named = error is None or field.name in error.message
                    play.check("CFG-020", is_named, f"the error does not name {field.name}")


async def _without(play: Play, field: CredentialField) -> None:
    connecting = play.stage.connect(**{field.name: None})
    what = f"no {field.name}"
    error = await play.fails("CFG-020", connecting, MissingCredentialsError, what)
    names = (field.name, *field.variables)
    missing = [name for name in names if error is not None and name not in error.message]
    play.check("CFG-020", not missing, f"the error about {field.name} does not name {missing}")
    play.check("CFG-020", field.variables, f"no environment variable may hold {field.name}")


async def _can_do_without(play: Play, field: CredentialField) -> None:
    """What is declared as not required is left out, and the account is read all the same."""
    try:
        broker = await play.connect(**{field.name: None})
        await broker.fetch_account()
    except Exception as error:  # noqa: BLE001 - whatever it is, it could not do without
        why = f"{field.name} is declared as not required, but: {type(error).__name__}: {error}"
        play.check("CFG-020", held=False, why=why)
    finally:
        await play.disconnect()
    play.check("CFG-020", field.variables, f"no environment variable may hold {field.name}")


def _others(subject: Subject) -> tuple[Provider, ...]:
    own = subject.declared
    return tuple([one for one in subject.protocol.providers if one.name != own.name])


@scenario("CFG-030", needs=_WIRE, fits=lambda subject: bool(_others(subject)))
async def environments_are_never_mixed(play: Play) -> None:
    """Hosts and keys of the protocol's other environments are given, and refused."""
    await play.open()
    own = play.subject.declared
    for other in _others(play.subject):
        for role, url in other.endpoints.items():
            host = urlsplit(url).hostname or ""
            if role in own.endpoints and host not in own.hosts and not is_loopback(host):
                what = f"{role} of {other.name}"
                await _is_refused(play, {role: url}, what, allow_hosts=(host,))
        is_other = other.environment is not own.environment
        for field in own.credentials:
            starts = [start for start, of in field.kinds.items() if of is other.environment]
            for start in starts if is_other else ():
                key = {field.name: f"{start}KITCANARY0123456789abcdef"}
                with play.silent("CFG-030", f"a key of {other.name}"):
                    connecting = play.stage.connect(**key)
                    await play.fails(
                        "CFG-030", connecting, ConfigurationError, f"key of {other.name}"
                    )
    hosts = [host for other in _others(play.subject) for host in other.hosts - own.hosts]
    for role, url in own.endpoints.items():
        host = urlsplit(url).hostname or ""
        play.check("CFG-030", host not in hosts, f"{role} is at {host}, of another environment")


async def _is_refused(play: Play, changed: dict[str, str], what: str, **options: object) -> None:
    endpoints = endpoints_at(play.subject.declared.endpoints, play.wire.port)
    with play.silent("CFG-030", what):
        connecting = play.stage.connect(endpoints={**endpoints, **changed}, **options)
        await play.fails("CFG-030", connecting, ConfigurationError, what)


@scenario("CFG-040", needs=_WIRE)
async def nothing_is_sent_before_it_is_opened(play: Play) -> None:
    """An adapter is made, asked what it declares, bound to an account and thrown away."""
    await play.open()
    before = play.wire.connects
    try:
        for _ in range(3):
            adapter = play.stage.make_adapter()
            other = adapter.for_account("another")
            adapter.wire_client_id(str(adapter.capabilities.protocol), 0)
            await other.aclose()
            await adapter.aclose()
            await adapter.aclose()
        await play.settle()
    except NetworkForbidden as error:
        play.insist("CFG-040", held=False, why=f"making an adapter reached out: {error}")
    play.equal("CFG-040", before, play.wire.connects, "connections made by making an adapter")
    for call in calls_on_import(adapter_package(play.subject)):
        play.check("CFG-040", held=False, why=f"importing it does {call}")


@scenario("CFG-050")
async def a_connection_can_be_made_again(play: Play) -> None:
    """Three are made and ended in turn, and each one works."""
    for number in range(3):
        broker = await play.connect()
        order = await play.take(client_order_id=f"again-{number}")
        play.check("CFG-050", order.is_terminal, f"connection {number + 1}: {order.status}")
        account = await broker.fetch_account()
        play.equal("CFG-050", broker.account_id, account.account_id, "the account")
        await play.disconnect()
    play.equal("CFG-050", 3, len(await play.venue.orders()), "orders at the venue")


@scenario("CFG-060", "HYG-020", is_smoke=True)
async def closing_leaves_nothing_behind(play: Play) -> None:
    """A broker with open streams and a resting order is closed, twice.

    What the venue's own side keeps is there already, from a connection before.
    """
    await play.connect()
    async with contextlib.AsyncExitStack() as stack:
        await _listen(play, play.broker, stack)
    await play.disconnect()
    await play.settle()
    before, opened = tasks_but_own(), open_things()
    broker = await play.stage.connect()
    streams = contextlib.AsyncExitStack()
    await _listen(play, broker, streams)
    await broker.submit(**play.terms(client_order_id="left-1"))
    started = play.clock.monotonic_ns()
    await broker.aclose()
    took_s = (play.clock.monotonic_ns() - started) / 1e9
    await broker.aclose()
    play.check("CFG-060", took_s < 10, f"closing took {took_s:.1f} s")
    await streams.aclose()
    await play.disconnect()
    await play.settle()
    left = [str(task.get_coro()) for task in tasks_but_own() - before]
    play.check("HYG-020", not left, f"tasks are left: {left[:3]}")
    if play.stage.has_wire:
        play.equal("CFG-060", 0, play.wire.open_connections, "connections left open")
        new = [one for one in open_things() if one not in opened]
        play.check("CFG-060", not new, f"not closed: {new[:3]}")
    await play.fails("CFG-060", broker.fetch_account(), ClosedError, "a read after the end")
    closing = play.stage.make_adapter()
    await closing.open()
    await asyncio.gather(closing.aclose(), closing.aclose())
    await closing.aclose()
    with play.silent("CFG-060", "an adapter that is closed"):
        await play.fails("CFG-060", closing.fetch_accounts(), DragomanError, "a closed adapter")
    await play.settle()
    if play.stage.has_wire:
        play.equal("CFG-060", 0, play.wire.open_connections, "connections of a closed adapter")


async def _listen(play: Play, broker: Broker, stack: contextlib.AsyncExitStack) -> None:
    await stack.enter_async_context(broker.stream(orders=True))
    if Channel.QUOTES in play.capabilities.streams:
        await stack.enter_async_context(broker.stream(quotes=[play.symbol]))


@scenario("CFG-060", needs=_WIRE)
async def a_connection_that_fails_leaves_nothing_behind(play: Play) -> None:
    """Nobody listens at the endpoints, and then the account asked for does not exist."""
    await play.open()
    await play.settle()
    before = tasks_but_own()
    play.wire.refuse()
    await play.fails("CFG-060", play.stage.connect(), DragomanError, "nobody listens")
    await play.wire.accept()
    missing = play.stage.connect(account_id="no-such-account")
    await play.fails("CFG-060", missing, ConfigurationError, "no such account")
    await play.settle()
    left = [str(task.get_coro()) for task in tasks_but_own() - before]
    play.check("CFG-060", not left, f"tasks are left: {left[:3]}")
    play.equal("CFG-060", 0, play.wire.open_connections, "connections left open")


@scenario("CFG-110", needs=_WIRE)
async def opening_tells_whether_the_venue_is_there(play: Play) -> None:
    """An adapter is opened while nobody listens, and while every request is refused."""
    await play.open()
    play.wire.refuse()
    adapter = play.stage.make_adapter()
    kinds = (ConnectFailedError, VenueUnavailableError)
    await play.fails("CFG-110", adapter.open(), kinds, "opening while nobody listens")
    await adapter.aclose()
    await play.wire.accept()
    reply = Reply.json(b'{"message": "not authorized"}', 401)
    for method in ("GET", "POST"):
        play.wire.add(
            HttpToxic(
                fault=HttpFault.REPLY, method=method, reply=reply, times=None, is_delivered=False
            )
        )
    adapter = play.stage.make_adapter()
    what = "opening while the venue takes no credentials"
    await play.fails("CFG-110", adapter.open(), AuthenticationError, what)
    await adapter.aclose()
    play.wire.clear()
    adapter = play.stage.make_adapter()
    await adapter.open()
    accounts = await adapter.fetch_accounts()
    play.check("CFG-110", accounts, "an adapter that is open reaches no account")
    await adapter.aclose()


@scenario("CFG-070")
async def a_read_only_connection_reads_and_sends_nothing(play: Play) -> None:
    """What is declared to be readable is read; every command is refused before a byte."""
    await play.connect()
    order = await play.rest()
    await play.take()
    await play.disconnect()
    broker = await play.connect(read_only=True)
    for probe in read_probes(play, play.symbol):
        if probe.is_declared and probe.what != f"reading {ReadFeature.DEPTH}":
            try:
                await probe.call()
            except Exception as error:  # noqa: BLE001 - whatever comes out is the finding
                play.check("CFG-070", held=False, why=f"{probe.what}: {error!r}")
    found = [one.client_order_id for one in await broker.fetch_open_orders()]
    names = ([order.client_order_id], [token(play, order.client_order_id)])
    play.check("CFG-070", found in names, f"open orders {found}, not {names[0]}")
    with play.silent("CFG-070", "a command on a read-only connection"):
        for call in (
            broker.submit(**play.terms()),
            broker.cancel(order),
            broker.cancel_all(),
            broker.close_all(),
        ):
            await play.fails("CFG-070", call, LifecycleError, "a command")
    play.equal("CFG-070", 2, len(await play.venue.orders()), "orders at the venue")


@scenario("CFG-080")
async def settings_that_do_not_exist_are_refused(play: Play) -> None:
    """An unknown setting, and a declared one with a value of a wrong type, are given."""
    await play.open()
    wrong: dict[str, Any] = {"no_such_setting": 1}
    for option in play.subject.declared.options:
        if object not in option.types:
            wrong[option.name] = _Odd()
    for name, value in wrong.items():
        with play.silent("CFG-080", name):
            connecting = play.stage.connect(**{name: value})
            error = await play.fails("CFG-080", connecting, ConfigurationError, name)
            play.check("CFG-080", error is None or name in error.message, f"{name} is not named")
    endpoints = {**play.subject.declared.endpoints, "no_such_role": "http://127.0.0.1:9"}
    connecting = play.stage.connect(endpoints=endpoints)
    await play.fails("CFG-080", connecting, ConfigurationError, "an unknown role")


class _Odd:
    """A value that no setting takes."""


@scenario("CFG-090", needs=_WIRE)
async def nothing_goes_in_the_clear_off_this_machine(play: Play) -> None:
    """The provider's own endpoints are secure, and the same without TLS are refused."""
    await play.open()
    own = play.subject.declared
    for role, url in own.endpoints.items():
        parts = urlsplit(url)
        host = parts.hostname or ""
        is_local = is_loopback(host)
        play.check("CFG-090", is_local or parts.scheme not in _PLAIN, f"{role} is {url}")
        play.check("CFG-090", is_local or host in own.hosts, f"{host} is not among its own hosts")
    plain = {"https": "http", "wss": "ws"}
    for role, url in own.endpoints.items():
        scheme = urlsplit(url).scheme
        host = next(iter(sorted(own.hosts)), "venue.example")
        clear = f"{plain.get(scheme, scheme)}://{host}"
        endpoints = {**endpoints_at(own.endpoints, play.wire.port), role: clear}
        with play.silent("CFG-090", f"{role} without TLS"):
            connecting = play.stage.connect(endpoints=endpoints, allow_hosts=(host,))
            await play.fails("CFG-090", connecting, ConfigurationError, f"{role} at {clear}")


@scenario("CFG-100", needs=_WIRE)
async def whoever_moves_one_endpoint_moves_those_that_go_with_it(play: Play) -> None:
    """The first endpoint is led here; none that shares its keys stays behind."""
    await play.open()
    protocol, own = play.subject.protocol, play.subject.declared
    first = next(iter(own.endpoints))
    moved = {first: endpoints_at({first: own.endpoints[first]}, play.wire.port)[first]}
    found = resolve_endpoints(protocol, own, moved)
    for role, url in found.items():
        is_moved = urlsplit(url).port == play.wire.port
        stays = f"{role} stays at {urlsplit(url).netloc} when {first} is led elsewhere"
        play.check("CFG-100", is_moved or not own.credentials, stays)
