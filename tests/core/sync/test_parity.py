"""The synchronous surface is the asynchronous one, name for name, and is generated from it."""

import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dragoman import Broker, EventStream, Listener, SyncBroker, connect, connect_sync
from dragoman.sync import SyncEventStream, SyncIterator, SyncListener

ROOT = Path(__file__).parents[3]
TOOLS = ROOT / "tools"
TWINS = [
    (r"\bAsyncIterator\[", "SyncIterator["),
    (r"\b(Broker|EventStream|Listener)\b", r"Sync\1"),
    (r"\bConnection\b", "SyncBroker"),
    (r"Awaitable\[None\] \| None", "None"),
]
INTERNAL = {"Listener": {"start", "report"}, "EventStream": {"hand_on"}}


def public(kind):
    return {name for name in dir(kind) if not name.startswith("_")}


def twin(annotation):
    for pattern, replacement in TWINS:
        annotation = re.sub(pattern, replacement, annotation)
    return annotation


def terms(function, translate=str):
    signature = inspect.signature(function)
    rows = [
        (one.name, one.kind, one.default, translate(str(one.annotation)))
        for one in signature.parameters.values()
    ]
    return rows, translate(str(signature.return_annotation))


def members(kind, test):
    return [name for name in sorted(public(kind)) if test(inspect.getattr_static(kind, name))]


def test_every_public_name_has_its_twin():
    assert public(Broker) - {"aclose"} == public(SyncBroker)


@pytest.mark.parametrize(
    "name", [one for one in members(Broker, inspect.isfunction) if one not in {"aclose", "close"}]
)
def test_a_twin_takes_and_returns_the_same(name):
    assert terms(getattr(Broker, name), twin) == terms(getattr(SyncBroker, name))
    assert not inspect.iscoroutinefunction(getattr(SyncBroker, name))


@pytest.mark.parametrize("name", members(Broker, lambda one: isinstance(one, property)))
def test_a_property_is_a_property(name):
    original, copy = (inspect.getattr_static(kind, name) for kind in (Broker, SyncBroker))

    assert isinstance(copy, property)
    assert terms(original.fget, twin) == terms(copy.fget)
    assert original.__doc__ == copy.__doc__


def test_close_takes_a_position_as_its_twin_does_and_otherwise_is_aclose():
    expected, result = terms(Broker.close, twin)
    found, either = terms(SyncBroker.close)

    assert "position" == found[1][0]
    assert [*expected[:1], *expected[2:]] == [*found[:1], *found[2:]]
    assert f"{result} | None" == either
    assert [] == [name for name in inspect.signature(Broker.aclose).parameters if name != "self"]


def test_connect_sync_takes_what_connect_takes():
    assert terms(connect, twin) == terms(connect_sync)


@pytest.mark.parametrize(
    ("original", "copy"), [(EventStream, SyncEventStream), (Listener, SyncListener)]
)
def test_what_is_returned_has_a_twin_of_every_public_method(original, copy):
    names = {name.replace("aclose", "close") for name in public(original)}

    assert names - INTERNAL[original.__name__] <= public(copy)


@pytest.mark.parametrize("name", ["batches", "subscribe", "unsubscribe"])
def test_methods_of_a_stream_take_the_same(name):
    expected, _ = terms(getattr(EventStream, name))

    assert expected == terms(getattr(SyncEventStream, name))[0]


@pytest.mark.parametrize("kind", [SyncBroker, SyncEventStream, SyncIterator, SyncListener])
def test_no_docstring_speaks_of_an_event_loop_s_ways(kind):
    texts = {
        name: inspect.getattr_static(kind, name).__doc__ or ""
        for name in vars(kind)
        if not name.startswith("_")
    }

    talk = re.compile(r"\b(async|await|aclose|task)\b")
    assert {} == {name: text for name, text in texts.items() if talk.search(text)}


def generate(tools, *options):
    command = [sys.executable, str(tools / "generate_sync.py"), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603


def test_the_committed_files_are_what_the_generator_writes():
    ended = generate(TOOLS, "--check")

    assert (0, "stale: none\n", "") == (ended.returncode, ended.stdout, ended.stderr)


@pytest.fixture
def copied(tmp_path):
    core = tmp_path / "core" / "dragoman"
    shutil.copytree(ROOT / "core" / "dragoman" / "sync", core / "sync")
    shutil.copytree(TOOLS, tmp_path / "tools")
    for name in ("broker.py", "controls.py", "reads.py", "connection.py"):
        shutil.copy(ROOT / "core" / "dragoman" / name, core)
    return core


def test_a_changed_signature_makes_the_copy_stale_until_it_is_written_anew(copied):
    reads = copied / "reads.py"
    reads.write_text(reads.read_text().replace("levels: int = 10", "levels: int = 20"))
    tools = copied.parents[1] / "tools"

    checked, written, again = (generate(tools, *one) for one in (["--check"], [], ["--check"]))

    assert (1, "stale: reads.py\n") == (checked.returncode, checked.stdout)
    assert (0, "written: reads.py\n") == (written.returncode, written.stdout)
    assert 0 == again.returncode
    assert "levels: int = 20" in (copied / "sync" / "reads.py").read_text()


def test_documentation_without_words_for_threads_is_refused(copied):
    reads = copied / "reads.py"
    reads.write_text(reads.read_text().replace("Read the open positions.", "Await the positions."))

    ended = generate(copied.parents[1] / "tools", "--check")

    assert 1 == ended.returncode
    assert "give this words for threads: Await the positions." in ended.stderr
