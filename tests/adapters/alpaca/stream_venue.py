"""Alpaca's streams as a script: they greet, know one key, and answer each wish with all of them."""

import json

from dragoman.transport.packed import decode_packed, encode_packed

from ...core.transport.stream_doubles import ScriptedVenue

KEY, SECRET = "captain", "key-of-tests"
CHANNELS = (
    "trades",
    "quotes",
    "bars",
    "updatedBars",
    "dailyBars",
    "statuses",
    "lulds",
    "orderbooks",
)


class AlpacaVenue(ScriptedVenue):
    """Answers as Alpaca does; what stands in the attributes is what it does instead.

    `hello` is the first frame of a data stream, `auth` the answer to a key. `limit` is how many
    symbols a plan allows, `unknown` the channels that a feed leaves out of its answers, `error` the
    code that every subscription is answered with. `is_mute` lets it answer nothing.
    """

    def __init__(self):
        super().__init__()
        self.heard = []
        self.carried = {}
        self.hello = {"T": "success", "msg": "connected"}
        self.auth = None
        self.limit = None
        self.unknown = ()
        self.error = None
        self.authorization = None
        self.listening = None
        self.is_mute = False
        self.is_binary = True
        self.ignores_streams = False

    async def open(self, request):
        wire = await super().open(request)
        wire.path = request.url.removeprefix("wss://alpaca.test")
        wire.is_packed = ("Content-Type", "application/msgpack") in request.headers
        self.carried[wire] = {}
        if wire.path != "/stream":
            self.say(wire, [self.hello])
        return wire

    def say(self, wire, frame):
        if wire.is_packed:
            wire.say(encode_packed(frame))
        elif wire.path == "/stream" and self.is_binary:
            wire.say(json.dumps(frame).encode())
        else:
            wire.say(json.dumps(frame))

    def answer(self, wire, message):
        found = decode_packed(message, object) if wire.is_packed else json.loads(message)
        self.heard.append((wire.path, found))
        if not self.is_mute:
            (self._answer_trading if wire.path == "/stream" else self._answer_data)(wire, found)

    def asked(self, path):
        """Return what was asked for on a stream besides the key."""
        return [found for at, found in self.heard if at == path and found["action"] != "auth"]

    def wire_of(self, path):
        return next(wire for wire in reversed(self.wires) if wire.path == path)

    def _answer_trading(self, wire, found):
        if found["action"] == "auth":
            is_known = (found["key"], found["secret"]) == (KEY, SECRET)
            status = self.authorization or ("authorized" if is_known else "unauthorized")
            data = {"status": status, "action": "authenticate"}
            self.say(wire, {"stream": "authorization", "data": data})
            return
        streams = [] if self.ignores_streams else found["data"]["streams"]
        listening = {"stream": "listening", "data": {"streams": streams}}
        self.say(wire, self.listening or listening)

    def _answer_data(self, wire, found):
        if found["action"] == "auth":
            is_known = (found["key"], found["secret"]) == (KEY, SECRET)
            good = {"T": "success", "msg": "authenticated"}
            self.say(wire, [self.auth or (good if is_known else error(402, "auth failed"))])
            return
        if self.error is not None:
            self.say(wire, [error(self.error, "as the test says")])
            return
        carried = {word: set(symbols) for word, symbols in self.carried[wire].items()}
        for word in CHANNELS:
            change = set(found.get(word, ()))
            kept = carried.get(word, set())
            carried[word] = kept | change if found["action"] == "subscribe" else kept - change
        if self.limit is not None and len(carried["trades"]) + len(carried["quotes"]) > self.limit:
            self.say(wire, [error(405, "symbol limit exceeded")])
            return
        self.carried[wire] = carried
        told = {word: sorted(carried[word]) for word in CHANNELS if word not in self.unknown}
        told["corrections"] = told["cancelErrors"] = sorted(carried["trades"])
        self.say(wire, [{"T": "subscription", **told}])


def error(code, message):
    return {"T": "error", "code": code, "msg": message}
