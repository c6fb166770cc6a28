"""Credentials: they never show, and never go anywhere but to the venue."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import pickle
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dragoman.errors import DragomanError
from dragoman.models import Channel
from dragoman.models.serde import to_json

from ..chaos import HttpFault, HttpToxic, Reply
from ..chaos.thief import Thief
from ..looks.secrecy import errors_showing, forms_of, frames_showing, reached, secrets_of, showing
from ..looks.source import adapter_package, clear_text, imports
from ..scenario import Need, scenario

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from ..play import Play
    from ..subject import Subject

_WIRE: Final = (Need.VENUE, Need.WIRE)
_METHODS: Final = ("GET", "POST", "DELETE", "PUT", "PATCH")
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_FOREIGN_CLIENTS: Final = frozenset(
    {"requests", "httpx", "urllib3", "http", "websocket", "websockets"}
)


def _has_secrets(subject: Subject) -> bool:
    return bool(secrets_of(subject))


def _packages(play: Play) -> tuple[str, ...]:
    return ("dragoman", adapter_package(play.subject).partition(".")[0])


@scenario("SEC-010", "SEC-040", fits=_has_secrets)
async def no_object_shows_a_credential(play: Play) -> None:
    """Everything that leads from the broker and its adapter is printed, copied and pickled."""
    forms = forms_of(secrets_of(play.subject))
    broker = await play.connect()
    adapter = play.stage.make_adapter(broker.account_id)
    await adapter.open()
    await play.take()
    asked = {channel for channel in play.capabilities.streams if channel is Channel.QUOTES}
    async with contextlib.AsyncExitStack() as stack:
        for _ in asked:
            await stack.enter_async_context(broker.stream(quotes=[play.symbol]))
        found = list(reached(broker, adapter, adapter.context, packages=_packages(play)))
        play.check("SEC-010", len(found) > 10, f"only {len(found)} objects were reached")
        for place, one in found:
            by = showing(one, forms)
            play.check(
                "SEC-010", not by, f"{by} of {place} ({type(one).__name__}) shows a credential"
            )
        for place, one in found:
            why = _pickled(one, forms)
            play.check("SEC-040", not why, f"{place} ({type(one).__name__}): {why}")
    for event in play.heard:
        is_shown = any(form in to_json(event) for form in forms)
        play.check("SEC-040", not is_shown, f"{type(event).__name__} as JSON shows a credential")
    await adapter.aclose()


def _pickled(one: object, forms: tuple[str, ...]) -> str:
    """Return by which way out of the process an object shows a credential; empty if by none."""
    ways: tuple[tuple[str, Callable[[object], object]], ...] = (
        ("pickled", pickle.dumps),
        ("copied", copy.copy),
    )
    for what, take in ways:
        try:
            found = take(one)
        except Exception:  # noqa: BLE001, S112 - what can't be taken away shows nothing
            continue
        data = found if isinstance(found, bytes) else repr(found).encode("utf-8", "replace")
        if any(form.encode() in data for form in forms):
            return f"{what}, it shows a credential"
    return ""


@scenario("SEC-040", fits=_has_secrets)
async def what_is_kept_on_disk_shows_no_credential(play: Play) -> None:
    """Orders are placed with a journal, and every file of it is read."""
    forms = forms_of(secrets_of(play.subject))
    with tempfile.TemporaryDirectory() as folder:
        await play.connect(state_dir=folder)
        await play.take()
        await play.rest()
        await play.disconnect()
        kept = _contents(Path(folder))
        play.check("SEC-040", kept, "nothing was kept at all")
        for name, data in kept.items():
            is_shown = any(form.encode() in data for form in forms)
            play.check("SEC-040", not is_shown, f"{name} holds a credential")


def _contents(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.rglob("*") if one.is_file()}


@scenario("SEC-020", "SEC-030", "SEC-080", needs=_WIRE, fits=_has_secrets, is_smoke=True)
async def no_error_shows_a_credential(play: Play) -> None:
    """Calls fail in every way there is, while connecting, reading and ordering."""
    forms = forms_of(secrets_of(play.subject))
    broker = await play.connect(timeout_s=3)
    count = 0
    for what, toxic in _failures():
        for method in _METHODS:
            play.wire.add(toxic(method))
        for call in (
            broker.fetch_account,
            lambda: broker.submit(**play.terms()),
            play.stage.connect,
        ):
            error = await _error_of(call)
            if error is None:
                continue
            count += 1
            for place in errors_showing(error, forms):
                play.check("SEC-020", held=False, why=f"{what}: {place} shows a credential")
            for place in frames_showing(error, forms):
                play.check("SEC-080", held=False, why=f"{what}: local variable {place}")
        play.wire.clear()
        await play.pause(1)
    play.wire.refuse()
    error = await _error_of(play.stage.connect)
    for place in () if error is None else errors_showing(error, forms):
        play.check("SEC-020", held=False, why=f"nobody listens: {place} shows a credential")
    await play.wire.accept()
    play.check("SEC-020", count > 5, f"only {count} calls failed")
    play.check("SEC-080", held=True, why="")
    play.check("SEC-030", play.records.lines, "nothing was logged at all")
    shown = [line for line in play.records.text.splitlines() if any(form in line for form in forms)]
    play.check("SEC-030", not shown, f"{len(shown)} lines of the log show a credential")


def _failures() -> Iterator[tuple[str, Callable[[str], HttpToxic]]]:
    replies = {
        "401": Reply.json(b'{"message": "unauthorized", "code": 40110000}', 401),
        "403": Reply.json(b'{"message": "forbidden"}', 403),
        "404": Reply.json(b'{"message": "not found"}', 404),
        "422": Reply.json(b'{"message": "unprocessable"}', 422),
        "429": Reply.busy(429, "1"),
        "500": Reply.json(b'{"message": "internal"}', 500),
        "HTML": Reply.html(502),
        "no JSON": Reply.json(b"{"),
        "another shape": Reply.json(b'[{"a": [1, null]}]'),
        "nothing": Reply.json(b""),
    }
    for what, reply in replies.items():
        yield what, _toxic(HttpFault.REPLY, reply)
    yield "a reset", _toxic(HttpFault.RESET_UNREAD, None)
    yield "a lost answer", _toxic(HttpFault.RESET_AFTER_REQUEST, None)
    yield "half an answer", _toxic(HttpFault.TRUNCATE, None)


def _toxic(fault: HttpFault, reply: Reply | None) -> Callable[[str], HttpToxic]:
    def of(method: str) -> HttpToxic:
        return HttpToxic(
            fault=fault, method=method, reply=reply, times=None, is_delivered=reply is None
        )

    return of


async def _error_of(call: Callable[[], Awaitable[object]]) -> BaseException | None:
    try:
        async with asyncio.timeout(30):
            await call()
    except Exception as error:  # noqa: BLE001 - every error is what is looked for
        return error
    return None


@scenario("SEC-050", needs=_WIRE)
async def no_credential_follows_a_redirect(play: Play) -> None:
    """Every request, streams' too, is answered with a redirect to another origin."""
    async with Thief() as thief:
        broker = await play.connect(timeout_s=3)
        for status in _REDIRECTS:
            reply = Reply.redirect(status, f"{thief.url}/v1/stolen?x=1")
            traps = [
                play.wire.add(
                    HttpToxic(
                        fault=HttpFault.REPLY,
                        method=method,
                        reply=reply,
                        times=None,
                        is_delivered=False,
                    )
                )
                for method in _METHODS
            ]
            await _error_of(broker.fetch_account)
            await _error_of(lambda: broker.submit(**play.terms()))
            await _error_of(play.stage.connect)
            play.wire.reset_streams()
            await play.pause(2)
            hits = sum(trap.hits for trap in traps)
            play.check("SEC-050", hits > 0, "no request came to be redirected")
            play.equal(
                "SEC-050", 0, thief.connects, f"connections to another origin after {status}"
            )
            play.wire.clear()
            await play.pause(1)


@scenario("SEC-060", needs=())
async def certificates_are_checked(play: Play) -> None:
    """The source of the package turns no checking off, and uses no client besides the library's."""
    package = adapter_package(play.subject)
    for place in clear_text(package):
        play.check("SEC-060", held=False, why=f"certificates are not checked: {place}")
    for module, place in imports(package):
        if module in _FOREIGN_CLIENTS:
            play.check("SEC-060", held=False, why=f"a client of its own, {module}, at {place}")
    play.check("SEC-060", held=True, why="")


@scenario("SEC-070", needs=_WIRE, fits=_has_secrets)
async def no_url_holds_a_credential(play: Play) -> None:
    """Everything is used once, and every target that was asked for is read."""
    forms = forms_of(secrets_of(play.subject))
    broker = await play.connect()
    await play.take()
    with contextlib.suppress(DragomanError):
        await broker.fetch_quote(play.symbol)
    if Channel.QUOTES in play.capabilities.streams:
        async with broker.stream(quotes=[play.symbol]):
            await play.settle()
    for exchange in play.wire.exchanges:
        is_shown = any(form in exchange.target for form in forms)
        where = f"{exchange.method} {exchange.path} has a credential in its URL"
        play.check("SEC-070", not is_shown, where, exchange=exchange.number)
