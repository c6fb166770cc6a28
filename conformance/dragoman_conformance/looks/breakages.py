"""What may happen to one exchange, by the numbers of the fault table, aimed at a route."""

from __future__ import annotations

from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from dragoman.times import SECOND_NS

from ..chaos import HttpFault, Reply
from . import bodies

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ..chaos import HttpToxic
    from .routes import Route

__all__ = ["EXCHANGE_BREAKAGES", "WAIT_S", "Breakage"]

WAIT_S: Final = 2.0
"""How long the replies that ask for patience ask for it."""

Make: TypeAlias = "Callable[[Route, Collection[str]], HttpToxic]"


@attrs.frozen(kw_only=True)
class Breakage:
    """One way in which an exchange goes wrong.

    `number` is that of the fault table, such as "W07". `make` is given the route that it is aimed
    at, and the symbols, which stay as they are. `is_harmless`: a sound client does not even notice.
    """

    number: str
    title: str
    make: Make = attrs.field(repr=False)
    is_harmless: bool = False


def _fault(number: str, title: str, fault: HttpFault, **facts: float) -> Breakage:
    seconds = facts.get("seconds")
    return Breakage(
        number=number, title=title, make=lambda route, _: route.toxic(fault, seconds=seconds)
    )


def _reply(number: str, title: str, reply: Reply, *, is_delivered: bool = False) -> Breakage:
    return Breakage(
        number=number,
        title=title,
        make=lambda route, _: route.reply(reply, is_delivered=is_delivered),
    )


def _change(
    number: str, title: str, change: Callable[[bytes], bytes], *, is_harmless: bool = False
) -> Breakage:
    return Breakage(
        number=number,
        title=title,
        make=lambda route, _: route.toxic(HttpFault.CHANGE, change=change),
        is_harmless=is_harmless,
    )


def _busy_until(status: int, now_ns: int) -> Reply:
    return Reply.busy(status, formatdate(now_ns / SECOND_NS + WAIT_S, usegmt=True))


_TEXT: Final = (("Content-Type", "text/plain"),)
_ENGLISH: Final = b'{"detail": "\xe9t\xe9"}'

EXCHANGE_BREAKAGES: Final = (
    _fault("W02", "reset before an answer", HttpFault.RESET_AFTER_REQUEST),
    _fault("W02", "reset before the request was read", HttpFault.RESET_UNREAD),
    _fault("W02", "reset within the request", HttpFault.RESET_MID_REQUEST),
    _fault("W03", "reset after the answer's head", HttpFault.RESET_AFTER_HEAD),
    _fault("W03", "reset within the answer", HttpFault.RESET_MID_RESPONSE),
    _fault("W04", "an answer that ends in its middle", HttpFault.TRUNCATE),
    _fault("W05", "silence instead of an answer", HttpFault.BLACK_HOLE),
    _fault("W05", "silence, and nothing reached the venue", HttpFault.LOST),
    _fault("W05", "an answer long after", HttpFault.BLACK_HOLE, seconds=5.0),
    _fault("W06", "silence within the answer", HttpFault.STALL),
    _reply("W07", "500, and it was done", Reply.json(b'{"error":"x"}', 500), is_delivered=True),
    _reply("W07", "500, and it was not done", Reply.json(b'{"error":"x"}', 500)),
    _reply("W08", "502 with a page, and it was done", Reply.html(502), is_delivered=True),
    _reply("W08", "502 with a page, and it was not done", Reply.html(502)),
    _reply("W09", "503 with Retry-After", Reply.busy(503, f"{WAIT_S:.0f}")),
    _reply("W10", "504, and it was done", Reply(status=504, headers=_TEXT), is_delivered=True),
    _reply("W11", "429 with seconds", Reply.busy(429, f"{WAIT_S:.0f}")),
    Breakage(
        number="W12",
        title="429 with a date",
        make=lambda route, _: route.toxic(
            HttpFault.REPLY, reply=partial(_busy_until, 429), is_delivered=False
        ),
    ),
    _reply("W13", "401 within a session", Reply.busy(401)),
    _reply("W14", "403", Reply.busy(403)),
    _change("W15", "JSON that breaks off", bodies.halved),
    _reply("W15", "no JSON", Reply.json(b"<<<"), is_delivered=True),
    _reply("W15", "no UTF-8", Reply.json(_ENGLISH), is_delivered=True),
    _reply("W15", "too deep", Reply.json(b"[" * 100_000), is_delivered=True),
    _change("W16", "another shape", bodies.reshaped),
    _reply("W16", "an empty object", Reply.json(b"{}"), is_delivered=True),
    Breakage(
        number="W17",
        title="words unheard of",
        make=lambda route, names: route.toxic(
            HttpFault.CHANGE, change=partial(bodies.reworded, keep=names)
        ),
    ),
    _change("W18", "fields unheard of", bodies.extended, is_harmless=True),
    _change("W19", "nulls", bodies.nulled),
    _reply("W20", "an empty 200", Reply.json(b""), is_delivered=True),
    _reply("W20", "an empty 200, and it was not done", Reply.json(b"")),
    _reply("W21", "an error in a 200", Reply.json(b'{"error":{"code":"x","message":"no"}}')),
)
"""The faults of single exchanges; W01, W29 and W30 need more than a reply."""
