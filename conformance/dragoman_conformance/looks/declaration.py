"""Whether a declaration can be meant as it stands: frozen, and without contradictions."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.capabilities import ExitPart
from dragoman.errors import DragomanError
from dragoman.models import Support, Timeframe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dragoman.capabilities import Capabilities
    from dragoman.models import Instrument

    from ..play import Play

__all__ = ["CHANGEABLE", "cells_nobody_takes", "contradictions", "is_frozen"]

CHANGEABLE: Final = (
    "quantity",
    "limit_price",
    "stop_price",
    "trailing",
    "expires_at_ns",
    "stop_loss",
    "take_profit",
)
"""The fields of an order that a replace may change."""


def is_frozen(declared: Capabilities) -> bool:
    """Tell whether a declaration, and the collections in it, can't be changed."""
    try:
        declared.protocol = declared.protocol  # type: ignore[misc] # what is tried is that it can't be
    except attrs.exceptions.FrozenInstanceError:
        return all(type(one).__hash__ is not None for one in (declared.orders, declared.reads))
    return False


def cells_nobody_takes(declared: Capabilities, listed: Sequence[Instrument]) -> Iterable[str]:
    """Yield each cell that is declared for a kind, and that no instrument listed of it takes."""
    for cell in declared.orders:
        alike = [one for one in listed if one.kind is cell.kind]
        takers = [
            one
            for one in alike
            if (one.order_types is None or cell.order_type in one.order_types)
            and (one.times_in_force is None or cell.time_in_force in one.times_in_force)
        ]
        if alike and not takers and cell.support is not Support.NONE:
            yield f"{cell.kind} {cell.order_type} {cell.time_in_force}"


def contradictions(play: Play, declared: Capabilities) -> Iterable[str]:
    """Yield what in a declaration can't be meant."""
    cells = [(one.kind, one.order_type, one.time_in_force) for one in declared.orders]
    if len(set(cells)) != len(cells):
        yield "a cell of the matrix is declared twice"
    words = {str(word) for cell in cells for word in cell}
    words |= {*map(str, declared.triggers), *map(str, declared.pegs)}
    if "UNKNOWN" in words:
        yield "UNKNOWN is declared, which nothing can be asked for by"
    if cells and declared.default_time_in_force not in {time for _, _, time in cells}:
        yield f"{declared.default_time_in_force} is the default, and declared for nothing"
    legs = (ExitPart.STOP_LOSS, ExitPart.TAKE_PROFIT)
    if declared.exit(ExitPart.BRACKET) is not Support.NONE and any(
        declared.exit(leg) is Support.NONE for leg in legs
    ):
        yield "a bracket is declared without its legs"
    if unknown := declared.replace.fields - set(CHANGEABLE):
        yield f"no order has the fields {sorted(unknown)} to replace"
    yield from _wrong_texts(declared)
    yield from _wrong_ids(play, declared)


def _wrong_texts(declared: Capabilities) -> Iterable[str]:
    try:
        date.fromisoformat(declared.source.checked_on)
    except ValueError:
        yield f"the source was checked on {declared.source.checked_on!r}, which is no day"
    if not declared.source.document.strip():
        yield "the declaration has no source"
    for frame in declared.bar_timeframes or ():
        try:
            is_plain = str(Timeframe.parse(frame)) == frame
        except DragomanError:
            is_plain = False
        if not is_plain:
            yield f"{frame!r} is no timeframe"


def _wrong_ids(play: Play, declared: Capabilities) -> Iterable[str]:
    rule = declared.client_ids
    try:
        pattern = re.compile(rule.pattern)
    except re.error as error:
        yield f"the pattern of client ids is none: {error}"
        return
    adapter = play.stage.make_adapter()
    usual = ("kit-1", adapter.context.ids.next_id())
    for name in (*usual, "A" * 128, "a/b", "#%&?=+"):
        token = adapter.wire_client_id(name, 0)
        is_its_own = token == name and name not in usual
        if not is_its_own and not pattern.fullmatch(token):
            yield f"id {name!r} goes out as {token!r}, against the pattern that is declared"
    if rule.visibility_delay_s < 0:
        yield "an order is visible before it is taken"
