"""Whether what a subject tells is what the venue has, field by field.

What the venue does not say can't be told; None is "not known" and allowed, unless the very number
stood on the wire and no other field of the model holds it. A wrong value never is.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from dragoman.models import Money

from .parts import parts
from .wire_text import was_told

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..play import Play

__all__ = ["like", "unlike"]


def unlike(
    play: Play, told: object, true: object, names: Iterable[str], *, may_lack: bool = False
) -> Iterator[str]:
    """Yield each field in which a model differs from the venue's own.

    Args:
        play: The scenario being played.
        told: The subject's model.
        true: The venue's.
        names: The fields that are looked at.
        may_lack: Whether None is allowed even where the number stood on the wire, since there it
            may have meant something else.
    """
    known = {one for _, one in parts(told) if isinstance(one, Decimal)}
    for name in names:
        found, wanted = getattr(told, name), getattr(true, name)
        if found == wanted or wanted is None:
            continue
        if found is None:
            amount = wanted.amount if isinstance(wanted, Money) else wanted
            is_plain = may_lack or not isinstance(amount, Decimal) or amount in known
            if not is_plain and was_told(play, amount):
                yield f"{name} is None, though the venue told {amount}"
            continue
        yield f"{name} is {found}, at the venue {wanted}"


def like(
    play: Play,
    requirement: str,
    told: object,
    true: object,
    names: Iterable[str],
    *,
    what: str,
    may_lack: bool = False,
) -> bool:
    """Check that a model is told as the venue has it, in every field named; see `unlike`."""
    found = list(unlike(play, told, true, names, may_lack=may_lack))
    return play.check(requirement, not found, f"{what}: {'; '.join(found)}")
