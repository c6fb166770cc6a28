"""JSON from venues into typed values, and back.

Amounts are read from their text, never through a float, and only as plain finite decimals within
the limits of `dragoman.money`. Whatever else is wrong with the bytes is a `DecodeError`, which
names the place and never shows the data. Limits on depth and lengths are checked on the raw text,
before anything is built of it, as far as the text is long enough to do harm; of short texts, depth
is limited by the type, or counted where the type leaves it open. What a type skips is not looked at
otherwise.

Of an object's repeated keys the last one counts. Fields that a type does not name are skipped.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import msgspec

from dragoman.errors import DecodeError

from .amounts import Amount, Numeral, amount_of, known_amounts, read_amount
from .json_shape import breach
from .shapes import BREAKS, Limits, failure_of, has_open_place, refusal, value_breach

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = [
    "Amount",
    "JsonDecoder",
    "Limits",
    "Numeral",
    "amount_of",
    "decode",
    "decode_any",
    "encode",
    "known_amounts",
]

Shape = TypeVar("Shape")


class JsonDecoder(Generic[Shape]):
    """Reads documents of one type: a struct, a list of them, a union, or `object` for anything.

    Make it once and keep it. Any thread may use it.

    Raises:
        ConfigurationError: The type holds `Decimal` or `float`, where `Amount` must stand, or a
            class that JSON does not know.
    """

    __slots__ = ("_decode", "_is_open", "_limits", "_name", "_shape", "_short")

    def __init__(self, shape: type[Shape], limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._shape = self._limits.shape
        self._short = min(self._limits.max_bytes, self._shape.shortest_long)
        self._name = getattr(shape, "__name__", "document")
        known: Any = Any if shape is object else shape
        self._is_open = has_open_place(known, self._name)
        self._decode = msgspec.json.Decoder(
            known, dec_hook=read_amount, float_hook=known_amounts.__getitem__
        ).decode

    def decode(self, data: bytes | str) -> Shape:
        """Read one document.

        Raises:
            DecodeError: It is no JSON, does not fit the type, or breaks a limit.
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
        # Raised out here, so that the cause, which prints what it found, is not even its context;
        # and without what was read, which a traceback would show among the locals.
        del data, value
        raise failure

    def _check(self, data: bytes | str) -> None:
        if len(data) > self._limits.max_bytes:
            raise refusal(self._name, f"{len(data)} long", f"{self._limits.max_bytes} bytes")
        found = breach(data, self._shape)
        if found is not None:
            raise refusal(self._name, found)

    def _inspect(self, value: object) -> None:
        found = value_breach(value, self._limits)
        if found is not None:
            raise refusal(self._name, found, place="value")


@lru_cache(maxsize=256)
def _decoder(shape: Hashable) -> JsonDecoder[Any]:
    return JsonDecoder(cast("type[Any]", shape))


def decode(data: bytes | str, shape: type[Shape]) -> Shape:
    """Read one document of a type within the usual limits; the type's decoder is kept.

    Raises:
        DecodeError: It is no JSON, does not fit the type, or breaks a limit.
    """
    decoder: JsonDecoder[Shape] = _decoder(cast("Hashable", shape))
    try:
        return decoder.decode(data)
    except DecodeError:
        del data  # a traceback shows the locals of this frame too
        raise


def decode_any(data: bytes | str) -> object:
    """Read one document into plain values: whole numbers as `int`, others as `Decimal`.

    Raises:
        DecodeError: It is no JSON, or breaks a limit.
    """
    try:
        return decode(data, object)
    except DecodeError:
        del data
        raise


def encode(value: object) -> bytes:
    """Write a value as compact JSON: structs by their fields, a `Decimal` as a string of its text.

    Raises:
        TypeError: The value, or a part of it, is of no type that JSON can tell.
    """
    return msgspec.json.encode(value)
