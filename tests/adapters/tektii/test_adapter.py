"""The adapter before gateways that answer as theirs do, their mistakes included."""

from decimal import Decimal

import attrs
import pytest

from dragoman.adapter import Environment
from dragoman.errors import (
    AuthenticationError,
    ConfigurationError,
    ConflictError,
    NotFoundError,
    OutcomeUnknownError,
    ProtocolError,
    UnknownInstrumentError,
    UnsupportedError,
    VenueError,
)
from dragoman.models import (
    Exit,
    Offset,
    Order,
    OrderChange,
    OrderRequest,
    OrderStatus,
    OrderType,
    PendingAction,
    PositionEffect,
    Side,
    Timeframe,
    TimeInForce,
    Window,
)
from dragoman.times import parse_time
from dragoman_tektii import TektiiAdapter

from .gateway import BAR, LOST, ORDER, POSITION, TRADE, Gateway, refusal, reply

HERE = "gateway"
HANDLE = {"id": "o-1", "client_order_id": "c1", "status": "OPEN"}


def asked(**terms):
    plain = {"symbol": "AAPL", "side": Side.BUY, "order_type": OrderType.LIMIT}
    plain |= {"quantity": 10, "limit_price": "185.50", "client_order_id": "c1", "account_id": HERE}
    return OrderRequest(**(plain | terms))


async def listed(rows):
    return [row async for row in rows]


@pytest.mark.parametrize(
    ("platform", "provider", "environment"),
    [
        ("alpaca-live", "tektii", Environment.PAPER),
        ("a-new-one", "tektii", Environment.PAPER),
        ("mock", "tektii-live", Environment.LIVE),
    ],
)
async def test_a_gateway_to_other_money_is_refused(platform, provider, environment):
    adapter = TektiiAdapter(Gateway(platform).context(provider, environment))

    with pytest.raises(ConfigurationError, match=platform):
        await adapter.open()
    await adapter.aclose()


@pytest.mark.parametrize(
    ("platform", "provider", "environment", "is_simulated"),
    [
        ("saxo-sim", "tektii", Environment.PAPER, True),
        ("tektii", "tektii", Environment.PAPER, True),
        ("oanda-live", "tektii-live", Environment.LIVE, False),
        ("a-new-one", "tektii-live", Environment.LIVE, False),
    ],
)
async def test_an_account_tells_whose_money_it_is(platform, provider, environment, is_simulated):
    adapter = TektiiAdapter(Gateway(platform).context(provider, environment))
    await adapter.open()

    (account,) = await adapter.fetch_accounts()

    assert is_simulated is account.is_simulated
    await adapter.aclose()


async def test_a_gateway_that_names_no_broker_is_refused(gateway):
    gateway.answers["GET /health"] = {"status": "connected", "providers": []}
    adapter = TektiiAdapter(gateway.context())

    with pytest.raises(ConfigurationError, match="which broker"):
        await adapter.open()
    await adapter.aclose()


async def test_a_key_is_shown_where_it_is_needed_and_nowhere_else(tektii, gateway):
    heads = {one.path: one.headers.get("x-api-key") for one in gateway.heard}

    assert {"/health": None, "/v1/capabilities": "key-of-tests"} == {
        path: heads[path] for path in ("/health", "/v1/capabilities")
    }


async def test_a_gateway_without_keys_is_used_without_one(gateway):
    adapter = TektiiAdapter(gateway.context(key=None))
    await adapter.open()

    assert all("x-api-key" not in one.headers for one in gateway.heard)
    await adapter.aclose()


async def test_a_key_that_is_not_taken_is_told_at_once(gateway):
    gateway.answers["GET /v1/capabilities"] = refusal(401, "UNAUTHORIZED", code="INVALID_API_KEY")
    adapter = TektiiAdapter(gateway.context())

    with pytest.raises(AuthenticationError):
        await adapter.open()
    await adapter.aclose()


async def test_an_order_is_written_in_the_gateway_s_words(tektii, gateway):
    gateway.answers["POST /v1/orders"] = reply(HANDLE, 201)

    told = await tektii.submit(
        asked(
            order_type=OrderType.STOP_LIMIT,
            stop_price="190",
            time_in_force=TimeInForce.DAY,
            position_id="p-1",
            display_quantity=0,
            group_id="g",
            stop_loss=Exit(price="180"),
            take_profit=Exit(price="200"),
            venue_options={"tektii.leverage": 5, "tektii.margin_mode": "cross"},
        )
    )

    (sent,) = gateway.asked("POST /v1/orders")
    assert {
        "symbol": "AAPL",
        "side": "BUY",
        "quantity": "10",
        "order_type": "STOP_LIMIT",
        "limit_price": "185.50",
        "stop_price": "190",
        "time_in_force": "DAY",
        "client_order_id": "c1",
        "position_id": "p-1",
        "hidden": True,
        "oco_group_id": "g",
        "stop_loss": "180",
        "take_profit": "200",
        "leverage": "5",
        "margin_mode": "CROSS",
    } == sent.body
    assert (OrderStatus.OPEN, ("o-1",)) == (told.status, told.venue_order_ids)


async def test_flags_are_written_only_where_they_are_asked_for(tektii, gateway):
    gateway.answers["POST /v1/orders"] = reply(HANDLE, 201)

    await tektii.submit(asked(post_only=True, display_quantity=2))
    await tektii.submit(asked(position_effect=PositionEffect.CLOSE))

    flags = ("post_only", "display_quantity", "reduce_only", "hidden")
    bodies = [one.body for one in gateway.asked("POST /v1/orders")]
    assert [(True, "2", None, None), (None, None, True, None)] == [
        tuple(body.get(name) for name in flags) for body in bodies
    ]


async def test_an_order_of_no_time_in_force_works_until_it_is_canceled(tektii, gateway):
    gateway.answers["POST /v1/orders"] = reply(HANDLE, 201)

    await tektii.submit(
        asked(order_type=OrderType.TRAILING_STOP, limit_price=None, trailing=Offset.percent(2))
    )

    body = gateway.asked("POST /v1/orders")[0].body
    assert ("GTC", "2", "PERCENT") == tuple(
        body[name] for name in ("time_in_force", "trailing_distance", "trailing_type")
    )


@pytest.mark.parametrize("name", ["a" * 65, "history", ".."])
async def test_a_name_that_does_not_fit_goes_by_a_hash_for_life(tektii, name):
    token = tektii.wire_client_id(name, 0)

    assert (32, token) == (len(token), tektii.wire_client_id(name, 3))


@pytest.mark.parametrize(
    "terms",
    [
        {"stop_loss": Exit(price="180", time_in_force=TimeInForce.DAY)},
        {"group_id": "g" * 65},
        {"trailing": Offset.ticks(3), "order_type": OrderType.TRAILING_STOP, "limit_price": None},
    ],
    ids=["exit", "group", "ticks"],
)
async def test_what_a_gateway_has_no_word_for_is_refused_before_a_byte(tektii, gateway, terms):
    with pytest.raises(UnsupportedError):
        await tektii.submit(asked(**terms))

    assert [] == gateway.asked("POST /v1/orders")


async def test_exits_that_a_gateway_is_known_to_lose_are_refused_before_a_byte():
    gateway = Gateway("binance-spot-testnet")
    adapter = TektiiAdapter(gateway.context(account_id=HERE))
    await adapter.open()

    with pytest.raises(UnsupportedError, match="neither"):
        await adapter.submit(asked(stop_loss=Exit(price="180"), take_profit=Exit(price="200")))

    assert [] == gateway.asked("POST /v1/orders")
    await adapter.aclose()


async def test_an_order_called_filled_is_told_as_it_stands(tektii, gateway):
    gateway.answers["POST /v1/orders"] = reply(HANDLE | {"status": "FILLED"}, 201)
    gateway.answers["GET /v1/orders/o-1"] = ORDER | {
        "status": "FILLED",
        "filled_quantity": "10",
        "average_fill_price": "185.4",
    }

    told = await tektii.submit(asked())

    assert (OrderStatus.FILLED, Decimal(10), Decimal("185.4")) == (
        told.status,
        told.filled_quantity,
        told.average_fill_price,
    )


async def test_an_order_called_filled_of_which_nothing_is_shown_is_on_its_way(tektii, gateway):
    gateway.answers["POST /v1/orders"] = reply(HANDLE | {"status": "FILLED"}, 201)

    told = await tektii.submit(asked())

    assert (OrderStatus.PENDING, Decimal(0)) == (told.status, told.filled_quantity)


async def test_a_handle_needs_no_client_id_and_no_correlation(tektii, gateway):
    gateway.answers["POST /v1/orders"] = reply({"id": "o-1", "status": "OPEN"}, 201)

    told = await tektii.submit(asked())

    assert ("c1", "o-1") == (told.client_order_id, told.venue_order_id)


@pytest.mark.parametrize(
    "answer",
    [
        LOST,
        refusal(500, "INTERNAL_ERROR"),
        refusal(502, "PROVIDER_ERROR"),
        refusal(503, "PROVIDER_UNAVAILABLE", "Provider unavailable: circuit breaker open"),
        refusal(429, "RATE_LIMITED"),
        reply("<html>bad gateway</html>", 502, "text/html"),
        reply("[]", 201),
        reply(HANDLE | {"client_order_id": "other"}, 201),
    ],
    ids=["lost", "500", "502", "503", "429", "proxy", "no handle", "another order"],
)
async def test_what_proves_nothing_leaves_the_fate_of_an_order_open(tektii, gateway, answer):
    gateway.answers["POST /v1/orders"] = answer

    with pytest.raises(OutcomeUnknownError):
        await tektii.submit(asked())

    assert 1 == len(gateway.asked("POST /v1/orders"))


async def test_an_order_is_found_by_its_name_though_the_filter_is_passed_over(tektii, gateway):
    gateway.answers["GET /v1/orders"] = [ORDER | {"id": "o-0", "client_order_id": "c0"}]
    gateway.answers["GET /v1/orders/history"] = [
        ORDER | {"id": "o-7", "client_order_id": "c7"},
        ORDER | {"status": "FILLED", "filled_quantity": "10"},
    ]

    found = await tektii.fetch_order(HERE, client_order_id="c1")

    assert ("o-1", OrderStatus.FILLED) == (found.venue_order_id, found.status)
    assert [{"client_order_id": "c1"}] * 2 == [
        gateway.asked(route)[0].asked for route in ("GET /v1/orders", "GET /v1/orders/history")
    ]


async def test_of_two_orders_of_one_name_the_newer_is_found(tektii, gateway):
    gateway.answers["GET /v1/orders"] = [
        ORDER | {"id": "o-1"},
        ORDER | {"id": "o-2", "created_at": "2026-01-07T14:30:01Z"},
    ]

    found = await tektii.fetch_order(HERE, client_order_id="c1")

    assert "o-2" == found.venue_order_id


async def test_an_order_that_nobody_shows_is_not_visible(tektii):
    assert await tektii.fetch_order(HERE, client_order_id="c1") is None
    assert await tektii.fetch_order(HERE, venue_order_id="o-1") is None


async def test_an_order_that_ended_and_is_lost_by_its_id_is_found_by_its_name(tektii, gateway):
    gateway.answers["POST /v1/orders"] = reply(HANDLE, 201)
    await tektii.submit(asked())
    gateway.answers["GET /v1/orders/history"] = [ORDER | {"status": "FILLED"}]

    found = await tektii.fetch_order(HERE, venue_order_id="o-1")

    assert OrderStatus.FILLED == found.status


async def test_a_list_with_orders_that_ended_is_a_list_of_those_that_did_not(tektii, gateway):
    gateway.answers["GET /v1/orders"] = [
        ORDER,
        ORDER | {"id": "o-2", "client_order_id": "c2", "status": "FILLED"},
        ORDER | {"id": "o-3", "client_order_id": "c3", "symbol": "MSFT"},
        ORDER | {"id": "o-4", "client_order_id": "c4", "symbol": ""},
    ]

    assert ["c1", "c3"] == [one.client_order_id for one in await tektii.fetch_open_orders(HERE)]
    assert ["c3"] == [one.client_order_id for one in await tektii.fetch_open_orders(HERE, "MSFT")]


async def test_both_lists_make_the_history_each_order_once_and_oldest_first(tektii, gateway):
    late = ORDER | {"id": "o-2", "client_order_id": "c2", "created_at": "2026-01-07T14:40:00Z"}
    gateway.answers["GET /v1/orders"] = [late, ORDER]
    gateway.answers["GET /v1/orders/history"] = [
        ORDER | {"status": "CANCELLED"},
        ORDER | {"id": "o-9", "client_order_id": "c9", "created_at": "2026-01-06T00:00:00Z"},
    ]
    window = Window(start_ns=parse_time("2026-01-07T00:00:00Z"))

    found = await listed(tektii.fetch_orders(HERE, window))

    assert [("c1", OrderStatus.CANCELED), ("c2", OrderStatus.OPEN)] == [
        (one.client_order_id, one.status) for one in found
    ]


async def test_executions_of_others_and_of_other_times_are_left_out(tektii, gateway):
    gateway.answers["GET /v1/trades"] = [
        TRADE | {"id": "t-2", "timestamp": "2026-01-07T14:31:01Z"},
        TRADE,
        TRADE,
        TRADE | {"id": "t-3", "symbol": "MSFT"},
        TRADE | {"id": "t-4", "timestamp": "2026-01-06T00:00:00Z"},
    ]
    window = Window(start_ns=parse_time("2026-01-07T00:00:00Z"), limit=5)

    found = await listed(tektii.fetch_fills(HERE, window, "AAPL"))

    assert ["t-1", "t-2"] == [one.fill_id for one in found]
    assert {"symbol": "AAPL", "since": "2026-01-07T00:00:00.000000000Z"} == (
        gateway.asked("GET /v1/trades")[0].asked
    )


def known(**changes):
    order = Order(
        client_order_id="c1",
        account_id=HERE,
        symbol="AAPL",
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        status=OrderStatus.OPEN,
        provider="tektii",
        received_at_ns=1,
        quantity=Decimal(10),
        limit_price=Decimal("185.50"),
        venue_order_ids=("o-1",),
    )
    return attrs.evolve(order, **changes)


async def test_a_change_may_give_an_order_a_new_id(tektii, gateway):
    gateway.answers["PATCH /v1/orders/o-1"] = {
        "order": ORDER | {"id": "o-2", "limit_price": "186", "client_order_id": None},
        "previous_order_id": "o-1",
    }

    told = await tektii.replace(known(), OrderChange(limit_price="186"))

    assert ({"limit_price": "186"}, "c1", ("o-1", "o-2"), 1) == (
        gateway.asked("PATCH /v1/orders/o-1")[0].body,
        told.client_order_id,
        told.venue_order_ids,
        told.revision,
    )


async def test_a_change_in_place_is_the_next_revision(tektii, gateway):
    gateway.answers["PATCH /v1/orders/o-1"] = {"order": ORDER | {"limit_price": "186"}}

    told = await tektii.replace(known(), OrderChange(limit_price="186"))
    gateway.answers["GET /v1/orders/o-1"] = ORDER
    again = await tektii.fetch_order(HERE, venue_order_id="o-1")

    assert (("o-1",), 1, 1) == (told.venue_order_ids, told.revision, again.revision)


async def test_an_answer_about_another_order_proves_nothing(tektii, gateway):
    gateway.answers["PATCH /v1/orders/o-1"] = {"order": ORDER | {"id": "o-8"}}
    gateway.answers["DELETE /v1/orders/o-1"] = {"success": True, "order": ORDER | {"id": "o-8"}}

    with pytest.raises(OutcomeUnknownError):
        await tektii.replace(known(), OrderChange(limit_price="186"))
    with pytest.raises(OutcomeUnknownError):
        await tektii.cancel(known())


async def test_a_change_of_the_unit_of_a_trail_is_refused_before_a_byte(tektii, gateway):
    trailing = known(order_type=OrderType.TRAILING_STOP, trailing=Offset.price(2))

    with pytest.raises(UnsupportedError):
        await tektii.replace(trailing, OrderChange(trailing=Offset.percent(1)))

    assert [] == gateway.asked("PATCH /v1/orders/o-1")


@pytest.mark.parametrize(
    "answer",
    [
        refusal(409, "ORDER_NOT_MODIFIABLE", order_id="o-1"),
        refusal(400, "INVALID_REQUEST", "Invalid request: order is filled"),
        {"success": False, "order": ORDER | {"status": "FILLED"}},
    ],
    ids=["documented", "as theirs do", "in an answer"],
)
async def test_a_cancel_of_what_has_ended_is_a_conflict(tektii, gateway, answer):
    gateway.answers["DELETE /v1/orders/o-1"] = answer

    with pytest.raises(ConflictError):
        await tektii.cancel(known())


async def test_a_cancel_is_told_as_the_gateway_shows_it(tektii, gateway):
    gateway.answers["DELETE /v1/orders/o-1"] = {
        "success": True,
        "order": ORDER | {"status": "CANCELLED", "filled_quantity": "4"},
    }

    told = await tektii.cancel(known())

    assert (OrderStatus.CANCELED, Decimal(4)) == (told.status, told.filled_quantity)


@pytest.mark.parametrize(
    ("row", "status", "pending"),
    [
        (
            ORDER | {"symbol": "", "quantity": "0", "status": "CANCELLED"},
            OrderStatus.CANCELED,
            None,
        ),
        (ORDER | {"symbol": "", "quantity": "0"}, OrderStatus.OPEN, PendingAction.CANCEL),
        (None, OrderStatus.OPEN, PendingAction.CANCEL),
    ],
    ids=["canceled", "on its way", "nothing said"],
)
async def test_an_empty_answer_to_a_cancel_leaves_the_terms_as_they_were(
    tektii, gateway, row, status, pending
):
    gateway.answers["DELETE /v1/orders/o-1"] = {"success": True, "order": row}

    told = await tektii.cancel(known())

    assert (status, pending, "AAPL", Decimal(10)) == (
        told.status,
        told.pending,
        told.symbol,
        told.quantity,
    )


async def test_an_order_without_an_id_is_looked_for_before_it_is_canceled(tektii, gateway):
    with pytest.raises(NotFoundError):
        await tektii.cancel(known(venue_order_ids=()))
    gateway.answers["GET /v1/orders"] = [ORDER]
    gateway.answers["DELETE /v1/orders/o-1"] = {
        "success": True,
        "order": ORDER | {"status": "CANCELLED"},
    }

    assert OrderStatus.CANCELED == (await tektii.cancel(known(venue_order_ids=()))).status


async def test_what_is_asked_of_another_account_is_refused(tektii, gateway):
    before = len(gateway.heard)

    with pytest.raises(NotFoundError):
        await tektii.fetch_account("another")
    with pytest.raises(NotFoundError):
        await tektii.submit(asked(account_id="another"))

    assert before == len(gateway.heard)


async def test_positions_that_are_flat_are_left_out(tektii, gateway):
    flat = POSITION | {"id": "MSFT", "symbol": "MSFT", "quantity": "0"}
    gateway.answers["GET /v1/positions"] = [POSITION, flat]

    assert ["AAPL"] == [one.symbol for one in await tektii.fetch_positions(HERE)]


async def test_a_symbol_is_what_is_quoted_where_nobody_lists_any(tektii):
    assert "AAPL" == (await tektii.fetch_instrument("AAPL")).symbol


@pytest.mark.parametrize(
    "answer",
    [
        refusal(404, "SYMBOL_NOT_FOUND", symbol="NOPE"),
        refusal(400, "INVALID_REQUEST", "Invalid request: bad symbol"),
        reply("", 404),
    ],
    ids=["documented", "bad request", "no route"],
)
async def test_a_symbol_that_is_not_quoted_is_unknown(tektii, gateway, answer):
    gateway.answers["GET /v1/quotes/NOPE"] = answer

    with pytest.raises(UnknownInstrumentError):
        await tektii.fetch_instrument("NOPE")


async def test_a_symbol_is_not_doubted_where_nothing_is_quoted(tektii, gateway):
    gateway.answers["GET /v1/quotes/NOPE"] = refusal(501, "UNSUPPORTED_OPERATION")

    assert "NOPE" == (await tektii.fetch_instrument("NOPE")).symbol


@pytest.mark.parametrize("symbol", ["", "A" * 21])
async def test_a_symbol_too_long_for_an_order_is_unknown_before_a_byte(tektii, gateway, symbol):
    before = len(gateway.heard)

    with pytest.raises(UnknownInstrumentError):
        await tektii.fetch_instrument(symbol)

    assert before == len(gateway.heard)


async def test_a_catalogue_is_what_the_user_named_and_holds(gateway):
    gateway.answers["GET /v1/positions"] = [POSITION]
    context = gateway.context(account_id=HERE, options={"symbols": "BTC/USD, MSFT"})
    adapter = TektiiAdapter(context)
    await adapter.open()

    found = await adapter.load_instruments()

    assert ["BTC/USD", "MSFT", "AAPL"] == [one.symbol for one in found]
    assert ["MSFT"] == [one.symbol for one in await adapter.search_instruments("ms")]
    await adapter.aclose()


async def test_a_gateway_that_lists_nothing_says_so(tektii):
    with pytest.raises(UnsupportedError, match="symbols"):
        await tektii.load_instruments()


async def test_a_wrong_word_for_when_to_acknowledge_is_refused(gateway):
    with pytest.raises(ConfigurationError, match="acknowledge"):
        TektiiAdapter(gateway.context(options={"acknowledge": "sometimes"}))


async def test_bars_come_in_order_and_within_their_window(tektii, gateway):
    later = [BAR | {"timestamp": f"2026-01-07T14:3{minute}:00Z"} for minute in (3, 1, 2, 2)]
    gateway.answers["GET /v1/bars/AAPL"] = later
    window = Window(
        start_ns=parse_time("2026-01-07T14:31:00Z"), end_ns=parse_time("2026-01-07T14:33:00Z")
    )

    found = await listed(tektii.fetch_bars("AAPL", Timeframe.parse("1m"), window))

    assert [1, 2] == [int(one.open_time.minute) - 30 for one in found]
    assert "1m" == gateway.asked("GET /v1/bars/AAPL")[0].asked["timeframe"]


async def test_a_refusal_in_plain_text_is_told_by_its_status(tektii, gateway):
    gateway.answers["GET /v1/trades"] = reply("Failed to deserialize", 400, "text/plain")

    with pytest.raises(VenueError):
        await listed(tektii.fetch_fills(HERE, Window()))


async def test_a_list_that_is_none_is_the_gateway_s_mistake(tektii, gateway):
    gateway.answers["GET /v1/positions"] = {"positions": []}

    with pytest.raises(ProtocolError):
        await tektii.fetch_positions(HERE)
