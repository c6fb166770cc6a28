"""The routes: what they answer, what they refuse, and how that is told."""

import asyncio

import pytest
from yarl import URL

from dragoman.errors import (
    BusyError,
    CircuitOpenError,
    ClosedError,
    DecodeError,
    HaltedError,
    NotFoundError,
    Outcome,
    OutcomeUnknownError,
    RateLimitedError,
    ReconcilingError,
    VenueUnavailableError,
)
from dragoman.ids import SeededIds
from dragoman_gateway.native.problems import error_answer, refusal

MARKET = {"symbol": "AAPL", "side": "BUY", "order_type": "MARKET", "quantity": "3"}
RESTING = {**MARKET, "order_type": "LIMIT", "limit_price": "1.00"}


async def told(answer, status):
    assert status == answer.status, await answer.text()
    return await answer.json()


async def refused(answer, status):
    problem = (await told(answer, status))["error"]
    assert status == problem["status"]
    return problem


def fields_of(problem):
    return [one["field"] for one in problem["violations"]]


async def test_accounts_are_listed_with_how_they_stand(client):
    found = await told(await client.get("/v1/accounts"), 200)

    (account,) = found["accounts"]
    assert ("mock", "paper-1", False) == (
        account["provider"],
        account["account_id"],
        account["is_halted"],
    )
    assert "LIVE" == account["health"]["state"]


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("state", "open_orders"),
        ("health", "health"),
        ("account", "equity"),
        ("capabilities", "orders"),
        ("orders", "next_cursor"),
        ("orders?status=OPEN", "orders"),
        ("positions", "positions"),
        ("positions?refresh=true&symbol=AAPL", "positions"),
        ("fills", "fills"),
        ("ledger?kind=FEE&kind=DIVIDEND", "entries"),
        ("instruments?query=aap", "instruments"),
        ("instruments/BTC%2FUSD", "symbol"),
        ("instruments/AAPL/hours?start=2026-01-07T00:00:00Z&end=2026-01-08T00:00:00Z", "hours"),
        ("quotes?symbol=AAPL&symbol=MSFT", "quotes"),
        ("tickers?symbol=AAPL", "tickers"),
        ("depth?symbol=AAPL&levels=3", "bids"),
        ("bars?symbol=AAPL&timeframe=1m&limit=5&start=2026-01-06T00:00:00Z", "bars"),
        ("trades?symbol=AAPL&limit=5&start=2026-01-06T00:00:00Z", "trades"),
        ("market-status", "state"),
    ],
)
async def test_every_read_answers(client, path, key):
    assert key in await told(await client.get(path), 200)


async def test_an_order_is_placed_found_changed_and_canceled_under_any_name(client):
    name = "a/b?c#d%"
    placed = await client.post("orders", json={**RESTING, "client_order_id": name})
    assert name == (await told(placed, 201))["client_order_id"]
    at = placed.headers["Location"]
    assert "/v1/mock/paper-1/orders/a%2Fb%3Fc%23d%25" == at

    changed = await told(await client.patch(asked(client, at), json={"limit_price": "1.01"}), 200)
    found = await told(await client.get(asked(client, at)), 200)
    waited = await told(await client.get(asked(client, at + "/wait?until=OPEN&timeout_s=0")), 200)
    canceled = await told(await client.delete(asked(client, at)), 200)
    again = await told(await client.get(asked(client, at + "?refresh=true")), 200)

    assert ("1.01", "1.01") == (changed["limit_price"], found["limit_price"])
    assert (True, name) == (waited["is_met"], waited["order"]["client_order_id"])
    assert {"CANCELED"} == {canceled["status"], again["status"]}


def asked(client, path):
    """Return the URL of a path that is encoded already."""
    return URL(f"{client._base_url.origin()}{path}", encoded=True)


async def test_waiting_ends_in_time_and_says_that_nothing_came(client):
    await client.post("orders", json={**RESTING, "client_order_id": "w"})

    waited = await told(await client.get("orders/w/wait", params={"timeout_s": "0"}), 200)

    assert (False, "OPEN") == (waited["is_met"], waited["order"]["status"])


async def test_a_position_is_shown_protected_and_closed(client):
    await told(await client.post("orders", json=MARKET), 201)
    held = await told(await client.get("positions/AAPL"), 200)

    part = await told(await client.post("positions/AAPL/close", json={"quantity": "1"}), 201)
    rows = (await told(await client.delete("positions"), 200))["results"]
    gone = await refused(await client.get("positions/AAPL"), 404)

    assert ("3", "1", "SELL") == (held["quantity"], part["quantity"], part["side"])
    assert [("2", None)] == [(row["order"]["quantity"], row["error"]) for row in rows]
    assert "NOT_SENT" == gone["outcome"]


async def test_a_list_is_placed_and_all_of_it_canceled(client):
    stop = {**MARKET, "order_type": "STOP", "stop_price": "999"}
    asked_for = {"contingency": "OCO", "requests": [RESTING, stop]}

    placed = (await told(await client.post("order-lists", json=asked_for), 201))["results"]
    canceled = (await told(await client.delete("orders?symbol=AAPL"), 200))["results"]

    assert [None, None] == [row["error"] for row in placed]
    assert {row["client_order_id"] for row in placed} >= {
        row["client_order_id"] for row in canceled
    }


async def test_a_preview_says_what_stands_in_the_way(client):
    good = await told(await client.post("order-previews", json=MARKET), 200)
    bad = await told(await client.post("order-previews", json={**MARKET, "quantity": "0"}), 422)

    assert (True, []) == (good["is_acceptable"], good["violations"])
    assert ["quantity"] == [one["field"] for one in bad["error"]["violations"]]


async def test_an_order_without_a_name_is_named_by_the_host(serve):
    ids = SeededIds("drawn")
    async with serve(ids=ids) as client:
        one = await told(await client.post("orders", json=RESTING), 201)
        both = await told(
            await client.post("order-lists", json={"requests": [RESTING, RESTING]}), 201
        )

    assert "drawn-1" == one["client_order_id"]
    assert ["drawn-2", "drawn-3"] == [row["client_order_id"] for row in both["results"]]


class SameIds:
    """Draws the same ids in every request, as a request that is repeated under its key does."""

    def __init__(self):
        self.count = 0

    def next_id(self):
        self.count += 1
        return f"repeated-{self.count}"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "orders", RESTING, 201),
        ("POST", "order-lists", {"requests": [RESTING, MARKET]}, 201),
        ("POST", "positions/AAPL/close", {}, 201),
        ("POST", "positions/AAPL/close", {"quantity": "1"}, 201),
    ],
)
async def test_a_repeated_request_finds_what_it_began(serve, method, path, body, status):
    ids = SameIds()
    async with serve(ids=ids) as client:
        await client.post("orders", json={**MARKET, "client_order_id": "held"})
        answers = []
        for _ in range(3):
            ids.count = 0
            answers.append(await told(await client.request(method, path, json=body), status))
        orders = (await told(await client.get("orders"), 200))["orders"]

    assert answers[0] == answers[1] == answers[2]
    assert 1 + len(body.get("requests", [None])) == len(orders)


async def test_a_repeated_close_of_everything_closes_nothing_twice(serve):
    ids = SameIds()
    async with serve(ids=ids) as client:
        for symbol in ("AAPL", "MSFT"):
            await client.post(
                "orders", json={**MARKET, "symbol": symbol, "client_order_id": symbol}
            )
        first = (await told(await client.delete("positions?symbol=AAPL"), 200))["results"]
        await client.post("orders", json={**MARKET, "client_order_id": "again"})
        ids.count = 0
        second = (await told(await client.delete("positions?symbol=AAPL"), 200))["results"]

    assert first == second


async def test_the_same_order_again_is_the_same_order_and_other_terms_are_a_conflict(client):
    mine = {**RESTING, "client_order_id": "mine"}
    first = await told(await client.post("orders", json=mine), 201)
    second = await told(await client.post("orders", json=mine), 201)
    other = await refused(await client.post("orders", json={**mine, "quantity": "4"}), 409)

    assert first["venue_order_ids"] == second["venue_order_ids"]
    assert ("DuplicateOrderError", "NOT_SENT") == (other["type"], other["outcome"])


async def test_a_halt_stops_orders_lets_cancels_through_and_ends_by_resume(client):
    await client.post("orders", json={**RESTING, "client_order_id": "open"})

    report = await told(await client.post("halt", json={"cause": "news"}), 200)
    stopped = await refused(await client.post("orders", json=MARKET), 423)
    canceled = await told(await client.delete("orders/open"), 200)
    resumed = await told(await client.post("resume"), 200)
    await told(await client.post("orders", json=MARKET), 201)

    assert ("news", ["open"]) == (report["cause"], report["open_orders"])
    assert ("HaltedError", "NOT_SENT") == (stopped["type"], stopped["outcome"])
    assert "CANCELED" == canceled["status"]
    assert (False, "LIVE") == (resumed["is_halted"], resumed["health"]["state"])


async def test_a_halt_with_cancel_and_a_flatten_say_what_they_proved(client):
    await told(await client.post("orders", json=MARKET), 201)
    await told(await client.post("orders", json=RESTING), 201)

    canceled = await told(await client.post("halt", json={"cancel": True}), 200)
    flat = await told(await client.post("flatten"), 200)
    compared = await told(await client.post("reconcile"), 200)

    assert ([], ["AAPL"]) == (canceled["open_orders"], canceled["open_positions"])
    assert (True, []) == (flat["is_flat"], flat["open_positions"])
    assert True is compared["is_halted"]


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "account", "halter"),
        ("GET", "/v1/accounts", "halter"),
        ("POST", "orders", "reader"),
        ("DELETE", "orders", "reader"),
        ("DELETE", "positions", "reader"),
        ("POST", "halt", "trader"),
        ("POST", "resume", "trader"),
        ("POST", "flatten", "trader"),
    ],
)
async def test_a_scope_opens_nothing_but_its_own(serve, keys, shown, method, path, scope):
    async with serve(keys=keys) as client:
        problem = await refused(
            await client.request(method, path, headers=shown(scope), json=MARKET), 403
        )

    assert ("PermissionDeniedError", "NOT_SENT") == (problem["type"], problem["outcome"])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong-key"},
        {"X-API-Key": "wrong-key"},
        {"Authorization": "Basic cmVhZGVy"},
    ],
    ids=["none", "bearer", "header", "other-scheme"],
)
async def test_without_a_key_nothing_is_told(serve, keys, headers):
    async with serve(keys=keys) as client:
        problem = await refused(await client.get("account", headers=headers), 401)

    assert "AuthenticationError" == problem["type"]


async def test_either_header_carries_the_key(serve, keys, shown):
    async with serve(keys=keys) as client:
        await told(await client.get("account", headers=shown("reader")), 200)
        await told(await client.get("account", headers={"X-API-Key": "the-key-of-the-reader"}), 200)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("bars?symbol=AAPL&timeframe=x", ["timeframe"]),
        ("bars?timeframe=1m", ["symbol"]),
        ("bars?symbol=AAPL&timeframe=1m&price_source=TEA", ["price_source"]),
        ("bars?symbol=AAPL&timeframe=1m&start=tomorrow&limit=0", ["start", "limit"]),
        ("fills?start=2026-01-02T00:00:00Z&end=2026-01-01T00:00:00Z", ["end"]),
        ("fills?limit=1&limit=2", ["limit"]),
        ("fills?cursor=%%%", ["cursor"]),
        ("fills?cursor=bm9uc2Vuc2U", ["cursor"]),
        ("fills?limit=%E0%A5%A7", ["limit"]),
        ("orders?symbolx=AAPL", ["symbolx"]),
        ("orders?status=open", ["status"]),
        ("orders?symbol=%00", ["symbol"]),
        ("orders?symbol=", ["symbol"]),
        ("positions?refresh=yes", ["refresh"]),
        ("quotes", ["symbol"]),
        ("instruments/" + "x" * 201, ["symbol"]),
        ("instruments/AAPL/hours", ["start", "end"]),
        ("instruments/AAPL/hours?start=2020-01-01T00:00:00Z&end=2026-01-01T00:00:00Z", ["end"]),
        ("orders/x/wait?until=SOON&timeout_s=31", ["until", "timeout_s"]),
    ],
)
async def test_a_wrong_parameter_is_named(client, path, fields):
    assert fields == fields_of(await refused(await client.get(path), 422))


async def test_a_misspelled_filter_cancels_nothing(client):
    await client.post("orders", json={**RESTING, "client_order_id": "mine"})

    await refused(await client.delete("orders?symbolx=MSFT"), 422)

    assert "OPEN" == (await told(await client.get("orders/mine"), 200))["status"]


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        ("", 400, ["body"]),
        ("{", 400, ["body"]),
        ('{"a":1,"a":2}', 400, ["body"]),
        ('{"quantity":NaN}', 400, ["body"]),
        ("[" * 100_000, 400, ["body"]),
        ("[]", 422, [""]),
        ("{}", 422, ["symbol", "side", "order_type"]),
        ('{"symbol":"AAPL","side":"BUY","order_type":"MARKET","quantity":1.5}', 422, ["quantity"]),
        ('{"symbol":"AAPL","side":"UP","order_type":"MARKET","quantity":1}', 422, ["side"]),
        ('{"symbol":"AAPL","side":"BUY","order_type":"MARKET","quantity":1,"tip":2}', 422, ["tip"]),
        (
            '{"symbol":"AAPL","side":"BUY","order_type":"MARKET","quantity":1,"account_id":"x"}',
            422,
            ["account_id"],
        ),
        (
            '{"symbol":"AAPL","side":"BUY","order_type":"MARKET","quantity":1,"client_order_id":""}',
            422,
            ["client_order_id"],
        ),
    ],
    ids=lambda value: None if isinstance(value, (int, list)) else value[:60] or "empty",
)
async def test_a_wrong_body_is_named(client, body, status, fields):
    problem = await refused(await client.post("orders", data=body), status)

    assert (fields, "NOT_SENT") == (fields_of(problem), problem["outcome"])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/mock/nobody/orders", 404),
        ("GET", "/v1/nobody/paper-1/orders", 404),
        ("GET", "/v1/nothing", 404),
        ("POST", "/v1/accounts", 405),
        ("GET", "orders/nobody", 404),
        ("GET", "orders/n%20b", 404),
        ("DELETE", "orders/nobody", 404),
        ("GET", "orders/nobody/wait", 404),
        ("POST", "positions/AAPL/close", 404),
        ("GET", "instruments/NOPE", 404),
        ("GET", "quotes?symbol=NOPE", 404),
    ],
)
async def test_what_is_not_there_is_told_as_that(client, method, path, status):
    assert "NOT_SENT" == (await refused(await client.request(method, path), status))["outcome"]


async def test_a_refusal_of_the_venue_carries_its_reason(client):
    problem = await refused(
        await client.post("orders", json={**MARKET, "quantity": "1000000"}), 422
    )

    assert ("OrderRejectedError", "REJECTED") == (problem["type"], problem["outcome"])
    assert "INSUFFICIENT_FUNDS" == problem["reason"]
    assert problem["client_order_id"]


@pytest.mark.parametrize(
    ("error", "status", "after"),
    [
        (OutcomeUnknownError("lost"), 500, None),
        (RateLimitedError("slow", retry_after=1.5), 429, "2"),
        (VenueUnavailableError("down"), 503, None),
        (BusyError("busy", outcome=Outcome.UNKNOWN), 500, None),
        (ReconcilingError("blind"), 423, "1"),
        (HaltedError("halted"), 423, None),
        (ClosedError("closed"), 503, None),
        (CircuitOpenError("open"), 503, None),
        (DecodeError("garbage"), 502, None),
        (NotFoundError("gone"), 404, None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_each_kind_of_error_has_its_status(error, status, after):
    answer = error_answer(error)

    assert (status, after) == (answer.status, answer.headers.get("Retry-After"))


@pytest.mark.parametrize(
    ("status", "outcome"), [(500, "UNKNOWN"), (404, "NOT_SENT"), (504, None), (409, None)]
)
def test_a_refusal_of_the_host_claims_no_more_than_is_known(status, outcome):
    told_outcome = f'"outcome":"{outcome}"' if outcome else '"outcome":null'

    assert told_outcome in refusal(status, "no").text


async def test_pages_follow_each_other_without_gap_or_repetition(client):
    await asyncio.gather(*[client.post("orders", json=MARKET) for _ in range(7)])
    whole = (await told(await client.get("fills"), 200))["fills"]

    found, cursor = [], None
    for _ in range(10):
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = await told(await client.get("fills", params=params), 200)
        found += page["fills"]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert 7 == len(whole)
    assert whole == found


async def test_the_catalogue_comes_in_pages(client):
    whole = (await told(await client.get("instruments"), 200))["instruments"]
    first = await told(await client.get("instruments?limit=3"), 200)
    params = {"limit": "1000", "cursor": first["next_cursor"]}
    rest = await told(await client.get("instruments", params=params), 200)

    assert whole == first["instruments"] + rest["instruments"]
    assert None is rest["next_cursor"]
