"""Reads: what a client asks the venue about itself, its account and its markets, as of now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from dragoman.errors import UnsupportedError
from dragoman.models import Adjustment
from dragoman.paper.market import history
from dragoman.ports import OptionQuote

from .call_faults import Call
from .catalogue_search import options_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence

    from dragoman.models import (
        Bar,
        Instrument,
        InstrumentKind,
        PriceSource,
        Quote,
        Timeframe,
        Trade,
        Window,
    )
    from dragoman.paper.engine import Engine

    from .connection import Connection

__all__ = ["Reads"]

_ROWS_A_TURN: Final = 200
"""Some milliseconds of work."""

Answer = TypeVar("Answer")
Row = TypeVar("Row")


class Reads:
    """The reads of one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._venue = connection.venue

    async def ask(self, call: Call, question: Callable[[Engine], Answer]) -> Answer:
        """Ask the venue something, as one exchange."""
        return await self._connection.call(call, lambda: self._venue.look(question))

    async def rows(
        self, call: Call, question: Callable[[Engine], Iterable[Row]]
    ) -> AsyncIterator[Row]:
        """Yield the rows of an answer, which is complete when the first one comes."""
        for row in await self.ask(call, lambda engine: tuple(question(engine))):
            yield row

    async def past(
        self, call: Call, question: Callable[[Engine], Iterator[Row]]
    ) -> AsyncIterator[Row]:
        """Yield the past as it is worked out, giving other tasks a turn every few rows.

        It is fixed when it is asked for: what happens meanwhile does not show in it.
        """
        rows = await self.ask(call, question)
        clock = self._venue.clock
        for number, row in enumerate(rows, start=1):
            yield row
            if not number % _ROWS_A_TURN:
                await clock.sleep_until_ns(clock.now_ns())

    async def instruments(self, kinds: Sequence[InstrumentKind]) -> tuple[Instrument, ...]:
        """Return the catalogue, or only the kinds named."""
        found = await self.ask(
            Call("load_instruments"), lambda engine: tuple(engine.instruments.values())
        )
        return tuple(each for each in found if not kinds or each.kind in kinds)

    async def of_each(
        self,
        call: Call,
        symbols: Sequence[str],
        question: Callable[[Engine, str], Answer],
    ) -> Mapping[str, Answer]:
        """Return one answer for each symbol."""
        return await self.ask(
            call, lambda engine: {symbol: question(engine, symbol) for symbol in symbols}
        )

    def bars(
        self,
        symbol: str,
        timeframe: Timeframe,
        window: Window,
        price_source: PriceSource,
        adjustment: Adjustment,
    ) -> AsyncIterator[Bar]:
        """Yield the bars that open in the window; the past knows no corporate actions."""
        if adjustment is not Adjustment.RAW:
            message = f"mock has raw bars only, found adjustment {adjustment}"
            raise UnsupportedError(message, provider="mock")
        return self.past(
            Call("fetch_bars", symbol=symbol),
            lambda engine: history.bars(
                *self._past(engine, symbol),
                timeframe,
                window,
                now_ns=engine.now_ns,
                price_source=price_source,
            ),
        )

    def trades(self, symbol: str, window: Window) -> AsyncIterator[Trade]:
        """Yield the public prints of the window, oldest first."""
        return self.past(
            Call("fetch_trades", symbol=symbol),
            lambda engine: history.trades(
                *self._past(engine, symbol), window, now_ns=engine.now_ns
            ),
        )

    def quotes(self, symbol: str, window: Window) -> AsyncIterator[Quote]:
        """Yield the quotes of the window, oldest first."""
        return self.past(
            Call("fetch_quote_history", symbol=symbol),
            lambda engine: history.quotes(
                *self._past(engine, symbol), window, now_ns=engine.now_ns
            ),
        )

    async def chain(self, underlying: str, expiry: str | None) -> tuple[OptionQuote, ...]:
        """Return the chain of an underlying; the mock knows no volatility and no greeks."""

        def question(engine: Engine) -> tuple[OptionQuote, ...]:
            symbol = engine.find(underlying).symbol
            return tuple(
                OptionQuote(
                    symbol=each.symbol,
                    quote=engine.quote(each.symbol),
                    ticker=engine.ticker(each.symbol),
                )
                for each in options_of(engine.instruments.values(), symbol, expiry)
            )

        return await self.ask(Call("fetch_chain", symbol=underlying), question)

    def _past(self, engine: Engine, symbol: str) -> tuple[history.HistoricalFeed, Instrument]:
        instrument = engine.find(symbol)
        return self._venue.prices.history(instrument.symbol), instrument
