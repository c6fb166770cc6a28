"""What was said on the wire, digit for digit: the numbers and texts of requests and answers."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import parse_qsl, unquote

import attrs

from ..chaos import FrameKind, Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..chaos import SeenExchange
    from ..play import Play

__all__ = ["Term", "terms_of", "was_told"]

_NUMBER: Final = re.compile(rb"(?<![\w.])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])")
_LEAST_DIGITS: Final = 4
_SPEECH: Final = frozenset({FrameKind.TEXT, FrameKind.BINARY, FrameKind.CHUNK})


@attrs.frozen
class Term:
    """One value of a request: where it stands, its text, and whether it is a bare JSON number."""

    place: str
    text: str
    is_bare: bool = False

    @property
    def value(self) -> Decimal | None:
        """The number that it is; None if it is none."""
        try:
            found = Decimal(self.text)
        except InvalidOperation:
            return None
        return found if found.is_finite() else None


def was_told(play: Play, value: Decimal) -> bool:
    """Tell whether the venue said a number, anywhere in an answer or a stream.

    A number of fewer than four significant digits may stand there by chance, and was not told then.
    Without a wire nothing lies between, and everything was told.
    """
    if not play.stage.has_wire:
        return True
    if len(value.normalize().as_tuple().digits) < _LEAST_DIGITS:
        return False
    return any(found == value.copy_abs() for found in _numbers(play))


def _numbers(play: Play) -> Iterator[Decimal]:
    for exchange in play.wire.exchanges:
        yield from _in(exchange.response_body)
    for frame in play.wire.frames:
        if frame.origin is Origin.VENUE and frame.kind in _SPEECH:
            yield from _in(frame.payload)


def _in(data: bytes) -> Iterator[Decimal]:
    for match in _NUMBER.finditer(data):
        yield Decimal(match[0].decode()).copy_abs()


def terms_of(exchange: SeenExchange) -> tuple[Term, ...]:
    """Return every value of a request: of its path, its query and its body.

    JSON numbers are kept as the text that stands on the wire.
    """
    path, _, query = exchange.target.partition("?")
    found = [Term(f"path {number}", unquote(one)) for number, one in enumerate(path.split("/"))]
    found += [Term(name, value) for name, value in parse_qsl(query, keep_blank_values=True)]
    body = exchange.request_body
    if not body:
        return tuple(found)
    try:
        document = json.loads(body, parse_float=_Bare, parse_int=_Bare, parse_constant=_Bare)
    except ValueError:
        form = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        return (*found, *[Term(name, value) for name, value in form])
    return (*found, *_within(document, ""))


class _Bare(str):
    """The text of a number that stands in JSON without quotes."""

    __slots__ = ()


def _within(value: object, place: str) -> Iterator[Term]:
    if isinstance(value, dict):
        for name, one in cast("dict[str, object]", value).items():
            yield from _within(one, f"{place}.{name}" if place else name)
    elif isinstance(value, list):
        for number, one in enumerate(cast("list[object]", value)):
            yield from _within(one, f"{place}[{number}]")
    elif isinstance(value, str):
        yield Term(place, str(value), isinstance(value, _Bare))
