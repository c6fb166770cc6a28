"""Whether a model is one: hot classes are built without a look at their fields, so this looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.errors import DragomanError
from dragoman.models.serde import from_plain, to_plain

from .parts import parts

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["misshapen"]


def misshapen(models: Iterable[object], provider: str) -> list[str]:
    """Return what is wrong with models of a provider, a line for each that is wrong."""
    return [told for told in (_wrong(model, provider) for model in models) if told]


def _wrong(model: object, provider: str) -> str:
    kind = type(model)
    try:
        again = from_plain(kind, to_plain(model))
    except DragomanError as error:
        return f"{kind.__name__} is no whole model: {error.message}"
    if again != model:
        return f"{kind.__name__} is another one when it comes back from plain data"
    strange = [
        f"{place} = {value!r}"
        for place, value in parts(model)
        if place.endswith(".provider") and value != provider
    ]
    return f"told under another provider's name: {strange[0]}" if strange else ""
