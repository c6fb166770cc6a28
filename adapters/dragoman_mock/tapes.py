"""The tape a venue plays instead of made-up prices: the bundled one, or a file of the user's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from dragoman.errors import ConfigurationError, InvalidValueError
from dragoman.paper.market.tape import TapeFeed, bundled_tape
from dragoman.paper.market.tape_text import load_rows
from dragoman.times import SECOND_NS

if TYPE_CHECKING:
    from dragoman.models import Instrument
    from dragoman.paper.market.feed import Feed

    from .world import FeedFactory

__all__ = ["tape_feed"]

_SAMPLE: Final = "sample"


def tape_feed(name: str, *, loops: bool) -> FeedFactory:
    """Return what makes the feed of a tape: of the file `name`, or of the one that comes along.

    The bundled tape's rows lie years apart, so its pauses are cut to a second.
    """

    def make(instruments: tuple[Instrument, ...], start_ns: int) -> Feed:
        try:
            return TapeFeed(
                bundled_tape() if name == _SAMPLE else load_rows(Path(name).expanduser()),
                instruments=instruments,
                start_ns=start_ns,
                longest_pause_ns=SECOND_NS if name == _SAMPLE else None,
                at_end="loop" if loops else "stop",
            )
        except OSError as error:
            message = f"mock: tape: {name!r} can't be read: {error.strerror}"
            raise ConfigurationError(message, provider="mock") from None
        except (InvalidValueError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"mock: tape: {error}", provider="mock") from error

    return make
