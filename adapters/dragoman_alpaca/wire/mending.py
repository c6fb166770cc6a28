"""Rows that do not fit their class at first sight, read a second time for what they plainly say.

A venue changes how it writes things: an id becomes a number, an amount that there is none of an
empty text, a list holds a null. Nothing that is said becomes anything else by that, so the row is
rewritten as its class wants it and read once more. What can't be understood is left as it stands,
and the row is refused as it would have been: above all an amount is never guessed nor left out, and
what a row is not without, such as its id, is never made of anything else.

Rows that fit are not looked at here and take no longer to be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from msgspec import inspect

from dragoman.errors import DecodeError
from dragoman.money import format_decimal
from dragoman.times import format_time, from_datetime
from dragoman.transport.codec import Amount, JsonDecoder, encode
from dragoman.transport.packed import PackedDecoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.transport.codec import Limits

__all__ = ["PatientDecoder"]

Shape = TypeVar("Shape")

_NUMBERS: Final = frozenset({int, Decimal, float})
_TRUTHS: Final[Mapping[object, bool]] = {"true": True, "false": False, 1: True, 0: False}


class PatientDecoder(Generic[Shape]):
    """Reads documents of one class, and those that nearly fit it at the second attempt.

    Args:
        shape: The class, a list of it, or a union.
        limits: As a `JsonDecoder` takes them.
        packed: Whether the documents are MessagePack.
    """

    def __init__(
        self, shape: type[Shape], limits: Limits | None = None, *, packed: bool = False
    ) -> None:
        self._shape = shape
        self._json: JsonDecoder[Shape] = JsonDecoder(shape, limits)
        self._anything: Callable[[Any], object] = JsonDecoder(object, limits).decode
        self._first: Callable[[Any], Shape] = self._json.decode
        if packed:
            self._anything = PackedDecoder(object, limits).decode
            self._first = PackedDecoder(shape, limits).decode
        self._type: inspect.Type | None = None

    def decode(self, data: bytes | str) -> Shape:
        """Read one document.

        Raises:
            DecodeError: It does not fit at the second attempt either, or breaks a limit. It says
                what was wrong at the first.
        """
        try:
            return self._first(data)
        except DecodeError as error:
            failure = error.with_traceback(None)
        try:
            return self._json.decode(encode(_mended(self._anything(data), self._known())))
        except (DecodeError, TypeError):  # of MessagePack, JSON can't tell everything
            del data  # a traceback shows the locals of this frame
        raise failure

    def _known(self) -> inspect.Type:
        if self._type is None:
            self._type = inspect.type_info(self._shape)
        return self._type


def _mended(value: object, kind: inspect.Type) -> object:
    """Return a value as a type wants it, or as it stands where that is not to be told."""
    kinds = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    options = [_bare(one) for one in kinds]
    if value is None or any(isinstance(one, inspect.AnyType) for one in options):
        return value
    if isinstance(value, Mapping):
        return _mended_object(cast("Mapping[str, object]", value), options)
    if isinstance(value, list):
        return _mended_list(cast("list[object]", value), options)
    return _mended_word(value, options)


def _bare(kind: inspect.Type) -> inspect.Type:
    return kind.type if isinstance(kind, inspect.Metadata) else kind


def _mended_object(value: Mapping[str, object], options: list[inspect.Type]) -> object:
    for one in options:
        if isinstance(one, inspect.DictType):
            return {name: _mended(item, one.value_type) for name, item in value.items()}
        if isinstance(one, inspect.StructType) and _is_tagged(value, one):
            kinds = {field.encode_name: field.type for field in one.fields}
            return {
                name: _mended(item, kinds[name]) if name in kinds else item
                for name, item in value.items()
                if name in kinds or name == one.tag_field
            }
    return value


def _is_tagged(value: Mapping[str, object], kind: inspect.StructType) -> bool:
    return kind.tag_field is None or value.get(kind.tag_field) == kind.tag


def _mended_list(value: list[object], options: list[inspect.Type]) -> object:
    for one in options:
        if isinstance(one, (inspect.ListType, inspect.VarTupleType)):
            item_type = one.item_type
            has_null = _may_be_null(item_type)
            there = [item for item in value if item is not None or has_null]
            is_text = isinstance(item_type, inspect.StrType)
            return [_text(item) if is_text else _mended(item, item_type) for item in there]
    return value


def _mended_word(value: object, options: list[inspect.Type]) -> object:
    """Return a text, a number, a truth or a time as one of the types wants it."""
    may_be_null = any(isinstance(one, inspect.NoneType) for one in options)
    if any(isinstance(one, inspect.StrType) for one in options):
        may_be_whole = any(isinstance(one, inspect.IntType) for one in options)
        return value if (may_be_whole and type(value) is int) or not may_be_null else _text(value)
    if value == "" and may_be_null:
        return None
    if any(isinstance(one, inspect.BoolType) for one in options) and isinstance(value, (str, int)):
        word = value.lower() if isinstance(value, str) else value
        return _TRUTHS.get(word, value)
    if any(_is_amount(one) for one in options) and isinstance(value, str):
        return value.strip()
    return value


def _text(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format_decimal(value)
    if type(value) in _NUMBERS:
        return str(value)
    if isinstance(value, datetime):
        return format_time(from_datetime(value))
    return value


def _is_amount(kind: inspect.Type) -> bool:
    return isinstance(kind, inspect.CustomType) and kind.cls is Amount


def _may_be_null(kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.UnionType):
        return any(isinstance(one, inspect.NoneType) for one in kind.types)
    return isinstance(kind, (inspect.AnyType, inspect.NoneType, inspect.RawType))
