"""Requests and private events as the bytes a journal keeps, exact both ways.

A row is the values of the fields without their names; the names are kept once per file, as a
`Shape`, so that a row of an older version is read by the names it was written with. What the fast
encoding can't say (an integer of more than 64 bits, half a surrogate pair) is kept as the text of
the serde package instead. Only models and their parts have a form at all: anything else in a field,
a secret above all, is refused. The venue's own bytes (`raw`) are never kept.
"""

from __future__ import annotations

import json
from operator import attrgetter
from types import GenericAlias
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import attrs
import msgspec

from dragoman.errors import DragomanError, InvalidValueError, Violation
from dragoman.models.account import Account, LedgerEntry, Position
from dragoman.models.events import (
    AccountEvent,
    LedgerEvent,
    OrderEvent,
    PositionEvent,
    ProtectionEvent,
)
from dragoman.models.fill import Fill
from dragoman.models.options import NO_OPTIONS
from dragoman.models.order import Order
from dragoman.models.request import OrderRequest
from dragoman.models.values import FrozenMapping

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dragoman.models import PrivateEvent

__all__ = ["Body", "JournalCodec", "ShapeTable"]

Body: TypeAlias = bytes | str
"""A row: bytes in the fast encoding, text in the other."""

ShapeTable: TypeAlias = "Mapping[int, str]"
"""The shapes that a file names, by their number there."""

_Model: TypeAlias = "PrivateEvent | OrderRequest"
_AttrsClass: TypeAlias = "type[attrs.AttrsInstance]"

_PARTS: Final[Mapping[_AttrsClass, Mapping[str, _AttrsClass]]] = {
    OrderRequest: {},
    OrderEvent: {"order": Order, "fill": Fill},
    PositionEvent: {"position": Position},
    AccountEvent: {"account": Account},
    LedgerEvent: {"entry": LedgerEntry},
    ProtectionEvent: {},
}
_KINDS: Final[Mapping[str, _AttrsClass]] = {kind.__name__: kind for kind in _PARTS}
_NOTHING: Final[Mapping[str, object]] = {}
_NO_HANDLING: Final[object] = attrs.fields(Order).handling.default
_NOT_KEPT: Final = frozenset({"raw", "sequence"})


def _plain_mapping(value: object) -> object:
    if value is NO_OPTIONS or value is _NO_HANDLING:
        return _NOTHING
    if isinstance(value, FrozenMapping):
        return dict(cast("FrozenMapping[object]", value))
    message = f"a {type(value).__name__} is nothing a journal keeps"
    raise TypeError(message)


def _from_plain(kind: Any, value: object) -> object:  # noqa: ANN401 - the hook of msgspec
    (item,) = kind.__args__
    items: dict[str, object] = msgspec.convert(value, GenericAlias(dict, (str, item)))
    return FrozenMapping(items) if items else NO_OPTIONS


_encode: Final = msgspec.msgpack.Encoder(enc_hook=_plain_mapping).encode
_decode: Final = msgspec.msgpack.Decoder().decode


class _Shape:
    """Which fields of a class a row holds, in which order, those of its parts after its own."""

    def __init__(self, kind: _AttrsClass, number: int, names: Mapping[str, list[str]]) -> None:
        self.kind: _AttrsClass = kind
        self.number: int = number
        self.names: Mapping[str, list[str]] = names

    def model(self, row: list[Any]) -> object:
        """Build the model that a decoded row describes."""
        groups = zip(self.names.items(), row[1:], strict=True)
        parts = {
            name: None if values is None else dict(zip(names, values, strict=True))
            for (name, names), values in groups
        }
        fields: Any = parts.pop("")
        return msgspec.convert({**fields, **parts}, self.kind, dec_hook=_from_plain)


def _names(kind: _AttrsClass, parts: Mapping[str, object]) -> list[str]:
    kept = _NOT_KEPT | parts.keys()
    return [field.name for field in attrs.fields(kind) if field.name not in kept]


def _present_names(kind: _AttrsClass) -> dict[str, list[str]]:
    parts = _PARTS[kind]
    own = {"": _names(kind, parts)}
    return own | {name: _names(part, {}) for name, part in parts.items()}


def _packer(kind: _AttrsClass, number: int) -> Callable[[Any], bytes]:
    names = _present_names(kind)
    own = attrgetter(*names.pop(""))
    if not names:
        return lambda model: _encode((number, own(model)))
    if kind is OrderEvent:
        order_of, fill_of = attrgetter(*names["order"]), attrgetter(*names["fill"])

        def pack(event: OrderEvent) -> bytes:
            fill = None if event.fill is None else fill_of(event.fill)
            return _encode((number, own(event), order_of(event.order), fill))

        return pack
    ((name, fields),) = names.items()
    subject, values = attrgetter(name), attrgetter(*fields)
    return lambda event: _encode((number, own(event), values(subject(event))))


class JournalCodec:
    """The codec of one file.

    Args:
        shapes: What the file names already.
        add_shape: Writes a shape of this version that the file lacks; returns its number there.
            None for a reader, who encodes nothing.
    """

    def __init__(self, shapes: ShapeTable, add_shape: Callable[[str], int] | None = None) -> None:
        self._shapes = {number: _read_shape(text, number) for number, text in shapes.items()}
        self._packers: dict[type, Callable[[Any], bytes]] = {}
        if add_shape is not None:
            known = {text: number for number, text in shapes.items()}
            for kind in _PARTS:
                text = json.dumps([kind.__name__, _present_names(kind)])
                number = known.get(text) or add_shape(text)
                self._shapes[number] = _read_shape(text, number)
                self._packers[kind] = _packer(kind, number)

    def encode(self, model: _Model) -> Body:
        """Return a request or an event as a row, without its sequence.

        Raises:
            InvalidValueError: A field holds what no model is made of.
        """
        try:
            return self._packers[type(model)](model)
        except (OverflowError, UnicodeEncodeError):
            return _encode_text(model)
        except TypeError as error:
            raise _unsound(type(model).__name__, error) from None

    def event(self, body: Body, sequence: int) -> PrivateEvent:
        """Return the event that a row describes.

        Raises:
            InvalidValueError: The row describes none.
        """
        event = cast("PrivateEvent", self._model(body))
        object.__setattr__(event, "sequence", sequence)  # new, and nobody else's yet
        return event

    def request(self, body: Body) -> OrderRequest:
        """Return the request that a row describes.

        Raises:
            InvalidValueError: The row describes none.
        """
        return cast("OrderRequest", self._model(body))

    def _model(self, body: Body) -> object:
        try:
            if isinstance(body, str):
                return _decode_text(body)
            row: list[Any] = _decode(body)
            return self._shapes[row[0]].model(row)
        except (msgspec.MsgspecError, LookupError, TypeError, ValueError, DragomanError) as error:
            raise _unsound("journal row", error) from None


def _read_shape(text: str, number: int) -> _Shape:
    try:
        name, names = json.loads(text)
        return _Shape(_KINDS[name], number, names)
    except (ValueError, LookupError, TypeError) as error:
        raise _unsound("journal shape", error) from None


def _encode_text(model: _Model) -> str:
    from dragoman.models.serde import to_plain  # noqa: PLC0415 - cattrs is rarely needed
    from dragoman.models.serde.text import dump_text  # noqa: PLC0415

    return f"{type(model).__name__}\n{dump_text(to_plain(model))}"


def _decode_text(text: str) -> object:
    from dragoman.models.serde import from_json  # noqa: PLC0415 - cattrs is rarely needed

    name, _, document = text.partition("\n")
    return from_json(_KINDS[name], document)


def _unsound(what: str, error: Exception) -> InvalidValueError:
    found = Violation.of(what, type(error).__name__, "requests, private events and their parts")
    return InvalidValueError.of("journal", [found])
