"""A provider served to other programs: in this process where it is refused, else in its own."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from tests.core.cli.conftest import TOY_LIVE
from tests.core.dialects.toy import ToyDialect

from dragoman.cli.exit_codes import ExitCode
from dragoman.dialects import Scope
from dragoman.errors import ConfigurationError
from dragoman.registry import Protocol, Registry, installed
from dragoman_gateway.serve_keys import VARIABLE, keys_of_variable

ROOT = Path(__file__).parents[3]
SECRET = "canary-of-serve"
LONGEST_S = 90
SERVE = ("serve", "--dialect", "toy", "--port", "0", "--json")
COMMAND = """
import sys
import attrs
from tests.gateway.commands.test_serve import registry_with
from dragoman.cli.app import run
from dragoman.cli.shell import process_shell
shell = attrs.evolve(process_shell(), find_registry=lambda: registry_with("ToyDialect"))
code = run(sys.argv[1:], shell)
sys.stdout.flush()
sys.exit(code)
"""


class EndsItself(ToyDialect):
    """Is told to end as soon as it is served."""

    def hints(self, url):
        os.kill(os.getpid(), signal.SIGTERM)
        return super().hints(url)


class EndsEarly(ToyDialect):
    """Is told to end before it is served."""

    def mount(self, app, host):
        os.kill(os.getpid(), signal.SIGINT)
        super().mount(app, host)


class EndsUnwillingly(EndsItself):
    """Takes forever to end, and is told once more."""

    def mount(self, app, host):
        async def linger(_):
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.get_running_loop().create_future()

        app.on_cleanup.append(linger)
        super().mount(app, host)


def registry_with(dialect):
    toy = Protocol(
        name="toy",
        title="Toy",
        providers=(TOY_LIVE,),
        adapter="dragoman_mock.adapter:MockAdapter",
        dialect=f"tests.gateway.commands.test_serve:{dialect}",
    )
    return Registry([*(one for one in installed().protocols if one.name == "mock"), toy])


@pytest.fixture
def dialect():
    return "EndsItself"


@pytest.fixture
def registry(dialect):
    return registry_with(dialect)


@pytest.fixture
def serve(home):
    """Starts the command in a process of its own; returns it and what it said when it was ready."""
    running = []

    def start(*arguments, **variables):
        process = subprocess.Popen(  # noqa: S603 - runs the command under test
            [sys.executable, "-c", COMMAND, *SERVE, *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        line = process.stdout.readline()
        assert line, process.stderr.read()
        return process, json.loads(line)

    yield start
    for process in running:
        process.kill()
        process.communicate()


def ask(url, path, body=None, **headers):
    request = urllib.request.Request(f"{url}{path}", body, headers)  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=LONGEST_S) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def order(name):
    return json.dumps({"symbol": "AAPL", "id": name}).encode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["sigterm", "ctrl-c"])
def test_it_serves_as_soon_as_it_says_so_and_ends_quietly_when_told(serve, number):
    process, ready = serve()

    assert (200, {"account": "paper-1"}) == ask(ready["url"], "/account", **{"X-Key": "k"})
    process.send_signal(number)
    out, err = process.communicate(timeout=LONGEST_S)

    assert (0, "", "") == (process.returncode, out, err)
    url = ready["url"]
    account = {"provider": "mock", "environment": "SIMULATED", "account_id": "paper-1"}
    hints = [f"TOY_URL={url}", "TOY_KEY=anything"]
    toy = {"dialect": "toy", "url": url, "hints": hints}
    port = {
        "url": url,
        "native": f"{url}/native",
        "page": f"{url}/",
        "dialects": [{**toy, "providers": [account]}],
    }
    assert {
        **account,
        **toy,
        "pid": process.pid,
        "needs_key": False,
        "providers": [account],
        "listeners": [port],
    } == ready


def test_what_its_clients_do_is_kept_and_seen_by_other_commands(serve, cli):
    process, ready = serve()
    assert (200, "c1") == (ask(ready["url"], "/orders", order("c1"), **{"X-Key": "k"})[0], "c1")

    during = cli("orders", "--all", "--json")
    trading = cli("buy", "AAPL", "1")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=LONGEST_S)
    after = cli("orders", "--all", "--json")

    assert [["c1"], ["c1"]] == [
        [one["client_order_id"] for one in found.json["orders"]] for found in (during, after)
    ]
    assert (3, True) == (trading.code, "in use by another process" in trading.err)


def test_a_halt_from_another_command_holds_for_its_clients(serve, cli):
    process, ready = serve()
    assert 0 == cli("halt", "--cause", "enough").code

    status, answer = ask(ready["url"], "/orders", order("c1"), **{"X-Key": "k"})
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=LONGEST_S)

    assert 503 == status
    assert "enough" in answer["toy"]
    assert (0, "") == (process.returncode, err)


def test_keys_of_the_variable_are_asked_for_and_shown_nowhere(serve):
    process, ready = serve(**{VARIABLE: f"captain={SECRET} mate=key-of-mate"})
    wrong = ask(ready["url"], "/account", **{"X-Key": "captain", "X-Secret": "key-of-mate"})
    right = ask(ready["url"], "/account", **{"X-Key": "captain", "X-Secret": SECRET})
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=LONGEST_S)

    assert (401, 200, True) == (wrong[0], right[0], ready["needs_key"])
    assert SECRET not in json.dumps([ready, wrong, right]) + out + err


def test_each_key_of_a_file_reaches_its_account(serve, home):
    file = home / "access.toml"
    file.write_text(
        f'[keys.captain]\nsecret = "{SECRET}"\naccount = "a"\n'
        '[keys.mate]\nsecret = "key-of-mate"\naccount = "b"\nscopes = ["READ"]\n'
    )
    file.chmod(0o600)
    process, ready = serve("--access", str(file), "--option", "accounts=a,b")
    captain = {"X-Key": "captain", "X-Secret": SECRET}
    mate = {"X-Key": "mate", "X-Secret": "key-of-mate"}

    seen = [ask(ready["url"], "/account", **who)[1]["account"] for who in (captain, mate)]
    refused, _ = ask(ready["url"], "/orders", order("c1"), **mate)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=LONGEST_S)

    assert (["a", "b"], "a", 403) == (seen, ready["account_id"], refused)


def test_a_port_in_use_ends_it_with_a_sentence(serve, cli):
    _, ready = serve()
    port = ready["url"].rpartition(":")[2]

    found = cli("serve", "--dialect", "toy", "--port", port, "--option", "seed=7")

    assert (3, "", 1) == (found.code, found.out, len(found.err.splitlines()))
    assert f"127.0.0.1:{port} can't be listened on" in found.err


def test_a_person_is_told_the_address_and_what_to_set(cli):
    found = cli("serve", "--dialect", "toy", "--port", "0")

    url = found.lines[0].split()[3]
    assert f"serving toy at {url} over mock (SIMULATED), account paper-1" == found.lines[0]
    assert [
        f"  TOY_URL={url}",
        "  TOY_KEY=anything",
        f"  native protocol: {url}/native",
        f"  a page to look at: {url}/",
        "  clients show any key that is not empty; Ctrl-C ends it",
    ] == found.lines[1:]
    assert (0, "") == (found.code, found.err)


def test_its_handlers_of_signals_go_with_it(cli):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert 0 == cli("serve", "--dialect", "toy", "--port", "0").code

    assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


@pytest.mark.parametrize("dialect", ["EndsUnwillingly"])
def test_told_once_more_while_it_ends_it_is_interrupted_like_any_command(cli):
    found = cli(*SERVE)

    assert ExitCode.INTERRUPTED == found.code
    assert "before it served" not in found.err
    assert "mock" == json.loads(found.out)["provider"]


@pytest.mark.parametrize("dialect", ["EndsEarly"])
def test_told_to_end_before_it_serves_it_was_interrupted(cli):
    found = cli("serve", "--dialect", "toy", "--port", "0")

    assert (130, "") == (found.code, found.out)
    assert "dragoman: interrupted before it served\n" == found.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--dialect", "klingon"), 3, "no dialect 'klingon'. Installed: toy"),
        (("--dialect", "mock"), 3, "no dialect 'mock'"),
        (("--dialect", "toy", "--dialect", "toy"), 3, "both served at '/toy'"),
        (("--dialect", "toy", "--port", "70000"), 3, "from 0 to 65535"),
        (("--dialect", "toy", "--provider", "toy-live", "--yes"), 3, "served with keys only"),
        (("--dialect", "toy", "--access", "no/such/file"), 3, "can't be read"),
        (("--dialect", "toy", "--key", f"captain={SECRET}"), 3, "set DRAGOMAN_SERVE_KEYS"),
        (("--dialect", "toy", "--host", "192.0.2.1"), 3, "`dragoman keys new` makes one"),
        (("--config", "no/such/file"), 3, "can't be read"),
    ],
    ids=[
        "unknown",
        "not served",
        "twice",
        "port",
        "real money",
        "no file",
        "typed key",
        "off loopback",
        "no configuration",
    ],
)
def test_what_can_not_be_served_is_refused_in_one_line(cli, arguments, code, words):
    found = cli("serve", *arguments)

    assert (code, "", 1) == (found.code, found.out, len(found.err.splitlines()))
    assert words in found.err
    assert SECRET not in found.err


def test_real_money_is_asked_about_even_with_keys(cli, monkeypatch):
    monkeypatch.setenv(VARIABLE, f"captain={SECRET}")
    arguments = ("serve", "--dialect", "toy", "--provider", "toy-live", "--port", "0")

    unasked, declined, agreed = (
        cli(*arguments),
        cli(*arguments, answer="n\n"),
        cli(*arguments, answer="y\n"),
    )

    assert [2, 2, 0] == [found.code for found in (unasked, declined, agreed)]
    assert "add --yes" in unasked.err
    assert "Real money: toy-live (LIVE), account paper-1: serve it as toy" in declined.err
    assert "clients show a key of yours" in agreed.out


def test_a_key_of_the_variable_opens_everything():
    found = keys_of_variable(f" captain={SECRET}=  mate=key-of-mate ")

    assert [("captain", f"{SECRET}="), ("mate", "key-of-mate")] == [
        (key.key_id, key.secret.reveal()) for key in found
    ]
    assert {(None, frozenset(Scope))} == {(key.account_id, key.scopes) for key in found}


@pytest.mark.parametrize(
    "text", ["captain", SECRET, f"captain={SECRET} mate", "=key-of-tests", "a=b"]
)
def test_a_variable_of_another_form_is_refused_unshown(text):
    with pytest.raises(ConfigurationError) as raised:
        keys_of_variable(text)
    assert SECRET not in str(raised.value)
