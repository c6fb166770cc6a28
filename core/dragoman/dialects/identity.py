"""Foreign ids and the core keys they stand for: written before an id is shown, never reused.

Most dialects compute their ids; what can't be computed, and what a foreign client sent that changes
nothing at the venue but must be echoed, is kept here. One map belongs to one dialect and one
account.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, Protocol

import attrs

from dragoman.errors import InvalidValueError, Violation
from dragoman.models.values import FrozenMapping

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Identity", "IdentityMap", "MemoryIdentities", "check_identity", "taken"]

_LONGEST_KIND: Final = 64
_LONGEST_ID: Final = 512
_LONGEST_ATTRIBUTES: Final = 16 * 1024
_LONGEST_ESCAPE: Final = 12
"""What one character takes in JSON at most."""
_AROUND: Final = 10
"""What JSON puts around a name and its text, at most."""


def _frozen(attributes: Mapping[str, str]) -> FrozenMapping[str]:
    return FrozenMapping(attributes)


@attrs.frozen(kw_only=True)
class Identity:
    """One foreign id, what it stands for here, and what was remembered with it.

    `kind` is the dialect's own word for what is named: "order", "trade", ... `attributes` are texts
    by name.
    """

    kind: str
    foreign_id: str
    key: str
    attributes: FrozenMapping[str] = attrs.field(factory=FrozenMapping[str], converter=_frozen)


class IdentityMap(Protocol):
    """The foreign ids of one dialect for one account.

    A foreign id is unique within its kind and stands for one key for ever; a key may have several.
    Every method is one step that no other can come between, in other processes too.

    Every one raises `JournalUnavailableError` where the store can't be read or written; then
    nothing was changed, and nothing may be shown.
    """

    def get(self, kind: str, foreign_id: str) -> Identity | None:
        """Return what a foreign id stands for; None for one that was never put."""
        ...

    def find(self, kind: str, key: str) -> Identity | None:
        """Return the newest foreign id of a core key; None if it has none."""
        ...

    def put(
        self, kind: str, foreign_id: str, key: str, attributes: Mapping[str, str] | None = None
    ) -> Identity:
        """Remember a foreign id, and return it as it is remembered now.

        The same id and key again changes nothing but the attributes, if they are given: those named
        are added to, or replace, what was there.

        Raises:
            InvalidValueError: The id stands for another key, or a text is empty or too long
                (NOT_SENT).
        """
        ...

    def allocate(
        self, kind: str, key: str, *, first: int = 1, attributes: Mapping[str, str] | None = None
    ) -> Identity:
        """Give a key the next whole number of its kind, and return it; the one it has, if any.

        Numbers rise by one from `first`, in the order of the calls, and are never given again.
        A kind is either allocated or put, not both.

        Raises:
            InvalidValueError: A text is empty or too long (NOT_SENT).
        """
        ...

    def all(self, kind: str) -> Iterator[Identity]:
        """Yield every identity of a kind, in the order they were first put."""
        ...


class MemoryIdentities:
    """An `IdentityMap` that ends with the process."""

    def __init__(self) -> None:
        self._by_id: dict[tuple[str, str], Identity] = {}
        self._newest: dict[tuple[str, str], str] = {}
        self._last: dict[str, int] = {}

    def get(self, kind: str, foreign_id: str) -> Identity | None:
        """Return what a foreign id stands for."""
        return self._by_id.get((kind, foreign_id))

    def find(self, kind: str, key: str) -> Identity | None:
        """Return the newest foreign id of a core key."""
        foreign_id = self._newest.get((kind, key))
        return None if foreign_id is None else self._by_id[kind, foreign_id]

    def put(
        self, kind: str, foreign_id: str, key: str, attributes: Mapping[str, str] | None = None
    ) -> Identity:
        """Remember a foreign id."""
        known = self._by_id.get((kind, foreign_id))
        if known is not None and known.key != key:
            raise taken(kind, foreign_id)
        kept = {**(known.attributes if known else {}), **(attributes or {})}
        identity = check_identity(
            Identity(kind=kind, foreign_id=foreign_id, key=key, attributes=kept)
        )
        self._by_id[kind, foreign_id] = identity
        if known is None:
            self._newest[kind, key] = foreign_id
        return identity

    def allocate(
        self, kind: str, key: str, *, first: int = 1, attributes: Mapping[str, str] | None = None
    ) -> Identity:
        """Give a key the next whole number of its kind."""
        known = self.find(kind, key)
        if known is not None:
            return (
                known if attributes is None else self.put(kind, known.foreign_id, key, attributes)
            )
        number = self._last.get(kind, first - 1) + 1
        identity = self.put(kind, str(number), key, attributes)
        self._last[kind] = number
        return identity

    def all(self, kind: str) -> Iterator[Identity]:
        """Yield every identity of a kind."""
        return iter([identity for identity in self._by_id.values() if identity.kind == kind])


def check_identity(identity: Identity) -> Identity:
    """Return an identity that may be kept.

    Raises:
        InvalidValueError: A text is empty or too long (NOT_SENT).
    """
    found = [
        Violation.of(field, text[:80], f"1 to {longest} characters")
        for field, text, longest in (
            ("kind", identity.kind, _LONGEST_KIND),
            ("foreign_id", identity.foreign_id, _LONGEST_ID),
            ("key", identity.key, _LONGEST_ID),
        )
        if not 0 < len(text) <= longest
    ]
    size = _size_of(identity.attributes)
    if size > _LONGEST_ATTRIBUTES:
        found.append(Violation.of("attributes", size, f"at most {_LONGEST_ATTRIBUTES} bytes"))
    if found:
        raise InvalidValueError.of("identity", found)
    return identity


def _size_of(attributes: Mapping[str, str]) -> int:
    """Return how long attributes are as JSON; where that is well below the limit, a bound of it."""
    characters = sum(len(name) + len(text) for name, text in attributes.items())
    bound = characters * _LONGEST_ESCAPE + len(attributes) * _AROUND
    return bound if bound <= _LONGEST_ATTRIBUTES else len(json.dumps(dict(attributes)))


def taken(kind: str, foreign_id: str) -> InvalidValueError:
    """Return the error for a foreign id that stands for another key."""
    wrong = Violation.of("foreign_id", foreign_id, f"a {kind} id that stands for nothing else")
    return InvalidValueError.of("identity", [wrong])
