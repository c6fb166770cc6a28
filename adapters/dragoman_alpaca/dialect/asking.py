"""What a request asks for, read strictly: its body, and the parameters behind the question mark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from dragoman.errors import DecodeError, InvalidValueError
from dragoman.money import parse_decimal
from dragoman.transport.codec import decode

from .problems import RefusedError
from .texts import instant_of

if TYPE_CHECKING:
    from decimal import Decimal

    from aiohttp import web

__all__ = [
    "body_of",
    "choice_of",
    "decimal_of",
    "flag_of",
    "invalid",
    "limit_of",
    "names_of",
    "time_of",
]

Shape = TypeVar("Shape")
_MOST_DIGITS: Final = 9
_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False, "": False}


def invalid(message: str) -> RefusedError:
    """Return the refusal of a request that breaks a rule."""
    return RefusedError(422, message, number=40010001)


async def body_of(request: web.Request, shape: type[Shape]) -> Shape:
    """Read the JSON body.

    Raises:
        RefusedError: It is no JSON, or does not fit (400).
    """
    data = await request.read()
    try:
        return decode(data or b"{}", shape)
    except DecodeError as error:
        places = ", ".join(one.field for one in error.violations)
        message = f"request body format is invalid: failed to decode {places or 'it'}"
        raise RefusedError(400, message, number=40010000) from None


def choice_of(request: web.Request, name: str, *choices: str) -> str:
    """Return a parameter that is one of several words; the first is the default."""
    text = request.query.get(name, "").lower() or choices[0]
    if text not in choices:
        raise invalid(f"invalid {name}: {text!r} is none of {', '.join(choices)}")
    return text


def flag_of(request: web.Request, name: str) -> bool:
    """Return a parameter that is true or false; false by default."""
    flag = _FLAGS.get(request.query.get(name, "").lower())
    if flag is None:
        raise invalid(f"invalid {name}: neither true nor false")
    return flag


def names_of(request: web.Request, name: str) -> tuple[str, ...]:
    """Return a parameter that is a list with commas; repeated ones are joined."""
    texts = request.query.getall(name, [])
    return tuple([one.strip() for text in texts for one in text.split(",") if one.strip()])


def limit_of(request: web.Request, name: str, *, default: int, most: int) -> int:
    """Return a parameter that is a whole number from 1."""
    text = request.query.get(name, "")
    if not text:
        return default
    is_number = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    if not (is_number and 1 <= int(text) <= most):
        raise invalid(f"invalid {name}: {text[:40]!r} is no number from 1 to {most}")
    return int(text)


def time_of(request: web.Request, name: str, *, ends_day: bool = False) -> int | None:
    """Return a parameter that is a time or a day; None if it is not there."""
    text = request.query.get(name, "")
    if not text:
        return None
    try:
        return instant_of(text, name, ends_day=ends_day)
    except InvalidValueError as error:
        raise invalid(f"invalid {name}: {error.message}") from None


def decimal_of(request: web.Request, name: str) -> Decimal | None:
    """Return a parameter that is an amount; None if it is not there."""
    text = request.query.get(name, "")
    if not text:
        return None
    try:
        return parse_decimal(text, name)
    except InvalidValueError as error:
        raise invalid(f"invalid {name}: {error.message}") from None
