"""What can be traded, and when: assets, option contracts, the calendar and the clock."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import (
    NotFoundError,
    ProtocolError,
    UnknownInstrumentError,
    UnsupportedError,
)
from dragoman.models import InstrumentKind, MarketHours, MarketStatus, TradingState
from dragoman.times import EARLIEST_NS, LATEST_NS, to_datetime
from dragoman_alpaca.mapping.instruments import hours_of, instrument_of, option_of, status_of
from dragoman_alpaca.mapping.words import NEW_YORK

from .session import CRYPTO, OPTION, STOCK, with_raw

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dragoman.models import Instrument, Window
    from dragoman_alpaca.rest import Seen
    from dragoman_alpaca.wire.trading import AssetRow, OptionContractRow

    from .session import Session

__all__ = ["Catalogue"]

_ACTIVE: Final = "active"
_FEW: Final = 20
"""How many symbols are looked up one by one; of more, the whole list is read."""
_BEFORE: Final = timedelta(days=-1)
_SAME: Final = timedelta()
_AFTER: Final = timedelta(days=1)
_NEVER: Final = "2099-12-31"

_log: Final = logging.getLogger(__name__)
"""After every expiry; without one, Alpaca shows what expires within the week."""


class Catalogue:
    """The instruments of one session. Every one that is read is learned by the session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rest = session.rest.trading

    async def learn_crypto(self) -> None:
        """Learn every pair, also of what is traded no more: positions spell them otherwise."""
        self._instruments(await self._rest.assets(CRYPTO))

    async def load(self, kinds: Sequence[InstrumentKind]) -> tuple[Instrument, ...]:
        """Read all shares and pairs that are active.

        Raises:
            UnsupportedError: Options are asked for, of which there are too many (NOT_SENT).
        """
        if InstrumentKind.OPTION in kinds:
            message = "options are not listed as a whole: fetch_chain() lists an underlying's"
            raise UnsupportedError(message, provider=self._session.context.provider)
        if kinds and InstrumentKind.SPOT not in kinds:
            return ()
        rows = await self._rest.assets(STOCK, _ACTIVE)
        rows += await self._rest.assets(CRYPTO, _ACTIVE)
        return tuple(self._instruments(rows))

    async def search(self, text: str, limit: int) -> tuple[Instrument, ...]:
        """Read shares and pairs that have a text in symbol, alias or name, then options.

        Of options, the one of that very symbol or, as far as there is room, those of that share.
        """
        wanted = text.strip().upper()
        ranked = [(_rank(one, wanted), one.symbol, one) for one in await self.load(())]
        found = sorted(
            ((rank, symbol, one) for rank, symbol, one in ranked if rank is not None),
            key=lambda row: row[:2],
        )
        best = [one for _, _, one in found[:limit]]
        room = limit - len(best)
        if best and best[0].symbol == wanted and room > 0:
            best += await self._options_of(wanted, room)
        if best or not wanted:
            return tuple(best)
        try:
            return (await self._fetch_contract(wanted),)
        except NotFoundError:
            return ()

    async def fetch(self, symbol_or_alias: str) -> Instrument:
        """Read one instrument.

        Raises:
            UnknownInstrumentError: Alpaca lists none of that name (NOT_SENT).
        """
        symbol = self._session.reading().symbols.symbol_of(symbol_or_alias)
        is_option = self._session.asset_class_of(symbol) == OPTION
        ways = (self._fetch_asset, self._fetch_contract)
        for fetch in reversed(ways) if is_option else ways:
            try:
                return await fetch(symbol)
            except NotFoundError:
                continue
        message = f"Alpaca lists no {symbol_or_alias!r}"
        raise UnknownInstrumentError(message, provider=self._session.context.provider)

    async def get_to_know(self, symbols: Iterable[str]) -> None:
        """See that it is known of each symbol what it is; what is known is not asked for.

        Raises:
            UnknownInstrumentError: Alpaca lists no such symbol (NOT_SENT).
        """
        strange = [one for one in symbols if not self._session.knows(one)]
        if len(strange) > _FEW:
            await self.load(())
            strange = [one for one in strange if not self._session.knows(one)]
        for symbol in strange:
            await self.fetch(symbol)

    async def hours(self, symbol: str, window: Window) -> tuple[MarketHours, ...]:
        """Read the calendar rows that touch a window; crypto is never closed."""
        await self.get_to_know([symbol])
        asset_class = self._session.asset_class_of(symbol)
        start_ns = EARLIEST_NS if window.start_ns is None else window.start_ns
        end_ns = LATEST_NS if window.end_ns is None else window.end_ns
        if asset_class == CRYPTO:
            always = MarketHours(
                opens_at_ns=EARLIEST_NS, closes_at_ns=LATEST_NS, state=TradingState.OPEN
            )
            return (always,)
        first = None if window.start_ns is None else _day(window.start_ns, _BEFORE)
        last = None if window.end_ns is None else _day(window.end_ns, _AFTER)
        rows = [
            row
            for row in hours_of(await self._rest.calendar(first, last))
            if row.opens_at_ns < end_ns and start_ns < row.closes_at_ns
        ]
        if asset_class == OPTION:
            rows = [row for row in rows if row.state is TradingState.OPEN]
        return tuple(rows[: window.limit])

    async def status(self, symbol: str | None) -> MarketStatus:
        """Read whether the market, or one instrument's, is open now.

        The clock knows regular hours only; in what session they lie else, the calendar says.
        """
        if symbol is not None:
            await self.get_to_know([symbol])
            if self._session.asset_class_of(symbol) == CRYPTO:
                return await self._crypto_status(symbol)
        seen = await self._rest.clock()
        status = with_raw(status_of(seen.row, self._session.reading()), seen)
        is_share = symbol is None or self._session.asset_class_of(symbol) == STOCK
        if status.state is TradingState.CLOSED and status.venue_time_ns is not None and is_share:
            status = attrs.evolve(status, state=await self._state_at(status.venue_time_ns))
        return attrs.evolve(status, symbol=symbol)

    async def _crypto_status(self, symbol: str) -> MarketStatus:
        """Read whether a pair is traded: there is no other clock for it."""
        instrument = await self.fetch(symbol)
        is_closed = instrument.is_tradable is False
        return MarketStatus(
            state=TradingState.CLOSED if is_closed else TradingState.OPEN,
            symbol=instrument.symbol,
            provider=instrument.provider,
            received_at_ns=instrument.received_at_ns,
            raw=instrument.raw,
        )

    async def _state_at(self, now_ns: int) -> TradingState:
        rows = hours_of(await self._rest.calendar(_day(now_ns, _BEFORE), _day(now_ns, _AFTER)))
        states = [row.state for row in rows if row.opens_at_ns <= now_ns < row.closes_at_ns]
        others = [state for state in states if state is not TradingState.OPEN]
        return others[0] if others else TradingState.CLOSED

    async def _options_of(self, underlying: str, most: int) -> list[Instrument]:
        """Read the contracts of a share that expire first."""
        today = _day(self._session.context.clock.now_ns(), _SAME)
        rows = await self._rest.contracts(underlying, first=today, last=_NEVER, most=most)
        return [self._contract(seen) for seen in rows]

    async def _fetch_asset(self, name: str) -> Instrument:
        """Read an asset; of an option that is not all there is to know."""
        seen = await self._rest.asset(name)
        if seen.row.asset_class == OPTION:
            with suppress(NotFoundError):
                return await self._fetch_contract(seen.row.symbol)
        return self._instrument(seen)

    async def _fetch_contract(self, name: str) -> Instrument:
        return self._contract(await self._rest.contract(name))

    def _instruments(self, rows: Iterable[Seen[AssetRow]]) -> list[Instrument]:
        """Return what rows say; one that makes no sense must not hide thousands that do."""
        found: list[Instrument] = []
        for seen in rows:
            try:
                found.append(self._instrument(seen))
            except ProtocolError as error:
                _log.warning(
                    "an asset that makes no sense was left out", extra={"error": str(error)}
                )
        return found

    def _instrument(self, seen: Seen[AssetRow]) -> Instrument:
        instrument = with_raw(instrument_of(seen.row, self._session.reading()), seen)
        self._session.learn(instrument, seen.row.asset_class or STOCK)
        return instrument

    def _contract(self, seen: Seen[OptionContractRow]) -> Instrument:
        instrument = with_raw(option_of(seen.row, self._session.reading()), seen)
        self._session.learn(instrument, OPTION)
        return instrument


def _rank(instrument: Instrument, wanted: str) -> int | None:
    """Return how well an instrument answers a search, best 0; None if it does not."""
    spellings = [one.upper() for one in (instrument.symbol, *instrument.aliases)]
    name = (instrument.name or "").upper()
    fits = (
        wanted in spellings,
        spellings[0].startswith(wanted),
        name.startswith(wanted),
        any(wanted in one for one in spellings),
        wanted in name,
    )
    return fits.index(True) if any(fits) else None


def _day(instant_ns: int, more: timedelta) -> str:
    """Return the day in New York, a day before or after an instant, as an ISO date."""
    return (to_datetime(instant_ns).astimezone(NEW_YORK).date() + more).isoformat()
