"""The recorded exchanges of a scenario, found by what is asked, served as often as recorded."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

import attrs

from .matching import key_of, nearest, signature_fields
from .secret_forms import restore

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .cassette import Cassette, Interaction
    from .matching import RequestKey

__all__ = ["Entry", "Tape"]


class Entry:
    """One recorded exchange on the tape."""

    def __init__(self, number: int, place: str, key: RequestKey, interaction: Interaction) -> None:
        self.number = number
        self.place = place
        self.key = key
        self.interaction = interaction
        self.left: int = interaction.repeat
        """How often it may still be served."""


class Tape:
    """Serves exchanges: equal requests in the order in which they were recorded.

    Args:
        cassettes: What was recorded, in order.
        volatile: Names of fields whose values don't count, besides those that were signatures.
        secrets: What stands in place of the placeholders of secrets, by name.
    """

    def __init__(
        self,
        cassettes: Sequence[Cassette],
        volatile: Iterable[str] = (),
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        pairs = [(one, at) for one in cassettes for at in range(len(one.interactions))]
        asked = [one.interactions[at].request for one, at in pairs]
        signed = signature_fields([one.uri for one in asked], [one.body for one in asked])
        self._volatile = frozenset(volatile) | signed
        self._entries: list[Entry] = []
        self._in_order: deque[Entry] = deque()
        self._by_key: dict[RequestKey, deque[Entry]] = {}
        self._by_route: dict[tuple[str, str], deque[Entry]] = {}
        for cassette, at in pairs:
            place = f"{cassette.place}.interactions[{at}]"
            self._add(place, cassette.interactions[at], secrets or {})

    @property
    def unused(self) -> tuple[str, ...]:
        """The places of what was recorded and not asked for as often."""
        return tuple([one.place for one in self._entries if one.left])

    def key_of(self, method: str, target: str, content_type: str | None, body: bytes) -> RequestKey:
        """Return the key by which a request is looked up."""
        return key_of(method, target, content_type, body, self._volatile)

    def take(self, key: RequestKey) -> Entry | None:
        """Serve the next exchange of a key, and count it; None where there is none left."""
        queue = self._by_key.get(key)
        while queue:
            entry = queue[0]
            if entry.left:
                entry.left -= 1
                return entry
            queue.popleft()
        return None

    def skipped_by(self, entry: Entry, *, is_whole_order: bool) -> Entry | None:
        """Return an older exchange that was not served before this one though it was recorded so.

        Older are those of the same method and path, or all where `is_whole_order`.
        """
        older = self._in_order if is_whole_order else self._by_route[entry.key.route]
        while older and not older[0].left:
            older.popleft()
        return older[0] if older and older[0].number < entry.number else None

    def nearest(self, key: RequestKey) -> str:
        """Return in what a request differs from the most similar one recorded."""
        same_route = [one.key for one in self._entries if one.key.route == key.route]
        return nearest(key, same_route or [one.key for one in self._entries])

    def _add(self, place: str, interaction: Interaction, secrets: Mapping[str, str]) -> None:
        request = _restored(interaction, secrets).request
        key = self.key_of(
            request.method, request.target, request.header("content-type"), request.body
        )
        entry = Entry(len(self._entries), place, key, interaction)
        self._entries.append(entry)
        self._in_order.append(entry)
        self._by_key.setdefault(key, deque()).append(entry)
        self._by_route.setdefault(key.route, deque()).append(entry)


def _restored(interaction: Interaction, secrets: Mapping[str, str]) -> Interaction:
    if not secrets:
        return interaction
    request = interaction.request
    body = request.body
    with suppress(UnicodeDecodeError):
        body = restore(body.decode(), secrets).encode()
    request = attrs.evolve(request, uri=restore(request.uri, secrets), body=body)
    return attrs.evolve(interaction, request=request)
