"""What can be traded at a gateway, as far as anybody says.

Some gateways list their instruments. The others have no word for one: there a symbol is what is
quoted, and the list is what the user named and what is held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import attrs

from dragoman.errors import (
    ConfigurationError,
    InvalidValueError,
    NotFoundError,
    UnknownInstrumentError,
    UnsupportedError,
    VenueError,
)
from dragoman_tektii.mapping.market import LONGEST_SYMBOL, bare_instrument

from .session import INSTRUMENTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dragoman.models import Instrument

    from .session import Session

__all__ = ["Catalogue"]


class Catalogue:
    """The instruments of one session.

    Raises:
        ConfigurationError: The option `symbols` holds what is no symbol (NOT_SENT).
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._named = _symbols(session)

    async def all(self) -> list[Instrument]:
        """Return what the gateway lists or, where it lists nothing, what the user named and holds.

        Raises:
            UnsupportedError: It lists nothing, and neither is anything named (NOT_SENT).
        """
        if self._lists:
            return [self._own(one) for one in await self._session.rest.instruments()]
        held = [row.symbol for row in await self._session.rest.positions()]
        symbols = dict.fromkeys((*self._named, *held))
        if not symbols:
            message = "this gateway lists no instruments: name them by the option symbols"
            raise UnsupportedError(message, provider=self._session.context.provider)
        return [self._bare(symbol) for symbol in symbols]

    async def find(self, symbol: str) -> Instrument:
        """Return one instrument.

        Raises:
            UnknownInstrumentError: The gateway lists or quotes no such symbol.
        """
        if not 0 < len(symbol) <= LONGEST_SYMBOL:
            raise self._unknown(symbol)
        try:
            if self._lists:
                return self._own(await self._session.rest.instrument(symbol))
            if symbol in self._named:
                return self._bare(symbol)
            await self._session.rest.quote(symbol)
        except (NotFoundError, InvalidValueError):
            raise self._unknown(symbol) from None
        except UnsupportedError:
            pass  # it quotes nothing, so nothing speaks against the symbol
        except VenueError as error:
            if not _is_about_the_symbol(error):
                raise
            raise self._unknown(symbol) from None
        return self._bare(symbol)

    @property
    def _lists(self) -> bool:
        return INSTRUMENTS in self._session.offered.features

    def _own(self, listed: Instrument) -> Instrument:
        return attrs.evolve(
            listed,
            provider=self._session.context.provider,
            received_at_ns=self._session.context.clock.now_ns(),
        )

    def _bare(self, symbol: str) -> Instrument:
        classes = self._session.offered.supported_asset_classes
        return bare_instrument(symbol, classes, self._session.reading())

    def _unknown(self, symbol: str) -> UnknownInstrumentError:
        message = f"the gateway knows no {symbol[:40]!r}"
        return UnknownInstrumentError(message, provider=self._session.context.provider)


def _is_about_the_symbol(error: VenueError) -> bool:
    """Tell whether a quote was refused for its symbol, as some brokers say by a bad request."""
    return error.code in {"INVALID_REQUEST", "INVALID_VALUE", "VALIDATION_ERROR", "404", "400"}


def _symbols(session: Session) -> tuple[str, ...]:
    given = session.context.options.get("symbols", ())
    listed = given.split(",") if isinstance(given, str) else cast("Iterable[object]", given)
    symbols = tuple([str(one).strip() for one in listed if str(one).strip()])
    wrong = [one for one in symbols if len(one) > LONGEST_SYMBOL]
    if wrong:
        message = f"symbols: {wrong[0][:40]!r} is longer than {LONGEST_SYMBOL} letters"
        raise ConfigurationError(message, provider=session.context.provider)
    return symbols
