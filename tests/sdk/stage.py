"""A venue whose prices a test sets, served as Tektii straight or behind Alpaca's language."""

import tempfile
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from tests.sdk.stacks import ALPACA_KEY, Opened, in_thread

import dragoman
from dragoman.paper.market.feed import MarketTick
from dragoman.paper.market.scripted import ScriptedFeed
from dragoman.paper.settings import FeeSchedule, VenueSettings
from dragoman.times import ManualClock, SystemClock
from dragoman_alpaca.dialect import AlpacaDialect
from dragoman_mock import MockVenue
from dragoman_tektii.dialect import TektiiDialect

WAYS = ("straight", "hops")
SYMBOLS = ("AAPL", "MSFT", "BTC/USD")
TICK_NS = 2_000_000


def amount(value):
    return None if value is None else Decimal(value)


class Stage:
    """The venue, its prices, and the gateway before it; every call is made from the test."""

    def __init__(self, thread, way, folder, *, clock=None, words=None, **settings):
        self._thread = thread
        self._way = way
        self._folder = Path(folder)
        self._clock = clock or SystemClock()
        self._words = words or {}
        self._feed = ScriptedFeed(symbols=SYMBOLS)
        made = {"fees": FeeSchedule.free(), "uses_liquidity": False, **settings}
        self.mock = MockVenue(VenueSettings(**made), feed=self._feed, clock=self._clock)
        self._venue = Opened()
        self._front = Opened()
        self.broker = None
        self.host = None
        self._port = 0

    @property
    def url(self):
        """Where the dialect is served; the same after it was served anew."""
        return self.host.url

    def open(self, **options):
        """Open the venue, and serve it."""
        self._thread.run(self._open(options))

    def close(self):
        """Close all of it."""
        self.stop()
        self._thread.run(self._venue.aclose())

    def stop(self):
        """End the gateway, and the broker behind it; the venue goes on."""
        self._thread.run(self._front.aclose())

    def start(self, **options):
        """Serve the venue anew at the same place, from the same journal."""
        self._thread.run(self._serve(options))

    def quote(self, bid, ask, symbol="AAPL", *, last=None):
        """Show a market."""
        self._thread.run(self._quote(symbol, bid, ask, last))

    def pass_by(self, seconds):
        """Let so much time pass, where the clock is one that is told to."""
        self._thread.run(self._clock.advance(seconds=seconds))

    def act(self, command):
        """Do something at the venue behind the gateway's back."""
        return self._thread.run(self.mock.act(command))

    def look(self, question):
        """Ask the venue something."""
        return self._thread.run(self.mock.look(question))

    async def _open(self, options):
        self._quote_now("AAPL", "99", "101", "100")
        self._quote_now("MSFT", "299", "301", "300")
        self._quote_now("BTC/USD", "49990", "50010", "50000")
        await self._venue.mock(venue=self.mock, clock=self._clock)
        if isinstance(self._clock, ManualClock):
            await self._clock.advance(seconds=1)
        await self._serve(options)

    async def _serve(self, options):
        self._front = Opened()
        settings = {"venue": self.mock, "clock": self._clock}
        if self._way == "straight":
            settings["state_dir"] = self._folder
            self.broker = await self._front.mock(**settings, **options)
        else:
            behind = await self._front.mock(**settings, **options)
            url = (await self._front.host(behind, AlpacaDialect())).url
            self.broker = await self._front.enter_async_context(
                dragoman.connect(
                    "alpaca-paper",
                    endpoints={"rest": url, "stream": url.replace("http", "ws", 1)},
                    state_dir=self._folder,
                    api_key=ALPACA_KEY["APCA_API_KEY_ID"],
                    secret_key=ALPACA_KEY["APCA_API_SECRET_KEY"],
                )
            )
        dialect = TektiiDialect()
        dialect.configure(self._words)
        self.host = await self._front.host(self.broker, dialect, port=self._port)
        self._port = int(self.host.url.rpartition(":")[2])

    async def _quote(self, symbol, bid, ask, last):
        when_ns = self._quote_now(symbol, bid, ask, last)
        self.mock.refresh()
        if isinstance(self._clock, ManualClock):
            await self._clock.advance_to_ns(when_ns)

    def _quote_now(self, symbol, bid, ask, last):
        known = self._feed.next_event_ns() or 0
        when_ns = max(self._clock.now_ns(), known) + TICK_NS
        prices = (amount(bid), amount("1000"), amount(ask), amount("1000"))
        last_size = None if last is None else Decimal(10)
        self._feed.push(MarketTick(when_ns, symbol, *prices, amount(last), last_size))
        return when_ns


@contextmanager
def on_stage(way, options=None, **settings):
    """Lend a stage of its own."""
    with in_thread() as thread, tempfile.TemporaryDirectory() as folder:
        stage = Stage(thread, way, folder, **settings)
        try:
            stage.open(**(options or {}))
            yield stage
        finally:
            stage.close()
