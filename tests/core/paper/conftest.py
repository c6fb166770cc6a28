"""An account factory and its market, small enough to do the sums in the head."""

import importlib.util
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from dragoman.models import (
    AssetClass,
    Instrument,
    InstrumentKind,
    Liquidity,
)
from dragoman.paper.accounts.account import Execution, Exposure, PaperAccount
from dragoman.paper.settings import AccountSettings, Fee, FeeSchedule


def _load(name):
    """Make a helper module beside the tests importable: they are no package."""
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"paper_{name}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)


_load("venue")
_load("contracts")
_load("oracle")


def instrument(symbol, kind=InstrumentKind.SPOT, asset_class=AssetClass.EQUITY, **fields):
    rate = fields.pop("rate", None)
    return Instrument(
        symbol=symbol,
        asset_class=asset_class,
        kind=kind,
        quote=fields.pop("quote", "USD"),
        settlement=fields.pop("settlement", "USD"),
        provider="mock",
        received_at_ns=0,
        margin_rate=None if rate is None else Decimal(rate),
        **fields,
    )


INSTRUMENTS = {
    each.symbol: each
    for each in (
        instrument("STOCK", rate="0.5"),
        instrument("COIN/USD", asset_class=AssetClass.CRYPTO, base="COIN", is_shortable=False),
        instrument("EUR/USD", asset_class=AssetClass.FX, base="EUR", rate="0.02"),
        instrument(
            "USD/JPY",
            asset_class=AssetClass.FX,
            base="USD",
            quote="JPY",
            settlement="JPY",
            rate="0.04",
        ),
        instrument(
            "FUTURE", InstrumentKind.FUTURE, AssetClass.INDEX, rate="0.1", multiplier=Decimal(5)
        ),
        instrument("OPTION", InstrumentKind.OPTION, multiplier=Decimal(100), strike=Decimal(50)),
        instrument(
            "INVERSE",
            InstrumentKind.PERPETUAL,
            AssetClass.CRYPTO,
            settlement="BTC",
            is_inverse=True,
            multiplier=Decimal(100),
            rate="0.05",
        ),
        instrument("BTC/USD", asset_class=AssetClass.CRYPTO, base="BTC"),
    )
}


FEES = FeeSchedule(
    by_symbol={
        "FUTURE": Fee(per_unit="0.62"),
        "COIN/USD": Fee(maker="-0.0001", taker="0.0025"),
        "INVERSE": Fee(taker="0.0005"),
    }
)


def make_account(fees=None, **settings):
    return PaperAccount(
        AccountSettings(**settings),
        INSTRUMENTS,
        fees or FeeSchedule.free(),
        provider="mock",
        maintenance_fraction=Decimal("0.5"),
    )


def make_execution(symbol, side, quantity, price, **fields):
    return Execution(
        fields.get("fill_id", "f1"),
        fields.get("client_order_id", "c1"),
        symbol,
        side,
        Decimal(quantity),
        Decimal(price),
        fields.get("liquidity", Liquidity.TAKER),
        fields.get("effect"),
        fields.get("position_id"),
        fields.get("time_ns", 1),
    )


def make_exposure(symbol, side, quantity, price, name="c1", **fields):
    return Exposure(name, symbol, side, Decimal(quantity), Decimal(price), **fields)


@pytest.fixture(scope="session")
def instruments():
    return INSTRUMENTS


@pytest.fixture(scope="session")
def fees():
    return FEES


@pytest.fixture(scope="session")
def account():
    return make_account


@pytest.fixture(scope="session")
def execution():
    return make_execution


@pytest.fixture(scope="session")
def exposure():
    return make_exposure
