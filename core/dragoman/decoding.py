"""What a venue's payload means here: a protocol's table of kinds, and the answer for one payload.

Each protocol folder has one table (`Protocol.payloads`): a row for every body and frame of its
venue, with a test of looks and with what the folder's own mapping makes of it. Nothing is read a
second way, so what `decode_payload` answers is what a connection would have made of the same bytes.

A kind is detected by looks alone: which fields are there. Fields may be missing and unknown ones
may stand beside them, so every kind states how much a document looks like one of its own, and the
most alike is taken. Where two look the same, neither is: the caller is told the candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias, cast

import attrs

from dragoman.errors import DragomanError, ProtocolError, RequestError
from dragoman.models.options import Scalar
from dragoman.models.serde import error_to_plain, to_plain
from dragoman.models.values import FrozenMapping, Timeframe
from dragoman.transport.codec import JsonDecoder, Limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dragoman.models.serde import Plain

__all__ = [
    "MOST_PAYLOAD_BYTES",
    "UNSAID",
    "Decode",
    "Decoded",
    "Likeness",
    "PayloadContext",
    "PayloadKind",
    "Payloads",
    "Shape",
    "VenueSettings",
    "any_of",
    "decode_payload",
    "each_of",
    "to_document",
]

MOST_PAYLOAD_BYTES: Final = 64 * 1024 * 1024
"""How long a payload may be: as long as the longest body that an adapter takes."""
UNSAID: Final = "?"
"""Stands for a symbol or an account that a payload does not name and nobody gave."""

_MOST_LOOKED_AT: Final = 50
_TAG: Final = "type"
_read_json: Final = JsonDecoder(object, Limits(max_bytes=MOST_PAYLOAD_BYTES)).decode

Likeness: TypeAlias = Callable[[object], float]
"""How much a document looks like one of a kind: from 0, not at all, to 1, nothing is strange."""


@attrs.frozen(kw_only=True)
class PayloadContext:
    """What is known of a payload besides its bytes.

    `symbol` and `account_id` are for what does not say them itself. `timeframe` is the length of
    bars, `status` the HTTP status; None where nobody said.
    """

    provider: str
    received_at_ns: int
    account_id: str = UNSAID
    symbol: str = UNSAID
    timeframe: Timeframe | None = None
    status: int | None = None


Decode: TypeAlias = Callable[[bytes, PayloadContext], "Sequence[object]"]
"""Reads a payload of a kind: models, events, and errors of parts of it.

Raises `DragomanError` for what is refused or can't be read.
"""


@attrs.frozen(kw_only=True)
class VenueSettings:
    """What a venue lets an account choose, by the venue's own names."""

    values: FrozenMapping[Scalar]


@attrs.frozen(kw_only=True)
class PayloadKind:
    """One kind of payload: its name, what it is, its looks, and how it is read.

    `note` is what a person should know about the answer, such as why it is empty.
    """

    name: str
    title: str
    likeness: Likeness = attrs.field(repr=False)
    decode: Decode = attrs.field(repr=False)
    note: str | None = None


@attrs.frozen(kw_only=True)
class Payloads:
    """Everything that one protocol's venues and clients send, as kinds with unique names.

    `read` turns bytes into plain values to look at; the default reads JSON.
    """

    kinds: tuple[PayloadKind, ...]
    read: Callable[[bytes], object] = attrs.field(default=_read_json, repr=False)

    def find(self, name: str) -> PayloadKind:
        """Return the kind of that name.

        Raises:
            RequestError: There is none; the message lists those there are (NOT_SENT).
        """
        for kind in self.kinds:
            if kind.name == name:
                return kind
        known = ", ".join(kind.name for kind in self.kinds)
        raise RequestError(f"no kind {name[:80]!r}; there are: {known}")

    def alike(self, document: object) -> tuple[PayloadKind, ...]:
        """Return the kinds that a document looks like the most; several if they are equal."""
        marks = [(kind.likeness(document), kind) for kind in self.kinds]
        best = max((mark for mark, _ in marks), default=0.0)
        return tuple([kind for mark, kind in marks if mark == best > 0])


@attrs.frozen(kw_only=True)
class Decoded:
    """What became of a payload.

    `kind` is None if it was not told and could not be: then `candidates` are those it looks like,
    none for a payload that looks like nothing known. With `error` there are no `items`; an error in
    `items` is about a part, such as one order of many.
    """

    kind: PayloadKind | None = None
    candidates: tuple[PayloadKind, ...] = ()
    items: tuple[object, ...] = ()
    error: DragomanError | None = None


def decode_payload(
    payloads: Payloads, data: bytes, context: PayloadContext, kind: str | None = None
) -> Decoded:
    """Say what one payload means; its kind is detected unless it is given.

    What the venue refuses, and what can't be read, is the answer's `error`, never raised.

    Raises:
        RequestError: There is no kind of that name (NOT_SENT).
    """
    try:
        if kind is not None:
            found = payloads.find(kind)
        else:
            alike = payloads.alike(payloads.read(data))
            if len(alike) != 1:
                return Decoded(candidates=alike)
            (found,) = alike
    except ProtocolError as error:
        return Decoded(error=_of(context, error))
    try:
        items = tuple(found.decode(data, context))
    except DragomanError as error:
        return Decoded(kind=found, error=_of(context, error))
    for item in items:
        if isinstance(item, DragomanError):
            _of(context, item)
    return Decoded(kind=found, items=items)


def to_document(decoded: Decoded) -> Plain:
    """Return the answer as plain data: a list, or the error as an object.

    Every item is an object with its class under `type`.
    """
    if decoded.error is not None:
        return cast("Plain", error_to_plain(decoded.error))
    return [_tagged(item) for item in decoded.items]


@attrs.frozen(kw_only=True)
class Shape:
    """How an object looks, by the names of its fields.

    It has all names of at least one group of `has`, and none of `lacks`. `names` are those that it
    may have besides; the fewer others there are, the more alike. `where` looks at the values.
    """

    has: tuple[frozenset[str], ...]
    names: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()
    where: Callable[[Mapping[str, object]], bool] | None = None

    @classmethod
    def of(
        cls,
        *has: str,
        names: Iterable[str] | str = (),
        lacks: str = "",
        where: Callable[[Mapping[str, object]], bool] | None = None,
    ) -> Shape:
        """Make a shape; each text holds names apart by spaces."""
        groups = tuple([frozenset(group.split()) for group in has])
        others = names.split() if isinstance(names, str) else names
        known = frozenset(others).union(*groups)
        return cls(has=groups, names=known, lacks=frozenset(lacks.split()), where=where)

    def __call__(self, document: object) -> float:
        """Return how much a document looks so."""
        if not isinstance(document, Mapping):
            return 0.0
        fields = cast("Mapping[str, object]", document)
        names = fields.keys()
        if not any(group <= names for group in self.has) or not self.lacks.isdisjoint(names):
            return 0.0
        if self.where is not None and not self.where(fields):
            return 0.0
        return len(self.names & names) / len(names)


def any_of(*likenesses: Likeness) -> Likeness:
    """Return how much a document looks like the one of several that it looks like most."""
    return lambda document: max(likeness(document) for likeness in likenesses)


def each_of(likeness: Likeness) -> Likeness:
    """Return how much a list looks like one of such documents: as much as its least alike.

    An empty list looks like a list of anything; null rows are passed over.
    """

    def of_list(document: object) -> float:
        if not isinstance(document, list):
            return 0.0
        rows = cast("list[object]", document)[:_MOST_LOOKED_AT]
        return min((likeness(row) for row in rows if row is not None), default=1.0)

    return of_list


def _of(context: PayloadContext, error: DragomanError) -> DragomanError:
    error.provider = error.provider or context.provider
    return error


def _tagged(item: object) -> Plain:
    if isinstance(item, DragomanError):
        return cast("Plain", error_to_plain(item))
    plain = to_plain(item)
    if not isinstance(plain, dict) or _TAG in plain:
        return plain
    return {_TAG: type(item).__name__, **plain}
