"""Orders whose answer is lost, late or taken back: what the client is told, over any broker."""

import asyncio
from decimal import Decimal

import attrs
import pytest
from tests.broker.fake_adapter import FakeVenue
from tests.dialects.alpaca.trading_rig import BUY, REST, eventually, served

from dragoman import (
    CommandResult,
    OrderEvent,
    OrderEventKind,
    OrderRejectedError,
    OrderRequest,
    OrderStatus,
    OutcomeUnknownError,
    PendingAction,
    RejectReason,
    Side,
    VenueUnavailableError,
)
from dragoman.errors import ConflictError, LimitExceededError, PermissionDeniedError
from dragoman_alpaca.dialect import order_commands
from dragoman_alpaca.dialect.problems import RefusedError
from dragoman_alpaca.errors import reason_of

LOST = OutcomeUnknownError("the answer was lost")


@pytest.fixture
def venue():
    return FakeVenue()


@pytest.fixture
async def broker(venue):
    async with venue.connect() as broker:
        yield broker


@pytest.fixture
async def client(broker):
    async with served(broker) as client:
        yield client


async def found(client, name):
    """Return the order of that name as the client finds it."""
    return await client.get("/v2/orders:by_client_order_id", client_order_id=name)


async def test_an_order_of_unknown_fate_is_a_timeout_and_can_be_looked_up(client, venue):
    venue.script("submit", LOST)

    status, code, message = await client.refused(
        "POST", "/v2/orders", json={**BUY, "client_order_id": "c1"}
    )

    assert (504, 50410000) == (status, code)
    assert message.startswith("request timed out: ")
    assert "pending_new" == (await found(client, "c1"))["status"]
    assert 1 == venue.calls.count("submit")


async def test_an_order_of_unknown_fate_is_not_sent_again_by_its_name(client, venue):
    venue.script("submit", LOST)
    await client.ask("POST", "/v2/orders", json={**BUY, "client_order_id": "c1"})

    again = await client.refused("POST", "/v2/orders", json={**BUY, "client_order_id": "c1"})

    assert (422, 40010001, "client_order_id must be unique") == again
    assert 1 == venue.calls.count("submit")


async def test_an_order_of_unknown_fate_without_a_name_is_no_status_that_clients_repeat(
    client, venue
):
    venue.script("submit", LOST)

    status, code, message = await client.refused("POST", "/v2/orders", json=BUY)

    assert (500, 50010000) == (status, code)
    assert message.startswith("the order may have been placed, look before sending it again")


async def test_a_replace_of_unknown_fate_is_a_timeout(client, venue):
    order = await client.rest()
    venue.script("replace", LOST)

    status, _, _ = await client.refused("PATCH", f"/v2/orders/{order['id']}", json={"qty": 5})

    assert 504 == status


@pytest.mark.parametrize(("is_named", "status"), [(True, 504), (False, 500)], ids=["named", "not"])
def test_what_was_sent_and_can_not_be_shown_is_no_order_that_was_not_sent(is_named, status):
    with (
        pytest.raises(RefusedError, match="it was sent, and can't be shown") as caught,
        order_commands.already_sent(is_named=is_named),
    ):
        raise VenueUnavailableError("the account's events could not be read in time")

    assert status == caught.value.status


def test_a_refusal_of_what_was_sent_is_told_as_it_is():
    refusal = RefusedError(500, "it was sent, and is not shown yet")

    with pytest.raises(RefusedError) as caught, order_commands.already_sent(is_named=True):
        raise refusal

    assert refusal is caught.value


# A name that is taken says nothing of the order that was sent: the broker looks that one up.
REASONS = [one for one in RejectReason if one is not RejectReason.DUPLICATE_CLIENT_ORDER_ID]


@pytest.mark.parametrize("reason", REASONS, ids=str)
async def test_a_refusal_tells_its_reason_and_the_order_stays_to_be_read(client, venue, reason):
    venue.script("submit", OrderRejectedError("no", reason=reason))

    status, body = await client.ask("POST", "/v2/orders", json={**BUY, "client_order_id": "c1"})

    assert status in {403, 422}
    assert "no" in body["detail"]
    refused = await found(client, "c1")
    assert ("rejected", body["message"]) == (refused["status"], refused["reject_reason"])


@pytest.mark.parametrize(
    "reason",
    [
        RejectReason.INSUFFICIENT_FUNDS,
        RejectReason.INSUFFICIENT_POSITION,
        RejectReason.UNKNOWN_SYMBOL,
        RejectReason.NOT_TRADABLE,
        RejectReason.MARKET_CLOSED,
        RejectReason.INVALID_QUANTITY,
        RejectReason.INVALID_PRICE,
        RejectReason.BELOW_MINIMUM,
        RejectReason.ABOVE_MAXIMUM,
        RejectReason.WOULD_INCREASE,
        RejectReason.SELF_TRADE,
        RejectReason.SHORT_NOT_ALLOWED,
        RejectReason.TOO_MANY_ORDERS,
        RejectReason.NOT_PERMITTED,
        RejectReason.UNSUPPORTED,
    ],
    ids=str,
)
async def test_a_reason_that_the_venue_has_words_for_is_told_in_them(client, venue, reason):
    venue.script("submit", OrderRejectedError("no", reason=reason))

    _, _, message = await client.refused("POST", "/v2/orders", json=BUY)

    assert reason is reason_of(message)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (VenueUnavailableError("down", outcome="NOT_SENT"), 503, 50310000),
        (PermissionDeniedError("not this"), 403, 40310000),
        (LimitExceededError("too large"), 403, 40310000),
    ],
    ids=["unavailable", "no permission", "over a limit"],
)
async def test_what_keeps_an_order_from_being_sent_is_told(client, venue, error, status, code):
    venue.script("submit", error)

    assert (status, code) == (await client.refused("POST", "/v2/orders", json=BUY))[:2]


async def test_a_client_that_goes_away_does_not_take_its_order_along(client, venue):
    answer = asyncio.get_running_loop().create_future()
    venue.script("submit", answer)
    body = {**REST, "client_order_id": "c1"}
    posting = asyncio.create_task(client.ask("POST", "/v2/orders", json=body))
    await eventually(lambda: "submit" in venue.calls)
    posting.cancel()
    await asyncio.gather(posting, return_exceptions=True)

    answer.set_exception(OrderRejectedError("no", reason=RejectReason.INSUFFICIENT_FUNDS))

    await eventually(lambda: client.broker.state.order("c1").is_terminal)
    assert "rejected" == (await found(client, "c1"))["status"]


async def test_two_orders_of_one_name_at_once_are_one_order(client, venue):
    body = {**REST, "client_order_id": "c1"}

    answers = await asyncio.gather(*[client.ask("POST", "/v2/orders", json=body) for _ in range(4)])

    assert [200, 422, 422, 422] == sorted(status for status, _ in answers)
    assert 1 == venue.calls.count("submit")


def happened(kind, order, **facts):
    return OrderEvent(
        kind=kind,
        order=attrs.evolve(order, **facts),
        account_id="one",
        received_at_ns=order.received_at_ns,
    )


async def test_a_replace_that_is_taken_in_is_answered_once_it_is_done(client, venue, broker):
    order = await client.rest(client_order_id="c1")
    known = broker.state.order("c1")
    venue.script("replace", attrs.evolve(known, pending=PendingAction.REPLACE, updated_at_ns=11))

    changing = asyncio.create_task(client.replace(order, limit_price="91"))
    await eventually(lambda: broker.state.order("c1").pending is PendingAction.REPLACE)
    new = happened(
        OrderEventKind.REPLACED,
        known,
        revision=1,
        limit_price=known.limit_price + 1,
        venue_order_ids=(*known.venue_order_ids, "v9"),
        updated_at_ns=20,
    )
    venue.stream(new)
    new_order = await changing

    assert ("new", "91", order["id"]) == (
        new_order["status"],
        new_order["limit_price"],
        new_order["replaces"],
    )


async def test_a_replace_that_is_refused_after_it_was_taken_in_is_refused(client, venue, broker):
    order = await client.rest(client_order_id="c1")
    known = broker.state.order("c1")
    venue.script("replace", attrs.evolve(known, pending=PendingAction.REPLACE, updated_at_ns=11))

    changing = asyncio.create_task(
        client.refused("PATCH", f"/v2/orders/{order['id']}", json={"limit_price": "91"})
    )
    await eventually(lambda: broker.state.order("c1").pending is PendingAction.REPLACE)
    venue.stream(happened(OrderEventKind.REPLACE_REJECTED, known, updated_at_ns=20))

    assert (422, 42210000, "unable to replace order, the replace was refused") == await changing
    assert "new" == (await client.order(order))["status"]


async def test_a_cancel_that_the_venue_refuses_is_refused(client, venue):
    order = await client.rest(client_order_id="c1")
    venue.script("cancel", ConflictError("not now"))
    venue.shown["c1"] = client.broker.state.order("c1")

    status, code, message = await client.refused("DELETE", f"/v2/orders/{order['id']}")

    assert (422, 42210000) == (status, code)
    assert "already in" in message


async def test_an_order_that_filled_before_its_cancel_is_not_cancelable(client, venue):
    order = await client.rest(client_order_id="c1")
    known = client.broker.state.order("c1")
    filled = {"status": OrderStatus.FILLED, "filled_quantity": known.quantity}
    venue.script("cancel", attrs.evolve(known, updated_at_ns=20, **filled))

    found = await client.refused("DELETE", f"/v2/orders/{order['id']}")

    assert (422, 42210000, "order is not cancelable") == found


async def test_one_row_tells_of_the_cancel_that_failed(client, venue):
    await client.rest(client_order_id="c1")
    venue.script("cancel", LOST)

    status, rows = await client.ask("DELETE", "/v2/orders")

    assert 207 == status
    assert [(504, 50410000)] == [(row["status"], row["body"]["code"]) for row in rows]


async def test_a_connection_that_only_reads_shows_orders_and_sends_none(venue):
    async with venue.connect() as broker:
        await broker.submit(OrderRequest.limit("AAPL", Side.BUY, 1, 90))
        venue.shown = {one.client_order_id: one for one in broker.state.orders}
    async with venue.connect(read_only=True) as broker, served(broker) as client:
        (shown,) = await client.get("/v2/orders")
        found = await client.refused("POST", "/v2/orders", json=BUY)

        assert "new" == shown["status"]
        assert (403, 40310000, "account is restricted from trading") == found


async def test_a_replace_that_takes_long_is_announced_as_it_will_be(client, venue, monkeypatch):
    monkeypatch.setattr(order_commands, "_REPLACING_S", 0.01)
    order = await client.rest(client_order_id="c1")
    known = client.broker.state.order("c1")
    pending = {"pending": PendingAction.REPLACE, "updated_at_ns": 11}
    venue.script("replace", attrs.evolve(known, **pending))

    new = await client.replace(order, limit_price="91", client_order_id="c2")

    assert ("pending_new", "c2", "91", order["id"]) == tuple(
        new[name] for name in ("status", "client_order_id", "limit_price", "replaces")
    )
    assert "pending_replace" == (await client.order(order))["status"]
    wanted = {"revision": 1, "limit_price": known.limit_price + 1, "updated_at_ns": 20}
    venue.stream(happened(OrderEventKind.REPLACED, known, **wanted))
    await eventually(lambda: client.broker.state.order("c1").revision == 1)
    new = await client.order(new)
    assert ("new", "c2") == (new["status"], new["client_order_id"])


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (
            {"pending": PendingAction.CANCEL},
            "unable to replace order, order isn't sent to exchange yet",
        ),
        ({"notional": Decimal(5)}, "unable to replace order, notional orders can't be replaced"),
    ],
    ids=["pending", "notional"],
)
async def test_what_is_under_way_or_by_value_is_not_replaced(client, venue, facts, message):
    order = await client.rest(client_order_id="c1")
    known = client.broker.state.order("c1")
    venue.stream(happened(OrderEventKind.RESTATED, known, updated_at_ns=20, **facts))
    name = next(iter(facts))
    await eventually(lambda: getattr(client.broker.state.order("c1"), name) == facts[name])

    found = await client.refused("PATCH", f"/v2/orders/{order['id']}", json={"qty": 5})

    assert (422, message) == (found[0], found[2])
    assert "replace" not in venue.calls


PAIR = {
    **REST,
    "limit_price": None,
    "order_class": "oco",
    "take_profit": {"limit_price": "120"},
    "stop_loss": {"stop_price": "80"},
    "client_order_id": "c1",
}


async def test_an_oco_of_unknown_fate_is_a_timeout(client, venue):
    venue.script("submit_list", LOST)

    assert 504 == (await client.refused("POST", "/v2/orders", json=PAIR))[0]
    assert ["c1", "c1-sl"] == sorted(
        one["client_order_id"] for one in await client.get("/v2/orders", status="all")
    )


async def test_an_oco_that_is_refused_tells_why(client, venue):
    refusal = OrderRejectedError("no", reason=RejectReason.INSUFFICIENT_POSITION)
    venue.script("submit_list", refusal)

    found = await client.refused("POST", "/v2/orders", json=PAIR)

    assert (403, 40310000, "insufficient qty available for order") == found


async def test_a_leg_that_the_broker_does_not_show_can_not_be_canceled_or_changed(client):
    entry = await client.rest(order_class="oto", stop_loss={"stop_price": "80"})
    (leg,) = entry["legs"]

    canceling = await client.refused("DELETE", f"/v2/orders/{leg['id']}")
    changing = await client.refused("PATCH", f"/v2/orders/{leg['id']}", json={"stop_price": 70})

    assert (422, 42210000, "order is not cancelable") == canceling
    message = "unable to replace order, order isn't sent to exchange yet"
    assert (422, 42210000, message) == changing


async def test_the_name_of_a_replace_of_unknown_fate_is_no_other_orders(client, venue):
    order = await client.rest()
    venue.script("replace", LOST)
    body = {"qty": 5, "client_order_id": "mine"}
    assert 504 == (await client.refused("PATCH", f"/v2/orders/{order['id']}", json=body))[0]

    again = await client.refused("POST", "/v2/orders", json={**BUY, "client_order_id": "mine"})

    assert (422, 40010001, "client_order_id must be unique") == again
    assert 1 == venue.calls.count("submit")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["limit first", "stop first"])
async def test_an_oco_of_which_one_may_be_at_work_is_told_as_such(client, monkeypatch, order):
    errors = [
        OrderRejectedError("no", reason=RejectReason.NO_LIQUIDITY),
        OutcomeUnknownError("lost"),
    ]

    async def submit_list(requests, _):
        return [
            CommandResult(client_order_id=request.client_order_id, error=errors[index])
            for request, index in zip(requests, order, strict=True)
        ]

    monkeypatch.setattr(client.broker, "submit_list", submit_list)

    assert 504 == (await client.refused("POST", "/v2/orders", json=PAIR))[0]
