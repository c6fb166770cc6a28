"""Orders that belong together: the exits of an entry, groups, and stops that follow."""

from decimal import Decimal

import httpx
import pytest
from tests.sdk.clients import attempt, becomes, eventually, open_client, position_of
from tests.sdk.listening import listening
from tests.sdk.stage import WAYS, on_stage

OPEN = ["PENDING", "OPEN", "PARTIALLY_FILLED"]
BOTH = {"stop_loss": "90", "take_profit": "120"}


class Desk:
    """A stage, a client of it, and a stream that was greeted."""

    def __init__(self, stage, client, stream):
        self.stage = stage
        self.client = client
        self.stream = stream

    def open_orders(self):
        """Return what is open, stops first."""
        found = self.client.list_orders(status=OPEN)
        return sorted(found, key=lambda order: order.order_type, reverse=True)

    def legs(self, count=2):
        """Wait until so many orders are open; returns them, the stop first."""
        return eventually(self.open_orders, lambda found: len(found) == count)

    def enter(self, quantity="10", **exits):
        """Buy with exits, and wait until the entry is filled."""
        handle = self.client.submit_order("AAPL", "buy", quantity, **exits)
        becomes(self.client, handle.id, "FILLED")
        return handle


@pytest.fixture(params=[pytest.param(way, marks=pytest.mark.xdist_group(way)) for way in WAYS])
def desk(request):
    with on_stage(request.param) as stage:
        client = open_client("sync", stage.url)
        with listening("sync", stage.url) as stream:
            yield Desk(stage, client, stream)
        client.close()


def test_an_entry_gets_both_exits_once_it_is_filled(desk):
    desk.enter(**BOTH)

    stop, limit = desk.legs()

    assert [("STOP", "SELL"), ("LIMIT", "SELL")] == [
        (leg.order_type, leg.side) for leg in (stop, limit)
    ]
    assert [Decimal(10)] * 2 == [Decimal(leg.quantity) for leg in (stop, limit)]
    assert (Decimal(90), Decimal(120)) == (Decimal(stop.stop_price), Decimal(limit.limit_price))


def test_exits_are_created_after_the_fill_and_name_their_entry(desk):
    entry = desk.enter(**BOTH)
    stop, limit = desk.legs()

    told = eventually(
        lambda: [
            event
            for event in desk.stream.all("order ORDER_CREATED")
            if event.order.id in {stop.id, limit.id}
        ],
        lambda found: len(found) == 2,
    )

    assert {entry.id} == {event.parent_order_id for event in told}
    (filled,) = desk.stream.wait_for("order ORDER_FILLED")
    heard = list(desk.stream.heard)
    assert all(heard.index(filled) < heard.index(event) for event in told)


def test_an_entry_that_rests_shows_its_exits_and_has_none_yet(desk):
    handle = desk.client.submit_order(
        "AAPL",
        "buy",
        "1",
        "limit",
        limit_price="80",
        stop_loss="70",
        take_profit="120",
    )

    order = becomes(desk.client, handle.id, "OPEN")

    assert (Decimal(70), Decimal(120)) == (Decimal(order.stop_loss), Decimal(order.take_profit))
    assert [handle.id] == [one.id for one in desk.client.list_orders(status=["OPEN"])]


@pytest.mark.parametrize(
    ("exits", "kind"),
    [({"stop_loss": "90"}, "STOP"), ({"take_profit": "120"}, "LIMIT")],
    ids=["stop-loss", "take-profit"],
)
def test_an_entry_may_have_one_exit_only(desk, exits, kind):
    desk.enter(**exits)

    (leg,) = desk.legs(1)

    assert kind == leg.order_type


def test_the_stop_that_fires_cancels_the_target(desk):
    desk.enter(**BOTH)
    stop, limit = desk.legs()

    desk.stage.quote("89", "91", last="89")

    becomes(desk.client, stop.id, "FILLED")
    becomes(desk.client, limit.id, "CANCELLED")
    assert position_of(desk.client) is None


def test_the_target_that_fills_cancels_the_stop(desk):
    desk.enter(**BOTH)
    stop, limit = desk.legs()

    desk.stage.quote("121", "123", last="121")

    becomes(desk.client, limit.id, "FILLED")
    becomes(desk.client, stop.id, "CANCELLED")


def test_exits_of_a_short_entry_buy(desk):
    handle = desk.client.submit_order("AAPL", "sell", "4", stop_loss="120", take_profit="80")
    becomes(desk.client, handle.id, "FILLED")

    assert {"BUY"} == {leg.side for leg in desk.legs()}


def test_an_entry_that_is_canceled_leaves_no_exit(desk):
    handle = desk.client.submit_order(
        "AAPL", "buy", "1", "limit", limit_price="80", stop_loss="70", take_profit="120"
    )
    desk.client.cancel_order(handle.id)
    becomes(desk.client, handle.id, "CANCELLED")

    assert [] == desk.open_orders()


def test_closing_the_position_cancels_its_exits(desk):
    desk.enter(**BOTH)
    desk.legs()

    desk.client.close_position(eventually(lambda: position_of(desk.client)).id)

    eventually(lambda: not desk.open_orders() and position_of(desk.client) is None)


def test_of_a_group_the_others_are_canceled_when_one_fills(desk):
    desk.enter()
    handles = [
        desk.client.submit_order(
            "AAPL", "sell", "10", "limit", limit_price="120", oco_group_id="pair"
        ),
        desk.client.submit_order(
            "AAPL", "sell", "10", "stop", stop_price="90", oco_group_id="pair"
        ),
    ]
    desk.legs()

    desk.stage.quote("121", "123", last="121")

    becomes(desk.client, handles[0].id, "FILLED")
    becomes(desk.client, handles[1].id, "CANCELLED")


def test_a_group_is_listed_by_its_id(desk):
    desk.enter()
    wanted = desk.client.submit_order(
        "AAPL", "sell", "1", "limit", limit_price="120", oco_group_id="ours"
    )
    desk.client.submit_order("AAPL", "sell", "1", "limit", limit_price="121")

    found = desk.client.list_orders(oco_group_id="ours")

    assert [(wanted.id, "ours")] == [(order.id, order.oco_group_id) for order in found]


@pytest.mark.parametrize(
    "desk", [pytest.param("hops", marks=pytest.mark.xdist_group("hops"))], indirect=True
)
def test_a_member_that_is_canceled_by_hand_leaves_the_others(desk):
    """So it is where groups are kept by the gateway; a broker's own go by the broker's rules."""
    desk.enter()
    one, other = (
        desk.client.submit_order(
            "AAPL", "sell", "1", "limit", limit_price=price, oco_group_id="pair"
        )
        for price in ("120", "130")
    )

    desk.client.cancel_order(one.id)
    becomes(desk.client, one.id, "CANCELLED")

    assert "OPEN" == desk.client.get_order(other.id).status


def test_a_group_id_that_is_used_again_works_again(desk):
    for _ in range(2):
        desk.enter()
        sale = desk.client.submit_order(
            "AAPL", "sell", "10", "limit", limit_price="120", oco_group_id="again"
        )
        guard = desk.client.submit_order(
            "AAPL", "sell", "10", "stop", stop_price="90", oco_group_id="again"
        )
        desk.stage.quote("121", "123", last="121")
        becomes(desk.client, sale.id, "FILLED")
        becomes(desk.client, guard.id, "CANCELLED")
        desk.stage.quote("99", "101", last="100")

    assert [] == desk.stream.all("error")


def test_a_trailing_stop_goes_up_with_the_market_and_fires_on_its_way_down(desk):
    desk.enter()
    handle = desk.client.submit_order(
        "AAPL", "sell", "10", "trailing_stop", trailing_distance="5", trailing_type="absolute"
    )
    becomes(desk.client, handle.id, "OPEN")

    for bid in ("109", "119", "115"):
        desk.stage.quote(bid, str(int(bid) + 2), last=bid)
    assert "OPEN" == desk.client.get_order(handle.id).status
    desk.stage.quote("113", "114", last="113")

    assert Decimal(113) == Decimal(becomes(desk.client, handle.id, "FILLED").average_fill_price)


def test_a_stop_that_is_reached_fills_at_the_market(desk):
    handle = desk.client.submit_order("AAPL", "buy", "1", "stop", stop_price="110")
    becomes(desk.client, handle.id, "OPEN")

    desk.stage.quote("111", "112", last="111")

    assert Decimal(112) == Decimal(becomes(desk.client, handle.id, "FILLED").average_fill_price)


def test_a_position_shows_its_profit_as_the_market_moves(desk):
    desk.enter()

    desk.stage.quote("110", "112", last="111")

    def profit():
        return Decimal(position_of(desk.client).unrealized_pnl)

    eventually(profit, lambda found: found > 50)


def move(desk, position_id, **exits):
    """Move the exits of a position, which the SDK can't."""
    return httpx.patch(f"{desk.stage.url}/v1/positions/{position_id}", json=exits, timeout=60)


def test_the_exits_of_a_position_are_moved(desk):
    desk.enter(**BOTH)
    desk.legs()
    position = eventually(lambda: position_of(desk.client))

    answer = move(desk, position.id, stop_loss="95", take_profit="115")

    assert 200 == answer.status_code
    found = answer.json()
    stop, limit = eventually(
        desk.open_orders, lambda legs: len(legs) == 2 and Decimal(legs[0].stop_price) == 95
    )
    assert position.id == found["position_id"]
    assert ([stop.id], Decimal(95)) == _leg(found["stop_loss"])
    assert ([limit.id], Decimal(115)) == _leg(found["take_profit"])
    assert Decimal(115) == Decimal(limit.limit_price)


def _leg(told):
    return told["order_ids"], Decimal(told["trigger_price"])


def test_one_exit_of_a_position_is_moved(desk):
    desk.enter(**BOTH)
    desk.legs()
    position = eventually(lambda: position_of(desk.client))

    found = move(desk, position.id, stop_loss="93").json()

    assert "take_profit" not in found
    assert Decimal(93) == Decimal(found["stop_loss"]["trigger_price"])
    eventually(
        desk.open_orders,
        lambda legs: (
            [Decimal(93)] == [Decimal(leg.stop_price) for leg in legs if leg.order_type == "STOP"]
        ),
    )


@pytest.mark.parametrize(
    ("exits", "status", "code"),
    [
        ({}, 400, "VALIDATION_ERROR"),
        ({"stop_loss": "0"}, 400, "INVALID_VALUE"),
        ({"stop_loss": "x"}, 400, "INVALID_REQUEST"),
        ({"take_profit": "120"}, 409, "ORDER_NOT_MODIFIABLE"),
    ],
    ids=["nothing", "zero", "word", "untracked"],
)
def test_exits_that_can_not_be_moved_are_refused(desk, exits, status, code):
    desk.enter(stop_loss="90")
    desk.legs(1)
    position = eventually(lambda: position_of(desk.client))

    answer = move(desk, position.id, **exits)

    assert (status, code) == (answer.status_code, answer.json()["code"])
    (stop,) = desk.legs(1)
    assert Decimal(90) == Decimal(stop.stop_price)


def test_the_exits_of_no_position_are_not_found(desk):
    answer = move(desk, "no-such-position", stop_loss="1")

    assert (404, "POSITION_NOT_FOUND") == (answer.status_code, answer.json()["code"])


def test_the_exits_of_an_entry_are_changed_before_it_fills(desk):
    handle = desk.client.submit_order(
        "AAPL", "buy", "1", "limit", limit_price="80", stop_loss="70", take_profit="120"
    )

    result, error = attempt(desk.client.modify_order, handle.id, stop_loss="75")

    assert error is None or error.status_code in {409, 422, 501}
    order = desk.client.get_order(handle.id if result is None else result.order.id)
    assert Decimal(70 if result is None else 75) == Decimal(order.stop_loss)
