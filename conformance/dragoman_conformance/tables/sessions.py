"""One documented session of a WebSocket: what the client must say, and what it then hears."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import attrs
from aiohttp import WSMsgType, web

from .written import read_written

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["WireSession", "hold_session"]

CLIENT: Final = "> "
VENUE: Final = "< "
_DATA: Final = frozenset({WSMsgType.TEXT, WSMsgType.BINARY})


@attrs.frozen(kw_only=True)
class WireSession:
    """A stream that the call must open, and everything that is said on it.

    Each of `turns` begins with "> " for what the client must say, or "< " for what it then hears.
    What the client says is compared as JSON by value; a text in angle brackets, such as
    "<api_key>", stands for any text. `path` is compared as asked for, with its query.
    """

    path: str
    turns: tuple[str, ...]

    def __attrs_post_init__(self) -> None:
        """Refuse turns that are nobody's; raises `ValueError`."""
        wrong = [turn for turn in self.turns if not turn.startswith((CLIENT, VENUE))]
        if wrong:
            raise ValueError(f"a turn begins with {CLIENT!r} or {VENUE!r}, found {wrong[0][:40]!r}")


async def hold_session(
    request: web.Request, session: WireSession, note: Callable[[str], None]
) -> web.WebSocketResponse:
    """Hold a session to its last turn, and then until the client leaves.

    What the client says otherwise than it must, or not at all, is noted in words.
    """
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    for turn in session.turns:
        if turn.startswith(VENUE):
            await socket.send_str(turn.removeprefix(VENUE))
            continue
        due = turn.removeprefix(CLIENT)
        message = await socket.receive()
        if message.type not in _DATA:
            note(f"{session.path}: {due} was never said")
            return socket
        said = message.data if isinstance(message.data, str) else bytes(message.data).decode()
        if not _is_said(read_written(due), read_written(said)):
            note(f"{session.path}: {due} expected, {said} said")
    async for _ in socket:
        pass  # it asks whether the stream lives, or says goodbye
    return socket


def _is_said(due: object, said: object) -> bool:
    if isinstance(due, str) and due.startswith("<") and due.endswith(">"):
        return isinstance(said, str)
    if isinstance(due, dict) and isinstance(said, dict):
        left, right = cast("dict[str, object]", due), cast("dict[str, object]", said)
        return left.keys() == right.keys() and all(_is_said(left[key], right[key]) for key in left)
    if isinstance(due, list) and isinstance(said, list):
        items, others = cast("list[object]", due), cast("list[object]", said)
        return len(items) == len(others) and all(map(_is_said, items, others))
    return due == said
