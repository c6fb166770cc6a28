"""What each market is like: its price, how far it moves in a day, how wide and deep it is."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import InvalidValueError, Violation
from dragoman.models import AssetClass, InstrumentKind
from dragoman.models.checks import check_amounts, to_known_amount

if TYPE_CHECKING:
    from dragoman.models import Instrument

__all__ = ["MarketProfile", "default_profile"]


@attrs.frozen(kw_only=True)
class MarketProfile:
    """How one instrument's made-up market behaves.

    Args:
        start_price: The price at the venue's start, in the quote currency; cut down to the tick.
        daily_volatility: One standard deviation of a day's move, as a fraction of the price: 0 < v
            <= 0.2.
        spread_ticks: The usual distance of bid and ask; at times one tick wider.
        lot: What sizes are multiples of.
        usual_lots: The usual size of a quote, in lots; prints are of that order too.
    """

    start_price: Decimal = attrs.field(converter=to_known_amount)
    daily_volatility: Decimal = attrs.field(default=Decimal("0.015"), converter=to_known_amount)
    spread_ticks: int = 1
    lot: Decimal = attrs.field(default=Decimal(1), converter=to_known_amount)
    usual_lots: int = 100

    def __attrs_post_init__(self) -> None:
        """Refuse a volatility, spread, lot or size out of bounds."""
        check_amounts(self, ("start_price", "daily_volatility", "lot"))
        found = [
            Violation.of(name, getattr(self, name), allowed)
            for name, allowed, is_good in (
                (
                    "daily_volatility",
                    "above 0, at most 0.2",
                    0 < self.daily_volatility <= Decimal("0.2"),
                ),
                ("spread_ticks", "at least 1", self.spread_ticks >= 1),
                ("lot", "above 0", self.lot > 0),
                ("usual_lots", "at least 1", self.usual_lots >= 1),
            )
            if not is_good
        ]
        if found:
            raise InvalidValueError.of("MarketProfile", found)


def _profile(start: str, volatility: str, spread: int, lot: str, usual: int) -> MarketProfile:
    return MarketProfile(
        start_price=Decimal(start),
        daily_volatility=Decimal(volatility),
        spread_ticks=spread,
        lot=Decimal(lot),
        usual_lots=usual,
    )


_LISTED: Final = {
    "AAPL": _profile("190", "0.016", 1, "1", 300),
    "MSFT": _profile("420", "0.015", 2, "1", 150),
    "TSLA": _profile("250", "0.035", 2, "1", 200),
    "SPY": _profile("590", "0.01", 1, "1", 800),
    "EUR/USD": _profile("1.08500", "0.005", 8, "1000", 2_000),
    "GBP/USD": _profile("1.26500", "0.0055", 10, "1000", 1_500),
    "USD/JPY": _profile("150.000", "0.006", 9, "1000", 1_500),
    "BTC/USD": _profile("65000", "0.028", 150, "0.0001", 6_000),
    "ETH/USD": _profile("3200", "0.035", 25, "0.001", 8_000),
    "PF_XBTUSD": _profile("65000", "0.028", 1, "0.0001", 30_000),
    "BTCUSD_PERP": _profile("65000", "0.028", 1, "1", 2_500),
    "XAU/USD": _profile("2600", "0.01", 25, "1", 300),
}
_BY_MARKET: Final = {
    (AssetClass.FX, InstrumentKind.SPOT): _profile("1.10", "0.006", 10, "1000", 1_000),
    (AssetClass.CRYPTO, InstrumentKind.SPOT): _profile("100", "0.04", 5, "0.01", 1_000),
    (AssetClass.CRYPTO, InstrumentKind.PERPETUAL): _profile("100", "0.04", 1, "1", 1_000),
    (AssetClass.INDEX, InstrumentKind.FUTURE): _profile("5900", "0.011", 1, "1", 40),
    (AssetClass.COMMODITY, InstrumentKind.FUTURE): _profile("72", "0.022", 1, "1", 25),
    (AssetClass.EQUITY, InstrumentKind.OPTION): _profile("5", "0.1", 3, "1", 60),
}
_OTHER: Final = _profile("100", "0.015", 2, "1", 100)


def default_profile(instrument: Instrument) -> MarketProfile:
    """Return an instrument's usual behavior: its own, else that of its asset class and kind."""
    found = _LISTED.get(instrument.symbol)
    found = found or _BY_MARKET.get((instrument.asset_class, instrument.kind), _OTHER)
    lot = instrument.lot_size
    if lot is None or not found.lot % lot:
        return found
    return attrs.evolve(found, lot=lot)
