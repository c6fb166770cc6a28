"""JSON from venues into typed values, and back; the only module that knows the library for it.

Amounts are read from their text, never through a float, and only as plain finite decimals within
the limits of `dragoman.money`. Whatever else is wrong with the bytes is a `DecodeError`, which
names the place and never shows the data. Limits on depth and lengths are checked on the raw text,
before anything is built of it, as far as the text is long enough to do harm; of short texts, depth
is limited by the type, or counted where the type leaves it open. What a type skips is not looked at
otherwise.

Of an object's repeated keys the last one counts. Fields that a type does not name are skipped.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

import attrs
import msgspec

from dragoman.errors import ConfigurationError, DecodeError, Violation
from dragoman.money import MAX_DIGITS, parse_decimal

from .json_shape import ShapeLimits, breach

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

__all__ = ["Amount", "JsonDecoder", "Limits", "decode", "decode_any", "encode"]

Shape = TypeVar("Shape")

_BEYOND: Final = 10**MAX_DIGITS
_PLACE: Final = re.compile(r" - at `([^`]*)`\Z")
_WHAT: Final = re.compile(
    r"Expected `[^`]*`(?:, got `[^`]*`)?(?: of length [<>=]+ \d+)?"
    r"|Object missing required field `[^`]*`"
    r"|JSON is malformed: [a-z ]+|Input data was truncated"
)

if TYPE_CHECKING:
    Amount = Decimal
else:

    class _DecimalsBelong(type):
        __instancecheck__ = Decimal.__instancecheck__

    class Amount(metaclass=_DecimalsBelong):
        """The type of a number in a wire struct: read exactly from a JSON number or string.

        What arrives is a plain `Decimal`, scale kept, zero without a sign. Where `null` may stand,
        write `Amount | None`. The class exists because the library reads a `Decimal` by itself, and
        would let `NaN` and any number of digits through.
        """


@attrs.frozen(kw_only=True)
class Limits:
    """What a document may be at most.

    `max_string` counts the bytes of one string as it is written, `max_items` the items of one array
    or object, `max_depth` arrays and objects within each other.
    """

    max_bytes: int = 16 * 1024 * 1024
    max_depth: int = 64
    max_string: int = 1024 * 1024
    max_items: int = 200_000

    @property
    def shape(self) -> ShapeLimits:
        """The limits that are checked on the raw text."""
        return ShapeLimits(self.max_depth, self.max_string, self.max_items)


class JsonDecoder(Generic[Shape]):
    """Reads documents of one type: a struct, a list of them, a union, or `object` for anything.

    Make it once and keep it. Any thread may use it.

    Raises:
        ConfigurationError: The type holds `Decimal` or `float`, where `Amount` must stand, or a
            class that JSON does not know.
    """

    __slots__ = ("_decode", "_is_open", "_limits", "_name", "_short")

    def __init__(self, shape: type[Shape], limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._short = min(self._limits.max_bytes, self._limits.shape.shortest_long)
        self._name = getattr(shape, "__name__", "document")
        known: Any = Any if shape is object else shape
        self._is_open = _has_open_place(known, self._name)
        self._decode = msgspec.json.Decoder(
            known, dec_hook=_read_amount, float_hook=_read_number
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
        except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
            failure = self._failure(error)
        else:
            return cast("Shape", value)
        # Raised out here, so that the cause, which prints what it found, is not even its context;
        # and without what was read, which a traceback would show among the locals.
        del data, value
        raise failure

    def _check(self, data: bytes | str) -> None:
        if len(data) > self._limits.max_bytes:
            raise self._refused("document", f"{len(data)} long", f"{self._limits.max_bytes} bytes")
        text = data if isinstance(data, bytes) else data.encode(errors="surrogatepass")
        found = breach(text, self._limits.shape)
        if found is not None:
            raise self._refused("document", found, "what the limits allow")

    def _inspect(self, value: object) -> None:
        found = _breach_of(value, self._limits)
        if found is not None:
            raise self._refused("value", found, "what the limits allow")

    def _failure(self, error: Exception) -> DecodeError:
        if isinstance(error, RecursionError):
            return self._refused("document", "too many levels", "what the limits allow")
        text = str(error)
        place = _PLACE.search(text)
        what = _WHAT.match(text)
        found = what.group() if what else f"a value that is not allowed ({type(error).__name__})"
        return self._refused(place.group(1) if place else "$", found, "what the type says")

    def _refused(self, place: str, found: str, allowed: str) -> DecodeError:
        violation = Violation(place, found, allowed)
        return DecodeError.of(f"{self._name} can't be decoded", [violation])


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


def _read_amount(kind: type, value: object) -> Decimal:
    """Read what stands where a type says `Amount`; numbers with a point come read already."""
    if type(value) is str:
        return _read_number(value)
    if type(value) is int and -_BEYOND < value < _BEYOND:
        return Decimal(value)
    if type(value) is Decimal:
        return value
    raise ValueError(kind.__name__)


def _read_number(text: str) -> Decimal:
    # Most amounts are plain, unsigned and short; for them this is several times faster.
    if len(text) <= MAX_DIGITS and text.isascii() and text.replace(".", "", 1).isdigit():
        return Decimal(text)
    number = parse_decimal(text)
    return number or number.copy_abs()


def _has_open_place(shape: object, name: str) -> bool:
    """Tell whether anything at all may stand somewhere in the type.

    Raises:
        ConfigurationError: The type holds a class that can't be read, or not carefully enough.
    """
    parts = tuple(_parts_of(shape))
    kinds = {type(part) for part in parts}
    foreign = {part.cls for part in parts if isinstance(part, msgspec.inspect.CustomType)}
    if kinds & {msgspec.inspect.DecimalType, msgspec.inspect.FloatType}:
        raise ConfigurationError(
            f"{name} can't be decoded to: it holds Decimal or float; write Amount, which is read "
            "exactly and within limits"
        )
    if foreign - {Amount}:
        raise ConfigurationError(
            f"{name} can't be decoded to: it holds a class that JSON does not know; write a "
            "msgspec.Struct, or Any where anything may stand"
        )
    return msgspec.inspect.AnyType in kinds


def _parts_of(shape: object) -> Iterator[msgspec.inspect.Type]:
    """Yield the descriptions of a type and of every type in it, each struct once."""
    seen: set[object] = set()
    rest: list[object] = [msgspec.inspect.type_info(shape)]
    while rest:
        part = rest.pop()
        if isinstance(part, msgspec.inspect.Type):
            name = getattr(part, "cls", None)
            if name is not None and name in seen:
                continue
            seen.add(name)
            yield part
        if isinstance(part, (msgspec.inspect.Type, msgspec.inspect.Field)):
            rest.extend(getattr(part, field) for field in part.__struct_fields__)
        elif isinstance(part, tuple):
            rest.extend(cast("tuple[object, ...]", part))


def _breach_of(value: object, limits: Limits) -> str | None:
    """Return what in a decoded value breaks a limit: the digits of a number, or the depth."""
    level: list[object] = [value]
    for _ in range(limits.max_depth + 1):
        if any(type(part) is int and not -_BEYOND < part < _BEYOND for part in level):
            return f"a number of more than {MAX_DIGITS} digits"
        level = [inner for part in level for inner in _inside(part)]
        if not level:
            return None
    return f"more than {limits.max_depth} levels"


def _inside(part: object) -> Iterable[object]:
    if isinstance(part, (str, Decimal)):
        return ()
    if isinstance(part, dict):
        return cast("dict[object, object]", part).values()
    if isinstance(part, (list, tuple)):
        return cast("list[object]", part)
    if isinstance(part, msgspec.Struct):
        return (getattr(part, name) for name in part.__struct_fields__)
    return ()
