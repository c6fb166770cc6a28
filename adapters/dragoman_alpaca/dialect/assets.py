"""The broker's instruments as assets: their ids, their classes, their rows.

A symbol is the broker's own. Where there is no Alpaca asset class for an instrument, it is listed
under the one whose rules come closest: what is quoted like a currency pair as crypto, which has
increments of its own, and all else as equities. An instrument whose symbol could not stand in a
URL or in a list of symbols is not listed.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import UnknownInstrumentError
from dragoman.models import AssetClass, Instrument, InstrumentKind

from .identity import asset_id, is_uuid
from .texts import amount, local_day

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dragoman import Broker

__all__ = ["CRYPTO", "OPTION", "STOCK", "Asset", "AssetBook", "asset_row", "contract_row"]

STOCK: Final = "us_equity"
CRYPTO: Final = "crypto"
OPTION: Final = "us_option"

_SPELLABLE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}\Z", re.ASCII)
_EXCHANGES: Final = frozenset({"AMEX", "ARCA", "BATS", "NYSE", "NASDAQ", "NYSEARCA", "OTC"})
_FINEST_LOT: Final = Decimal("1E-9")
_CENT_BANDS: Final = ((Decimal(0), Decimal("0.0001")), (Decimal(1), Decimal("0.01")))


@attrs.frozen(kw_only=True)
class Asset:
    """One instrument under Alpaca's names; `symbol` is the broker's own."""

    asset_id: str
    symbol: str
    asset_class: str
    instrument: Instrument

    @property
    def exchange(self) -> str:
        """The exchange's code; "" where the protocol has none for it."""
        if self.asset_class == CRYPTO:
            return "CRYPTO"
        code = self.instrument.exchange or ""
        return code if code in _EXCHANGES else ""

    @property
    def position_symbol(self) -> str:
        """How positions spell the symbol: pairs without their slash, where that is unambiguous."""
        short = self.symbol.replace("/", "")
        is_pair = self.asset_class == CRYPTO and short in self.instrument.aliases
        return short if is_pair else self.symbol

    @classmethod
    def of(cls, instrument: Instrument) -> Asset:
        """Return an instrument as an asset."""
        return cls(
            asset_id=asset_id(instrument.symbol),
            symbol=instrument.symbol,
            asset_class=_class_of(instrument),
            instrument=instrument,
        )


def _class_of(instrument: Instrument) -> str:
    if instrument.kind is InstrumentKind.OPTION:
        return OPTION
    is_pair = instrument.symbol == f"{instrument.base}/{instrument.quote}"
    return CRYPTO if is_pair or instrument.asset_class is AssetClass.CRYPTO else STOCK


class AssetBook:
    """The assets of one broker, loaded once; what is looked up later is remembered too."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._by_symbol: dict[str, Asset] = {}
        self._by_id: dict[str, Asset] = {}
        self._missing: set[str] = set()
        self._is_loaded = False

    def known(self, symbol: str) -> Asset | None:
        """Return the asset of a symbol of the broker if it is known already."""
        return self._by_symbol.get(symbol)

    async def listed(self) -> tuple[Asset, ...]:
        """Return every asset that can be spelled, by symbol.

        Raises:
            DragomanError: The catalogue could not be read.
        """
        if not self._is_loaded:
            self._learn(await self._broker.load_instruments())
            self._is_loaded = True
        return tuple([asset for _, asset in sorted(self._by_symbol.items())])

    async def find(self, name: str) -> Asset:
        """Return the asset of a symbol, one of its other spellings, or its id.

        Raises:
            UnknownInstrumentError: There is none, or its symbol has no place in this protocol
                (NOT_SENT).
            AmbiguousInstrumentError: The spelling stands for several (NOT_SENT).
            DragomanError: It could not be looked up.
        """
        known = self._by_symbol.get(name)
        if known is not None:
            return known
        if is_uuid(name):
            await self.listed()
            asset = self._by_id.get(name.lower())
            if asset is None:
                raise UnknownInstrumentError(f"asset not found for {name}")
            return asset
        if not _SPELLABLE.match(name):
            raise UnknownInstrumentError(f"asset not found for {name!r}")
        instrument = await self._broker.instrument(name)
        self._learn([instrument])
        found = self._by_symbol.get(instrument.symbol)
        if found is None:
            message = f"asset {name!r} has no spelling in this protocol"
            raise UnknownInstrumentError(message)
        return found

    async def know(self, symbols: Iterable[str]) -> None:
        """Look up what is not known yet, once; what can't be found stays unknown."""
        for symbol in symbols:
            if symbol not in self._by_symbol and symbol not in self._missing:
                try:
                    await self.find(symbol)
                except UnknownInstrumentError:
                    self._missing.add(symbol)

    def _learn(self, instruments: Iterable[Instrument]) -> None:
        for instrument in instruments:
            if _SPELLABLE.match(instrument.symbol):
                asset = Asset.of(instrument)
                self._by_symbol[asset.symbol] = asset
                self._by_id[asset.asset_id] = asset


def asset_row(asset: Asset) -> dict[str, object]:
    """Return the row of `GET /v2/assets`.

    The increments are told wherever they are not those of US equities.
    """
    instrument = asset.instrument
    lot = instrument.lot_size
    row: dict[str, object] = {
        "id": asset.asset_id,
        "class": asset.asset_class,
        "exchange": asset.exchange,
        "symbol": asset.symbol,
        "name": instrument.name or asset.symbol,
        "status": "inactive" if instrument.is_tradable is False else "active",
        "tradable": instrument.is_tradable is not False,
        "marginable": asset.asset_class == STOCK,
        "shortable": bool(instrument.is_shortable),
        "easy_to_borrow": bool(instrument.is_shortable),
        "fractionable": lot is None or lot < 1,
        "maintenance_margin_requirement": None,
        "margin_requirement_long": None,
        "margin_requirement_short": None,
        "cusip": None,
        "borrow_status": None,
        "attributes": [],
    }
    if not _has_equity_increments(instrument):
        row["min_order_size"] = amount(instrument.min_quantity or lot)
        row["min_trade_increment"] = amount(lot)
        row["price_increment"] = amount(instrument.tick_size)
    return row


def _has_equity_increments(instrument: Instrument) -> bool:
    is_in_cents = instrument.tick_bands == _CENT_BANDS or instrument.tick_size is None
    return is_in_cents and instrument.lot_size in (None, Decimal(1), _FINEST_LOT)


def contract_row(asset: Asset, underlying: Asset | None) -> dict[str, object]:
    """Return the row of `GET /v2/options/contracts`, without what brokers do not tell."""
    option = asset.instrument
    expires_at_ns, right = option.expires_at_ns, option.option_right
    name = option.underlying or ""
    size = amount(option.multiplier)
    return {
        "id": asset.asset_id,
        "symbol": asset.symbol,
        "name": option.name or asset.symbol,
        "status": "inactive" if option.is_tradable is False else "active",
        "tradable": option.is_tradable is not False,
        "expiration_date": None if expires_at_ns is None else local_day(expires_at_ns).isoformat(),
        "root_symbol": name,
        "underlying_symbol": name,
        "underlying_asset_id": asset_id(name) if underlying is None else underlying.asset_id,
        "type": None if right is None else right.lower(),
        "style": "american",
        "strike_price": amount(option.strike),
        "multiplier": size,
        "size": size,
        "open_interest": None,
        "open_interest_date": None,
        "close_price": None,
        "close_price_date": None,
    }
