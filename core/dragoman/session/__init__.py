"""One account's live session: its stream, its health, and how both are proved against the venue."""

from .account import AccountSession
from .health import Health

__all__ = ["AccountSession", "Health"]
