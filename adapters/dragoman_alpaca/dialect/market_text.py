"""How market data is written and read: JSON numbers from exact text, or msgpack.

Rows are plain dictionaries of text, `Decimal`, whole numbers and `Instant`, written here in either
encoding. msgpack knows binary floats only: an amount becomes the float nearest to it, which reads
back equal for whatever fits in 15 digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from dragoman.times import format_time
from dragoman.transport.codec import JsonDecoder
from dragoman.transport.packed import PackedDecoder, Stamp, encode_packed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Instant", "JsonText", "PackedText", "Text", "time_text"]

Shape = TypeVar("Shape")

_FIX_ARRAY: Final = 15
_ARRAY_16: Final = 0xFFFF


class Instant:
    """An instant inside a row, in nanoseconds."""

    __slots__ = ("ns",)

    def __init__(self, ns: int) -> None:
        self.ns: int = ns

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Instant) and other.ns == self.ns

    def __hash__(self) -> int:
        return hash(self.ns)

    def __repr__(self) -> str:
        return f"Instant({time_text(self.ns)})"


def time_text(ns: int) -> str:
    """Write an instant as the venue does: RFC 3339 in UTC, zeros at the fraction's end cut off."""
    return format_time(ns).rstrip("Z").rstrip("0").rstrip(".") + "Z"


class JsonText:
    """Market data as JSON, in text frames."""

    name: Final = "json"

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder(enc_hook=_json_instant, decimal_format="number")

    def item(self, row: object) -> bytes:
        """Write one document, or one item of a frame."""
        return self._encoder.encode(row)

    def frame(self, items: Sequence[bytes]) -> str | bytes:
        """Put items together as one frame: an array."""
        return f"[{b','.join(items).decode()}]"

    def reader(self, shape: type[Shape]) -> Callable[[bytes | str], Shape]:
        """Return what reads a client's message of this shape; raises `DecodeError`."""
        return JsonDecoder(shape).decode


class PackedText:
    """Market data as msgpack, in binary frames; times are its timestamps, with nanoseconds."""

    name: Final = "msgpack"

    def item(self, row: Mapping[str, object]) -> bytes:
        """Write one item of a frame."""
        return encode_packed(
            {
                name: Stamp(value.ns) if isinstance(value, Instant) else value
                for name, value in row.items()
            }
        )

    def frame(self, items: Sequence[bytes]) -> str | bytes:
        """Put items together as one frame: an array."""
        return _array_head(len(items)) + b"".join(items)

    def reader(self, shape: type[Shape]) -> Callable[[bytes | str], Shape]:
        """Return what reads a client's message of this shape; raises `DecodeError`.

        A text frame is read as JSON: clients write what suits them.
        """
        packed, plain = PackedDecoder(shape), JsonDecoder(shape)

        def read(data: bytes | str) -> Shape:
            return plain.decode(data) if isinstance(data, str) else packed.decode(data)

        return read


Text = JsonText | PackedText
"""One of the two encodings."""


def _json_instant(value: object) -> str:
    if isinstance(value, Instant):
        return time_text(value.ns)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _array_head(length: int) -> bytes:
    if length <= _FIX_ARRAY:
        return bytes([0x90 | length])
    if length <= _ARRAY_16:
        return b"\xdc" + length.to_bytes(2, "big")
    return b"\xdd" + length.to_bytes(4, "big")
