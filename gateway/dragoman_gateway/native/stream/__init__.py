"""The WebSocket of the native protocol: one upstream per account, shared by all its clients."""

from .desk import StreamDesk

__all__ = ["StreamDesk"]
