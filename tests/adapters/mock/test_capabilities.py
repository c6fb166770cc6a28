"""What is declared works, what is not declared is refused: the whole matrix, both ways."""

import itertools

import pytest

from dragoman.capabilities import ExitPart, OrderFeature, ReadFeature
from dragoman.errors import OrderRejectedError, RejectReason
from dragoman.models import (
    Channel,
    Contingency,
    Exit,
    InstrumentKind,
    Offset,
    OrderChange,
    OrderType,
    PositionEffect,
    PriceSource,
    Side,
    Support,
    TimeInForce,
)
from dragoman.paper.settings import AccountSettings, VenueSettings
from dragoman.times import HOUR_NS
from dragoman_mock import mock_capabilities

SYMBOLS = {
    InstrumentKind.SPOT: "AAPL",
    InstrumentKind.CFD: "XAU/USD",
    InstrumentKind.FUTURE: "MES",
    InstrumentKind.PERPETUAL: "PF_XBTUSD",
    InstrumentKind.OPTION: "AAPL-CALL",
}
TYPES = [kind for kind in OrderType if kind is not OrderType.UNKNOWN]
TIMES = [time for time in TimeInForce if time is not TimeInForce.UNKNOWN]
LACKING = [
    {},
    {"native_trailing": False},
    {"native_exits": False},
    {"native_lists": False},
]


@pytest.fixture(params=LACKING, ids=lambda settings: "".join(settings) or "all")
def lacking(request):
    return request.param


def prices(order_type):
    """Return prices of a BUY that does not fill at once where the market is 99 to 101."""
    return {
        OrderType.MARKET: {},
        OrderType.LIMIT: {"limit_price": "90"},
        OrderType.STOP: {"stop_price": "110"},
        OrderType.MARKET_IF_TOUCHED: {"stop_price": "90"},
        OrderType.STOP_LIMIT: {"stop_price": "110", "limit_price": "110"},
        OrderType.LIMIT_IF_TOUCHED: {"stop_price": "90", "limit_price": "90"},
        OrderType.TRAILING_STOP: {"trailing": Offset.percent(5)},
        OrderType.TRAILING_STOP_LIMIT: {
            "trailing": Offset.percent(5),
            "limit_offset": Offset.ticks(4),
        },
    }[order_type]


async def fresh(desks, symbol, **settings):
    """Return an adapter on a venue where `symbol` is at 99 to 101, and that instrument."""
    desk = desks(accounts=(AccountSettings(cash=10**9),), **settings)
    adapter = await desk.connect()
    instrument = await adapter.fetch_instrument(symbol)
    await desk.quote("99", "101", instrument.symbol, last="100", mark_price=100, index_price=100)
    return desk, adapter, instrument


async def is_unsupported(adapter, request):
    try:
        await adapter.submit(request)
    except OrderRejectedError as error:
        if error.reason is RejectReason.UNSUPPORTED:
            return True
        raise
    return False


@pytest.mark.parametrize("kind", SYMBOLS)
async def test_the_engine_takes_exactly_the_cells_declared(desks, order, lacking, kind):
    desk, adapter, instrument = await fresh(desks, SYMBOLS[kind], **lacking)
    refused = set()

    for order_type, time in itertools.product(TYPES, TIMES):
        expires = desk.clock.now_ns() + HOUR_NS if time is TimeInForce.GTD else None
        request = order(
            order_type,
            symbol=instrument.symbol,
            quantity=instrument.min_quantity or 1,
            time_in_force=time,
            expires_at_ns=expires,
            **prices(order_type),
        )
        if await is_unsupported(adapter, request):
            refused.add((order_type, time))

    undeclared = {
        (order_type, time)
        for order_type, time in itertools.product(TYPES, TIMES)
        if adapter.capabilities.order_support(instrument.kind, order_type, time) is Support.NONE
    }
    assert undeclared == refused


def test_no_kind_is_declared_beyond_those_tested():
    cells = mock_capabilities(VenueSettings()).orders

    assert set(SYMBOLS) == {cell.kind for cell in cells}


FEATURES = {
    OrderFeature.NOTIONAL: {"quantity": None, "notional": 1000},
    OrderFeature.POST_ONLY: {
        "order_type": OrderType.LIMIT,
        "limit_price": "90",
        "post_only": True,
    },
    OrderFeature.REDUCE_ONLY: {"side": Side.SELL, "position_effect": PositionEffect.CLOSE},
    OrderFeature.OPEN_EFFECT: {"position_effect": PositionEffect.OPEN},
    OrderFeature.CLOSE_WHOLE_POSITION: {
        "side": Side.SELL,
        "quantity": None,
        "position_effect": PositionEffect.CLOSE,
    },
    OrderFeature.POSITION_ID: {"position_id": "AAPL"},
    OrderFeature.DISPLAY_QUANTITY: {
        "order_type": OrderType.LIMIT,
        "limit_price": "90",
        "display_quantity": 1,
    },
    OrderFeature.HIDDEN: {
        "order_type": OrderType.LIMIT,
        "limit_price": "90",
        "display_quantity": 0,
    },
    OrderFeature.EXTENDED_HOURS: {
        "order_type": OrderType.LIMIT,
        "limit_price": "90",
        "extended_hours": True,
    },
    OrderFeature.ACTIVATION_PRICE: {
        "order_type": OrderType.TRAILING_STOP,
        "trailing": Offset.price(1),
        "activation_price": "90",
    },
    OrderFeature.GROUP: {"order_type": OrderType.LIMIT, "limit_price": "90", "group_id": "g"},
    OrderFeature.TAG: {"tag": "strategy"},
}


@pytest.mark.parametrize("feature", FEATURES)
async def test_the_engine_takes_exactly_the_features_declared(desks, order, lacking, feature):
    _, adapter, _ = await fresh(desks, "AAPL", **lacking)
    await adapter.submit(order())

    refused = await is_unsupported(adapter, order(**FEATURES[feature]))

    assert (adapter.capabilities.feature(feature) is Support.NONE) == refused


def test_every_order_feature_is_walked():
    commands = {OrderFeature.CANCEL_ALL, OrderFeature.BATCH}

    assert set(OrderFeature) - commands == set(FEATURES)


EXITS = {
    ExitPart.STOP_LOSS: {"stop_loss": Exit(price="95")},
    ExitPart.TAKE_PROFIT: {"take_profit": Exit(price="110")},
    ExitPart.BRACKET: {"stop_loss": Exit(price="95"), "take_profit": Exit(price="110")},
    ExitPart.STOP_LIMIT: {"stop_loss": Exit(price="95", limit_price="94")},
    ExitPart.LIMIT_IF_TOUCHED: {"take_profit": Exit(price="110", limit_price="109")},
    ExitPart.TRAILING: {"stop_loss": Exit(trailing=Offset.price(3))},
    ExitPart.OFFSET: {"stop_loss": Exit(offset=Offset.price(3))},
    ExitPart.PARTIAL: {"stop_loss": Exit(price="95", quantity=4)},
}


@pytest.mark.parametrize("part", ExitPart)
async def test_the_engine_takes_exactly_the_exits_declared(desks, order, lacking, part):
    _, adapter, _ = await fresh(desks, "AAPL", **lacking)

    refused = await is_unsupported(adapter, order(**EXITS[part]))

    assert (adapter.capabilities.exit(part) is Support.NONE) == refused


@pytest.mark.parametrize("contingency", Contingency)
async def test_the_engine_takes_exactly_the_lists_declared(desks, order, lacking, contingency):
    _, adapter, _ = await fresh(desks, "AAPL", **lacking)
    requests = [order(OrderType.LIMIT, limit_price=price) for price in ("90", "91")]

    rows = await adapter.submit_list(requests, contingency)

    refused = {row.error and row.error.reason for row in rows} == {RejectReason.UNSUPPORTED}
    assert (adapter.capabilities.list(contingency) is Support.NONE) == refused


@pytest.mark.parametrize("source", [each for each in PriceSource if each != "UNKNOWN"])
@pytest.mark.parametrize("kind", [InstrumentKind.SPOT, InstrumentKind.PERPETUAL])
async def test_every_trigger_declared_triggers(desks, order, kind, source):
    desk, adapter, instrument = await fresh(desks, SYMBOLS[kind])
    assert source in adapter.capabilities.triggers
    await adapter.submit(
        order(
            OrderType.STOP,
            symbol=instrument.symbol,
            quantity=instrument.min_quantity or 1,
            stop_price="150",
            trigger=source,
        )
    )

    await desk.quote("160", "161", instrument.symbol, last="160", mark_price=160, index_price=160)

    assert (await adapter.fetch_order("paper-1", client_order_id="order-1")).is_triggered


@pytest.mark.parametrize("source", [each for each in PriceSource if each != "UNKNOWN"])
async def test_the_engine_takes_exactly_the_pegs_declared(desks, order, source):
    _, adapter, instrument = await fresh(desks, SYMBOLS[InstrumentKind.PERPETUAL])
    request = order(
        OrderType.LIMIT,
        symbol=instrument.symbol,
        quantity=instrument.min_quantity or 1,
        peg=source,
    )

    assert (source not in adapter.capabilities.pegs) == await is_unsupported(adapter, request)


CHANGES = {
    "quantity": (OrderType.LIMIT, {}, {"quantity": 11}),
    "limit_price": (OrderType.LIMIT, {}, {"limit_price": "91"}),
    "stop_price": (OrderType.STOP, {}, {"stop_price": "111"}),
    "trailing": (OrderType.TRAILING_STOP, {}, {"trailing": Offset.price(7)}),
    "expires_at_ns": (
        OrderType.LIMIT,
        {"time_in_force": TimeInForce.GTD, "expires_at_ns": 1_900_000_000_000_000_000},
        {"expires_at_ns": 1_900_000_000_000_000_001},
    ),
    "stop_loss": (OrderType.LIMIT, {}, {"stop_loss": Exit(price="80")}),
    "take_profit": (OrderType.LIMIT, {}, {"take_profit": Exit(price="120")}),
}


@pytest.mark.parametrize("field", CHANGES)
async def test_exactly_the_changes_declared_are_made(desks, order, lacking, field):
    _, adapter, _ = await fresh(desks, "AAPL", **lacking)
    order_type, fields, change = CHANGES[field]
    try:
        resting = await adapter.submit(order(order_type, **prices(order_type), **fields))
        await adapter.replace(resting, OrderChange(**change))
        reason = None
    except OrderRejectedError as error:
        reason = error.reason

    is_declared = field in adapter.capabilities.replace.fields
    assert (None if is_declared else RejectReason.UNSUPPORTED) is reason


def test_every_change_is_walked():
    assert set(CHANGES) == {*OrderChange.__slots__} - {"__weakref__"}


def test_everything_that_can_be_read_and_streamed_is_declared():
    found = mock_capabilities(VenueSettings())

    assert (frozenset(ReadFeature), frozenset(Channel)) == (found.reads, found.streams)


def test_the_venue_id_rule_follows_the_settings():
    assert not mock_capabilities(VenueSettings(replace_keeps_id=False)).replace.keeps_venue_id
