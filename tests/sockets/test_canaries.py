"""S-01 to S-04 and S-06: a secret is in nothing that a whole session on sockets shows or writes."""

import asyncio
import importlib.util
import logging
import string
import sys
import warnings
from pathlib import Path
from random import Random

import pytest

from dragoman import DragomanError, Side
from dragoman_conformance.chaos import FrameFault, HttpFault, Reply
from dragoman_conformance.harbor.settings import FillStyle

_spec = importlib.util.spec_from_file_location("canary", Path(__file__).with_name("canary.py"))
canary = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(canary)

SECRET = "".join(Random(27).choices(string.ascii_letters + string.digits, k=40))
REPLIES = {
    "401": Reply.busy(401),
    "403": Reply.busy(403),
    "400": Reply.busy(400),
    "307": Reply.redirect(307, "http://127.0.0.1:1/"),
    "503": Reply.busy(503),
    "html": Reply.html(),
    "gzip": Reply.truncated_gzip(),
    "empty": Reply.json(b"{}"),
    "echo": Reply.json(f"<pre>harbor-key: {SECRET}</pre>".encode(), 502),
}
FAULTS = [
    HttpFault.RESET_UNREAD,
    HttpFault.RESET_MID_REQUEST,
    HttpFault.RESET_AFTER_REQUEST,
    HttpFault.RESET_MID_RESPONSE,
    HttpFault.TRUNCATE,
]


class Everything(logging.Handler):
    """Keeps every record of every logger, as a file and as a tool that shows fields would."""

    def __init__(self):
        super().__init__(level=1)
        self.texts = []

    def emit(self, record):
        self.texts.append(logging.Formatter("%(name)s %(message)s").format(record))
        self.texts.append(repr(vars(record)))


@pytest.fixture
def logged():
    handler, root = Everything(), logging.getLogger()
    loggers = [root, *map(logging.getLogger, ("asyncio", "aiohttp", "dragoman"))]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(1)
    root.addHandler(handler)

    yield handler.texts

    root.removeHandler(handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture
def key_in_environment(monkeypatch):
    """Give the key in a way that leaves it in no local variable of the caller."""
    monkeypatch.setenv("HARBOR_KEY", SECRET)


async def attempt(errors, call):
    try:
        return await call
    except DragomanError as error:
        errors.append(error)
        return error


async def live_through(rig, errors):
    """Success first, then each failure of requests, then each of streams."""
    broker = rig.broker
    await attempt(errors, rig.submit("c0"))
    await attempt(errors, broker.replace("c0", limit_price="99"))
    await attempt(errors, broker.cancel("c0"))
    await attempt(errors, broker.submit(client_order_id="bad", symbol="NOPE", side=Side.BUY))
    for number, fault in enumerate(FAULTS):
        rig.http(fault)
        await attempt(errors, rig.submit(f"f{number}", timeout_s=2.0))
    for name, reply in REPLIES.items():
        rig.http(HttpFault.REPLY, reply=reply, is_delivered=False)
        await attempt(errors, rig.submit(f"r{name}", timeout_s=2.0))
        rig.http(HttpFault.REPLY, method="GET", path="/positions", reply=reply)
        await attempt(errors, broker.fetch_positions())
    for fault in (FrameFault.CORRUPT, FrameFault.CUT, FrameFault.CLOSE, FrameFault.REPLACE):
        rig.frame(fault, payload=f"key {SECRET}".encode())
        rig.venue.place_external("AAPL", "buy", "1", "1")
        await rig.is_live()
    rig.stream_reply(REPLIES["echo"], times=1)
    rig.streams.reset_streams()
    await rig.is_live()
    await attempt(errors, rig.submit("last"))
    errors.append(rig.broker.halt("enough"))


async def test_s01_to_s04_a_secret_shows_nowhere(
    open_rig, key_in_environment, logged, capfd, tmp_path
):
    asyncio.get_running_loop().set_debug(True)
    rig = await open_rig(key=SECRET, fills=FillStyle.NONE)
    rig.key = None
    errors = []
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        await rig.connect(state_dir=tmp_path)
        await live_through(rig, errors)
        shown = [*capfd.readouterr()]

        found = {
            f"{type(thing).__name__}: {leak}"
            for thing in canary.reachable([rig.broker, rig.broker.state, rig.events, errors])
            for text in canary.renderings(thing)
            for leak in canary.leaks(SECRET, text)
        }
        assert set() == found
        assert len(errors) > 15
        await rig.broker.aclose()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]

    assert set() == {
        f"{type(error).__name__}: {leak}"
        for error in errors
        if isinstance(error, DragomanError)
        for text in canary.tellings(error)
        for leak in canary.leaks(SECRET, text)
    }
    assert [] == [text for text in logged if canary.leaks(SECRET, text)]
    assert [] == [str(one.message) for one in warned if canary.leaks(SECRET, str(one.message))]
    assert [[], []] == [canary.leaks(SECRET, text) for text in shown]
    assert any(path.suffix == ".sqlite3" for path in files)
    assert [] == [str(path) for path in files if canary.leaks(SECRET, path.read_bytes())]


async def test_s03_a_payload_that_does_not_decode_is_in_no_traceback(rig):
    reply = Reply.json(f'{{"echo": "{SECRET}"'.encode())
    rig.http(HttpFault.REPLY, method="GET", path="/positions", reply=reply, times=None)

    error = await attempt([], rig.broker.fetch_positions())

    assert [] == [leak for text in canary.tellings(error) for leak in canary.leaks(SECRET, text)]


async def test_s01_a_wrong_key_is_refused_without_being_named(open_rig, key_in_environment, logged):
    rig = await open_rig()
    rig.key = None

    with pytest.raises(DragomanError) as caught:
        await rig.connect()

    assert [] == [
        leak for text in canary.tellings(caught.value) for leak in canary.leaks(SECRET, text)
    ]
    assert [] == [text for text in logged if canary.leaks(SECRET, text)]


@pytest.mark.parametrize(
    "show",
    [
        lambda secret: repr({"key": secret}),
        lambda secret: secret.encode().hex(),
        lambda secret: secret[:8] + "...",
        lambda secret: "..." + secret[-8:],
        lambda secret: canary.base64.b64encode(f"user:{secret}".encode()).decode(),
        lambda secret: canary.base64.b64encode(f"id:{secret}".encode()),
    ],
    ids=["plain", "hex", "first", "last", "basic", "bytes"],
)
def test_the_search_finds_a_secret_in_any_form(show):
    assert canary.leaks(SECRET, show(SECRET))


def test_the_search_finds_a_secret_in_the_locals_of_an_error():
    def fail():
        head = f"harbor-key: {SECRET}"
        raise DragomanError(f"{len(head)} bytes were not sent")

    with pytest.raises(DragomanError) as caught:
        fail()

    assert 2 <= sum(bool(canary.leaks(SECRET, text)) for text in canary.tellings(caught.value))
    assert sys.exc_info()[1] is None
