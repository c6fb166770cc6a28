"""Streams: one upstream, many readers, and exact counts of what a reader missed."""

from __future__ import annotations

from .hub import Hub
from .journal_cursor import EventLog
from .listener import Listener
from .polling import PolledAccount, SentOrders
from .stream import EventStream
from .topics import Topic

__all__ = ["EventLog", "EventStream", "Hub", "Listener", "PolledAccount", "SentOrders", "Topic"]
