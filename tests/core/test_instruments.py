"""An instrument is read once, and a fresh catalogue replaces what was known under every name."""

from decimal import Decimal
from typing import TYPE_CHECKING, cast

import attrs

from dragoman import AssetClass, Instrument, InstrumentKind
from dragoman.instruments import InstrumentCache

if TYPE_CHECKING:
    from dragoman.ports import InstrumentPort

SHARE = Instrument(
    symbol="AAPL",
    aliases=("apple",),
    asset_class=AssetClass.EQUITY,
    kind=InstrumentKind.SPOT,
    quote="USD",
    settlement="USD",
    tick_size=Decimal("0.01"),
    provider="mock",
    received_at_ns=0,
)


class Catalogue:
    def __init__(self) -> None:
        self.share = SHARE
        self.reads = 0

    async def fetch_instrument(self, symbol_or_alias: str) -> Instrument:
        assert symbol_or_alias in (self.share.symbol, *self.share.aliases)
        self.reads += 1
        return self.share

    async def load_instruments(self, kinds: object = ()) -> tuple[Instrument, ...]:
        del kinds
        return (self.share,)


async def test_an_instrument_is_read_once_for_all_its_names_used() -> None:
    catalogue = Catalogue()
    cache = InstrumentCache(cast("InstrumentPort", catalogue))

    found = [await cache.get(name) for name in ("apple", "AAPL", "apple")]

    assert ([SHARE] * 3, 1) == (found, catalogue.reads)


async def test_a_fresh_catalogue_replaces_what_an_alias_led_to() -> None:
    catalogue = Catalogue()
    cache = InstrumentCache(cast("InstrumentPort", catalogue))
    await cache.get("apple")
    catalogue.share = attrs.evolve(SHARE, tick_size=Decimal("0.05"))

    await cache.load()

    assert [Decimal("0.05")] * 2 == [(await cache.get(one)).tick_size for one in ("apple", "AAPL")]
