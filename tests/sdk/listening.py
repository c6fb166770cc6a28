"""A strategy that listens: either stream of the SDK, read in a thread, all of it kept."""

import asyncio
import contextlib
import threading

import tektii
from tests.sdk.clients import eventually, finish


class Listener:
    """Reads a stream from its first event on."""

    def __init__(self, face, url, **settings):
        self.heard = []
        self.error = None
        self._is_closing = False
        self._is_sync = face == "sync"
        self._loop = None
        ws_url = url.replace("http", "ws", 1) + "/v1/ws"
        kind = tektii.SyncEventStream if self._is_sync else tektii.AsyncEventStream
        if self._is_sync:
            settings = {"close_timeout": 1.0, **settings}
        self._stream = kind(ws_url, **{"max_reconnect_delay": 0.2, **settings})
        run = self._listen if self._is_sync else lambda: asyncio.run(self._listen_async())
        self._thread = threading.Thread(target=self._guarded, args=(run,))
        self._thread.start()

    def greeted(self):
        """Wait until the server has said its first word, or the stream has ended with an error."""
        eventually(lambda: self.heard or self.error)
        if self.error is not None:
            raise self.error

    def wait_for(self, *events):
        """Wait until events of these kinds were heard, in this order; returns them."""
        return eventually(lambda: self.found(*events), lambda found: len(found) == len(events))

    def found(self, *events):
        """Return the first events of these kinds, in this order, as far as heard."""
        found = []
        for event in tuple(self.heard):
            if len(found) < len(events) and _matches(event, events[len(found)]):
                found.append(event)
        return found

    def all(self, kind):
        """Return every event of a kind, so far."""
        return [event for event in tuple(self.heard) if _matches(event, kind)]

    def of_order(self, order_id):
        """Return what was heard to happen to an order, so far."""
        events = [event for event in tuple(self.heard) if event.type == "order"]
        return [event for event in events if event.order.id == order_id]

    def tells(self, order_id, *kinds):
        """Wait until an order's last event is of the last kind, and claim what was told of it."""
        eventually(
            lambda: [event.event for event in self.of_order(order_id)],
            lambda told: told and told[-1] == kinds[-1],
        )
        told = [str(event.event) for event in self.of_order(order_id)]
        assert list(kinds) == told
        return self.of_order(order_id)

    def close(self):
        """End the stream: in its own loop, since its thread closes what the SDK keeps besides."""
        self._is_closing = True
        loop = self._stream._loop if self._is_sync else self._loop
        inner = self._stream._async_stream if self._is_sync else self._stream
        if inner is not None and loop is not None and loop.is_running():
            asyncio.run_coroutine_threadsafe(inner.close(), loop)
        self._thread.join(60)
        assert not self._thread.is_alive()

    def ended(self):
        """Wait until the stream has ended by itself; returns the error it ended with."""
        self._thread.join(60)
        assert not self._thread.is_alive()
        return self.error

    def _guarded(self, run):
        try:
            run()
        except Exception as error:  # noqa: BLE001 - kept for the test
            self.error = error

    def _listen(self):
        with self._stream as events:
            loop = self._stream._loop
            try:
                for event in events:
                    self.heard.append(event)
                    if self._is_closing:  # what else waits can't be acknowledged any more
                        break
            finally:
                self._stream.close()
                finish(loop)

    async def _listen_async(self):
        self._loop = asyncio.get_running_loop()
        async with self._stream as events:
            async for event in events:
                self.heard.append(event)


def _matches(event, kind):
    """Return whether an event is "order", or "order ORDER_FILLED", say."""
    wanted, _, what = kind.partition(" ")
    return event.type == wanted and what in {"", str(getattr(event, "event", ""))}


@contextlib.contextmanager
def listening(face, url, **settings):
    """Listen until the block ends; begun means that the server has said CONNECTED."""
    listener = Listener(face, url, **settings)
    try:
        listener.greeted()
        yield listener
    finally:
        listener.close()
