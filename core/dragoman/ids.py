"""Identifiers: their grammar, where new ones come from, and ids that are functions of a fact."""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import Final, Protocol

__all__ = ["IdSource", "RandomIds", "SeededIds", "hashed_token", "is_client_order_id", "stable_id"]

_CLIENT_ORDER_ID: Final = re.compile(r"[!-~]{1,128}\Z")


def is_client_order_id(text: str) -> bool:
    """Tell whether `text` fits the grammar `[!-~]{1,128}`."""
    return _CLIENT_ORDER_ID.match(text) is not None


class IdSource(Protocol):
    """Where fresh client order ids come from."""

    def next_id(self) -> str:
        """Return an id never returned before, within `[a-z0-9-]{1,36}`."""
        ...


class RandomIds:
    """Ids that are unique across processes and machines (version 4 UUIDs)."""

    def next_id(self) -> str:
        """Return a new random id."""
        return str(uuid.uuid4())


class SeededIds:
    """The same ids in every run: `<prefix>-1`, `<prefix>-2`, ... For tests and simulations."""

    def __init__(self, prefix: str = "order") -> None:
        self._prefix = prefix
        self._count = 0

    def next_id(self) -> str:
        """Return the next id of the sequence."""
        self._count += 1
        return f"{self._prefix}-{self._count}"


def stable_id(*parts: str) -> str:
    """Return an id of 32 hexadecimal digits that depends on nothing but `parts`."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def hashed_token(client_order_id: str, revision: int, *, alphabet: str, length: int) -> str:
    """Return a token of `length` characters of `alphabet` for one revision of an intent.

    A pure hash, never a cut: two long ids that share a head get different tokens.
    """
    number = int.from_bytes(
        hashlib.sha512(f"{client_order_id}\x1f{revision}".encode()).digest(), "big"
    )
    characters: list[str] = []
    for _ in range(length):
        number, index = divmod(number, len(alphabet))
        characters.append(alphabet[index])
    return "".join(characters)
