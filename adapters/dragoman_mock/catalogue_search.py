"""How instruments are found by what somebody types: the best match first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.errors import InvalidValueError, Violation
from dragoman.models import InstrumentKind, OptionRight
from dragoman.times import to_datetime

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dragoman.models import Instrument

__all__ = ["options_of", "search"]


def search(instruments: Iterable[Instrument], text: str, limit: int) -> tuple[Instrument, ...]:
    """Return instruments whose symbol, alias or name contains `text`, in any case of letters.

    Whole symbols and aliases come first, then beginnings, then the rest; each in catalogue order.

    Raises:
        InvalidValueError: `limit` is below 1 (NOT_SENT).
    """
    if limit < 1:
        raise InvalidValueError.of("search", [Violation.of("limit", limit, "1 or more")])
    wanted = text.strip().casefold()
    ranked = [(rank, each) for each in instruments if (rank := _rank(each, wanted)) is not None]
    return tuple(each for _, each in sorted(ranked, key=lambda entry: entry[0]))[:limit]


def options_of(
    instruments: Iterable[Instrument], underlying: str, expiry: str | None
) -> list[Instrument]:
    """Return the options on an underlying, of one expiry (ISO date, UTC) or all, by strike."""
    found = [
        each
        for each in instruments
        if each.kind is InstrumentKind.OPTION
        and each.underlying == underlying
        and expiry in (None, _expiry(each))
    ]
    return sorted(
        found,
        key=lambda each: (
            each.expires_at_ns or 0,
            each.strike or 0,
            each.option_right is OptionRight.PUT,
        ),
    )


def _rank(instrument: Instrument, wanted: str) -> int | None:
    names = [each.casefold() for each in (instrument.symbol, *instrument.aliases)]
    if wanted in names:
        return 0
    if any(name.startswith(wanted) for name in names):
        return 1
    texts = [*names, (instrument.name or "").casefold()]
    return 2 if any(wanted in each for each in texts) else None


def _expiry(instrument: Instrument) -> str | None:
    expires_at = to_datetime(instrument.expires_at_ns)
    return None if expires_at is None else expires_at.date().isoformat()
