"""What every file of evidence must say of itself, and how a file that does not is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

import attrs

from dragoman.errors import DragomanError, InvalidValueError
from dragoman.times import parse_time

from ..verdicts import Basis

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["EvidenceError", "Fields", "Source", "read_source"]

Raw: TypeAlias = object
Kind = TypeVar("Kind", bool, int, str)


class EvidenceError(DragomanError):
    """A file of evidence is not what it must be; nothing is said of the adapter.

    The message begins with the file and the place in it.
    """


@attrs.frozen(kw_only=True)
class Source:
    """What evidence was copied from, of the whole file or of one exchange."""

    provenance: Basis
    document: str
    section: str | None = None
    edition: str | None = None
    read: str


class Fields:
    """The members of one mapping of a file, taken one by one; what nobody takes is an error.

    Args:
        raw: What the file holds there.
        place: The file and the place in it, for messages.
    """

    def __init__(self, raw: Raw, place: str) -> None:
        if not isinstance(raw, dict):
            raise EvidenceError(f"{place}: {_kind(raw)} found, a mapping expected")
        members = cast("dict[object, Raw]", raw)
        unnamed = [name for name in members if not isinstance(name, str)]
        if unnamed:
            raise EvidenceError(f"{place}: {unnamed[0]!r} found, a name expected")
        self.place: str = place
        self._left: dict[str, Raw] = {str(name): value for name, value in members.items()}

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def take(self, name: str) -> Raw:
        """Take a member of any kind.

        Raises:
            EvidenceError: There is none of that name.
        """
        if name not in self._left:
            raise EvidenceError(f"{self.place}: {name!r} is missing")
        return self._left.pop(name)

    def need(self, name: str, kind: type[Kind]) -> Kind:
        """Take a member of a kind.

        Raises:
            EvidenceError: There is none of that name, or it is of another kind.
        """
        found = self.take(name)
        if type(found) is not kind:
            raise EvidenceError(
                f"{self.place}.{name}: {_kind(found)} found, {kind.__name__} expected"
            )
        return found

    def may(self, name: str, kind: type[Kind]) -> Kind | None:
        """Take a member that may be missing or null.

        Raises:
            EvidenceError: It is of another kind.
        """
        if self._left.get(name) is None:
            self._left.pop(name, None)
            return None
        return self.need(name, kind)

    def number(self, name: str) -> float | None:
        """Take a number that may be missing.

        Raises:
            EvidenceError: It is no number, or below zero.
        """
        found = self._left.pop(name, None)
        if found is None:
            return None
        if type(found) not in {int, float} or not cast("float", found) >= 0:
            raise EvidenceError(f"{self.place}.{name}: {found!r} found, a number from 0 expected")
        return float(cast("float", found))

    def time(self, name: str) -> str | None:
        """Take a time with an offset that may be missing.

        Raises:
            EvidenceError: It is no such time.
        """
        found = self.may(name, str)
        if found is not None:
            try:
                parse_time(found)
            except InvalidValueError:
                message = f"{self.place}.{name}: {found!r} found, an RFC 3339 time expected"
                raise EvidenceError(message) from None
        return found

    def one_of(self, name: str, known: Collection[str]) -> str:
        """Take a word.

        Raises:
            EvidenceError: It is missing, or not among those that are known.
        """
        found = self.need(name, str)
        if found not in known:
            allowed = ", ".join(sorted(known))
            raise EvidenceError(f"{self.place}.{name}: {found!r} found; known are {allowed}")
        return found

    def inner(self, name: str) -> Fields:
        """Take a mapping.

        Raises:
            EvidenceError: It is missing, or something else.
        """
        return Fields(self.take(name), f"{self.place}.{name}")

    def items(self, name: str) -> tuple[tuple[str, Raw], ...]:
        """Take a list, each item with its place.

        Raises:
            EvidenceError: It is missing, or something else.
        """
        found = self.take(name)
        if not isinstance(found, list):
            raise EvidenceError(f"{self.place}.{name}: {_kind(found)} found, a list expected")
        listed = cast("list[Raw]", found)
        return tuple([(f"{self.place}.{name}[{at}]", one) for at, one in enumerate(listed)])

    def rest(self) -> Mapping[str, Raw]:
        """Take all that is left."""
        left, self._left = self._left, {}
        return left

    def close(self) -> None:
        """Claim that nothing is left.

        Raises:
            EvidenceError: Something is, and nobody knows what it means.
        """
        if self._left:
            raise EvidenceError(f"{self.place}: unknown: {', '.join(sorted(self._left))}")


def read_source(fields: Fields) -> Source:
    """Read what evidence was copied from, and claim that nothing else is said.

    Raises:
        EvidenceError: Something is missing, of the wrong kind, or unknown.
    """
    source = Source(
        provenance=Basis(fields.one_of("provenance", tuple(Basis))),
        document=fields.need("document", str),
        section=fields.may("section", str),
        edition=fields.may("edition", str),
        read=fields.need("read", str),
    )
    fields.close()
    return source


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__
