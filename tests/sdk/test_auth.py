"""Who is let in: the key by either header, what is open to all, and what a refusal tells."""

import contextlib
import http.client
import json
from collections.abc import Mapping

import attrs
import pytest
import tektii
import websockets.exceptions
from tests.sdk.clients import open_client
from tests.sdk.listening import Listener, listening
from tests.sdk.stacks import Opened, Served, in_thread, serve_mock
from tests.sdk.wire import wire

from dragoman.dialects import AccessKey, Scope

KEY = "a-key-of-tests-with-more-than-32-characters"
WRONG = KEY.replace("tests", "nobody")
MISSING = {"code": "MISSING_API_KEY"}
INVALID = {"code": "INVALID_API_KEY"}
BEARER = f"Bearer {KEY}"


@contextlib.contextmanager
def guarded_host(folder, scopes=frozenset(Scope)):
    with in_thread() as thread:
        opened = Opened()
        keys = [AccessKey(key_id="strategy", secret=KEY, scopes=scopes)]

        async def open_all():
            return (await opened.host(await opened.mock(), keys=keys)).url

        try:
            yield thread.run(open_all())
        finally:
            thread.run(opened.aclose())


@contextlib.contextmanager
def guarded_serve(folder):
    process = Served(folder, *serve_mock("tektii"), GATEWAY_API_KEY=KEY)
    try:
        yield process.url
    finally:
        process.kill()


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(guarded_host, id="host", marks=pytest.mark.xdist_group("host")),
        pytest.param(guarded_serve, id="serve", marks=pytest.mark.xdist_group("serve")),
    ],
)
def guarded(request, tmp_path_factory):
    """Where a server that asks for a key is."""
    with request.param(tmp_path_factory.mktemp("guarded")) as url:
        yield url


@attrs.frozen
class Answer:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    text: str

    def json(self):
        return json.loads(self.text)


def ask(url, path="/v1/account", **headers):
    """Ask with headers as they are, blanks and all, which clients of HTTP are loath to send."""
    asked = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with contextlib.closing(asked):
        asked.request("GET", path, headers=named)
        answer = asked.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, told, answer.read().decode())


@pytest.mark.parametrize("face", ["sync", "async"])
def test_a_client_with_the_key_is_let_in(guarded, face):
    client = open_client(face, guarded, api_key=KEY)

    assert "USD" == client.get_account().currency
    client.close()


@pytest.mark.parametrize("face", ["sync", "async"])
@pytest.mark.parametrize(
    ("key", "details"), [(None, MISSING), (WRONG, INVALID)], ids=["missing", "wrong"]
)
def test_a_client_without_the_key_is_told_why(guarded, face, key, details):
    client = open_client(face, guarded, api_key=key)

    with pytest.raises(tektii.AuthenticationError) as caught:
        client.get_account()

    error = caught.value
    assert (401, "UNAUTHORIZED", details) == (error.status_code, error.code, error.details)
    assert error.message.startswith("Unauthorized")
    client.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": BEARER}, 200),
        ({"X_API_Key": KEY}, 200),
        ({"Authorization": f"Bearer   {KEY}  "}, 200),
        ({"X_API_Key": f"  {KEY}  "}, 200),
        ({"Authorization": BEARER, "X_API_Key": WRONG}, 200),
        ({"Authorization": f"Bearer {WRONG}", "X_API_Key": KEY}, 401),
        ({"Authorization": "Bearer ", "X_API_Key": KEY}, 200),
        ({"Authorization": "Basic bm9ib2R5", "X_API_Key": KEY}, 200),
        ({"Authorization": f"bearer {KEY}", "X_API_Key": KEY}, 200),
        ({"Authorization": KEY}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"X_API_Key": ""}, 401),
        ({"X_API_Key": WRONG}, 401),
        ({"X_API_Key": KEY[:-1]}, 401),
        ({"X_API_Key": KEY + "x"}, 401),
    ],
    ids=[
        "bearer",
        "x-api-key",
        "bearer-trimmed",
        "x-api-key-trimmed",
        "bearer-decides-for",
        "bearer-decides-against",
        "empty-bearer-falls-through",
        "basic-falls-through",
        "other-spelling-falls-through",
        "no-scheme",
        "empty-bearer",
        "empty-x-api-key",
        "wrong",
        "shorter",
        "longer",
    ],
)
def test_headers_are_read_by_these_rules(guarded, headers, status):
    assert status == ask(guarded, **headers).status


@pytest.mark.parametrize(
    ("headers", "details"),
    [
        ({}, MISSING),
        ({"Authorization": "Bearer "}, MISSING),
        ({"Authorization": "Basic bm9ib2R5"}, MISSING),
        ({"X_API_Key": " "}, MISSING),
        ({"X_API_Key": WRONG}, INVALID),
        ({"Authorization": f"Bearer {WRONG}"}, INVALID),
    ],
    ids=["nothing", "empty-bearer", "basic", "blank", "wrong", "wrong-bearer"],
)
def test_a_refusal_tells_missing_from_wrong(guarded, headers, details):
    answer = ask(guarded, **headers)

    assert (401, details) == (answer.status, answer.json()["details"])
    assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/health", "/metrics"])
def test_probes_are_open_to_all(guarded, path):
    assert 200 == ask(guarded, path).status


@pytest.mark.parametrize(
    "path",
    ["/v1/account", "/v1/orders", "/v1/ws", "/v1/capabilities", "/v1/status", "/v1/nothing"],
)
def test_everything_else_needs_the_key(guarded, path):
    answer = ask(guarded, path)

    assert (401, "UNAUTHORIZED") == (answer.status, answer.json()["code"])


@pytest.mark.parametrize("face", ["sync", "async"])
def test_a_stream_with_the_key_is_greeted(guarded, face):
    with listening(face, guarded, api_key=KEY) as listener:
        assert "CONNECTED" == listener.heard[0].event


@pytest.mark.parametrize("key", [None, WRONG], ids=["missing", "wrong"])
@pytest.mark.parametrize("face", ["sync", "async"])
def test_a_stream_without_the_key_ends_at_the_handshake(guarded, face, key):
    listener = Listener(face, guarded, api_key=key)

    error = listener.ended()
    assert isinstance(error, websockets.exceptions.InvalidStatus)
    assert 401 == error.response.status_code


def test_a_stream_takes_the_key_by_either_header(guarded):
    with wire(guarded, additional_headers={"X-API-Key": KEY}) as socket:
        assert "CONNECTED" == socket.next()["event"]


def test_the_key_is_never_told_back(guarded):
    for headers in ({"X_API_Key": WRONG}, {"Authorization": f"Bearer {WRONG}"}):
        assert WRONG not in ask(guarded, **headers).text


def test_without_keys_nothing_needs_to_be_shown(open_base):
    assert 200 == ask(open_base("host")).status


def test_a_key_that_only_reads_may_not_trade(tmp_path):
    with guarded_host(tmp_path, frozenset({Scope.READ})) as url:
        client = open_client("sync", url, api_key=KEY)
        assert [] == client.list_orders()

        with pytest.raises(tektii.APIStatusError) as caught:
            client.submit_order("AAPL", "buy", "1")

        assert 403 == caught.value.status_code
        assert [] == client.list_orders()
        client.close()


@pytest.mark.xdist_group("serve")
def test_a_key_that_is_too_short_starts_nothing(tmp_path):
    with pytest.raises(RuntimeError, match="32"):
        Served(tmp_path, *serve_mock("tektii"), GATEWAY_API_KEY="x" * 31)


@pytest.mark.xdist_group("serve")
def test_an_empty_key_is_none(tmp_path):
    process = Served(tmp_path, *serve_mock("tektii"), GATEWAY_API_KEY="")
    try:
        assert 200 == ask(process.url).status
    finally:
        process.kill()
