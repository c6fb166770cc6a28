"""The sessions of one trading day in each kind of market: pure rules, in New York's time."""

from __future__ import annotations

from datetime import date, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, assert_never

from dragoman.models import AssetClass, InstrumentKind, MarketHours, TradingState
from dragoman.times import DAY_NS

from .expiries import at_new_york
from .holidays import early_closes, full_holidays, is_business_day, major_holidays

if TYPE_CHECKING:
    from dragoman.models import Instrument

__all__ = ["Market", "market_of", "sessions_of"]

_EPOCH: Final = date(1970, 1, 1)
_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5
_MIDDAY: Final = time(13)


class Market(StrEnum):
    """A kind of trading day."""

    AROUND_THE_CLOCK = "AROUND_THE_CLOCK"
    EQUITY = "EQUITY"
    EQUITY_OPTION = "EQUITY_OPTION"
    FX = "FX"
    GLOBEX = "GLOBEX"


def market_of(instrument: Instrument) -> Market:
    """Return which kind of trading day an instrument has.

    Futures, and CFDs on what futures trade, keep the hours of CME Globex; crypto and perpetuals
    never close.
    """
    if instrument.asset_class is AssetClass.CRYPTO or instrument.kind is InstrumentKind.PERPETUAL:
        return Market.AROUND_THE_CLOCK
    if instrument.asset_class is AssetClass.FX and instrument.kind is not InstrumentKind.FUTURE:
        return Market.FX
    if instrument.asset_class is AssetClass.EQUITY:
        is_option = instrument.kind is InstrumentKind.OPTION
        return Market.EQUITY_OPTION if is_option else Market.EQUITY
    return Market.GLOBEX


def sessions_of(market: Market, day: date) -> tuple[MarketHours, ...]:
    """Return the sessions of the trading day `day`, in order; none where the market rests.

    A trading day may begin on the evening before its date. Equities: before the market from 04:00,
    open 09:30 to 16:00, after hours to 20:00; on a short day open to 13:00, after hours to 17:00.
    Options: open only. FX: 17:00 to 17:00, Monday's from Sunday on. Globex: 18:00 to 17:00,
    Monday's from Sunday on; to 13:15 on a short day of equities, to 13:00 on their holidays, none
    on New Year's Day, Good Friday and Christmas.
    """
    match market:
        case Market.AROUND_THE_CLOCK:
            start_ns = (day - _EPOCH).days * DAY_NS
            return (
                MarketHours(
                    opens_at_ns=start_ns, closes_at_ns=start_ns + DAY_NS, state=TradingState.OPEN
                ),
            )
        case Market.EQUITY:
            return _equity_sessions(day)
        case Market.EQUITY_OPTION:
            return tuple(row for row in _equity_sessions(day) if row.state is TradingState.OPEN)
        case Market.FX:
            return (_overnight(day, time(17), time(17)),) if day.weekday() < _SATURDAY else ()
        case Market.GLOBEX:
            return _globex_sessions(day)
        case _:
            assert_never(market)


def _equity_sessions(day: date) -> tuple[MarketHours, ...]:
    if not is_business_day(day):
        return ()
    is_short = day in early_closes(day.year)
    closing, late = (_MIDDAY, time(17)) if is_short else (time(16), time(20))
    return (
        _session(day, time(4), time(9, 30), TradingState.PRE_MARKET),
        _session(day, time(9, 30), closing, TradingState.OPEN),
        _session(day, closing, late, TradingState.AFTER_HOURS),
    )


def _globex_sessions(day: date) -> tuple[MarketHours, ...]:
    if day.weekday() >= _SATURDAY or day in major_holidays(day.year):
        return ()
    closing = time(17)
    if day in full_holidays(day.year):
        closing = _MIDDAY
    elif day in early_closes(day.year):
        closing = time(13, 15)
    return (_overnight(day, time(18), closing),)


def _session(day: date, opening: time, closing: time, state: TradingState) -> MarketHours:
    return MarketHours(
        opens_at_ns=at_new_york(day, opening), closes_at_ns=at_new_york(day, closing), state=state
    )


def _overnight(day: date, opening: time, closing: time) -> MarketHours:
    return MarketHours(
        opens_at_ns=at_new_york(day - _DAY, opening),
        closes_at_ns=at_new_york(day, closing),
        state=TradingState.OPEN,
    )
