"""Wharf as a server: who is let in, and what is answered to those who do not ask as they should."""

import json
from decimal import Decimal
from types import SimpleNamespace

import aiohttp
import pytest
from tests.conformance.references.wharf.rig import CREDENTIALS

from dragoman import OrderType, Side
from dragoman.credentials import Credentials
from dragoman.dialects import SimpleHost
from dragoman.times import MILLISECOND_NS, SECOND_NS, ManualClock
from dragoman_conformance.references.wharf.dialect import WharfDialect
from dragoman_conformance.references.wharf.dialect.gate import Gate
from dragoman_conformance.references.wharf.dialect.problems import RefusedError
from dragoman_conformance.references.wharf.dialect.rows import order_row
from dragoman_conformance.references.wharf.rest import POOL
from dragoman_conformance.references.wharf.signing import Nonces, WharfSigner

LIMIT = POOL.windows[0].limit
ORDER = {
    "account": "paper-1",
    "client_id": "c1",
    "symbol": "AAPL",
    "side": "buy",
    "type": "limit",
    "quantity": "10",
    "limit_price": "90",
    "time_in_force": "gtc",
}


async def nothing():
    """Leave the time as it is."""


class Client:
    """Somebody who speaks wharf by hand."""

    def __init__(self, session, url, now_ns, credentials):
        self.session = session
        self.url = url
        self.shift_ns = 0
        self.signer = WharfSigner(
            Credentials(credentials),
            lambda: now_ns() + self.shift_ns,
            Nonces(),
            check_time=nothing,
        )

    async def ask(self, method, target, body=None, headers=None):
        """Send a request, and return status, headers and body of the answer."""
        data = b"" if body is None else json.dumps(body).encode()
        signed = dict(self.signer.proof(method, target, data)) if headers is None else headers
        url = aiohttp.client.URL(f"{self.url}{target}", encoded=True)
        async with self.session.request(method, url, data=data, headers=signed) as response:
            return response.status, response.headers, await response.json()

    async def code(self, *asked, **more):
        """Send a request, and return the status and the code of its refusal."""
        status, _, body = await self.ask(*asked, **more)
        return status, body.get("error", {}).get("code")


@pytest.fixture
async def client(rig):
    async with aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{rig.proxy.port}"
        yield Client(session, url, rig.clock.now_ns, CREDENTIALS)


async def test_an_order_is_taken_shown_and_ended(client):
    status, _, placed = await client.ask("POST", "/v1/orders", ORDER)
    _, _, shown = await client.ask("GET", f"/v1/orders/{placed['id']}?account=paper-1")
    _, _, ended = await client.ask("DELETE", f"/v1/orders/{placed['id']}?account=paper-1")

    assert (201, "W1001", "c1") == (status, placed["id"], placed["client_id"])
    assert ("open", "90") == (shown["status"], shown["limit_price"])
    assert "canceled" == ended["status"]
    assert (409, "order_ended") == await client.code("DELETE", "/v1/orders/W1001?account=paper-1")


async def test_a_client_id_is_taken_for_ever_whatever_the_order(client):
    await client.ask("POST", "/v1/orders", ORDER)

    assert (409, "duplicate_client_id") == await client.code("POST", "/v1/orders", ORDER)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"colour": "red"}, (400, "invalid_request")),
        ({"side": "up"}, (400, "invalid_request")),
        ({"quantity": None}, (400, "invalid_request")),
        ({"client_id": "a b"}, (400, "invalid_client_id")),
        ({"account": "yours"}, (404, "unknown_account")),
        ({"symbol": "NOPE"}, (404, "unknown_symbol")),
        ({"symbol": "BTCUSD"}, (404, "unknown_symbol")),
        ({"quantity": "-1"}, (422, "invalid_quantity")),
        ({"limit_price": "90.001"}, (422, "invalid_price")),
        ({"quantity": "9000000"}, (422, "insufficient_funds")),
        ({"take_profit": {"stop_price": "1"}}, (422, "unsupported")),
    ],
    ids=str,
)
async def test_an_order_that_makes_no_sense_is_refused(client, change, refusal):
    assert refusal == await client.code("POST", "/v1/orders", {**ORDER, **change})


@pytest.mark.parametrize(
    ("method", "target", "refusal"),
    [
        ("GET", "/v1/orders/W9999?account=paper-1", (404, "unknown_order")),
        ("GET", "/v1/orders/nonsense?account=paper-1", (404, "unknown_order")),
        ("GET", "/v1/orders?account=paper-1&client_id=c9", (404, "unknown_order")),
        ("GET", "/v1/orders/open?account=yours", (404, "unknown_account")),
        ("GET", "/v1/fills?account=paper-1&cursor=x", (400, "invalid_request")),
        ("GET", "/v1/fills?account=paper-1&since=yesterday", (400, "invalid_request")),
        ("GET", "/v1/bars?symbol=AAPL&timeframe=often", (400, "invalid_request")),
        ("GET", "/v1/weather", (404, "unknown_path")),
        ("PUT", "/v1/orders", (405, "unknown_path")),
    ],
)
async def test_what_is_not_there_is_refused(client, method, target, refusal):
    assert refusal == await client.code(method, target)


async def test_a_request_that_is_sent_again_is_refused(client):
    headers = dict(client.signer.proof("GET", "/v1/accounts"))

    first, again = [await client.code("GET", "/v1/accounts", headers=headers) for _ in range(2)]

    assert ((200, None), (401, "bad_nonce")) == (first, again)


async def test_a_request_may_overtake_another(client):
    older, newer = [dict(client.signer.proof("GET", "/v1/accounts")) for _ in range(2)]

    answers = [await client.code("GET", "/v1/accounts", headers=one) for one in (newer, older)]

    assert [(200, None), (200, None)] == answers


@pytest.mark.parametrize("shift_ns", [-6 * SECOND_NS, 6 * SECOND_NS])
async def test_a_time_that_is_off_is_refused(client, shift_ns):
    client.shift_ns = shift_ns

    assert (401, "bad_timestamp") == await client.code("GET", "/v1/accounts")


@pytest.mark.parametrize(
    "header", ["Wharf-Key", "Wharf-Timestamp", "Wharf-Nonce", "Wharf-Signature"]
)
async def test_every_header_counts(client, header):
    headers = dict(client.signer.proof("GET", "/v1/accounts"))
    headers[header] = headers[header][:-1] + ("0" if headers[header][-1] != "0" else "1")

    status, code = await client.code("GET", "/v1/accounts", headers=headers)

    assert 401 == status
    assert code in {"bad_key", "bad_signature"}


@pytest.mark.parametrize(
    "sent",
    [
        ("GET", "/v1/positions?account=paper-1", None),
        ("DELETE", "/v1/orders?account=paper-1&client_id=c1", None),
        ("POST", "/v1/orders", ORDER),
    ],
    ids=["path", "query", "body"],
)
async def test_a_signature_is_for_one_request_alone(client, sent):
    headers = dict(client.signer.proof(sent[0], "/v1/orders?account=paper-1&client_id=c2"))

    assert (401, "bad_signature") == await client.code(*sent, headers=headers)


async def test_each_answer_says_what_is_left(client):
    answers = [await client.ask("GET", "/v1/accounts") for _ in range(3)]

    left = [int(headers["X-RateLimit-Remaining"]) for _, headers, _ in answers]
    assert [LIMIT - 1, LIMIT - 2, LIMIT - 3] == left


async def test_a_request_that_is_one_too_many_is_refused_until_the_oldest_counts_no_more():
    clock = ManualClock()
    gate = Gate(SimpleNamespace(clock=clock), {})
    for _ in range(LIMIT):
        gate.spend("captain")

    with pytest.raises(RefusedError) as caught:
        gate.spend("captain")
    answer = WharfDialect().problem(caught.value)

    assert (429, "11") == (answer.status, answer.headers["Retry-After"])
    assert LIMIT - 1 == gate.spend("another").remaining
    await clock.advance(seconds=10)
    assert LIMIT - 1 == gate.spend("captain").remaining


async def test_without_enrolment_any_signature_opens_but_no_time_of_ones_own(rig):
    async with SimpleHost(rig.served, WharfDialect()) as host, aiohttp.ClientSession() as session:
        anybody = Client(session, host.url, rig.clock.now_ns, {"key": "any", "secret": "thing"})
        status, _ = await anybody.code("GET", "/v1/accounts")
        anybody.shift_ns = 6 * SECOND_NS
        late = await anybody.code("GET", "/v1/accounts")
        none = await anybody.code("GET", "/v1/accounts", headers={})

    assert (200, (401, "bad_timestamp"), (401, "bad_key")) == (status, late, none)


async def test_wharf_tells_its_time_and_the_newest_nonce(rig, client):
    await client.ask("GET", "/v1/accounts")

    _, _, told = await client.ask("GET", "/v1/time", headers={"Wharf-Key": CREDENTIALS["key"]})
    _, _, stranger = await client.ask("GET", "/v1/time", headers={})

    assert rig.clock.now_ns() // MILLISECOND_NS >= int(told["nonce"]) // MILLISECOND_NS > 0
    assert "0" == stranger["nonce"]


class TestStream:
    """The socket, spoken to by hand."""

    async def greeted(self, client, **change):
        socket = await client.session.ws_connect(f"{client.url}/v1/stream")
        proof = dict(client.signer.proof("GET", "/v1/stream"))
        names = {"Wharf-Key": "key", "Wharf-Timestamp": "timestamp", "Wharf-Nonce": "nonce"}
        names["Wharf-Signature"] = "signature"
        greeting = {"op": "auth", **{names[name]: text for name, text in proof.items()}}
        await socket.send_json({**greeting, **change})
        return socket, await socket.receive_json()

    async def test_events_are_numbered_one_by_one(self, client):
        socket, answer = await self.greeted(client)
        await socket.send_json({"op": "subscribe", "id": 7, "topics": {"private": ["orders"]}})
        confirmed = await socket.receive_json()
        await client.ask("POST", "/v1/orders", {**ORDER, "type": "market", "limit_price": None})

        frames = [await socket.receive_json() for _ in range(3)]

        await socket.close()
        assert {"type": "auth", "ok": True} == answer
        assert ("subscribed", 7, 0) == (confirmed["type"], confirmed["id"], confirmed["seq"])
        assert [1, 2, 3] == [one["seq"] for one in frames]
        assert ["accepted", "fill"] == [one.get("event") for one in frames[:2]]

    @pytest.mark.parametrize(
        ("message", "code"),
        [
            ({"op": "dance", "id": 1}, "invalid_request"),
            ({"op": "subscribe", "id": 1, "topics": {"weather": ["AAPL"]}}, "invalid_request"),
            ({"op": "subscribe", "id": 1, "topics": {"bars": ["AAPL"]}}, "invalid_request"),
            ({"op": "subscribe", "id": 1, "topics": {"bars": ["often AAPL"]}}, "invalid_request"),
            ({"op": "subscribe", "id": 1, "topics": {"quotes": ["NOPE"]}}, "unknown_symbol"),
        ],
        ids=str,
    )
    async def test_what_can_not_be_streamed_is_refused(self, client, message, code):
        socket, _ = await self.greeted(client)
        await socket.send_json(message)

        answer = await socket.receive_json()

        await socket.close()
        assert ("error", 1, code) == (answer["type"], answer["id"], answer["code"])

    async def test_a_wrong_signature_is_told_and_cut(self, client):
        socket, answer = await self.greeted(client, signature="0" * 64)
        ending = await socket.receive()

        await socket.close()
        assert ("auth", False, "bad_signature") == (answer["type"], answer["ok"], answer["code"])
        assert (aiohttp.WSMsgType.CLOSE, 1008) == (ending.type, ending.data)


async def test_a_name_that_wharf_can_not_hold_is_shown_to_nobody(rig):
    terms = {"symbol": "AAPL", "side": Side.BUY, "quantity": Decimal(1)}
    order = await rig.served.submit(
        client_order_id="a.name", order_type=OrderType.LIMIT, limit_price="90", **terms
    )

    assert order_row(order, lambda _: "W1")["client_id"] is None
