"""What `generate_sync.py` puts in words of its own: types, phrases, and the few bodies of code."""

from __future__ import annotations

import re
from typing import Final

READS_OF_BROKER: Final = frozenset({"fetch_order", "preview", "wait"})

TYPES: Final = {
    r"\bAsyncIterator\[": "SyncIterator[",
    r"\b(Broker|EventStream|Listener)\b": r"Sync\1",
    r"\bConnection\b": "SyncBroker",
    r"\bAwaitable\[None\] \| None\b": "None",
}
HOMES: Final = {
    "Broker": "dragoman.broker",
    "LoopThread": ".loop_thread",
    "Self": "typing",
    "SyncBroker": ".broker",
    "SyncBrokerControls": ".controls",
    "SyncBrokerReads": ".reads",
    "SyncEventStream": ".stream",
    "SyncIterator": ".iteration",
    "SyncListener": ".listener",
    "TYPE_CHECKING": "typing",
    "TracebackType": "types",
    "Unpack": "typing",
    "Whole": ".loop_thread",
    "connect": "dragoman.connection",
    "final": "typing",
    "overload": "typing",
}
WORDS: Final = {
    "half of a `Broker`": "half of a `SyncBroker`",
    "`dragoman.connect`": "`dragoman.connect_sync`",
    "`aclose()` or `async with`": "`close()` or `with`",
    "from many tasks of one event loop; `halt()` and `state` from any thread.": (
        "from many threads at once, also from those that run an event loop; `halt()` and `state` "
        "wait for nobody. Interrupting a call (Ctrl-C) takes nothing back: what was sent stays "
        "tracked. A forked process must connect by itself."
    ),
    "Canceling the calling task does": "Interrupting the call does",
    "from one task of its own": "from one thread of its own",
    '`async with connect("mock") as broker`, or `broker = await connect("mock")`.': (
        '`with connect_sync("mock") as broker`, or without `with`.'
    ),
    "Nothing is done before the connection is entered or awaited.": (
        "An event loop runs in a thread of its own until the last broker of the connection is "
        "closed, at the latest by the exit of the interpreter. The caller may run a loop itself, "
        "as notebooks do."
    ),
}
LOOP_TALK: Final = re.compile(r"(?i)\b(?:async|await|aclose|tasks?\b|coroutine|connect\()")

READS_OPENING: Final = """
    def __init__(self, loop: LoopThread, broker: Broker) -> None:
        self._loop = loop
        self._broker = broker

    def __repr__(self) -> str:
        return repr(self._broker).replace("<", "<Sync", 1)
"""
READS_CLOSING: Final = '''
    def _here(self) -> Broker:
        """Return the broker to one that only looks, if it lives in this process."""
        self._loop.service.check_process()
        return self._broker
'''
BROKER_OPENING: Final = """
    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
"""
BODIES: Final = {
    "aclose": "",
    "close": """\
        if position is not Whole.CONNECTION:
            return self._loop.command(
                lambda: self._broker.close(position, quantity, timeout_s=timeout_s, **options)
            )
        if quantity is not None or timeout_s is not None or options:
            raise TypeError("to close a position, name it: close(position, ...)")
        self._loop.close(self._broker)
        return None
""",
    "for_account": """\
        if account_id == self.account_id:
            return self
        other = self._loop.connect(lambda: self._broker.for_account(account_id))
        return SyncBroker(self._loop, other)
""",
    "listen": """\
        stream = self.stream(since=since, buffer=buffer, **subscription)
        return SyncListener(self._loop, self._broker, stream, callback).start()
""",
    "stream": """\
        make = self._here().stream
        opened = self._loop.look(lambda: make(since=since, buffer=buffer, **subscription))
        return SyncEventStream(self._loop, opened)
""",
}
CLOSE_WORDS: Final = """\
End the connection: `close()`; or close a position, or part of it: `close(position)`.

Without arguments: listeners and streams end, then the connection, which is gone when its last
broker is closed. Open orders stay as they are. Idempotent.

With a position: an ordinary market order is sent that can only close.
"""
CONNECT: Final = """\
    loop = LoopThread(provider)
    try:
        broker = loop.connect(lambda: connection)
    except BaseException:
        loop.service.end()
        raise
    return SyncBroker(loop, broker)
"""
