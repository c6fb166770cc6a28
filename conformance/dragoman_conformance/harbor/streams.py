"""One stream of the venue: authenticated, subscribed, told, and kept awake by heartbeats."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from .messages import Json
    from .settings import HarborSettings

__all__ = ["HarborStream"]


class HarborStream:
    """The venue's end of one stream."""

    def __init__(
        self,
        settings: HarborSettings,
        send: Callable[[str], None],
        *,
        now_ns: Callable[[], int],
        schedule: Callable[[int, Callable[[], None]], object],
        gone: Callable[[HarborStream], None],
    ) -> None:
        self._settings = settings
        self._send = send
        self._now_ns = now_ns
        self._schedule = schedule
        self._gone = gone
        self._accounts: set[str] = set()
        self._is_known = False
        self._is_closed = False
        schedule(settings.heartbeat_ns, self._beat)

    @property
    def accounts(self) -> frozenset[str]:
        """The accounts subscribed to."""
        return frozenset(self._accounts)

    def receive(self, text: str) -> None:
        """Take one text of the client; answers go out before this returns."""
        if self._is_closed:
            return
        message = _parsed(text)
        operation = message.get("op")
        if operation == "auth":
            self._is_known = message.get("key") == self._settings.key
            self._say({"type": "auth", "ok": self._is_known})
        elif operation == "subscribe":
            self._subscribe(message)
        else:
            self._say({"type": "error", "code": "bad-message"})

    def tell(self, account: str, message: Json) -> None:
        """Send what happened in an account, if it is subscribed to."""
        if account in self._accounts:
            self._say(message)

    def close(self) -> None:
        """Forget the stream. Idempotent."""
        self._is_closed = True
        self._gone(self)

    def _subscribe(self, message: Json) -> None:
        account = message.get("account")
        is_good = self._is_known and account in self._settings.accounts
        if is_good:
            self._accounts.add(str(account))
        self._say({"type": "subscribed", "id": message.get("id"), "ok": is_good})

    def _beat(self) -> None:
        if not self._is_closed:
            self._say({"type": "heartbeat", "time_ns": str(self._now_ns())})
            self._schedule(self._settings.heartbeat_ns, self._beat)

    def _say(self, message: Json) -> None:
        if not self._is_closed:
            self._send(json.dumps(message, separators=(",", ":")))


def _parsed(text: str) -> Json:
    """Return the object that a text holds; an empty one for anything else."""
    try:
        found: object = json.loads(text)
    except ValueError:
        return {}
    return cast("Json", found) if isinstance(found, dict) else {}
