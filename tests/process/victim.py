"""The client that process tests kill, stop, starve and fork. A script; it speaks lines of JSON.

`victim.py '{"act": ..., ...}'` does one act. `victim.py --forker` reads such lines from standard
input and does each in a fork of itself, so that a hundred deaths cost one start of Python.
"""

import asyncio
import collections
import contextlib
import importlib
import json
import os
import signal
import sys
import threading
import traceback
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.patience import PatientClock, patient

import dragoman
from dragoman import DragomanError, OrderType, Side, SystemClock
from dragoman_conformance.harbor.spec import REGISTRY

ORDER = {
    "symbol": "AAPL",
    "side": Side.BUY,
    "order_type": OrderType.LIMIT,
    "quantity": "2",
    "limit_price": "100",
}

LOADED_BY_CONNECTING = (
    "dragoman.connection",
    "dragoman.transport.http_wire",
    "dragoman.transport.websocket_wire",
    "dragoman_conformance.harbor.adapter",
)


def say(**facts):
    os.write(1, json.dumps(facts).encode() + b"\n")


class Steps(collections.deque):
    """The ready queue of a loop, which counts what is taken from it, and dies at one of them."""

    count = None
    last = None

    def arm(self, last):
        self.count, self.last = 0, last

    def popleft(self):
        if self.count is not None:
            self.count += 1
            if self.count == self.last:
                os.kill(os.getpid(), signal.SIGKILL)
        return super().popleft()


class StepLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        super().__init__()
        self._ready = Steps()


class Statements:
    """Every statement that a journal runs, and the death before one of them."""

    def __init__(self, journal):
        self.count = None
        self.last = None
        journal._connection.set_trace_callback(self._trace)

    def arm(self, last):
        self.count, self.last = 0, last

    def _trace(self, statement):
        if self.count is not None:
            self.count += 1
            if self.count == self.last:
                os.kill(os.getpid(), signal.SIGKILL)


def connect(facts, **more):
    """Connect as the line says."""
    speed = facts.get("speed", 1.0)
    loop = asyncio.get_running_loop()
    return dragoman.connect(
        "harbor",
        registry=REGISTRY,
        endpoints=facts["endpoints"],
        account_id=facts["account"],
        state_dir=facts["state_dir"],
        timeout_s=facts.get("timeout_s", 20.0),
        reconciling_wait_s=60.0,
        clock=PatientClock(loop, speed) if is_patient(facts) else SystemClock(speed),
        key="captain",
        **more,
    )


def is_patient(facts):
    """Tell whether the act is not to notice that the machine makes it wait."""
    return facts.get("is_patient", True)


async def submit_and_die(facts):
    """Submit one order and die at a step of the loop or before a statement of SQLite."""
    loop = asyncio.get_running_loop()
    async with connect(facts) as broker:
        statements = Statements(broker._session.journal)
        statements.arm(facts.get("statement"))
        loop._ready.arm(facts.get("step"))
        order = await broker.submit(client_order_id=facts["client_order_id"], **ORDER)
        steps, loop._ready.count = loop._ready.count, None
        ran, statements.count = statements.count, None
        say(steps=steps, statements=ran, status=str(order.status))
        if facts.get("step") is not None or facts.get("statement") is not None:
            await asyncio.sleep(0.05)
            os.kill(os.getpid(), signal.SIGKILL)


async def return_and_die(facts):
    """Connect to what an earlier life left behind, and die at a step of that."""
    loop = asyncio.get_running_loop()
    loop._ready.arm(facts.get("step"))
    async with connect(facts) as broker:
        steps, loop._ready.count = loop._ready.count, None
        say(steps=steps, orders=len(broker.state.orders))
        os.kill(os.getpid(), signal.SIGKILL)


async def follow(facts):
    """Stay connected, tell of every event, and submit what the parent names on standard input."""
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with connect(facts) as broker:
        tell = broker.listen(lambda event: say(**described(event)), orders=True)
        async with tell:
            say(ready=os.getpid())
            while line := await lines.readline():
                say(**await outcome(broker, json.loads(line)["submit"]))


def described(event):
    order = getattr(event, "order", None)
    fill = getattr(event, "fill", None)
    return {
        "event": type(event).__name__,
        "kind": str(getattr(event, "kind", "")),
        "state": str(getattr(event, "state", "")),
        "sequence": getattr(event, "sequence", None),
        "client_order_id": order and order.client_order_id,
        "fill_id": fill and fill.fill_id,
    }


async def outcome(broker, client_order_id):
    try:
        order = await broker.submit(client_order_id=client_order_id, **ORDER)
    except DragomanError as error:
        return {
            "submitted": client_order_id,
            "error": type(error).__name__,
            "outcome": str(error.outcome),
            "text": str(error),
        }
    return {"submitted": client_order_id, "status": str(order.status)}


async def many(facts):
    """Submit many orders side by side, and tell what became of each."""
    async with connect(facts) as broker:
        say(ready=os.getpid())
        names = [f"{facts['account']}-{index}" for index in range(facts["count"])]
        tasks = []
        for index, name in enumerate(names):
            tasks.append(asyncio.create_task(outcome(broker, name)))
            if index % 20 == 0:  # or the loop would stand still for longer than the account bears
                await asyncio.sleep(0)
        for one in await asyncio.gather(*tasks):
            say(**one)


async def starve(facts):
    """Submit, take away the room to write, submit, give it back, submit."""
    import resource  # noqa: PLC0415 - not everywhere

    async with connect(facts) as broker:
        say(**await outcome(broker, "before"))
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
        said = [await outcome(broker, f"starved-{index}") for index in range(3)]
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        for one in said:
            say(**one)
        say(**await outcome(broker, "after"))


async def fork(facts):
    """Use the broker in a child that was forked while it was connected."""
    async with connect(facts) as broker:
        with warnings.catch_warnings():  # that it may deadlock is for the parent to find out
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            call = broker.submit(client_order_id="child", **ORDER)
            try:
                call.send(None)
            except DragomanError as error:
                say(error=type(error).__name__, outcome=str(error.outcome), text=str(error))
            except BaseException as error:  # noqa: BLE001 - the parent must hear of it
                say(error=type(error).__name__)
            else:
                say(error=None)
            os._exit(0)
        os.waitpid(child, 0)  # noqa: ASYNC222 - its last words come first
        say(**await outcome(broker, "parent"))


async def trade(facts):
    """Submit one order after the other until told to stop, and say how long that took."""
    loop = asyncio.get_running_loop()
    told_s = None
    try:
        async with connect(facts) as broker:
            say(ready=os.getpid())
            try:
                for index in range(facts.get("count", 10_000)):
                    await broker.submit(client_order_id=f"{facts['account']}-{index}", **ORDER)
            finally:
                told_s = loop.time()
    finally:
        if told_s is not None:
            say(took_s=loop.time() - told_s)


ACTS = {
    act.__name__: act for act in (submit_and_die, return_and_die, follow, many, starve, fork, trade)
}


def run(facts):
    """Do one act as a program of a user would: stopped by Ctrl-C or SIGTERM, without a word."""

    async def act():
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
        with patient(loop) if is_patient(facts) else contextlib.nullcontext():
            await ACTS[facts["act"]](facts)

    try:
        with asyncio.Runner(loop_factory=StepLoop) as runner:
            runner.run(act())
    except (KeyboardInterrupt, asyncio.CancelledError):
        say(stopped=True)
    say(threads=threading.active_count())


def fork_for_each_line():
    for module in LOADED_BY_CONNECTING:
        importlib.import_module(module)
    say(ready=os.getpid())
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                run(json.loads(line))
                code = 0
            except BaseException:  # noqa: BLE001 - told, as the interpreter would at its end
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        say(ended=-os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    if sys.argv[1] == "--forker":
        fork_for_each_line()
    else:
        run(json.loads(sys.argv[1]))
