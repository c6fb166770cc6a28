"""A process that forgets, is interrupted or forks ends as it should, and says nothing about it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROLOGUE = """
import atexit, os, signal, sys, threading, time
from tests.core.sync.venue import Venue
from dragoman import LifecycleError, OrderRequest, Side

def aside(function, *arguments):
    threading.Thread(target=function, args=arguments, daemon=True).start()

venue = Venue()
atexit.register(lambda: sys.stdout.write(f"closed {venue.closed}"))
broker = venue.connect(account_id="one")
"""
FORGETFUL = {
    "nothing": "",
    "an iterator": "trades = broker.fetch_trades('AAPL'); next(trades)",
    "a stream": "events = broker.stream(quotes=['AAPL']).__enter__()",
    "a thread that reads a stream": """
events = broker.stream(quotes=["AAPL"]).__enter__()
aside(list, events)
""",
    "a thread that submits": """
aside(broker.submit, OrderRequest.market("SILENT", Side.BUY, 1))
venue.reached.wait(30)
""",
    "a thread that reads history": """
aside(list, broker.fetch_trades("SILENT"))
venue.reached.wait(30)
""",
    "a listener": """
broker.listen(lambda event: None, quotes=["AAPL"]).ready()
""",
    "a listener in its callback": """
entered = threading.Event()
def callback(event):
    entered.set()
    broker.submit(OrderRequest.market("SILENT", Side.BUY, 1))
broker.listen(callback, quotes=["AAPL"]).ready()
venue.push("AAPL", venue.quote())
venue.reached.wait(30)
""",
    "another account": "other = broker.for_account('two')",
    "a cycle of references": "cycle = [broker]; cycle.append(cycle); del broker",
}


def run(script, *options):
    return subprocess.run(  # noqa: S603 - runs the scripts written here
        [sys.executable, "-W", "default", *options, "-c", PROLOGUE + script],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


@pytest.mark.parametrize("script", FORGETFUL.values(), ids=FORGETFUL)
def test_a_process_that_forgot_to_close_ends_in_silence(script):
    ended = run(script)

    assert (0, "") == (ended.returncode, ended.stderr)
    assert ended.stdout.startswith("closed [")
    assert "'one'" in ended.stdout


def test_a_connection_that_can_not_be_closed_holds_a_process_up_for_seconds_only():
    ended = run("venue.is_stuck = True")

    assert (0, "closed ['one']") == (ended.returncode, ended.stdout)
    assert "A connection took too long to close\n" == ended.stderr


def test_an_unhandled_error_is_all_that_a_failing_process_says():
    ended = run("broker.fetch_depth('AAPL')")

    assert 1 == ended.returncode
    assert ended.stderr.endswith("ZeroDivisionError: a defect of the adapter\n")
    assert 1 == ended.stderr.count("Traceback")


@pytest.mark.skipif(os.name == "nt", reason="no signal to oneself there")
@pytest.mark.parametrize(
    "script",
    ["next(broker.stream(quotes=['AAPL']).__enter__())", "list(broker.fetch_trades('SILENT'))"],
    ids=["stream", "history"],
)
def test_an_interrupt_ends_a_wait_and_the_process(script):
    ended = run(f"""
def waits(frame):
    names = []
    while frame:
        names.append(frame.f_code.co_name)
        frame = frame.f_back
    return names[0] == "wait" and "__next__" in names

def interrupt():
    while not waits(sys._current_frames()[threading.main_thread().ident]):
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGINT)

aside(interrupt)
try:
    {script}
except KeyboardInterrupt:
    print("interrupted", broker.fetch_account().account_id)
""")

    expected = "interrupted one\nclosed ['one']"
    assert (0, expected, "") == (ended.returncode, ended.stdout, ended.stderr)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_is_told_to_connect_by_itself_and_ends_in_silence():
    ended = run(
        """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
trades = broker.fetch_trades("AAPL")
next(trades)
events = broker.stream(quotes=["AAPL"]).__enter__()
child = os.fork()
if child == 0:
    asked = [broker.fetch_account, broker.halt, lambda: broker.state, lambda: broker.is_halted,
             lambda: next(trades), lambda: next(events), lambda: broker.submit(symbol="AAPL"),
             lambda: broker.close("AAPL"), lambda: broker.for_account("two"), broker.resume]
    refused = 0
    for ask in asked:
        try:
            ask()
        except LifecycleError as error:
            refused += "forked" in str(error)
    trades.close()
    events.close()
    broker.close()
    with Venue().connect(account_id="two") as own:
        print(refused == len(asked), own.fetch_account().account_id, flush=True)
    os._exit(0)
_, status = os.waitpid(child, 0)
print(status, broker.fetch_account().account_id, len(list(trades)))
""",
        "-W",
        "ignore::DeprecationWarning",
    )

    assert ("True two\n0 one 999\nclosed ['one']", "") == (ended.stdout, ended.stderr)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_that_just_ends_closes_nothing():
    ended = run(
        """
child = os.fork()
if child:
    os.waitpid(child, 0)
    print(broker.fetch_account().account_id)
""",
        "-W",
        "ignore::DeprecationWarning",
    )

    assert ("closed []one\nclosed ['one']", "") == (ended.stdout, ended.stderr)
