"""What a request asks for, read strictly: its body, and the parameters behind the question mark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from dragoman.errors import DecodeError, InvalidValueError
from dragoman.times import parse_time
from dragoman.transport.codec import decode

from .problems import invalid_request

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from aiohttp import web

__all__ = [
    "body_of",
    "has_body",
    "limit_of",
    "text_of",
    "time_of",
    "word_of",
    "words_of",
]

Shape = TypeVar("Shape")
Word = TypeVar("Word")
_MOST: Final = 2**32 - 1
_MOST_DIGITS: Final = 10
_MISSING: Final = "missing required field `"
_LONGEST_SHOWN: Final = 60


async def body_of(request: web.Request, shape: type[Shape]) -> Shape:
    """Read the JSON body.

    Raises:
        RefusedError: It is no JSON, is not called so, or does not fit (400).
    """
    kind = request.content_type.lower()
    is_json = kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )
    if "Content-Type" not in request.headers or not is_json:
        raise invalid_request("Invalid JSON: the Content-Type must be application/json")
    data = await request.read()
    try:
        return decode(data, shape)
    except DecodeError as error:
        place = error.violations[0] if error.violations else None
        if place is None:
            raise invalid_request(f"Invalid JSON: {error.message}") from None
        raise invalid_request(
            f"Invalid JSON: {place.found}", _field_of(place.field, place.found)
        ) from None


async def has_body(request: web.Request) -> bool:
    """Tell whether a request carries a body that counts: typed, and not empty."""
    return "Content-Type" in request.headers and bool(await request.read())


def _field_of(place: str, found: str) -> str | None:
    """Return the field that a decoder points at; None for the document itself."""
    if _MISSING in found:
        return found.partition(_MISSING)[2].rstrip("`") or None
    return place.removeprefix("$").lstrip(".").partition("[")[0] or None


def word_of(table: Mapping[str, Word], text: str, field: str) -> Word:
    """Return what a word means: written in capitals or, as an alias, all in small letters.

    Raises:
        RefusedError: There is no such word (400).
    """
    known = text in table
    if not known and text.islower() and text.upper() in table:
        return table[text.upper()]
    if not known:
        raise _no_word(text, table, field)
    return table[text]


def words_of(request: web.Request, name: str, table: Collection[str]) -> frozenset[str] | None:
    """Return a parameter that is a list with commas; the key may be repeated.

    Raises:
        RefusedError: One of them is no such word (400).
    """
    if name not in request.query:
        return None
    texts = [one.strip() for text in request.query.getall(name) for one in text.split(",")]
    found = frozenset(text for text in texts if text)
    for text in found:
        if text not in table:
            raise _no_word(text, table, name)
    return found or None


def _no_word(text: str, table: Iterable[str], field: str) -> Exception:
    message = f"{field}: found {text[:_LONGEST_SHOWN]!r}; allowed: {', '.join(table)}"
    return invalid_request(message, field)


def text_of(request: web.Request, name: str) -> str | None:
    """Return a parameter that is a text; None if it is not there, or empty."""
    return request.query.get(name) or None


def limit_of(request: web.Request) -> int | None:
    """Return how many rows are wanted at most; None for all.

    Raises:
        RefusedError: It is no whole number from 0 to 2^32 - 1 (400).
    """
    text = request.query.get("limit")
    if text is None:
        return None
    is_number = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    if not is_number or int(text) > _MOST:
        message = f"limit: found {text[:_LONGEST_SHOWN]!r}; allowed: a whole number from 0"
        raise invalid_request(message, "limit")
    return int(text)


def time_of(request: web.Request, name: str) -> int | None:
    """Return a parameter that is a time with an offset; None if it is not there.

    Raises:
        RefusedError: It is no such time (400).
    """
    text = request.query.get(name)
    if text is None:
        return None
    try:
        # A "+" that nobody escaped arrives as a space, and no other space has a place here.
        return parse_time(text.replace(" ", "+") if "T" in text else text, name)
    except InvalidValueError as error:
        raise invalid_request(error.message, name) from None
