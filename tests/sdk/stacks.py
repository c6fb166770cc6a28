"""What the SDK is pointed at: the same dialect, in this process, in its own, and over a second hop.

Each has a mock venue at its end which does as it is told by the name of an order, so that a test
provokes a failure with the one thing that travels all the way: its client order id.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from pathlib import Path

import dragoman
from dragoman.dialects import SimpleHost
from dragoman_tektii.dialect import TektiiDialect

LONGEST_S = 60
FAULTS = (
    "; ".join(
        f"submit[order={name}] {fault}"
        for name, fault in {
            "without-money": "reject(reason=INSUFFICIENT_FUNDS)",
            "after-hours": "reject(reason=MARKET_CLOSED)",
            "odd-lot": "reject(reason=INVALID_QUANTITY)",
            "halted-symbol": "reject(reason=NOT_TRADABLE)",
            "unknown-symbol": "reject(reason=UNKNOWN_SYMBOL)",
            "unexplained": "reject(reason=OTHER)",
            "throttled": "rate_limited(retry_after=7)",
            "throttled-raw": "rate_limited(retry_after=7)",
            "unreachable": "refuse_connection",
            "lost": "lost_response",
            "broken": "server_error",
            "cut": "disconnect_stream(seconds=1)",
        }.items()
    )
    + "; submit[symbol=TSLA] delayed_response(seconds=1)"
)


class LoopThread:
    """An event loop in a thread of its own, for servers that live beside the tests."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="servers")
        self._thread.start()

    def run(self, coroutine):
        """Run a coroutine there; returns its result here."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(LONGEST_S)

    def close(self):
        """End the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LONGEST_S)
        self._loop.close()


class Opened(AsyncExitStack):
    """What is opened in a loop, and closed there."""

    async def host(self, broker, dialect=None, **settings):
        """Serve a broker; returns the host."""
        host = SimpleHost(broker, dialect or TektiiDialect(), **settings)
        return await self.enter_async_context(host)

    async def mock(self, **settings):
        """Connect to a mock."""
        return await self.enter_async_context(dragoman.connect("mock", **settings))


@contextmanager
def in_thread():
    """Lend a thread with a loop."""
    thread = LoopThread()
    try:
        yield thread
    finally:
        thread.close()


@contextmanager
def host_stack(folder):
    """Serve the dialect from a thread of this process."""
    with in_thread() as thread:
        opened = Opened()

        async def open_all():
            broker = await opened.mock(faults=FAULTS, state_dir=folder / "state")
            return (await opened.host(broker)).url

        try:
            yield thread.run(open_all())
        finally:
            thread.run(opened.aclose())


class Served:
    """`dragoman serve` in a process of its own, ready to be talked to."""

    def __init__(self, folder, *arguments, **variables):
        folder.mkdir(parents=True, exist_ok=True)
        self._errors = (folder / "stderr").open("w+")
        self._process = subprocess.Popen(  # noqa: S603 - the command under test
            [str(Path(sys.executable).with_name("dragoman")), "serve", "--json", *arguments],
            cwd=folder,
            env={**_plain_environment(folder), **variables},
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        try:
            self.url = self._first_word()
        except BaseException:
            self.kill()
            raise

    def tell(self, number=signal.SIGTERM):
        """Send a signal."""
        self._process.send_signal(number)

    def end(self):
        """Tell it to end, and wait until it has; returns its exit code."""
        self.tell()
        self._process.communicate(timeout=LONGEST_S)
        self._errors.close()
        return self._process.returncode

    def kill(self):
        """End it at once; nothing where it has ended."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def _first_word(self):
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            raise RuntimeError(f"dragoman serve did not start: {self._errors.read()}")
        return json.loads(line)["url"]


def _plain_environment(folder):
    """Return an environment without anything that a user of this machine has set."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ}
    return {**kept, "HOME": str(folder), "DRAGOMAN_STATE_DIR": str(folder / "state")}


@contextmanager
def served(folder, *arguments, **variables):
    """Run `dragoman serve` until the block ends."""
    process = Served(folder, *arguments, **variables)
    try:
        yield process
    finally:
        process.kill()


def serve_mock(dialect, *more):
    """Return the arguments that serve a mock on a free port."""
    told = ("--option", f"faults={FAULTS}")
    return ("--provider", "mock", "--dialect", dialect, "--port", "0", *told, *more)


def serve_alpaca(url, *more):
    """Return the arguments that serve, as Tektii, what speaks Alpaca at `url`."""
    there = ("--endpoint", f"rest={url}", "--endpoint", f"stream={url.replace('http', 'ws', 1)}")
    return ("--provider", "alpaca-paper", *there, "--dialect", "tektii", "--port", "0", *more)


ALPACA_KEY = {"APCA_API_KEY_ID": "PK-of-tests", "APCA_API_SECRET_KEY": "secret-of-tests"}


@contextmanager
def open_stack(name, folder):
    """Open a stack by name; yields its base URL."""
    with ExitStack() as stack:
        if name == "host":
            yield stack.enter_context(host_stack(folder))
        elif name == "serve":
            yield stack.enter_context(served(folder, *serve_mock("tektii"))).url
        else:
            behind = stack.enter_context(served(folder / "behind", *serve_mock("alpaca")))
            front = served(folder / "front", *serve_alpaca(behind.url), **ALPACA_KEY)
            yield stack.enter_context(front).url


class Door:
    """One address for a server that is stopped and started elsewhere: what comes in is passed on.

    A port that was given back may be somebody else's a moment later, so a test that wants to find
    its server where it was asks here.
    """

    def __init__(self, thread):
        self._thread = thread
        self._server = None
        self._writers = []
        self._inner = None
        self.url = ""

    def open(self):
        """Begin to listen; nobody is let in yet."""
        self._thread.run(self._open())

    def lead_to(self, url):
        """Let clients in to a server, or, if None, to nobody."""
        self._inner = None if url is None else int(url.rpartition(":")[2])

    def close(self):
        """Listen no more, and drop who is connected."""
        self._thread.run(self._close())

    async def _open(self):
        self._server = await asyncio.start_server(self._let_in, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _close(self):
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()

    async def _let_in(self, reader, writer):
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._inner)
        except (OSError, TypeError):
            writer.transport.abort()
            return
        self._writers += [writer, inner_writer]
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))


async def _pump(reader, writer):
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextmanager
def door():
    """Lend an address that leads wherever it is told to."""
    with in_thread() as thread:
        opened = Door(thread)
        opened.open()
        try:
            yield opened
        finally:
            opened.close()
