"""The exchanges of a scenario as text, for people who look up why a requirement failed.

What could tell a secret is not in it: of headers only those that are known to tell none, and every
credential, in whatever form, under its name instead of its value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .chaos.log import FrameKind, Origin
from .wire.secret_forms import forms_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .chaos import ChaosProxy
    from .chaos.log import SeenExchange, SeenFrame
    from .subject import Subject

__all__ = ["shown_traffic"]

_MOST_EXCHANGES: Final = 40
_MOST_FRAMES: Final = 20
_MOST_CHARACTERS: Final = 1_500
_UNTOLD: Final = frozenset({FrameKind.PING, FrameKind.PONG})
_SHOWN: Final = frozenset({"accept", "content-type", "retry-after"})
_SHOWN_BEGINNING: Final = "x-ratelimit-"
_ARROWS: Final = {Origin.CLIENT: ">", Origin.VENUE: "<", Origin.PROXY: "!"}


def shown_traffic(subject: Subject, wire: ChaosProxy) -> tuple[str, ...]:
    """Return one text for each exchange that passed the proxy, the first ones if there are many."""
    forms = forms_of(subject.canaries())
    frames: dict[int, list[SeenFrame]] = {}
    for frame in wire.frames:
        if frame.kind not in _UNTOLD:
            frames.setdefault(frame.exchange, []).append(frame)
    texts = [_shown(one, frames.get(one.number, ())) for one in wire.exchanges[:_MOST_EXCHANGES]]
    left = len(wire.exchanges) - _MOST_EXCHANGES
    if left > 0:
        texts.append(f"and {left} exchanges more")
    return tuple([_masked(text, forms) for text in texts])


def _shown(seen: SeenExchange, frames: Sequence[SeenFrame]) -> str:
    lines = [f"{seen.number}  {seen.method} {seen.target}"]
    lines += _headers(seen.request_headers) + _body(seen.request_body)
    fault = "" if seen.fault is None else f", struck by {seen.fault}"
    told = "no answer" if seen.status is None else str(seen.status)
    lines.append(f"--> {told} ({seen.ending.lower()}{fault})")
    lines += _headers(seen.response_headers) + _body(seen.response_body)
    lines += [f"{_ARROWS[one.origin]} {_text(one.payload)}" for one in frames[:_MOST_FRAMES]]
    if len(frames) > _MOST_FRAMES:
        lines.append(f"and {len(frames) - _MOST_FRAMES} frames more")
    return "\n".join(lines)


def _headers(headers: Sequence[tuple[str, str]]) -> list[str]:
    return [f"    {name}: {value}" for name, value in headers if _is_shown(name)]


def _body(body: bytes) -> list[str]:
    return [f"    {_text(body)}"] if body else []


def _text(data: bytes) -> str:
    text = data.decode("utf-8", "replace")
    if len(text) <= _MOST_CHARACTERS:
        return text
    return f"{text[:_MOST_CHARACTERS]}... ({len(text)} characters)"


def _is_shown(name: str) -> bool:
    return name in _SHOWN or name.startswith(_SHOWN_BEGINNING)


def _masked(text: str, forms: Sequence[tuple[str, str]]) -> str:
    for form, mark in forms:
        text = text.replace(form, mark)
    return text
