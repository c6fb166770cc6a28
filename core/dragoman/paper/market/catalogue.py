"""The instruments a paper venue lists by default: of every kind, written as venues write them."""

from __future__ import annotations

from datetime import time
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.models import AssetClass, Instrument, InstrumentKind, OptionRight

from .expiries import (
    at_new_york,
    crude_expiry,
    month_code,
    next_crude_month,
    next_third_friday,
    occ_symbol,
)

if TYPE_CHECKING:
    from datetime import date

__all__ = ["default_instruments"]

_EQUITY_BANDS: Final = ((Decimal(0), Decimal("0.0001")), (Decimal(1), Decimal("0.01")))
_STRIKE: Final = Decimal(190)


def default_instruments(
    at_ns: int = 0, *, received_at_ns: int = 0, provider: str = "mock"
) -> tuple[Instrument, ...]:
    """Return the default catalogue, each symbol once, in a fixed order.

    Args:
        at_ns: The venue's start. Contracts that expire are those next to end at least a week after
            it: the quarterly index future, the crude oil future, the monthly options. So their
            symbols depend on it, and on nothing else; `MES`, `CL`, `AAPL-CALL` and `AAPL-PUT` are
            aliases that always resolve.
        received_at_ns: What the instruments carry as their own.
        provider: What the instruments carry as their own.
    """
    listed = (
        _equity("AAPL", "Apple Inc.", "NASDAQ"),
        _equity("MSFT", "Microsoft Corporation", "NASDAQ"),
        _equity("TSLA", "Tesla, Inc.", "NASDAQ"),
        _equity("SPY", "SPDR S&P 500 ETF Trust", "ARCA"),
        _currency_pair("EUR", "USD", tick="0.00001", margin_rate="0.02"),
        _currency_pair("GBP", "USD", tick="0.00001", margin_rate="0.05"),
        _currency_pair("USD", "JPY", tick="0.001", margin_rate="0.04"),
        _coin("BTC", "Bitcoin", lot="0.00000001"),
        _coin("ETH", "Ether", lot="0.00000001"),
        _linear_perpetual(),
        _inverse_perpetual(),
        _index_future(next_third_friday(at_ns, quarterly=True)),
        _crude_future(next_crude_month(at_ns)),
        _option(next_third_friday(at_ns, quarterly=False), OptionRight.CALL),
        _option(next_third_friday(at_ns, quarterly=False), OptionRight.PUT),
        _gold(),
    )
    return tuple(
        attrs.evolve(item, provider=provider, received_at_ns=received_at_ns) for item in listed
    )


def _equity(symbol: str, name: str, exchange: str) -> Instrument:
    return Instrument(
        symbol=symbol,
        name=name,
        exchange=exchange,
        asset_class=AssetClass.EQUITY,
        kind=InstrumentKind.SPOT,
        quote="USD",
        settlement="USD",
        provider="",
        received_at_ns=0,
        tick_size=Decimal("0.01"),
        tick_bands=_EQUITY_BANDS,
        lot_size=Decimal("0.000000001"),
        min_notional=Decimal(1),
        margin_rate=Decimal("0.5"),
        is_tradable=True,
        is_shortable=True,
    )


def _currency_pair(base: str, quote: str, *, tick: str, margin_rate: str) -> Instrument:
    return Instrument(
        symbol=f"{base}/{quote}",
        aliases=(f"{base}{quote}", f"{base}_{quote}"),
        name=f"{base} against {quote}",
        asset_class=AssetClass.FX,
        kind=InstrumentKind.SPOT,
        base=base,
        quote=quote,
        settlement=quote,
        provider="",
        received_at_ns=0,
        tick_size=Decimal(tick),
        pip_size=Decimal(tick).scaleb(1),
        lot_size=Decimal(1),
        min_quantity=Decimal(1),
        max_quantity=Decimal(100_000_000),
        margin_rate=Decimal(margin_rate),
        is_tradable=True,
        is_shortable=True,
    )


def _coin(base: str, name: str, *, lot: str) -> Instrument:
    return Instrument(
        symbol=f"{base}/USD",
        aliases=(f"{base}USD",),
        name=name,
        asset_class=AssetClass.CRYPTO,
        kind=InstrumentKind.SPOT,
        base=base,
        quote="USD",
        settlement="USD",
        provider="",
        received_at_ns=0,
        tick_size=Decimal("0.01"),
        lot_size=Decimal(lot),
        min_quantity=Decimal(lot),
        max_quantity=Decimal(10_000),
        min_notional=Decimal(1),
        is_tradable=True,
        is_shortable=False,
    )


def _linear_perpetual() -> Instrument:
    return Instrument(
        symbol="PF_XBTUSD",
        aliases=("BTC-PERP",),
        name="Bitcoin linear perpetual",
        asset_class=AssetClass.CRYPTO,
        kind=InstrumentKind.PERPETUAL,
        base="BTC",
        quote="USD",
        settlement="USD",
        underlying="BTC/USD",
        provider="",
        received_at_ns=0,
        tick_size=Decimal("0.5"),
        lot_size=Decimal("0.0001"),
        min_quantity=Decimal("0.0001"),
        max_quantity=Decimal(1_000),
        max_market_quantity=Decimal(100),
        margin_rate=Decimal("0.05"),
        is_tradable=True,
        is_shortable=True,
    )


def _inverse_perpetual() -> Instrument:
    return Instrument(
        symbol="BTCUSD_PERP",
        name="Bitcoin inverse perpetual",
        asset_class=AssetClass.CRYPTO,
        kind=InstrumentKind.PERPETUAL,
        base="BTC",
        quote="USD",
        settlement="BTC",
        underlying="BTC/USD",
        provider="",
        received_at_ns=0,
        tick_size=Decimal("0.1"),
        lot_size=Decimal(1),
        min_quantity=Decimal(1),
        max_quantity=Decimal(1_000_000),
        max_market_quantity=Decimal(60_000),
        multiplier=Decimal(100),
        is_inverse=True,
        margin_rate=Decimal("0.05"),
        is_tradable=True,
        is_shortable=True,
    )


def _index_future(expiry: date) -> Instrument:
    code = month_code(expiry)
    return Instrument(
        symbol=f"MES{code}",
        aliases=("MES", f"CON.F.US.MES.{code[0]}{expiry:%y}"),
        name=f"Micro E-mini S&P 500, {expiry:%Y-%m}",
        exchange="CME",
        asset_class=AssetClass.INDEX,
        kind=InstrumentKind.FUTURE,
        quote="USD",
        settlement="USD",
        underlying="SPX",
        provider="",
        received_at_ns=0,
        tick_size=Decimal("0.25"),
        lot_size=Decimal(1),
        min_quantity=Decimal(1),
        max_quantity=Decimal(3_000),
        multiplier=Decimal(5),
        expires_at_ns=at_new_york(expiry, time(9, 30)),
        margin_rate=Decimal("0.08"),
        is_tradable=True,
        is_shortable=True,
    )


def _crude_future(month: date) -> Instrument:
    code = month_code(month)
    return Instrument(
        symbol=f"CL{code}",
        aliases=("CL", f"CON.F.US.CLE.{code[0]}{month:%y}"),
        name=f"Light sweet crude oil, {month:%Y-%m}",
        exchange="NYMEX",
        asset_class=AssetClass.COMMODITY,
        kind=InstrumentKind.FUTURE,
        quote="USD",
        settlement="USD",
        underlying="WTI",
        provider="",
        received_at_ns=0,
        tick_size=Decimal("0.01"),
        lot_size=Decimal(1),
        min_quantity=Decimal(1),
        max_quantity=Decimal(3_000),
        multiplier=Decimal(1_000),
        expires_at_ns=at_new_york(crude_expiry(month), time(14, 30)),
        margin_rate=Decimal("0.1"),
        is_tradable=True,
        is_shortable=True,
        allows_negative_price=True,
    )


def _option(expiry: date, right: OptionRight) -> Instrument:
    return Instrument(
        symbol=occ_symbol("AAPL", expiry, right, _STRIKE),
        aliases=(f"AAPL-{right}",),
        name=f"AAPL {expiry} {_STRIKE} {right}",
        exchange="OPRA",
        asset_class=AssetClass.EQUITY,
        kind=InstrumentKind.OPTION,
        quote="USD",
        settlement="USD",
        underlying="AAPL",
        provider="",
        received_at_ns=0,
        tick_size=Decimal("0.01"),
        lot_size=Decimal(1),
        min_quantity=Decimal(1),
        multiplier=Decimal(100),
        expires_at_ns=at_new_york(expiry, time(16)),
        strike=_STRIKE,
        option_right=right,
        is_tradable=True,
        is_shortable=True,
    )


def _gold() -> Instrument:
    return Instrument(
        symbol="XAU/USD",
        aliases=("XAUUSD", "XAU_USD"),
        name="Gold, troy ounce",
        asset_class=AssetClass.COMMODITY,
        kind=InstrumentKind.CFD,
        base="XAU",
        quote="USD",
        settlement="USD",
        provider="",
        received_at_ns=0,
        tick_size=Decimal("0.01"),
        pip_size=Decimal("0.01"),
        lot_size=Decimal("0.1"),
        min_quantity=Decimal("0.1"),
        max_quantity=Decimal(10_000),
        margin_rate=Decimal("0.05"),
        is_tradable=True,
        is_shortable=True,
    )
