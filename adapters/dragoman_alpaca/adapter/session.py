"""What the adapters of one connection share: the way to the venue and the names learned from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import attrs

from dragoman.errors import ConfigurationError, NotFoundError, Outcome
from dragoman_alpaca.mapping.reading import Reading
from dragoman_alpaca.rest import AlpacaRest
from dragoman_alpaca.rest.words import CRYPTO_LOCATIONS, FEEDS
from dragoman_alpaca.stream import AlpacaStreams

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dragoman.adapter import AdapterContext
    from dragoman.models import (
        Account,
        Bar,
        Depth,
        Fill,
        Instrument,
        LedgerEntry,
        MarketStatus,
        Order,
        Position,
        Quote,
        Ticker,
        Trade,
    )
    from dragoman_alpaca.rest import Seen
    from dragoman_alpaca.wire.trading import AccountRow

__all__ = ["CRYPTO", "OPTION", "STOCK", "Session", "with_raw"]

STOCK: Final = "us_equity"
CRYPTO: Final = "crypto"
OPTION: Final = "us_option"
"""Alpaca's word for what a symbol is; on it depends which interface has its market data."""

_CURRENCY: Final = "USD"
_ENCODINGS: Final = frozenset({"json", "msgpack"})

if TYPE_CHECKING:
    Model = TypeVar(
        "Model",
        Account,
        Bar,
        Depth,
        Fill,
        Instrument,
        LedgerEntry,
        MarketStatus,
        Order,
        Position,
        Quote,
        Ticker,
        Trade,
    )


def with_raw(model: Model, seen: Seen[object]) -> Model:
    """Return a model with the bytes of the row it was read from, if they are kept."""
    return model if seen.raw is None else attrs.evolve(model, raw=seen.raw)


class Session:
    """One connection to Alpaca. Making it does no I/O; the last adapter to leave ends it.

    Args:
        context: What everything depends on.

    Raises:
        ConfigurationError: An option is none of Alpaca's words (NOT_SENT).
    """

    def __init__(self, context: AdapterContext) -> None:
        self.context: AdapterContext = context
        self.feed: str = _word(context.options, "feed", FEEDS, "iex")
        location = _word(context.options, "crypto_feed", CRYPTO_LOCATIONS, "us")
        _word(context.options, "encoding", _ENCODINGS, "json")
        self._transport = context.make_transport()
        self.rest: AlpacaRest = AlpacaRest(context, self._transport, location)
        self._reading = Reading(
            provider=context.provider, account_id=context.account_id or "", received_at_ns=0
        )
        self._asset_classes: dict[str, str] = {}
        self.streams: AlpacaStreams = AlpacaStreams(
            context, self._transport, reading=self.reading, kind_of=self._asset_classes.get
        )
        self.currency: str = _CURRENCY
        self._account_id: str | None = None
        self._users = 0
        self._is_ended = False

    def reading(self) -> Reading:
        """Return what a row that has just come is read with."""
        return self._reading.at(self.context.clock.now_ns())

    def join(self) -> None:
        """Count one more adapter that is bound to the account."""
        self._users += 1

    async def leave(self) -> None:
        """Count one adapter less; the last one ends the session."""
        self._users -= 1
        if self._users == 0:
            await self.end()

    async def end(self) -> None:
        """Close what is open, whoever still uses it. Idempotent."""
        if self._is_ended:
            return
        self._is_ended = True
        try:
            await self.streams.aclose()
        finally:
            await self._transport.aclose()

    def take_account(self, row: AccountRow) -> None:
        """Know whose account the keys reach: one, and it never changes."""
        self._account_id = row.id
        self.currency = row.currency or _CURRENCY
        self._reading = attrs.evolve(self._reading, account_id=row.id)

    def check_account(self, account_id: str | None) -> None:
        """Refuse to act for an account that the keys do not reach; None means theirs.

        Raises:
            NotFoundError: They do not (NOT_SENT).
        """
        if account_id is None or self._account_id is None or account_id == self._account_id:
            return
        message = f"these keys reach account {self._account_id}, not {account_id!r}"
        raise NotFoundError(message, provider=self.context.provider, outcome=Outcome.NOT_SENT)

    def learn(self, instrument: Instrument, asset_class: str) -> None:
        """Know an instrument's spellings, and what it is."""
        self._reading.symbols.learn(instrument.symbol, instrument.aliases)
        self._asset_classes[instrument.symbol] = asset_class

    def knows(self, symbol: str) -> bool:
        """Tell whether it was learned what a symbol is."""
        return symbol in self._asset_classes

    def asset_class_of(self, symbol: str) -> str:
        """Return what a symbol is; what was never learned is taken for a share.

        All crypto is learned when the session is opened, options with their contracts.
        """
        return self._asset_classes.get(symbol, STOCK)


def _word(options: Mapping[str, object], name: str, words: Collection[str], default: str) -> str:
    found = options.get(name, default)
    if isinstance(found, str) and found in words:
        return found
    raise ConfigurationError(f"option {name}: found {found!r}; allowed: {', '.join(sorted(words))}")
