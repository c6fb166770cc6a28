"""Bad input: each gets a typed error that names the field, the value found and what is allowed."""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from tests.corpora import unsound_numbers
from tests.strategies import MODELS

from dragoman.errors import InvalidOrderError, InvalidValueError, Outcome
from dragoman.models import (
    Account,
    Balance,
    Exit,
    Fill,
    Instrument,
    Lot,
    MarketStatus,
    Money,
    Offset,
    OffsetUnit,
    Order,
    OrderChange,
    OrderRequest,
    OrderType,
    Position,
    PositionEffect,
    PriceSource,
    RiskLimit,
    Side,
    Subscription,
    TimeInForce,
)
from dragoman.times import EARLIEST_NS, LATEST_NS

NAIVE = datetime(2026, 1, 31)  # noqa: DTZ001 - naive on purpose
LIMIT = {
    "symbol": "AAPL",
    "side": Side.BUY,
    "order_type": OrderType.LIMIT,
    "quantity": 1,
    "limit_price": 5,
}
NO_AMOUNTS = [1.5, 0.1, True, "", "abc", "1,000", "NaN", "sNaN", "Infinity", "1e400", b"1", [], {}]
NO_AMOUNTS += [Decimal("NaN"), Decimal("-Infinity"), Decimal("1E+400"), Decimal("9" * 41), 10**41]
NO_AMOUNTS += [Fraction(1, 2), object, "\uff11"]
NO_SIZES = [*NO_AMOUNTS, 0, "0.00", "-0", -1, "-0.0001", Decimal("-1E-9")]
NO_TEXTS = [
    "",
    "a\r\nb",
    "a\nb",
    "a\x00b",
    "\x7f",
    "a\u200eb",
    "\ud800",
    "x" * 129,
    "x" * 2**20,
    5,
    b"a",
]
NO_IDS = [*NO_TEXTS, "a b", " a", "é", "币安"]
NO_INSTANTS = [NAIVE, 1.5, True, "2026-01-31T00:00:00Z", EARLIEST_NS - 1, LATEST_NS + 1, 10**5000]
NO_OPTIONS = [
    ({"price": 1}, "venue_options"),
    ({".price": 1}, "venue_options"),
    ({"mock.": 1}, "venue_options"),
    ({"mock.a\n": 1}, "venue_options"),
    ({"mock." + "a" * 128: 1}, "venue_options"),
    ({5: 1}, "venue_options"),
    ({"mock.price": 1.5}, "venue_options[mock.price]"),
    ({"mock.price": None}, "venue_options[mock.price]"),
    ({"mock.price": Decimal(1)}, "venue_options[mock.price]"),
    ({"mock.note": "a\r\nX-Evil: 1"}, "venue_options[mock.note]"),
    ({"mock.note": "x" * 1025}, "venue_options[mock.note]"),
    ([("mock.price", 1)], "venue_options"),
    ("mock.price", "venue_options"),
    (5, "venue_options"),
]


def cases(**values):
    return [
        pytest.param(field, value, id=f"{field}-{place}")
        for field, found in values.items()
        for place, value in enumerate(found)
    ]


def refused(kind, fields, error=InvalidOrderError):
    with pytest.raises(error) as caught:
        kind(**fields)
    assert Outcome.NOT_SENT is caught.value.outcome
    assert all(each.found and each.allowed for each in caught.value.violations)
    assert len(str(caught.value)) < 1_000
    assert str(caught.value).isprintable()
    return [each.field for each in caught.value.violations]


@pytest.mark.parametrize(
    ("field", "value"),
    cases(
        quantity=NO_SIZES,
        notional=NO_SIZES,
        limit_price=NO_AMOUNTS,
        stop_price=NO_AMOUNTS,
        activation_price=NO_AMOUNTS,
        display_quantity=NO_AMOUNTS,
        symbol=[*NO_TEXTS, None],
        client_order_id=NO_IDS,
        account_id=NO_TEXTS,
        position_id=NO_TEXTS,
        group_id=NO_TEXTS,
        tag=NO_TEXTS,
        expires_at_ns=NO_INSTANTS,
        side=["BUY", "buy", None, 1, OrderType.LIMIT],
        order_type=["LIMIT", None, OrderType.UNKNOWN, Side.BUY],
        time_in_force=["DAY", TimeInForce.UNKNOWN, "GTC"],
        trigger=["LAST", PriceSource.UNKNOWN],
        peg=["BID", PriceSource.UNKNOWN],
        position_effect=["CLOSE", True],
        trailing=[5, "1%", Decimal(1), OffsetUnit.PRICE],
        limit_offset=[5, "1%", Decimal(1)],
        post_only=[None, 1, "yes"],
        extended_hours=[None, 0, "no"],
        stop_loss=[95, "95"],
        take_profit=[105, {}],
    ),
)
def test_a_request_refuses_the_field_by_name(field, value):
    assert [field] == refused(OrderRequest, LIMIT | {field: value})


@pytest.mark.parametrize(("value", "field"), NO_OPTIONS)
def test_a_request_refuses_options_it_can_not_read(value, field):
    assert [field] == refused(OrderRequest, LIMIT | {"venue_options": value})


@pytest.mark.parametrize(
    ("field", "value"),
    cases(
        price=NO_AMOUNTS,
        limit_price=NO_AMOUNTS,
        quantity=NO_SIZES,
        client_order_id=NO_IDS,
        trigger=["LAST", PriceSource.UNKNOWN],
        time_in_force=["DAY", TimeInForce.UNKNOWN],
        trailing=[5, "1%"],
        venue_options=[5, {"a": 1}],
    ),
)
def test_an_exit_refuses_the_field_by_name(field, value):
    assert [field] == refused(Exit, {"price": 5} | {field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    cases(
        quantity=NO_SIZES,
        limit_price=NO_AMOUNTS,
        stop_price=NO_AMOUNTS,
        trailing=[5, "1%"],
        expires_at_ns=NO_INSTANTS,
        stop_loss=[5, "REMOVE"],
        take_profit=[5, "REMOVE"],
    ),
)
def test_a_change_refuses_the_field_by_name(field, value):
    assert [field] == refused(OrderChange, {field: value})


def test_every_unsound_number_is_refused_as_a_price():
    for text in unsound_numbers():
        assert ["limit_price"] == refused(OrderRequest, LIMIT | {"limit_price": text})


@pytest.mark.parametrize("value", [0.1, 1.5, float("nan"), float("inf")])
def test_a_float_is_refused_with_the_advice_to_pass_text_or_decimal(value):
    with pytest.raises(InvalidOrderError, match=r"str to read as one .a float is not exact."):
        OrderRequest(**LIMIT | {"quantity": value})


def test_a_naive_expiry_is_refused_with_the_advice_to_pass_an_aware_one():
    fields = {"time_in_force": TimeInForce.GTD, "expires_at_ns": NAIVE}

    with pytest.raises(
        InvalidOrderError,
        match=r"expires_at_ns: found 2026-01-31 00:00:00; allowed: UTC nano.*aware",
    ):
        OrderRequest(**LIMIT | fields)


def test_a_megabyte_symbol_is_refused_briefly():
    with pytest.raises(InvalidOrderError) as caught:
        OrderRequest(**LIMIT | {"symbol": "A" * 2**20})

    assert (
        f"symbol: found 'A{'A' * 79}'... (1048576 long); allowed: 1 to 128 printable characters"
        in str(caught.value)
    )


ANY = {"provider": "mock", "received_at_ns": 0}
PLACE = {"account_id": "1", "symbol": "A"} | ANY
SOUND = {
    Account: {"account_id": "1"} | ANY,
    Balance: {"currency": "USD", "total": Decimal(1)},
    Fill: {
        "fill_id": "1",
        "client_order_id": "a",
        "side": Side.BUY,
        "quantity": Decimal(1),
        "price": Decimal(1),
        "venue_time_ns": 0,
    }
    | PLACE,
    Instrument: {
        "symbol": "A",
        "asset_class": "EQUITY",
        "kind": "SPOT",
        "quote": "USD",
        "settlement": "USD",
    }
    | ANY,
    Lot: {"lot_id": "1", "quantity": Decimal(1), "entry_price": Decimal(1)},
    MarketStatus: {"state": "OPEN"} | ANY,
    Money: {"amount": 1, "currency": "USD"},
    Offset: {"value": 1},
    Order: {
        "client_order_id": "a",
        "side": Side.BUY,
        "order_type": OrderType.MARKET,
        "status": "OPEN",
    }
    | PLACE,
    Position: {"position_id": "A", "quantity": Decimal(0)} | PLACE,
    RiskLimit: {"kind": "DRAWDOWN", "limit": Decimal(1)},
}
NO_DECIMALS = [1, 1.5, "1", Decimal("NaN"), Decimal("Infinity")]
MODEL_CASES = [
    (Account, "account_id", [None, *NO_TEXTS]),
    (Account, "equity", NO_DECIMALS),
    (Account, "leverage", NO_DECIMALS),
    (Balance, "total", [None, *NO_DECIMALS]),
    (Balance, "borrowed", NO_DECIMALS),
    (Fill, "fill_id", [None, *NO_TEXTS]),
    (Fill, "quantity", [None, *NO_DECIMALS, Decimal(0), Decimal(-1)]),
    (Fill, "price", [None, *NO_DECIMALS]),
    (Instrument, "symbol", [None, *NO_TEXTS]),
    (Instrument, "tick_size", NO_DECIMALS),
    (Instrument, "multiplier", [None, *NO_DECIMALS]),
    (Lot, "quantity", [None, *NO_DECIMALS]),
    (Lot, "entry_price", [None, *NO_DECIMALS]),
    (MarketStatus, "symbol", NO_TEXTS),
    (Money, "amount", [None, 1.5, "", "NaN", True, Decimal("NaN"), Decimal("9" * 201)]),
    (Money, "currency", [None, *NO_TEXTS]),
    (Offset, "value", [None, *NO_SIZES]),
    (Offset, "unit", [None, "PRICE", "%"]),
    (Order, "client_order_id", [None, *NO_TEXTS]),
    (Order, "quantity", NO_DECIMALS),
    (Order, "filled_quantity", [None, *NO_DECIMALS]),
    (Position, "quantity", [None, *NO_DECIMALS]),
    (Position, "mark_price", NO_DECIMALS),
    (RiskLimit, "limit", [None, *NO_DECIMALS]),
    (RiskLimit, "used", NO_DECIMALS),
]


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        pytest.param(kind, field, value, id=f"{kind.__name__}-{field}-{place}")
        for kind, field, values in MODEL_CASES
        for place, value in enumerate(values)
    ],
)
def test_a_model_refuses_the_field_by_name(kind, field, value):
    assert kind(**SOUND[kind])

    assert [field] == refused(kind, SOUND[kind] | {field: value}, InvalidValueError)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("quotes", 5),
        ("quotes", [[]]),
        ("quotes", ["A\r\n"]),
        ("trades", [5]),
        ("depth", [""]),
        ("tickers", None),
        ("market_status", ["x" * 2**20]),
        ("bars", 5),
        ("bars", ["AAPL"]),
        ("bars", [("AAPL", 5)]),
        ("bars", [("", "1m")]),
        ("bars", [("AAPL", "1m", 2)]),
        ("orders", 1),
        ("ledger", None),
    ],
)
def test_a_subscription_refuses_the_field_by_name(field, value):
    assert [field] == refused(Subscription, {field: value}, InvalidValueError)


def test_a_subscription_refuses_a_timeframe_it_can_not_read():
    assert ["timeframe"] == refused(Subscription, {"bars": [("AAPL", "1x")]}, InvalidValueError)


def test_the_cases_begin_with_sound_values():
    assert OrderRequest(**LIMIT)
    assert Exit(price=5)
    assert OrderChange(quantity=1)
    assert PositionEffect.CLOSE
    assert set(SOUND) <= set(MODELS)
