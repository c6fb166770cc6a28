"""Contracts of every kind with sums one can do by hand, and a venue that lists them."""

from decimal import Decimal

from paper_venue import ACCOUNT, INSTRUMENTS, Venue, listed

from dragoman.models import AssetClass, InstrumentKind, OptionRight
from dragoman.paper.settings import AccountSettings
from dragoman.times import HOUR_NS

D = Decimal
START_NS = 1_767_796_200_000_000_000
EXPIRY_NS = START_NS + HOUR_NS


def contract(symbol, right):
    return listed(
        symbol,
        InstrumentKind.OPTION,
        tick_size="0.01",
        lot_size=1,
        multiplier=D(100),
        strike=D(100),
        option_right=right,
        underlying="STOCK",
        expires_at_ns=EXPIRY_NS,
    )


LISTED = (
    INSTRUMENTS[0],
    listed(
        "COIN/USD", asset_class=AssetClass.CRYPTO, base="COIN", tick_size="0.01", lot_size="0.001"
    ),
    listed(
        "FUTURE",
        InstrumentKind.FUTURE,
        AssetClass.INDEX,
        tick_size="0.25",
        lot_size=1,
        margin_rate="0.1",
        multiplier=D(5),
        expires_at_ns=EXPIRY_NS,
    ),
    listed(
        "PERPETUAL",
        InstrumentKind.PERPETUAL,
        AssetClass.CRYPTO,
        tick_size="0.5",
        lot_size="0.001",
        margin_rate="0.05",
    ),
    listed(
        "INVERSE",
        InstrumentKind.PERPETUAL,
        AssetClass.CRYPTO,
        base="COIN",
        settlement="COIN",
        is_inverse=True,
        multiplier=D(100),
        tick_size="0.5",
        lot_size=1,
        margin_rate="0.05",
    ),
    contract("CALL", OptionRight.CALL),
    contract("PUT", OptionRight.PUT),
)


def opened(account=None, *, second=None, **settings):
    account = AccountSettings(account_id=ACCOUNT) if account is None else account
    venue = Venue(
        accounts=(account, second or AccountSettings(account_id="second")),
        instruments=LISTED,
        start_ns=START_NS,
        **settings,
    )
    price(venue, "STOCK", 100)
    return venue


def price(venue, symbol, last):
    """Quote and print one price, no spread to speak of."""
    return venue.tick(last, last, symbol, last=last, last_size=1)


def cash(venue, currency="USD", account=ACCOUNT):
    balances = venue.engine.account(account).balances
    return sum((each.total for each in balances if each.currency == currency), D(0))
