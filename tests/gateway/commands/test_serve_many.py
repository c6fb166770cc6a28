"""Several providers, dialects and ports in one process, from a file and from variables."""

import json
import os
import signal
import sqlite3
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import trustme

ROOT = Path(__file__).parents[3]
LONGEST_S = 120
SECRET = "canary-of-the-gateway-with-32-letters"
COMMAND = "import sys; from dragoman.cli import main; sys.exit(main(sys.argv[1:]))"
ALPACA = {"APCA-API-KEY-ID": "any", "APCA-API-SECRET-KEY": "any-secret"}
ORDER = {"symbol": "AAPL", "qty": "1", "side": "buy", "type": "market", "time_in_force": "day"}


@pytest.fixture
def serve(home):
    """Starts `dragoman serve` in a process of its own; returns it and what it said when ready."""
    running = []

    def start(*arguments, **variables):
        process = subprocess.Popen(  # noqa: S603 - runs the command under test
            [sys.executable, "-c", COMMAND, "serve", "--json", *arguments],
            cwd=ROOT,
            env={**os.environ, **variables},
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


@pytest.fixture
def write(home):
    def write(text):
        file = home / "gateway.toml"
        file.write_text(text)
        file.chmod(0o600)
        return str(file)

    return write


def ask(url, body=None, *, context=None, method=None, **headers):
    shown = {name.replace("_", "-"): text for name, text in headers.items()}
    data = None if body is None else json.dumps(body).encode()
    shown["Content-Type"] = "application/json"
    request = urllib.request.Request(url, data, shown, method=method)  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=LONGEST_S, context=context) as answer:  # noqa: S310
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers


def alpaca(url, path, body=None, **more):
    headers = {name.replace("-", "_"): text for name, text in ALPACA.items()}
    status, content, answered = ask(f"{url}{path}", body, **{**headers, **more})
    return status, json.loads(content), answered


def test_without_a_dialect_the_native_protocol_and_the_page_are_served(serve):
    _, ready = serve("--port", "0")
    base = ready["listeners"][0]["url"]

    statuses = [ask(f"{base}{path}")[0] for path in ("/livez", "/readyz", "/health", "/")]

    assert ("native", f"{base}/native", [200, 200, 200, 200]) == (
        ready["dialect"],
        ready["url"],
        statuses,
    )


def test_without_a_page_there_is_none(serve):
    _, ready = serve("--port", "0", "--no-page")
    port = ready["listeners"][0]

    assert (None, 404) == (port["page"], ask(f"{port['url']}/")[0])


def test_a_file_names_providers_ports_and_places(serve, write):
    file = write(
        """
        [providers.calm]
        provider = "mock"
        account = "a"
        options.accounts = "a,b"
        options.seed = 1
        [providers.other]
        provider = "mock"
        account = "c"
        options = {accounts = "c", seed = 2}
        [[listeners]]
        port = 0
        dialects = [
            {name = "alpaca", prefix = "/one", providers = ["calm"]},
            {name = "alpaca", prefix = "/two", providers = ["other"]},
        ]
        [[listeners]]
        port = 0
        page = false
        dialects = [{name = "alpaca", providers = ["other"]}]
        """
    )
    _, ready = serve("--config", file)
    first, second = ready["listeners"]
    one, two = (each["url"] for each in first["dialects"])
    (three,) = (each["url"] for each in second["dialects"])

    numbers = [alpaca(url, "/v2/account")[1]["account_number"] for url in (one, two, three)]
    placed = alpaca(two, "/v2/orders", ORDER)[1]["client_order_id"]
    seen = [
        [row["client_order_id"] for row in alpaca(url, "/v2/orders?status=all")[1]]
        for url in (one, two, three)
    ]

    assert [f"{first['url']}/one", f"{first['url']}/two", second["url"]] == [one, two, three]
    assert (["a", "c", "c"], [[], [placed], [placed]]) == (numbers, seen)
    assert ["a", "c"] == [each["account_id"] for each in ready["providers"]]


def test_flags_change_what_the_file_says_of_one_port(serve, write):
    file = write("[[listeners]]\nport = 1\npage = false\n[[listeners.dialects]]\nname = 'alpaca'\n")

    _, ready = serve("--config", file, "--port", "0")

    assert ("alpaca", None) == (ready["dialect"], ready["listeners"][0]["page"])


def test_a_key_of_a_variable_is_needed_and_told_to_nobody(serve):
    process, ready = serve(
        "--dialect",
        "alpaca",
        "--port",
        "0",
        GATEWAY_API_KEY=SECRET,
        GIT_SHA="x",
        SL_TP_TTL_HOURS="24",
    )
    key = {"APCA_API_KEY_ID": "gateway"}

    found = [
        alpaca(ready["url"], "/v2/account", **key, APCA_API_SECRET_KEY=secret)[0]
        for secret in ("wrong-secret", SECRET)
    ]
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=LONGEST_S)

    assert ([401, 200], True, 0) == (found, ready["needs_key"], process.returncode)
    assert "SL_TP_TTL_HOURS is set and changes nothing here" in err
    assert SECRET not in out + err + json.dumps(ready)


def test_a_log_is_json_where_that_is_asked_for(serve):
    process, ready = serve(
        "--dialect", "alpaca", "--port", "0", GATEWAY_API_KEY=SECRET, K_SERVICE="gateway"
    )
    alpaca(ready["url"], "/v2/account")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=LONGEST_S)

    lines = [json.loads(line) for line in err.splitlines()]
    assert "a key opened nothing" in [line["message"] for line in lines]


def test_a_port_may_speak_tls(serve, write, home):
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(str(home / "server.pem"))
    issued.private_key_pem.write_to_path(str(home / "server.key"))
    (home / "server.key").chmod(0o600)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    file = write(
        '[[listeners]]\nport = 0\ntls_certificate = "server.pem"\ntls_key = "server.key"\n'
    )

    _, ready = serve("--config", file)

    url = ready["listeners"][0]["url"]
    assert url.startswith("https://127.0.0.1:")
    assert 200 == ask(f"{url}/livez", context=context)[0]


def test_a_key_of_tls_that_others_may_read_is_refused(cli, write, home):
    (home / "server.key").write_text("x")
    (home / "server.key").chmod(0o644)
    file = write(
        '[[listeners]]\nport = 0\ntls_certificate = "server.pem"\ntls_key = "server.key"\n'
    )

    found = cli("serve", "--config", file)

    assert 3 == found.code
    assert "chmod 600" in found.err


def test_a_restarted_gateway_answers_a_repeat_as_before_and_shows_its_orders(serve):
    first, ready = serve("--dialect", "alpaca", "--port", "0")
    placed = alpaca(ready["url"], "/v2/orders", ORDER, Idempotency_Key="k")
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=LONGEST_S)
    _, ready = serve("--dialect", "alpaca", "--port", "0")

    again = alpaca(ready["url"], "/v2/orders", ORDER, Idempotency_Key="k")
    other = alpaca(ready["url"], "/v2/orders", {**ORDER, "qty": "2"}, Idempotency_Key="k")
    rows = alpaca(ready["url"], "/v2/orders?status=all")[1]

    assert (placed[:2], "true") == (again[:2], again[2]["Idempotent-Replayed"])
    assert 422 == other[0]
    assert [placed[1]["id"]] == [row["id"] for row in rows]


def test_two_hops_are_one_broker(serve, home):
    _, behind = serve("--dialect", "alpaca", "--port", "0")
    _, ready = serve(
        *("--provider", "alpaca-paper", "--endpoint", f"rest={behind['url']}"),
        *("--dialect", "alpaca", "--port", "0", "--state-dir", str(home / "front")),
        APCA_API_KEY_ID="PK-of-tests",
        APCA_API_SECRET_KEY="secret-of-tests",
    )

    placed = alpaca(ready["url"], "/v2/orders", ORDER)[1]
    rows = alpaca(behind["url"], "/v2/orders?status=all")[1]

    assert ("alpaca-paper", "PAPER") == (ready["provider"], ready["environment"])
    assert [placed["client_order_id"]] == [row["client_order_id"] for row in rows]


def test_a_gateway_that_died_before_it_kept_its_answers_finds_what_it_did(serve, home):
    """Its answers are taken out of the file: so it looks after a kill between work and answer."""
    first, ready = serve("--dialect", "alpaca", "--port", "0")
    bought = alpaca(ready["url"], "/v2/orders", ORDER, Idempotency_Key="buy")
    named = alpaca(
        ready["url"], "/v2/orders", {**ORDER, "client_order_id": "mine"}, Idempotency_Key="named"
    )
    closed = close(ready["url"], "AAPL", "close")
    first.kill()
    first.communicate()
    (answers,) = home.rglob("*.answers")
    with sqlite3.connect(answers) as connection:
        connection.execute("UPDATE answers SET status = NULL")
    connection.close()
    _, ready = serve("--dialect", "alpaca", "--port", "0")

    again = [
        alpaca(ready["url"], "/v2/orders", ORDER, Idempotency_Key="buy"),
        alpaca(
            ready["url"],
            "/v2/orders",
            {**ORDER, "client_order_id": "mine"},
            Idempotency_Key="named",
        ),
        close(ready["url"], "AAPL", "close"),
    ]

    rows = alpaca(ready["url"], "/v2/orders?status=all")[1]
    ids = [found[1]["id"] for found in (bought, named, closed)]
    assert [(200, each) for each in ids] == [(found[0], found[1]["id"]) for found in again]
    assert sorted(ids) == sorted(row["id"] for row in rows)


def close(url, symbol, key):
    headers = {name.replace("-", "_"): text for name, text in ALPACA.items()}
    found = ask(f"{url}/v2/positions/{symbol}", method="DELETE", Idempotency_Key=key, **headers)
    return found[0], json.loads(found[1])
