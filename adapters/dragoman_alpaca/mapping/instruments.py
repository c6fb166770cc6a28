"""Instruments, market hours and the market's clock, out of Alpaca's rows."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from dragoman.errors import InvalidValueError, ProtocolError
from dragoman.models import (
    AssetClass,
    FrozenMapping,
    Instrument,
    InstrumentKind,
    MarketHours,
    MarketStatus,
    OptionRight,
    OrderType,
    TimeInForce,
    TradingState,
)
from dragoman.money import format_decimal
from dragoman_alpaca.capabilities import CRYPTO_TIMES, CRYPTO_TYPES, EQUITY_TIMES, EQUITY_TYPES

from .words import new_york_time, time_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dragoman_alpaca.wire.trading import AssetRow, CalendarRow, ClockRow, OptionContractRow

    from .reading import Reading

__all__ = ["ASSET_CLASSES", "hours_of", "instrument_of", "option_of", "status_of"]

_QUOTE: Final = "USD"
_ONE: Final = Decimal(1)
_SHARE_TICKS: Final = ((Decimal(0), Decimal("0.0001")), (_ONE, Decimal("0.01")))
"""Source: SEC rule 612: prices of a dollar and more go by the cent."""
_FRACTION: Final = Decimal("0.000000001")
"""Quantities have at most nine decimal places."""
_LEAST_COST: Final = Decimal(10)
"""What a crypto order in dollars must come to; else "cost basis must be >= minimal amount"."""
_DOLLARS: Final = frozenset({"USD", "USDC", "USDT"})
_CONTRACT_SIZE: Final = Decimal(100)
_OPTION_TYPES: Final = frozenset({OrderType.MARKET, OrderType.LIMIT})
_OPTION_TIMES: Final = frozenset({TimeInForce.DAY})
_EXPIRY_TIME: Final = "16:00"

ASSET_CLASSES: Final[Mapping[str, tuple[AssetClass, InstrumentKind]]] = {
    "us_equity": (AssetClass.EQUITY, InstrumentKind.SPOT),
    "us_option": (AssetClass.EQUITY, InstrumentKind.OPTION),
    "crypto": (AssetClass.CRYPTO, InstrumentKind.SPOT),
    "crypto_perp": (AssetClass.CRYPTO, InstrumentKind.PERPETUAL),
    "ipo": (AssetClass.EQUITY, InstrumentKind.SPOT),
}
_TAKES: Final[Mapping[str, tuple[frozenset[OrderType], frozenset[TimeInForce]]]] = {
    "us_equity": (EQUITY_TYPES, EQUITY_TIMES),
    "us_option": (_OPTION_TYPES, _OPTION_TIMES),
    "crypto": (CRYPTO_TYPES, CRYPTO_TIMES),
    "ipo": (frozenset({OrderType.MARKET}), frozenset({TimeInForce.DAY})),
}
_RIGHTS: Final[Mapping[str, OptionRight]] = {"call": OptionRight.CALL, "put": OptionRight.PUT}
_RULES: Final = ("marginable", "easy_to_borrow", "fractionable")


def instrument_of(row: AssetRow, reading: Reading) -> Instrument:
    """Return an asset as an instrument. Increments that the row states win over the class's own.

    Raises:
        ProtocolError: The row's symbol is none.
    """
    word = row.asset_class or ""
    if word not in ASSET_CLASSES:
        reading.strangers.report("asset class", word)
    asset_class, kind = ASSET_CLASSES.get(word, (AssetClass.UNKNOWN, InstrumentKind.UNKNOWN))
    base, quote = _pair(row) if asset_class is AssetClass.CRYPTO else (row.symbol, _QUOTE)
    types, times = _TAKES.get(word, (None, None))
    is_share = word in {"us_equity", "ipo"}
    needs_dollars = word == "crypto" and quote in _DOLLARS
    try:
        return Instrument(
            symbol=row.symbol,
            asset_class=asset_class,
            kind=kind,
            quote=quote,
            settlement=quote,
            provider=reading.provider,
            received_at_ns=reading.received_at_ns,
            aliases=_aliases(row, asset_class),
            name=row.name or None,
            exchange=row.exchange or None,
            base=base,
            tick_size=row.price_increment or None,
            tick_bands=_SHARE_TICKS if is_share and not row.price_increment else (),
            lot_size=row.min_trade_increment or _lot(row, kind),
            min_quantity=row.min_order_size or None,
            min_notional=_LEAST_COST if needs_dollars else None,
            multiplier=_CONTRACT_SIZE if kind is InstrumentKind.OPTION else _ONE,
            margin_rate=_ONE if row.marginable is False else None,
            is_tradable=_is_tradable(row.tradable, row.status),
            is_shortable=row.shortable,
            order_types=types,
            times_in_force=times,
            venue_rules=_rules(row),
        )
    except InvalidValueError as error:
        raise ProtocolError(f"an asset's row is none: {error.message}") from error


def option_of(row: OptionContractRow, reading: Reading) -> Instrument:
    """Return an option contract as an instrument; it ends when the market closes that day.

    Raises:
        ProtocolError: The row's symbol is none.
    """
    if row.type and row.type not in _RIGHTS:
        reading.strangers.report("option type", row.type)
    rules = {"style": row.style, "status": row.status}
    try:
        return Instrument(
            symbol=row.symbol,
            asset_class=AssetClass.EQUITY,
            kind=InstrumentKind.OPTION,
            quote=_QUOTE,
            settlement=_QUOTE,
            provider=reading.provider,
            received_at_ns=reading.received_at_ns,
            aliases=(row.id,) if row.id else (),
            name=row.name or None,
            lot_size=_ONE,
            multiplier=row.multiplier or row.size or _CONTRACT_SIZE,
            underlying=row.underlying_symbol or row.root_symbol or None,
            expires_at_ns=new_york_time(row.expiration_date, _EXPIRY_TIME),
            strike=row.strike_price,
            option_right=_RIGHTS.get(row.type or ""),
            is_tradable=_is_tradable(row.tradable, row.status),
            order_types=_OPTION_TYPES,
            times_in_force=_OPTION_TIMES,
            venue_rules=FrozenMapping({name: text for name, text in rules.items() if text}),
        )
    except InvalidValueError as error:
        raise ProtocolError(f"an option contract's row is none: {error.message}") from error


def hours_of(rows: Iterable[CalendarRow]) -> tuple[MarketHours, ...]:
    """Return the sessions of the calendar's days, oldest first: before, in and after the market."""
    found: list[MarketHours] = []
    for row in rows:
        marks = (
            (TradingState.PRE_MARKET, row.session_open, row.open),
            (TradingState.OPEN, row.open, row.close),
            (TradingState.AFTER_HOURS, row.close, row.session_close),
        )
        for state, opens, closes in marks:
            opens_ns = new_york_time(row.date, opens) if opens else None
            closes_ns = new_york_time(row.date, closes) if closes else None
            if state is TradingState.OPEN and closes and closes <= (opens or ""):
                closes_ns = new_york_time(row.date, closes, days=1)  # it goes on over midnight
            if opens_ns is not None and closes_ns is not None and opens_ns < closes_ns:
                hours = MarketHours(opens_at_ns=opens_ns, closes_at_ns=closes_ns, state=state)
                found.append(hours)
    return tuple(sorted(found, key=lambda one: one.opens_at_ns))


def status_of(row: ClockRow, reading: Reading) -> MarketStatus:
    """Return what the market's clock says of the whole market."""
    states = {True: TradingState.OPEN, False: TradingState.CLOSED, None: TradingState.UNKNOWN}
    return MarketStatus(
        state=states[row.is_open],
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        resumes_at_ns=time_of(row.next_open) if row.is_open is False else None,
        venue_time_ns=time_of(row.timestamp),
    )


def _pair(row: AssetRow) -> tuple[str | None, str]:
    """Return what a crypto pair is of and what it is priced in, which its symbol says."""
    base, slash, quote = row.symbol.partition("/")
    return (base, quote) if slash and base and quote else (None, _QUOTE)


def _aliases(row: AssetRow, asset_class: AssetClass) -> tuple[str, ...]:
    """Return other spellings: positions show pairs without the slash."""
    found = [row.id] if row.id else []
    if asset_class is AssetClass.CRYPTO and "/" in row.symbol:
        found.append(row.symbol.replace("/", ""))
    return tuple(found)


def _lot(row: AssetRow, kind: InstrumentKind) -> Decimal | None:
    if kind is InstrumentKind.OPTION:
        return _ONE
    if row.fractionable is None:
        return None
    return _FRACTION if row.fractionable else _ONE


def _is_tradable(tradable: bool | None, status: str | None) -> bool | None:  # noqa: FBT001 - a field
    if status and status != "active":
        return False
    return tradable


def _rules(row: AssetRow) -> FrozenMapping[str]:
    found: dict[str, str] = {}
    for name in _RULES:
        value: object = getattr(row, name)
        if isinstance(value, bool):
            found[name] = str(value).lower()
    if row.attributes:
        found["attributes"] = ",".join(row.attributes)
    requirement = row.maintenance_margin_requirement
    if requirement is not None:
        found["maintenance_margin_requirement"] = format_decimal(requirement)
    return FrozenMapping(found)
