"""An Alpaca that keeps orders as the real one does, in memory: REST, activities and `/stream`.

It does what it is asked, and what a test makes the market do. Each replace makes another order with
another id; what an order has filled stays with that id.
"""

import asyncio
import contextlib
import itertools
import json
import random
from contextlib import AsyncExitStack
from decimal import Decimal
from urllib.parse import parse_qsl, unquote, urlsplit

from dragoman import connect
from dragoman.errors import StreamLostError
from dragoman.times import ManualClock, format_time, parse_time
from dragoman.transport.base import HttpResponse
from dragoman.transport.memory import MemoryTransport
from dragoman.transport.memory_wire import MemoryWire

from .rest_venue import AAPL, ACCOUNT_ROW, BTC, NOT_FOUND, SECRET, problem, reply
from .trading_rows import ORDER

LONGEST_S = 20.0
LIVE = frozenset({"new", "partially_filled", "accepted", "pending_new", "held", "pending_replace"})
REPLACEABLE = frozenset({"new", "partially_filled", "held"})
UNSENT = "unable to replace order, order isn't sent to exchange yet"
TAKEN = "client_order_id must be unique"
_KEYS = itertools.count()


async def eventually(condition):
    """Wait for what comes about in its own time; returns what the condition does."""
    async with asyncio.timeout(LONGEST_S):
        while not (found := condition()):  # noqa: ASYNC110 - what it asks about sets no event
            await asyncio.sleep(0)
    return found


class OrderVenue:
    """One account at Alpaca.

    `opens` says whether an order, or what replaces one, is at the market at once; else it stays
    `word`, as after hours. `instead` answers the next requests in its stead, by method: None is as
    usual. `numbers` makes ids, which orders of one instant are listed by.
    """

    def __init__(self):
        self.clock = ManualClock()
        self.key = f"captain-{next(_KEYS)}"
        self.rows = {}
        self.fills = []
        self.positions = {}
        self.heard = []
        self.instead = {}
        self.opens = True
        self.word = "pending_new"
        self.is_mute = False
        self.told = []
        self._numbers = itertools.count(1)
        self._moments = itertools.count(1)
        self.wires = []
        self._tasks = []

    def now(self):
        """Return the time; no two are alike."""
        return format_time(self.clock.now_ns() + next(self._moments) * 1000)

    def id(self):
        return f"00000000-0000-4000-8000-{next(self._numbers):012d}"

    def transport(self):
        return MemoryTransport(self._answer, stream=self._open)

    async def aclose(self):
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def order(self, name):
        """Return a row by the client order id, or the id, that it goes by."""
        named = [row for row in self.rows.values() if name in (row["client_order_id"], row["id"])]
        return named[-1]

    def requests(self, method):
        return [one for one in self.heard if one[0] == method]

    def tell(self, event, row, **more):
        """Tell what happened to an order, unless nobody is to hear of it."""
        shown = {name: value for name, value in row.items() if name != "told"}
        data = {"event": event, "order": shown, "timestamp": row["updated_at"], **more}
        data = {"at": row["updated_at"], "event_id": f"01J{next(self._moments):023d}"} | data
        frame = {"stream": "trade_updates", "data": data}
        self.told.append(frame)
        if not self.is_mute:
            self.say(frame)

    async def cut(self):
        """Lose the stream."""
        for wire in tuple(self.wires):
            await wire.aclose()

    def say(self, frame):
        for wire in self.wires:
            self._tasks.append(asyncio.ensure_future(_say(wire, json.dumps(frame).encode())))

    def put(self, **fields):
        """Have an order that somebody else placed."""
        made = self.now()
        row = ORDER | {"id": self.id(), "client_order_id": self.id(), "created_at": made}
        row |= {"submitted_at": made, "updated_at": made, "status": "new"} | fields
        self.rows[row["id"]] = row
        return row

    def change(self, row, event=None, **fields):
        """Let something become of an order, and tell it."""
        row.update(fields, updated_at=self.now())
        if event is not None:
            self.tell(event, row)

    def fill(self, row, quantity, price="150", *, tells=True):
        """Let the market fill some of an order."""
        done = Decimal(row["filled_qty"]) + Decimal(quantity)
        is_full = row["qty"] is not None and done >= Decimal(row["qty"])
        was = row["status"]
        word = "filled" if is_full else "partially_filled"
        if was in {"pending_cancel", "pending_replace"} and not is_full:
            word = was
        row.update(filled_qty=str(done), filled_avg_price=price, status=word, updated_at=self.now())
        sign = 1 if row["side"] == "buy" else -1
        symbol = row["symbol"]
        held = self.positions.get(symbol, Decimal(0)) + sign * Decimal(quantity)
        self.positions[symbol] = held
        self.fills.append(
            {
                "id": f"20260102093000000::{self.id()}", "activity_type": "FILL",
                "transaction_time": row["updated_at"], "type": "fill", "price": price,
                "qty": str(quantity), "side": row["side"], "symbol": symbol,
                "order_id": row["id"], "cum_qty": str(done), "order_status": row["status"],
                "leaves_qty": "0",
            }
        )  # fmt: skip
        if tells:
            self.tell(
                "fill" if is_full else "partial_fill", row, price=price, qty=str(quantity),
                position_qty=str(held), execution_id=self.id(),
            )  # fmt: skip

    def replace(self, old, **fields):
        """Make the order that is to replace another; it is on its way."""
        made = self.now()
        row = old | {
            "id": self.id(), "client_order_id": self.id(), "replaces": old["id"],
            "created_at": made, "submitted_at": made, "updated_at": made, "status": self.word,
            "qty": str(Decimal(old["qty"]) - Decimal(old["filled_qty"])),
            "filled_qty": "0", "filled_avg_price": None,
        } | fields  # fmt: skip
        self.rows[row["id"]] = row
        old.update(status="pending_replace", updated_at=self.now())
        self.tell("pending_replace", old)
        return row

    def replaced(self, row):
        """Let a replacement take the place of the order before it."""
        old = self.rows[row["replaces"]]
        self.change(old, "replaced", status="replaced", replaced_by=row["id"])
        if self.opens:
            self.change(row, "new", status="new")

    def lost(self, row):
        """Let a replacement be refused: the order before it stands."""
        old = self.rows[row["replaces"]]
        self.change(row, status="rejected")
        is_over = old["status"] == "filled"
        word = "partially_filled" if Decimal(old["filled_qty"]) else "new"
        self.change(old, "order_replace_rejected", status=old["status"] if is_over else word)
        self.tell("rejected", row)

    async def _answer(self, request):
        parts = urlsplit(request.url)
        asked = dict(parse_qsl(parts.query, keep_blank_values=True))
        body = json.loads(request.body) if request.body else None
        self.heard.append((request.method, parts.path, asked, body))
        instead = self.instead.get(request.method)
        if instead:
            found = instead.pop(0)
            found = found(parts.path, asked, body) if callable(found) else found
            found = await found if asyncio.iscoroutine(found) else found
            if isinstance(found, Exception):
                raise found
            if found is not None:
                return found if isinstance(found, HttpResponse) else reply(found)
        await asyncio.sleep(0)
        found = self.do(request.method, parts.path, asked, body)
        return found if isinstance(found, HttpResponse) else reply(found)

    def do(self, method, path, asked, body):
        """Answer a request as Alpaca does."""
        name = unquote(path.rpartition("/")[2])
        commands = {"POST": lambda: self._take(body), "PATCH": lambda: self._patch(name, body)}
        commands["DELETE"] = lambda: self._cancel(name)
        if method in commands:
            return commands[method]()
        found = {
            "/v2/account": lambda: ACCOUNT_ROW,
            "/v2/assets": lambda: [BTC] if asked["asset_class"] == "crypto" else [AAPL],
            "/v2/orders": lambda: self._listed(asked),
            "/v2/orders:by_client_order_id": lambda: self._shown("client_order_id", asked),
            "/v2/positions": self._held,
            "/v2/account/activities": lambda: self._activities(asked),
        }.get(path)
        if found is not None:
            return found()
        if path.startswith("/v2/assets/"):
            return {"AAPL": AAPL, "BTC/USD": BTC}.get(name, NOT_FOUND)
        return self._shown("id", {"id": name})

    def _held(self):
        return [
            {"symbol": symbol.replace("/", ""), "qty": str(held), "side": "long"}
            for symbol, held in self.positions.items()
            if held
        ]

    def _take(self, body):
        if self._is_taken(body["client_order_id"]):
            return problem(422, 40010001, TAKEN)
        terms = {"limit_price": None} | body
        legs = [terms.pop(name, None) for name in ("take_profit", "stop_loss")]
        row = self.put(status=self.word, **terms)
        if any(legs):
            row["legs"] = self._legs(row, *legs)
        self.tell(row["status"], row)
        answer = json.loads(json.dumps(row))
        if self.opens:
            self.change(row, "new", status="new")
        return answer

    def _legs(self, row, target, stop):
        side = "sell" if row["side"] == "buy" else "buy"
        usual = {name: row[name] for name in ("symbol", "qty", "order_class", "time_in_force")}
        legs = []
        for kind, given in (("limit", target), ("stop", stop)):
            if given is not None:
                prices = {"limit_price": None, "stop_price": None} | given
                more = {"side": side, "status": "held", "type": kind, "order_type": kind}
                legs.append(self.put(**usual, **more, **prices))
        for leg in legs:
            leg["parent"] = row["id"]
        return legs

    def _patch(self, name, body):
        old = self.rows.get(name)
        if old is None:
            return NOT_FOUND
        if old["status"] not in REPLACEABLE:
            return problem(422, 42210000, UNSENT)
        if self._is_taken(body.get("client_order_id")):
            return problem(422, 40010001, TAKEN)
        row = self.replace(old, **body)
        answer = dict(row)
        if self.opens:
            self.replaced(row)
        return answer

    def _cancel(self, name):
        row = self.rows.get(name)
        if row is None:
            return NOT_FOUND
        if row["status"] not in LIVE - {"pending_replace"}:
            message = f'order is already in "{row["status"]}" state'
            return problem(422, 42210000, message)
        self.change(row, "pending_cancel", status="pending_cancel")
        if self.opens or self.word == "accepted":
            self.change(row, "canceled", status="canceled")
        return reply(status=204)

    def _is_taken(self, name):
        return any(name == row["client_order_id"] for row in self.rows.values())

    def _shown(self, field, asked):
        rows = self.rows.values()
        return next((row for row in rows if row[field] == asked[field]), NOT_FOUND)

    def _listed(self, asked):
        rows = [row for row in self.rows.values() if "parent" not in row]
        if asked["status"] == "open":
            rows = [row for row in rows if _is_open(row)]
        rows.sort(key=lambda row: (parse_time(row["submitted_at"]), row["id"]))
        if "after" in asked:
            assert "after_order_id" not in asked
            after_ns = parse_time(asked["after"])
            rows = [row for row in rows if parse_time(row["submitted_at"]) > after_ns]
        if "after_order_id" in asked:
            place = [row["id"] for row in rows].index(asked["after_order_id"])
            rows = rows[place + 1 :]
        if "until" in asked:
            until_ns = parse_time(asked["until"])
            rows = [row for row in rows if parse_time(row["submitted_at"]) < until_ns]
        return rows[: int(asked["limit"])]

    def _activities(self, asked):
        if asked.get("activity_types") != "FILL":
            return []
        rows = self.fills
        if "page_token" in asked:
            place = [row["id"] for row in rows].index(asked["page_token"])
            rows = rows[place + 1 :]
        return rows[: int(asked["page_size"])]

    async def _open(self, request):
        assert request.url.endswith("/stream")
        theirs, ours = MemoryWire.pair()
        self._tasks.append(asyncio.ensure_future(self._serve(ours)))
        return theirs

    async def _serve(self, wire):
        with contextlib.suppress(StreamLostError):
            while True:
                found = json.loads(await wire.receive())
                if found["action"] == "auth":
                    data = {"status": "authorized", "action": "authenticate"}
                    answer = {"stream": "authorization", "data": data}
                else:
                    answer = {"stream": "listening", "data": found["data"]}
                    if wire not in self.wires:
                        self.wires.append(wire)
                await wire.send(json.dumps(answer).encode())
        if wire in self.wires:
            self.wires.remove(wire)


def _is_open(row):
    return row["status"] in LIVE | {"pending_cancel", "done_for_day"} or any(
        map(_is_open, row["legs"] or ())
    )


async def _say(wire, frame):
    with contextlib.suppress(StreamLostError):
        await wire.send(frame)


class Desk:
    """A broker at an account there, and all that was told of its orders."""

    def __init__(self, venue, broker):
        self.venue = venue
        self.broker = broker
        self.heard = []

    def kinds(self, name):
        return [
            event.kind.value
            for event in self.heard
            if getattr(getattr(event, "order", None), "client_order_id", None) == name
        ]

    def of(self, kind):
        return [event for event in self.heard if isinstance(event, kind)]

    def order(self, name="a"):
        return self.broker.state.order(name)

    async def until(self, condition):
        """Let time pass until something has come about."""

        async def run():
            while True:
                await self.venue.clock.advance(seconds=0.25)

        running = asyncio.ensure_future(run())
        try:
            return await eventually(condition)
        finally:
            running.cancel()

    async def meanwhile(self, work):
        """Do something while time passes; returns what comes of it."""
        task = asyncio.ensure_future(work)
        await self.until(task.done)
        return await task


@contextlib.asynccontextmanager
async def at_work(venue, **settings):
    """Connect to the venue, and listen."""
    async with AsyncExitStack() as stack:
        stack.push_async_callback(venue.aclose)
        usual = {"state_dir": ":memory:", "reconcile_every_s": 1e6, "timeout_s": LONGEST_S}
        broker = await stack.enter_async_context(
            connect(
                "alpaca-paper", transport=venue.transport, clock=venue.clock,
                random=random.Random(1), api_key=venue.key, secret_key=SECRET, **(usual | settings),
            )
        )  # fmt: skip
        desk = Desk(venue, broker)
        broker.listen(desk.heard.append, orders=True, positions=True)
        yield desk
