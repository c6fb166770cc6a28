"""MessagePack from venues into typed values, and back: the twin of `codec` for a binary format.

It has whole numbers and binary floats only. A float becomes the amount that its shortest text says,
which is what was meant by whoever wrote it. Times are read to the nanosecond, which the library
itself would cut. Limits are checked on the bytes, before anything is built of them, as far as they
are long enough to do harm.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

import attrs
import msgspec

from dragoman.errors import DecodeError
from dragoman.money import is_sane
from dragoman.times import EARLIEST_NS, LATEST_NS, SECOND_NS

from .amounts import read_amount
from .packed_shape import breach
from .shapes import BREAKS, Limits, failure_of, has_open_place, refusal, value_breach

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

__all__ = ["PackedDecoder", "Stamp", "decode_packed", "encode_packed", "read_stamp"]

Shape = TypeVar("Shape")

_TIMESTAMP: Final = -1
_SECONDS_BITS: Final = 34
_SMALLEST_WHOLE: Final = -(2**63)
_LARGEST_WHOLE: Final = 2**64 - 1


@attrs.frozen
class Stamp:
    """An instant to write as MessagePack's timestamp, to the nanosecond."""

    instant_ns: int


class PackedDecoder(Generic[Shape]):
    """Reads documents of one type: a struct, a list of them, a union, or `object` for anything.

    Make it once and keep it. Any thread may use it. A time is a field of the type
    `str | msgspec.msgpack.Ext`, for `read_stamp`; where anything may stand, it is cut to
    microseconds.

    Raises:
        ConfigurationError: The type holds `Decimal` or `float`, where `Amount` must stand, or a
            class that the format does not know.
    """

    __slots__ = ("_decode", "_is_open", "_limits", "_name", "_shape", "_short")

    def __init__(self, shape: type[Shape], limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._shape = self._limits.shape
        self._short = min(self._limits.max_bytes, self._shape.shortest_long)
        self._name = getattr(shape, "__name__", "document")
        known: Any = Any if shape is object else shape
        self._is_open = has_open_place(known, self._name)
        self._decode = msgspec.msgpack.Decoder(known, dec_hook=read_amount).decode

    def decode(self, data: bytes) -> Shape:
        """Read one document.

        Raises:
            DecodeError: It is no MessagePack, does not fit the type, or breaks a limit.
        """
        value: Shape | None = None
        try:
            if len(data) > self._short:
                self._check(data)
            value = self._decode(data)
            if self._is_open:
                self._inspect(value)
        except DecodeError as error:
            failure = error.with_traceback(None)
        except BREAKS as error:
            failure = failure_of(error, self._name)
        else:
            return cast("Shape", value)
        # As in `codec`: neither the cause nor the traceback may show what was read.
        del data, value
        raise failure

    def _check(self, data: bytes) -> None:
        if len(data) > self._limits.max_bytes:
            raise refusal(self._name, f"{len(data)} long", f"{self._limits.max_bytes} bytes")
        found = breach(data, self._shape)
        if found is not None:
            raise refusal(self._name, found)

    def _inspect(self, value: object) -> None:
        found = value_breach(value, self._limits)
        if found is not None:
            raise refusal(self._name, found, place="value")


@lru_cache(maxsize=64)
def _decoder(shape: Hashable) -> PackedDecoder[Any]:
    return PackedDecoder(cast("type[Any]", shape))


def decode_packed(data: bytes, shape: type[Shape]) -> Shape:
    """Read one document of a type within the usual limits; the type's decoder is kept.

    Raises:
        DecodeError: It is no MessagePack, does not fit the type, or breaks a limit.
    """
    decoder: PackedDecoder[Shape] = _decoder(cast("Hashable", shape))
    try:
        return decoder.decode(data)
    except DecodeError:
        del data  # a traceback shows the locals of this frame too
        raise


def read_stamp(extension: msgspec.msgpack.Ext) -> int:
    """Return the UTC nanoseconds of a timestamp, in each of the three lengths it may have.

    Raises:
        ValueError: It is no timestamp, or lies outside the years 1 to 9999.
    """
    data = bytes(extension.data)
    if extension.code != _TIMESTAMP:
        raise ValueError("an extension that is no timestamp")
    if len(data) == 8:
        both = int.from_bytes(data, "big")
        seconds, nanoseconds = both & (2**_SECONDS_BITS - 1), both >> _SECONDS_BITS
    elif len(data) == 4:
        seconds, nanoseconds = int.from_bytes(data, "big"), 0
    elif len(data) == 12:
        nanoseconds = int.from_bytes(data[:4], "big")
        seconds = int.from_bytes(data[4:], "big", signed=True)
    else:
        raise ValueError("a timestamp of no known length")
    instant_ns: int = seconds * SECOND_NS + nanoseconds
    if nanoseconds >= SECOND_NS or not EARLIEST_NS <= instant_ns <= LATEST_NS:
        raise ValueError("a timestamp that is no instant")
    return instant_ns


def encode_packed(value: object) -> bytes:
    """Write plain values: a `Stamp` as a timestamp, a whole `Decimal` as such, others as floats.

    Raises:
        TypeError: The value, or a part of it, is of no type that the format can tell.
        ValueError: A `Decimal` is not finite or too long.
    """
    return msgspec.msgpack.encode(_packable(value))


def _packable(value: object) -> object:
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return {key: _packable(inner) for key, inner in items}
    if isinstance(value, (list, tuple)):
        return [_packable(inner) for inner in cast("Iterable[object]", value)]
    if isinstance(value, Stamp):
        return _extension(value.instant_ns)
    return _number(value) if isinstance(value, Decimal) else value


def _extension(instant_ns: int) -> msgspec.msgpack.Ext:
    seconds, nanoseconds = divmod(instant_ns, SECOND_NS)
    if 0 <= seconds < 2**_SECONDS_BITS:
        data = (nanoseconds << _SECONDS_BITS | seconds).to_bytes(8, "big")
    else:
        data = struct.pack(">Iq", nanoseconds, seconds)
    return msgspec.msgpack.Ext(_TIMESTAMP, data)


def _number(amount: Decimal) -> int | float:
    if not is_sane(amount):
        raise ValueError("an amount that is not finite, or too long")
    whole = int(amount)
    is_whole = whole == amount and _SMALLEST_WHOLE <= whole <= _LARGEST_WHOLE
    return whole if is_whole else float(amount)
