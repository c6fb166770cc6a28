"""The wire below the SDK: frames as they come, and requests as no SDK would send them."""

import json
import time
from contextlib import contextmanager

import websockets.sync.client

LONGEST_S = 60
RESTING = {
    "symbol": "AAPL",
    "side": "BUY",
    "quantity": "1",
    "order_type": "LIMIT",
    "limit_price": "1",
}
"""The body of an order that rests, as it is sent."""


class Wire:
    """One WebSocket, read frame by frame."""

    def __init__(self, socket):
        self.socket = socket
        self.frames = []
        self._until_s = time.monotonic() + LONGEST_S

    def next(self):
        """Return the next frame."""
        frame = self.socket.recv(timeout=max(0.0, self._until_s - time.monotonic()))
        assert isinstance(frame, str)
        self.frames.append(json.loads(frame))
        return self.frames[-1]

    def until(self, kind, event=None):
        """Read until a frame of this kind comes; returns it."""
        while True:
            frame = self.next()
            if frame["type"] == kind and event in {None, frame.get("event")}:
                return frame

    def send(self, message):
        """Send a frame: text or bytes as they are, anything else as JSON."""
        is_raw = isinstance(message, (str, bytes))
        self.socket.send(message if is_raw else json.dumps(message))


@contextmanager
def wire(url, path="/v1/ws", **settings):
    """Connect to a server's WebSocket."""
    address = url.replace("http", "ws", 1) + path
    settings = {"open_timeout": LONGEST_S, "close_timeout": LONGEST_S, **settings}
    with websockets.sync.client.connect(address, **settings) as socket:
        yield Wire(socket)
