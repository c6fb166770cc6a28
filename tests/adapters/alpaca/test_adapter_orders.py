"""Orders over a scripted Alpaca: one call, one exchange, and nothing claimed."""

import contextlib
import re
from decimal import Decimal

import attrs
import pytest

from dragoman.errors import (
    ConflictError,
    OrderRejectedError,
    Outcome,
    OutcomeUnknownError,
    ProtocolError,
    UnsupportedError,
)
from dragoman.models import (
    Contingency,
    Exit,
    OrderChange,
    OrderRequest,
    OrderStatus,
    OrderType,
    PendingAction,
    Side,
)
from dragoman.times import SECOND_NS, ManualClock

from .rest_venue import problem, reply
from .trading_rows import ACCOUNT, leg_content, order_content, order_row

D = Decimal
NAME = "an-id-too-long" * 9
STOP = OrderRequest(
    symbol="AAPL",
    side=Side.SELL,
    order_type=OrderType.STOP,
    quantity=D(2),
    stop_price=D(140),
    client_order_id="exit",
    account_id=ACCOUNT,
)
LOW = OrderRequest.limit("AAPL", Side.BUY, 2, "150", client_order_id="a", account_id=ACCOUNT)


def taken(heard):
    """Answer an order as Alpaca does: with what was asked, and an id of its own."""
    return order_content(id="v1", **heard.body)


def bracket(*legs, **fields):
    return order_content(id="v1", order_class="bracket", legs=list(legs), **fields)


async def submitted(venue, alpaca):
    venue.on("POST", "/v2/orders", taken)
    return await alpaca.submit(LOW)


def told(names, leg, after_s=0):
    return names.is_nameless(leg, ManualClock().now_ns() + after_s * SECOND_NS)


def chain(*filled, **newest):
    """Return the rows of an order that was replaced as often as need be."""
    last = len(filled)
    rows = [
        order_content(
            id=f"v{number}",
            client_order_id=f"a~{number}" if number else "a",
            status="replaced",
            replaces=f"v{number - 1}" if number else None,
            replaced_by=f"v{number + 1}",
            filled_qty=quantity,
            filled_avg_price=None if quantity == "0" else "150",
            qty="2",
        )
        for number, quantity in enumerate(filled)
    ]
    usual = {
        "id": f"v{last}",
        "client_order_id": f"a~{last}",
        "replaces": f"v{last - 1}",
        "qty": "2",
    }
    return [*rows, order_content(**(usual | newest))]


async def test_an_order_is_sent_with_its_own_id_and_answered_as_it_stands(venue, alpaca):
    order = await submitted(venue, alpaca)

    (heard,) = venue.requests("/v2/orders")
    assert ("POST", "a", "AAPL") == (
        heard.method,
        heard.body["client_order_id"],
        heard.body["symbol"],
    )
    assert ("a", ("v1",), ACCOUNT, D(2), D(150), 0) == (
        order.client_order_id,
        order.venue_order_ids,
        order.account_id,
        order.quantity,
        order.limit_price,
        order.revision,
    )


@pytest.mark.parametrize(
    ("symbol", "word"), [pytest.param("AAPL", "day", id="share"), ("BTC/USD", "gtc")]
)
async def test_no_time_in_force_means_what_the_instrument_takes(venue, alpaca, symbol, word):
    venue.on("POST", "/v2/orders", taken)

    await alpaca.submit(attrs.evolve(LOW, symbol=symbol, time_in_force=None))

    assert word == venue.requests("/v2/orders")[0].body["time_in_force"]


async def test_an_answer_that_can_not_be_read_as_an_order_proves_nothing(venue, alpaca):
    venue.on("POST", "/v2/orders", lambda heard: taken(heard) | {"side": "sideways"})

    with pytest.raises(OutcomeUnknownError):
        await alpaca.submit(LOW)


async def test_legs_of_a_bracket_are_named_after_their_entry(venue, alpaca):
    legs = [leg_content("stop"), leg_content("limit")]
    venue.on("POST", "/v2/orders", bracket(*legs, client_order_id="a"))
    venue.on("GET", "/v2/orders", [bracket(*legs, client_order_id="a")])
    request = attrs.evolve(LOW, stop_loss=Exit(price="140"), take_profit=Exit(price="170"))

    entry = await alpaca.submit(request)
    found = await alpaca.fetch_open_orders(ACCOUNT)

    assert "a" == entry.client_order_id
    assert [("a", None), ("a-sl", "a"), ("a-tp", "a")] == [
        (one.client_order_id, one.parent_client_order_id) for one in found
    ]
    assert {OrderStatus.HELD} == {one.status for one in found[1:]}


async def test_a_list_is_one_order_and_each_part_of_it_has_its_own_result(venue, alpaca):
    target = OrderRequest.limit("AAPL", Side.SELL, 2, "170", client_order_id="target")
    target, stop = (
        attrs.evolve(target, account_id=ACCOUNT),
        attrs.evolve(STOP, client_order_id="stop"),
    )
    leg = leg_content("stop", order_class="oco")
    row = order_content(
        id="v1", client_order_id="target", side="sell", order_class="oco", legs=[leg]
    )
    venue.on("POST", "/v2/orders", row)
    venue.orders(row)

    results = await alpaca.submit_list([target, stop], Contingency.OCO)
    found = await alpaca.fetch_order(ACCOUNT, client_order_id="stop")

    assert [("target", "v1"), ("stop", "venue-stop")] == [
        (one.client_order_id, one.order.venue_order_id) for one in results
    ]
    assert 1 == len(venue.requests("/v2/orders"))
    assert ("stop", "venue-stop") == (found.client_order_id, found.venue_order_id)


async def test_a_part_of_a_list_whose_answer_was_lost_is_found_by_its_own_id(venue, alpaca):
    entry = attrs.evolve(LOW, client_order_id="entry")
    row = order_content(
        id="v1", client_order_id="entry", order_class="oto", legs=[leg_content("stop")]
    )
    venue.on("POST", "/v2/orders", reply({}, 504))
    with pytest.raises(OutcomeUnknownError):
        await alpaca.submit_list([entry, STOP], Contingency.OTO)
    venue.orders(row)

    found = await alpaca.fetch_order(ACCOUNT, client_order_id="exit")

    assert ("exit", "venue-stop", "entry") == (
        found.client_order_id,
        found.venue_order_id,
        found.parent_client_order_id,
    )


@pytest.mark.parametrize(
    ("answer", "is_nameless"),
    [
        pytest.param(reply({}, 504), True, id="lost"),
        pytest.param(problem(403, 40310000, "insufficient buying power"), False, id="refused"),
        pytest.param(order_content(client_order_id="a"), False, id="answered"),
    ],
)
async def test_a_leg_has_no_name_while_its_order_is_on_its_way(venue, alpaca, answer, is_nameless):
    """The stream may tell it first, under an id of the venue's that means nothing here."""
    names, seen = alpaca._session.reading().legs, []
    leg = order_row(id="early", client_order_id="generated", order_class="bracket")
    venue.on("POST", "/v2/orders", lambda _: seen.append(told(names, leg)) or answer)

    with contextlib.suppress(OutcomeUnknownError, OrderRejectedError):
        await alpaca.submit(attrs.evolve(LOW, stop_loss=Exit(price="140")))

    assert [True, is_nameless] == [*seen, told(names, leg)]


async def test_a_part_that_the_answer_to_a_list_leaves_out_has_no_known_fate(venue, alpaca):
    entry = attrs.evolve(LOW, client_order_id="entry")
    venue.on("POST", "/v2/orders", order_content(id="v1", client_order_id="entry"))

    first, second = await alpaca.submit_list([entry, STOP], Contingency.OTO)

    assert ("v1", None) == (first.order.venue_order_id, first.error)
    assert None is second.order
    assert Outcome.UNKNOWN is second.error.outcome


async def test_a_list_of_another_kind_is_refused_unsent(venue, alpaca):
    heard = len(venue.heard)

    with pytest.raises(UnsupportedError):
        await alpaca.submit_list([LOW, attrs.evolve(LOW, client_order_id="b")], Contingency.NONE)

    assert heard == len(venue.heard)


async def test_a_replace_goes_by_the_token_of_the_next_revision(venue, alpaca):
    order = await submitted(venue, alpaca)
    venue.on(
        "PATCH",
        "/v2/orders/v1",
        lambda heard: order_content(id="v2", replaces="v1", **heard.body),
    )

    changed = await alpaca.replace(order, OrderChange(limit_price="151"))

    (heard,) = venue.requests("/v2/orders/v1")
    assert ("PATCH", {"client_order_id": "a~1", "limit_price": "151"}) == (heard.method, heard.body)
    assert ("a", 1, ("v2",), D(151)) == (
        changed.client_order_id,
        changed.revision,
        changed.venue_order_ids,
        changed.limit_price,
    )


async def test_a_replace_that_the_market_does_not_have_yet_is_only_pending(venue, alpaca):
    order = await submitted(venue, alpaca)
    row = order_content(
        id="v2", client_order_id="a~1", replaces="v1", status="pending_new", limit_price="151"
    )
    venue.on("PATCH", "/v2/orders/v1", row)

    changed = await alpaca.replace(order, OrderChange(limit_price="151"))

    assert (PendingAction.REPLACE, 0, ("v1",), None) == (
        changed.pending,
        changed.revision,
        changed.venue_order_ids,
        changed.limit_price,
    )


async def test_a_replace_whose_new_order_was_refused_is_refused(venue, alpaca):
    order = await submitted(venue, alpaca)
    row = order_content(id="v2", client_order_id="a~1", replaces="v1", status="rejected")
    venue.on("PATCH", "/v2/orders/v1", row)

    with pytest.raises(OrderRejectedError) as raised:
        await alpaca.replace(order, OrderChange(limit_price="151"))

    assert Outcome.REJECTED is raised.value.outcome


async def test_a_cancel_that_is_taken_is_pending_and_not_done(venue, alpaca):
    order = await submitted(venue, alpaca)
    venue.on("DELETE", "/v2/orders/v1", reply(status=204))

    canceling = await alpaca.cancel(order)

    assert (PendingAction.CANCEL, OrderStatus.OPEN, ("v1",)) == (
        canceling.pending,
        canceling.status,
        canceling.venue_order_ids,
    )


async def test_an_order_without_a_venue_id_can_be_neither_canceled_nor_replaced(venue, alpaca):
    order = attrs.evolve(await submitted(venue, alpaca), venue_order_ids=())
    heard = len(venue.heard)

    for call in (
        lambda: alpaca.cancel(order),
        lambda: alpaca.replace(order, OrderChange(limit_price="151")),
    ):
        with pytest.raises(UnsupportedError):
            await call()
    assert heard == len(venue.heard)


async def test_canceling_all_has_one_result_for_each_order(venue, alpaca):
    rows = [order_content(id=f"v{number}", client_order_id=f"c{number}") for number in (1, 2, 3, 4)]
    venue.on("GET", "/v2/orders", rows[:3])
    venue.orders(*rows)
    said = [
        {"id": "v1", "status": 200},
        {"id": "v2", "status": 422, "body": {"code": 42210000, "message": "not cancelable"}},
        {"id": "v4", "status": 200},
    ]
    venue.on("DELETE", "/v2/orders", reply(said, 207))
    venue.on("DELETE", "/v2/orders/v3", reply(status=204))

    results = await alpaca.cancel_all(ACCOUNT)

    assert [
        ("c1", PendingAction.CANCEL, type(None)),
        ("c2", None, ConflictError),
        ("c4", PendingAction.CANCEL, type(None)),
        ("c3", PendingAction.CANCEL, type(None)),
    ] == [(one.client_order_id, one.order.pending, type(one.error)) for one in results]


async def test_canceling_all_of_a_symbol_leaves_the_others(venue, alpaca):
    rows = [
        order_content(id="v1", client_order_id="c1"),
        order_content(id="v2", client_order_id="c2", symbol="MSFT"),
    ]
    venue.on("GET", "/v2/orders", rows)
    venue.on("DELETE", "/v2/orders/v2", problem(422, 42210000, "order is not cancelable"))

    (result,) = await alpaca.cancel_all(ACCOUNT, "MSFT")

    assert ("c2", ConflictError) == (result.client_order_id, type(result.error))
    assert ["/v2/orders/v2"] == [one.path for one in venue.heard if one.method == "DELETE"]


async def test_an_order_that_is_not_visible_is_none(alpaca):
    assert None is await alpaca.fetch_order(ACCOUNT, client_order_id="nobody")
    assert None is await alpaca.fetch_order(ACCOUNT, venue_order_id="nobody")
    assert None is await alpaca.fetch_order(ACCOUNT)


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"client_order_id": "a"}, id="by-its-first-client-id"),
        pytest.param({"client_order_id": "a~2"}, id="by-its-newest-client-id"),
        pytest.param({"venue_order_id": "v1"}, id="by-a-venue-id-in-between"),
    ],
)
async def test_an_order_that_was_replaced_is_found_as_it_stands_now(venue, alpaca, asked):
    venue.orders(*chain("0", "0", limit_price="152"))

    order = await alpaca.fetch_order(ACCOUNT, **asked)

    assert ("a", 2, "v2", D(152), OrderStatus.OPEN) == (
        order.client_order_id,
        order.revision,
        order.venue_order_id,
        order.limit_price,
        order.status,
    )


async def test_what_filled_before_a_replace_counts(venue, alpaca):
    venue.orders(*chain("0.5", "0", qty="1.5", filled_qty="1", filled_avg_price="153"))

    order = await alpaca.fetch_order(ACCOUNT, client_order_id="a")

    assert (D("1.5"), D("2.0"), D(152), ("v0", "v1", "v2")) == (
        order.filled_quantity,
        order.quantity,
        order.average_fill_price,
        order.venue_order_ids,
    )


async def test_what_was_replaced_is_read_once(venue, alpaca):
    venue.orders(*chain("0", "0"))

    for _ in range(3):
        await alpaca.fetch_order(ACCOUNT, venue_order_id="v2")

    assert {"v0": 1, "v1": 1, "v2": 3} == {
        name: len(venue.requests(f"/v2/orders/{name}")) for name in ("v0", "v1", "v2")
    }


async def test_a_chain_without_an_end_is_an_error(venue, alpaca):
    venue.orders(order_content(id="v0", status="replaced", replaced_by="v0"))

    with pytest.raises(ProtocolError, match="more than"):
        await alpaca.fetch_order(ACCOUNT, venue_order_id="v0")


async def test_a_position_is_closed_by_an_order_that_can_be_found_again(venue, alpaca):
    """Not by the venue's own request, whose order has no id of ours."""
    venue.on("GET", "/v2/positions", [{"symbol": "AAPL", "qty": "5", "side": "long"}])
    venue.on("POST", "/v2/orders", taken)
    (position,) = await alpaca.fetch_positions(ACCOUNT, "AAPL")

    order = await alpaca.close(position, D(2))

    assert (Side.SELL, D(2)) == (order.side, order.quantity)
    assert "DELETE" not in {one.method for one in venue.heard}


async def test_a_leg_is_nameless_no_longer_than_an_answer_may_take(venue, alpaca):
    venue.on("POST", "/v2/orders", reply({}, 504))
    leg = order_row(id="early", client_order_id="generated", order_class="bracket")
    names = alpaca._session.reading().legs
    with pytest.raises(OutcomeUnknownError):
        await alpaca.submit(attrs.evolve(LOW, stop_loss=Exit(price="140")))

    assert [True, False] == [told(names, leg, after_s) for after_s in (59, 60)]
    assert not told(names, order_row(id="alone", client_order_id="generated"))


@pytest.mark.parametrize("name", ["n" * 121, "n" * 128])
async def test_an_id_without_room_for_a_revision_goes_by_a_hash_for_life(venue, alpaca, name):
    venue.on("POST", "/v2/orders", taken)
    order = await alpaca.submit(attrs.evolve(LOW, client_order_id=name))
    token = venue.heard[-1].body["client_order_id"]
    venue.on(
        "PATCH", "/v2/orders/v1", lambda heard: order_content(id="v2", replaces="v1", **heard.body)
    )
    changed = await alpaca.replace(order, OrderChange(quantity=D(3)))
    venue.on("GET", "/v2/orders:by_client_order_id", order_content(id="v1", client_order_id=token))
    found = await alpaca.fetch_order(ACCOUNT, client_order_id=name)

    pattern = re.compile(alpaca.capabilities.client_ids.pattern)
    assert (token, True) == (alpaca.wire_client_id(name, 0), bool(pattern.fullmatch(token)))
    assert f"{token}~1" == next(
        heard.body["client_order_id"] for heard in venue.heard if heard.method == "PATCH"
    )
    assert {"client_order_id": token, "nested": "true"} == venue.heard[-1].asked
    assert [name, name, name] == [one.client_order_id for one in (order, changed, found)]


async def test_parts_of_a_list_are_named_as_they_were_asked_for(venue, alpaca):
    entry = attrs.evolve(LOW, client_order_id=NAME, quantity=D(2))
    stop = attrs.evolve(STOP, client_order_id="exit")
    venue.on(
        "POST",
        "/v2/orders",
        lambda heard: order_content(
            id="v1",
            order_class="oto",
            client_order_id=heard.body["client_order_id"],
            legs=[leg_content("stop", id="v2", stop_price="140", side="sell")],
        ),
    )

    results = await alpaca.submit_list([entry, stop], Contingency.OTO)

    assert [NAME, "exit"] == [result.order.client_order_id for result in results]
    assert alpaca.wire_client_id(NAME, 0) == venue.heard[-1].body["client_order_id"]
