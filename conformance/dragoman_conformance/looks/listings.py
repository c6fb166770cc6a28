"""Catalogues for a stage: the mock's own, with the sample made odd or many others like it added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import attrs

from dragoman.errors import DragomanError
from dragoman.paper.market.catalogue import default_instruments

from ..stage.clock import NOON_NS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dragoman.models import Instrument

    from ..play import Play

__all__ = ["at_venue", "listed", "more_like_the_sample", "with_odd_sample"]


def listed(play: Play) -> tuple[Instrument, ...]:
    """Return the mock's own catalogue."""
    return default_instruments(NOON_NS, provider=play.settings.provider)


def with_odd_sample(play: Play, **changes: object) -> tuple[Instrument, ...]:
    """Return the catalogue in which the sample's instrument has other terms."""
    symbol = _sample(play)
    terms = cast("dict[str, Any]", changes)  # `attrs.evolve` takes what the class takes
    return tuple(
        [attrs.evolve(one, **terms) if one.symbol == symbol else one for one in listed(play)]
    )


def more_like_the_sample(play: Play, codes: Iterable[str]) -> tuple[Instrument, ...]:
    """Return the catalogue and, for each code, another instrument of the sample's kind.

    The code is the symbol, or the base of a pair.
    """
    symbol = _sample(play)
    model = next(one for one in listed(play) if one.symbol == symbol)
    return (*listed(play), *[_like(model, code) for code in codes])


def _like(model: Instrument, code: str) -> Instrument:
    if model.base is None:
        return attrs.evolve(model, symbol=code, name=f"Company {code}", aliases=())
    return attrs.evolve(
        model,
        symbol=f"{code}/{model.quote}",
        aliases=(f"{code}{model.quote}", f"{code}_{model.quote}"),
        base=code,
        name=f"{code} against {model.quote}",
    )


def at_venue(play: Play, told: Instrument) -> Instrument | None:
    """Return what the venue lists an instrument of the subject as; None if it lists no such thing.

    A pair that is spelled otherwise there is found by its two currencies.
    """
    names = [play.venue.name(told.symbol)]
    if told.base is not None:
        names += [f"{told.base}/{told.quote}", f"{told.base}{told.quote}"]
    for name in names:
        try:
            return play.venue.mock.engine.find(name)
        except DragomanError:
            continue
    return None


def _sample(play: Play) -> str:
    sample = play.subject.sample
    return sample.names_at_venue[sample.symbol]
