"""The same library without `await`: one event loop in a thread of its own, one surface for threads.

`reads.py`, `broker.py` and `connecting.py` are generated from their asynchronous twins.
"""

from __future__ import annotations

from .broker import SyncBroker
from .connecting import connect_sync
from .iteration import SyncIterator
from .listener import SyncListener
from .stream import SyncEventStream

__all__ = ["SyncBroker", "SyncEventStream", "SyncIterator", "SyncListener", "connect_sync"]
