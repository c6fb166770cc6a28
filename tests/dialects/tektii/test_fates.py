"""Commands whose answer is lost, and a broker that fails: what the client is told, and may do."""

from contextlib import AsyncExitStack
from decimal import Decimal

import aiohttp
import pytest
from tests.broker.fake_adapter import FakeVenue

from dragoman.dialects import SimpleHost
from dragoman.errors import (
    ConnectFailedError,
    OrderRejectedError,
    OutcomeUnknownError,
    RateLimitedError,
    VenueUnavailableError,
)
from dragoman.ids import SeededIds
from dragoman.models import Position
from dragoman_tektii.dialect import TektiiDialect

LOST = OutcomeUnknownError("the answer was lost")
BUY = {"symbol": "AAPL", "side": "BUY", "order_type": "MARKET", "quantity": "10"}


@pytest.fixture
def venue():
    return FakeVenue()


@pytest.fixture
async def serve(venue):
    async with AsyncExitStack() as stack:

        async def serve(timeout_s=5.0, ids=None):
            broker = await stack.enter_async_context(venue.connect(timeout_s=timeout_s))
            serving = SimpleHost(broker, TektiiDialect(), ids=ids or SeededIds())
            host = await stack.enter_async_context(serving)
            client = await stack.enter_async_context(aiohttp.ClientSession(host.url))

            async def ask(method, path, body=None):
                async with client.request(method, path, json=body) as answer:
                    return answer.status, await answer.json(), answer.headers

            return ask

        yield serve


@pytest.fixture
async def ask(serve):
    return await serve()


class SameId:
    """What the host draws for a request that is repeated under one idempotency key."""

    def next_id(self):
        """Return the same id again."""
        return "drawn"


def holds(*positions):
    """Return positions by symbol and quantity."""
    return tuple(
        Position(
            position_id=symbol,
            account_id="one",
            symbol=symbol,
            quantity=Decimal(quantity),
            provider="fake",
            received_at_ns=1,
            average_entry_price=Decimal(100),
            mark_price=Decimal(101),
        )
        for symbol, quantity in positions
    )


async def submit(ask, **fields):
    status, found, headers = await ask("POST", "/v1/orders", {**BUY, **fields})
    return status, found, headers


async def test_lost_answer_is_unknown_never_rejected_and_can_be_looked_up(serve, venue):
    ask = await serve(timeout_s=0.2)
    venue.script("submit", LOST)

    status, refusal, _ = await submit(ask)
    order = await ask("GET", f"/v1/orders/{refusal['details']['client_order_id']}")

    assert (500, "INTERNAL_ERROR", "UNKNOWN") == (
        status,
        refusal["code"],
        refusal["details"]["outcome"],
    )
    assert (200, "PENDING") == (order[0], order[1]["status"])


async def test_lost_order_is_not_sent_again_by_its_name(serve, venue):
    ask = await serve(timeout_s=0.2)
    venue.script("submit", LOST)

    first = await submit(ask, client_order_id="c1")
    again = await submit(ask, client_order_id="c1")

    assert (500, 500) == (first[0], again[0])
    assert 1 == venue.calls.count("submit")


async def test_lost_cancel_is_a_500_which_clients_do_not_repeat(serve, venue):
    ask = await serve(timeout_s=2.0)
    _, handle, _ = await submit(ask)
    venue.script("cancel", LOST)

    status, refusal, _ = await ask("DELETE", f"/v1/orders/{handle['id']}")

    assert (500, "UNKNOWN") == (status, refusal["details"]["outcome"])


async def test_third_failure_opens_the_breaker_for_submits_alone(ask, venue):
    _, handle, _ = await submit(ask)
    for _ in range(3):
        venue.script("submit", ConnectFailedError("no route"))
        status, refusal, _ = await submit(ask)
        assert (502, "PROVIDER_ERROR") == (status, refusal["code"])
    sent = venue.calls.count("submit")

    status, refusal, _ = await submit(ask)
    canceled, _, _ = await ask("DELETE", f"/v1/orders/{handle['id']}")
    _, breakers, _ = await ask("GET", "/v1/circuit-breakers")
    reset, _, _ = await ask("POST", "/v1/circuit-breakers/reset")
    after, _, _ = await submit(ask)

    assert (503, "PROVIDER_UNAVAILABLE") == (status, refusal["code"])
    assert {"state": "open", "failure_count": 3} == breakers["adapter"]
    assert (200, 200, 201) == (canceled, reset, after)
    assert sent + 1 == venue.calls.count("submit")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (VenueUnavailableError("maintenance"), 503, "PROVIDER_UNAVAILABLE"),
        (RateLimitedError("slow down", retry_after=1.5), 429, "RATE_LIMITED"),
    ],
    ids=["unavailable", "throttled"],
)
async def test_read_that_fails_says_when_to_come_again(ask, venue, error, status, code):
    venue.script("fetch_account", error)

    found, refusal, headers = await ask("GET", "/v1/account")

    assert (status, code) == (found, refusal["code"])
    if code == "RATE_LIMITED":
        assert "2" == headers["Retry-After"]
        assert {"retry_after_seconds": 2, "reset_at": None} == refusal["details"]


async def test_unnamed_order_that_is_repeated_is_sent_once(serve, venue):
    ask = await serve(ids=SameId())

    first = await submit(ask)
    again = await submit(ask)

    assert (201, "drawn") == (first[0], first[1]["id"])
    assert first[:2] == again[:2]
    assert 1 == venue.calls.count("submit")


async def test_part_of_a_position_is_closed_once_though_repeated(serve, venue):
    venue.positions = holds(("AAPL", 10))
    ask = await serve(ids=SameId())

    first = await ask("DELETE", "/v1/positions/AAPL", {"quantity": "4"})
    again = await ask("DELETE", "/v1/positions/AAPL", {"quantity": "4"})

    assert (200, "drawn") == (first[0], first[1]["id"])
    assert first[:2] == again[:2]
    assert 1 == venue.calls.count("submit")


async def test_close_of_several_that_is_repeated_closes_what_is_left(serve, venue):
    venue.positions = holds(("AAPL", 10), ("MSFT", 2))
    ask = await serve(ids=SameId())
    _, first, _ = await ask("DELETE", "/v1/positions?symbol=AAPL")
    venue.positions = holds(("MSFT", 2))

    _, again, _ = await ask("DELETE", "/v1/positions")

    assert 2 == len({one["id"] for one in (*first, *again)})
    assert 2 == venue.calls.count("submit")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (LOST, 500, "INTERNAL_ERROR"),
        (OrderRejectedError("no"), 422, "ORDER_REJECTED"),
        (ConnectFailedError("no route"), 502, "PROVIDER_ERROR"),
    ],
    ids=["lost", "refused", "not_sent"],
)
async def test_position_that_cannot_be_closed_says_why(serve, venue, error, status, code):
    venue.positions = holds(("AAPL", 10))
    ask = await serve(timeout_s=0.2)
    venue.script("submit", error)

    found, refusal, _ = await ask("DELETE", "/v1/positions")

    assert (status, code) == (found, refusal["code"])


async def test_close_of_several_names_those_that_failed_and_those_that_did_not(serve, venue):
    venue.positions = holds(("AAPL", 10), ("MSFT", -2))
    ask = await serve()
    venue.script("submit", ConnectFailedError("no route"))

    status, refusal, _ = await ask("DELETE", "/v1/positions")

    details = refusal["details"]
    assert (500, "INTERNAL_ERROR") == (status, refusal["code"])
    assert ["PROVIDER_ERROR"] == [one["code"] for one in details["failed"]]
    assert 1 == len(details["closed"])


async def test_refused_change_leaves_the_order_as_it_was(ask, venue):
    _, handle, _ = await submit(ask, order_type="LIMIT", limit_price="90")
    path = f"/v1/orders/{handle['id']}"
    venue.script("replace", OrderRejectedError("not now"))

    status, refusal, _ = await ask("PATCH", path, {"limit_price": "91"})
    small, why, _ = await ask("PATCH", path, {"trailing_distance": "1"})
    _, order, _ = await ask("GET", path)

    assert (409, {"order_id": handle["id"]}) == (status, refusal["details"])
    assert (400, "INVALID_VALUE") == (small, why["code"])
    assert ("90", "OPEN") == (order["limit_price"], order["status"])


async def test_leverage_that_the_broker_does_not_take_is_refused_before_the_order(ask, venue):
    status, refusal, _ = await submit(ask, leverage="3")
    mode, why, _ = await submit(ask, margin_mode="isolated")

    assert (501, "set_leverage") == (status, refusal["details"]["operation"])
    assert (501, "set_margin_mode") == (mode, why["details"]["operation"])
    assert 0 == venue.calls.count("submit")
