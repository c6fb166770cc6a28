"""The command line run in this process: its own state folder, its own streams, no variables set."""

import io
import json
import os

import attrs
import pytest
from rich.console import Console

from dragoman.adapter import Environment
from dragoman.cli.app import run
from dragoman.cli.shell import Shell
from dragoman.registry import CredentialField, Protocol, Provider, Registry, installed
from dragoman.times import SystemClock
from dragoman_mock.spec import PROTOCOL

# A venue of real money in name only: the mock, under a name and an environment that must be asked.
TOY_LIVE = Provider(
    name="toy-live",
    environment=Environment.LIVE,
    title="Toy venue",
    credentials=(
        CredentialField(name="api_key", variables=("TOY_API_KEY",), is_required=False),
        CredentialField(name="handle", variables=("TOY_HANDLE",), is_required=False),
    ),
    options=PROTOCOL.providers[0].options,
)


@attrs.frozen
class Result:
    code: int
    out: str
    err: str

    @property
    def lines(self):
        return self.out.splitlines()

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def error(self):
        return json.loads(self.err)["error"]


def console(*, is_terminal):
    return Console(
        file=io.StringIO(),
        force_terminal=is_terminal,
        width=80,
        height=24,
        color_system=None,
        markup=False,
        highlight=False,
        emoji=False,
        _environ={},
    )


@pytest.fixture
def registry():
    toy = Protocol(
        name="toy", title="Toy", providers=(TOY_LIVE,), adapter="dragoman_mock.adapter:MockAdapter"
    )
    return Registry([*installed().protocols, toy])


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """Where the commands of a test keep everything; nothing of this machine's user is seen."""
    for name in (*filter(lambda name: name.startswith("DRAGOMAN_"), os.environ), "TOY_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DRAGOMAN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("DRAGOMAN_CONFIG", str(tmp_path / "config.toml"))
    return tmp_path


def make_shell(registry, *, is_terminal=False, answer=None):
    return Shell(
        out=console(is_terminal=is_terminal),
        err=console(is_terminal=False),
        is_live=is_terminal,
        can_ask=answer is not None,
        read_line=lambda: answer,
        find_registry=lambda: registry,
        clock=SystemClock(),
    )


@pytest.fixture
def shell(registry):
    return make_shell(registry)


@pytest.fixture
def cli(registry):
    """Runs one command: `cli("buy", "AAPL", "10")`."""

    def run_command(*arguments, is_terminal=False, answer=None):
        shell = make_shell(registry, is_terminal=is_terminal, answer=answer)
        code = run(arguments, shell)
        return Result(int(code), shell.out.file.getvalue(), shell.err.file.getvalue())

    return run_command
