"""How a payload's bytes are read: as JSON, or as MessagePack where they are that."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from dragoman.decoding import MOST_PAYLOAD_BYTES
from dragoman.transport.codec import JsonDecoder, Limits
from dragoman.transport.packed import PackedDecoder
from dragoman_alpaca.mapping.reading import Reading
from dragoman_alpaca.wire.mending import PatientDecoder

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from dragoman.decoding import PayloadContext

__all__ = [
    "fields_of",
    "is_packed",
    "is_side_of_position",
    "read_as",
    "read_document",
    "reading_of",
]

Shape = TypeVar("Shape")

_LIMITS: Final = Limits(max_bytes=MOST_PAYLOAD_BYTES)
_PACKED_FROM: Final = 0x80
"""A map or an array in MessagePack begins with a byte from here on, and no text does."""
_BOM: Final = 0xEF
_read_plain: Final = JsonDecoder(object, _LIMITS).decode
_read_packed: Final = PackedDecoder(object, _LIMITS).decode


def is_packed(data: bytes) -> bool:
    """Tell whether bytes are a map or an array of MessagePack."""
    return bool(data) and data[0] >= _PACKED_FROM and data[0] != _BOM


def read_document(data: bytes) -> object:
    """Read a payload into plain values.

    Raises:
        DecodeError: It is neither JSON nor MessagePack, or breaks a limit.
    """
    return _read_packed(data) if is_packed(data) else _read_plain(data)


def read_as(data: bytes, shape: type[Shape]) -> Shape:
    """Read a payload of a known type.

    Raises:
        DecodeError: It is none.
    """
    decoder: PatientDecoder[Shape] = _decoder(cast("Hashable", shape), packed=is_packed(data))
    return decoder.decode(data)


@lru_cache(maxsize=256)
def _decoder(shape: Hashable, *, packed: bool) -> PatientDecoder[Any]:
    return PatientDecoder(cast("type[Any]", shape), _LIMITS, packed=packed)


def fields_of(*structs: type) -> Iterable[str]:
    """Return the names that the fields of wire classes have on the wire."""
    names: list[str] = []
    for struct in structs:
        names += cast("Any", struct).__struct_encode_fields__
    return names


def is_side_of_position(word: object) -> bool:
    """Tell whether a `side` is that of a position, not of an order."""
    return word == "long" or word == "short"  # noqa: PLR1714 - it may not be hashable


def reading_of(context: PayloadContext) -> Reading:
    """Return what rows are read with, as a session would that has just begun."""
    return Reading(
        provider=context.provider,
        account_id=context.account_id,
        received_at_ns=context.received_at_ns,
    )
