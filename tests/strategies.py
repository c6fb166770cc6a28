"""Hypothesis strategies for every model class, and a comparison that sees scale and raw bytes."""

from decimal import Decimal
from enum import StrEnum
from types import NoneType, UnionType
from typing import Union, get_args, get_origin

import attrs
from hypothesis import strategies as st

from dragoman import errors, models, ports
from dragoman.models.serde.shape import instant_keys
from dragoman.times import EARLIEST_NS, LATEST_NS

FREE_TEXT = {"name", "reason", "description", "cause", "error", "text", "venue_status"}
OPTION_KEYS = st.from_regex(r"[a-z]{1,8}\.[A-Za-z]{1,12}", fullmatch=True)

identifiers = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
symbols = st.one_of(
    st.sampled_from(["AAPL", "EUR/USD", "21:FxSpot", "BTCUSDT", "币安人生USDT", "NSE:INFY"]),
    identifiers,
)
instants = st.integers(EARLIEST_NS, LATEST_NS)
durations = st.integers(0, 10**18)
scalars = st.one_of(st.booleans(), st.integers(-(2**63), 2**63), st.sampled_from(["", "x", "é y"]))
options = st.dictionaries(OPTION_KEYS, scalars, max_size=3).map(models.FrozenMapping)


def amounts(*, positive=False, digits=40, scale=64):
    """Decimals with at most so many digits and so long a fraction; never a negative zero."""
    lowest = 1 if positive else -(10**digits - 1)
    coefficients = st.one_of(
        st.integers(max(lowest, -(10**6)), 10**6), st.integers(lowest, 10**digits - 1)
    )
    exponents = st.one_of(st.integers(-4, 0), st.integers(-scale, 0))
    return st.builds(_decimal, coefficients, exponents)


def _decimal(coefficient, exponent):
    digits = tuple(map(int, str(abs(coefficient))))
    return Decimal((1 if coefficient < 0 else 0, digits, exponent))


def prices():
    """Positive amounts of everyday size, with two decimals."""
    return st.integers(1, 10**7).map(lambda cents: Decimal((0, tuple(map(int, str(cents))), -2)))


def of(hint):
    """The strategy for a field's type."""
    if get_origin(hint) in (Union, UnionType):
        return st.one_of(*map(of, get_args(hint)))
    if get_origin(hint) is tuple:
        items = get_args(hint)
        if Ellipsis in items:
            return st.lists(of(items[0]), max_size=3).map(tuple)
        return st.tuples(*map(of, items))
    if get_origin(hint) is frozenset:
        return st.frozensets(of(get_args(hint)[0]), max_size=4)
    if get_origin(hint) is models.FrozenMapping:
        values = of(get_args(hint)[0])
        return st.dictionaries(identifiers, values, max_size=3).map(models.FrozenMapping)
    return _of_class(hint)


def _of_class(kind):
    if issubclass(kind, StrEnum):
        return st.sampled_from(kind)
    plain = {
        NoneType: st.none(),
        Decimal: amounts(),
        bool: st.booleans(),
        int: st.integers(-(2**63), 2**63),
        bytes: st.binary(max_size=20),
        str: identifiers,
        errors.DragomanError: failures,
    }
    return plain[kind] if kind in plain else st.deferred(lambda: MODELS[kind])


def build(model, /, **given):
    """The strategy for a model class whose fields are sound each by itself."""
    attrs.resolve_types(model)
    fields = {field.name: _of_field(model, field) for field in attrs.fields(model) if field.init}
    return st.builds(model, **(fields | given))


def _of_field(kind, field):
    if field.name.endswith("_ns"):
        present = instants if field.name in instant_keys(kind) else durations
        return st.one_of(st.none(), present) if field.default is None else present
    if field.name == "symbol":
        return st.one_of(st.none(), symbols) if field.default is None else symbols
    if field.name == "venue_options":
        return options
    if field.name in FREE_TEXT and field.type == str | None:
        return st.none() | st.text(max_size=30)
    return of(field.type)


violations = st.builds(errors.Violation, st.text(), st.text(), st.text())
failures = st.one_of(
    st.builds(
        errors.RateLimitedError,
        st.text(),
        provider=st.none() | identifiers,
        code=st.none() | st.text(),
        request_id=st.none() | identifiers,
        outcome=st.none() | st.sampled_from(errors.Outcome),
        retry_after=st.none() | st.floats(0, 1e6),
    ),
    st.builds(errors.InvalidOrderError, st.text(), violations=st.lists(violations, max_size=2)),
    st.builds(
        errors.OrderRejectedError,
        st.text(),
        reason=st.sampled_from(errors.RejectReason),
        client_order_id=st.none() | identifiers,
    ),
    st.builds(errors.OutcomeUnknownError, st.text(), reason=st.sampled_from(errors.UnknownReason)),
    st.builds(errors.DecodeError, st.text(), violations=st.lists(violations, max_size=2)),
)


def sendable(kind):
    """The members of an enum that may be sent."""
    return st.sampled_from([member for member in kind if member.value != "UNKNOWN"])


@st.composite
def exits(draw, *, is_target=False):
    """A protective leg."""
    fields = {"price": prices(), "offset": MODELS[models.Offset], "trailing": MODELS[models.Offset]}
    level = draw(st.sampled_from(["price", "offset"] if is_target else [*fields]))
    chosen = {level: draw(fields[level])}
    if not is_target and level == "price" and draw(st.booleans()):
        chosen["trailing"] = draw(MODELS[models.Offset])
    return models.Exit(
        **chosen,
        trigger=draw(st.none() | sendable(models.PriceSource)),
        quantity=draw(st.none() | amounts(positive=True)),
        client_order_id=draw(st.none() | identifiers),
        time_in_force=draw(st.none() | sendable(models.TimeInForce)),
        venue_options=draw(options),
    )


def _shape(order_type):
    """Fields that make an order type complete, and ones it may have."""
    kind = models.OrderType
    offsets = MODELS[models.Offset]
    trigger = {"trigger": sendable(models.PriceSource)}
    display = {"display_quantity": st.just(Decimal(0))}
    stop = {"stop_price": amounts()}
    limit = {"limit_price": amounts()}
    trail = {"activation_price": amounts()} | trigger
    return {
        kind.MARKET: ({}, {}),
        kind.LIMIT: (limit, {"post_only": st.just(value=True)} | display),
        kind.STOP: (stop, trigger),
        kind.MARKET_IF_TOUCHED: (stop, trigger),
        kind.STOP_LIMIT: (stop | limit, trigger | display),
        kind.LIMIT_IF_TOUCHED: (stop | limit, trigger | display),
        kind.TRAILING_STOP: ({"trailing": offsets}, trail),
        kind.TRAILING_STOP_LIMIT: ({"trailing": offsets, "limit_offset": offsets}, trail),
    }[order_type]


@st.composite
def requests(draw):
    """A sound order request of any type."""
    order_type = draw(sendable(models.OrderType))
    needed, possible = _shape(order_type)
    chosen = needed | {name: each for name, each in possible.items() if draw(st.booleans())}
    fields = {name: draw(each) for name, each in chosen.items()}
    times = [each for each in models.TimeInForce if each not in ("UNKNOWN", "IOC", "FOK")]
    fields["time_in_force"] = draw(st.none() | st.sampled_from(times))
    if fields["time_in_force"] is models.TimeInForce.GTD:
        fields["expires_at_ns"] = draw(instants)
    fields[draw(st.sampled_from(["quantity", "notional"]))] = draw(amounts(positive=True))
    fields["position_effect"] = draw(st.none() | st.sampled_from(models.PositionEffect))
    if fields["position_effect"] is not models.PositionEffect.CLOSE:
        fields[draw(st.sampled_from(["tag", "group_id"]))] = draw(identifiers)
        fields |= draw(_one_exit())
    return models.OrderRequest(
        symbol=draw(symbols),
        side=draw(st.sampled_from(models.Side)),
        order_type=order_type,
        client_order_id=draw(st.none() | identifiers),
        extended_hours=draw(st.booleans()),
        venue_options=draw(options),
        **fields,
    )


def _one_exit():
    offset = MODELS[models.Offset].map(lambda each: models.Exit(offset=each))
    both = {"stop_loss": exits_without_price, "take_profit": offset}
    return st.fixed_dictionaries({}, optional=both)


exits_without_price = exits().filter(lambda leg: leg.price is None)


@st.composite
def windows(draw):
    """A window, open or closed on either side."""
    ends = sorted(draw(st.lists(instants, min_size=2, max_size=2)))
    start, end = (draw(st.none() | st.just(each)) for each in ends)
    return models.Window(start_ns=start, end_ns=end, limit=draw(st.none() | st.integers(1, 10**6)))


@st.composite
def changes(draw):
    """A change of at least one field."""
    removal = st.just(models.REMOVE)
    fields = {
        "quantity": amounts(positive=True),
        "limit_price": amounts(),
        "stop_price": amounts(),
        "trailing": MODELS[models.Offset],
        "expires_at_ns": instants,
        "stop_loss": exits() | removal,
        "take_profit": exits(is_target=True) | removal,
    }
    chosen = draw(st.lists(st.sampled_from([*fields]), min_size=1, unique=True))
    return models.OrderChange(**{name: draw(fields[name]) for name in chosen})


@st.composite
def order_events(draw):
    """An order event, with a fill exactly where one belongs."""
    kind = draw(st.sampled_from(models.OrderEventKind))
    has_fill = kind in (models.OrderEventKind.FILL, models.OrderEventKind.FILL_BUSTED)
    fill = MODELS[models.Fill] if has_fill else st.none()
    return draw(build(models.OrderEvent, kind=st.just(kind), fill=fill))


SIMPLE = (
    models.Account,
    models.AccountEvent,
    models.Alarm,
    models.Balance,
    models.Bar,
    models.CommandResult,
    models.ConnectionEvent,
    models.Depth,
    models.Gap,
    models.HealthEvent,
    models.Instrument,
    models.LedgerEntry,
    models.LedgerEvent,
    models.Leg,
    models.Level,
    models.Lot,
    models.MarketHours,
    models.MarketStatus,
    models.Position,
    models.PositionEvent,
    models.ProtectionEvent,
    models.Quarantined,
    models.Quote,
    models.RateLimit,
    models.ReaderLagged,
    models.RiskLimit,
    models.Staleness,
    models.Subscription,
    models.Ticker,
    models.Trade,
    models.TradeCorrection,
    ports.OptionQuote,
    ports.Preview,
    ports.RawAnswer,
)
MODELS = {
    errors.Violation: violations,
    models.Exit: st.deferred(exits),
    models.Order: st.deferred(
        lambda: build(
            models.Order,
            quantity=st.none() | amounts(positive=True),
            filled_quantity=amounts(positive=True),
        )
    ),
    models.Fill: st.deferred(lambda: build(models.Fill, quantity=amounts(positive=True))),
    models.Money: st.builds(models.Money, amounts(digits=120, scale=120), identifiers),
    models.Offset: st.builds(
        models.Offset, amounts(positive=True), st.sampled_from(models.OffsetUnit)
    ),
    models.OrderChange: st.deferred(changes),
    models.OrderEvent: st.deferred(order_events),
    models.OrderRequest: st.deferred(requests),
    models.Timeframe: st.builds(
        models.Timeframe, st.integers(1, 99_999), st.sampled_from(models.TimeUnit)
    ),
    models.Window: st.deferred(windows),
    ports.Idea: st.deferred(lambda: build(ports.Idea, text=st.text())),
} | {kind: st.deferred(lambda kind=kind: build(kind)) for kind in SIMPLE}


def exact(value):
    """What makes a model the same to the last digit: scale, class and raw bytes included."""
    return type(value).__name__, _content(value)


def _content(value):
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, frozenset):
        return sorted(repr(exact(each)) for each in value)
    if isinstance(value, tuple):
        return [exact(each) for each in value]
    named = _named_parts(value)
    return value if named is None else {name: exact(each) for name, each in named.items()}


def _named_parts(value):
    if isinstance(value, BaseException):
        return vars(value)
    if isinstance(value, models.FrozenMapping):
        return dict(value)
    return attrs.asdict(value, recurse=False) if attrs.has(type(value)) else None
