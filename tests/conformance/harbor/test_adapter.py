"""Harbor behind the library's ports, over a transport in memory."""

import asyncio
from contextlib import asynccontextmanager
from decimal import Decimal

import attrs
import pytest

from dragoman import UnsupportedError, connect
from dragoman.adapter import AdapterContext, Environment
from dragoman.credentials import Credentials
from dragoman.errors import (
    AuthenticationError,
    NotFoundError,
    OrderRejectedError,
    UnknownInstrumentError,
    UnknownProviderError,
)
from dragoman.models import OrderChange, OrderRequest, OrderStatus, Side, Subscription
from dragoman.models.values import Timeframe, Window
from dragoman.registry import installed
from dragoman.transport.base import HttpResponse
from dragoman.transport.memory import MemoryTransport
from dragoman.transport.memory_wire import MemoryWire
from dragoman_conformance.harbor.adapter import HarborAdapter
from dragoman_conformance.harbor.messages import Request
from dragoman_conformance.harbor.settings import FillStyle, HarborSettings
from dragoman_conformance.harbor.spec import REGISTRY
from dragoman_conformance.harbor.venue import HarborVenue

D = Decimal
ENDPOINTS = {"rest": "http://127.0.0.1:8787", "stream": "ws://127.0.0.1:8787"}
AT_NS = 1_767_796_200_000_000_000


class Quay:
    """A venue and a transport to it, both in this process."""

    def __init__(self, **settings):
        usual = {"fills": FillStyle.NONE, "reject_share": 0.0, "cancel_delay_ns": (0, 0)}
        self.now_ns = AT_NS
        self.venue = HarborVenue(
            HarborSettings(**{**usual, **settings}),
            now_ns=lambda: self.now_ns,
            schedule=lambda _, action: None if "_beat" in repr(action) else action(),
        )
        self.peers = []

    async def _answer(self, request):
        asked = Request.of(
            request.method, request.url, headers=dict(request.headers), body=request.body
        )
        reply = self.venue.handle(asked)
        return HttpResponse(status=reply.status, headers=reply.headers, body=reply.body)

    async def _stream(self, request):
        near, far = MemoryWire.pair(request.name)
        loop = asyncio.get_running_loop()
        sends = set()

        def send(text):
            sends.add(loop.create_task(far.send(text)))

        stream = self.venue.open_stream(send)

        async def pump():
            while True:
                stream.receive(await far.receive())

        self.peers.append(loop.create_task(pump()))
        return near

    def transport(self):
        return MemoryTransport(self._answer, stream=self._stream)

    def adapter(self, account_id="A1", key="captain"):
        return HarborAdapter(
            AdapterContext(
                provider="harbor",
                environment=Environment.SIMULATED,
                endpoints=ENDPOINTS,
                credentials=Credentials({"key": key}),
                account_id=account_id,
                make_transport=self.transport,
            )
        )

    async def aclose(self):
        for peer in self.peers:
            peer.cancel()
        await asyncio.gather(*self.peers, return_exceptions=True)


@pytest.fixture
async def quay():
    one = Quay()
    yield one
    await one.aclose()


@pytest.fixture
async def adapter(quay):
    one = quay.adapter()
    await one.open()
    yield one
    await one.aclose()


def limit(name="a", quantity="3.10", side=Side.BUY):
    return OrderRequest.limit(
        "AAPL",
        side,
        D(quantity),
        limit_price=D("99.50"),
        client_order_id=name,
        account_id="A1",
    )


async def test_an_order_goes_through_its_life(quay, adapter):
    sent = await adapter.submit(limit())
    changed = await adapter.replace(sent, OrderChange(quantity=D(5)))
    quay.venue.fill("h1", "1")
    canceled = await adapter.cancel(changed)
    found = await adapter.fetch_order("A1", client_order_id="a")

    assert ("h1", OrderStatus.OPEN) == (sent.venue_order_id, sent.status)
    assert (1, D(5)) == (changed.revision, changed.quantity)
    assert (OrderStatus.CANCELED, D(1)) == (found.status, found.filled_quantity)
    assert "a" == canceled.client_order_id


async def test_an_order_is_found_by_either_id_and_none_is_not_an_error(adapter):
    await adapter.submit(limit())

    assert "a" == (await adapter.fetch_order("A1", venue_order_id="h1")).client_order_id
    assert "h1" == (await adapter.fetch_order("A1", client_order_id="a")).venue_order_id
    assert None is await adapter.fetch_order("A1", client_order_id="b")


async def test_an_order_is_canceled_by_the_clients_id_where_the_venues_is_not_known(quay, adapter):
    sent = await adapter.submit(limit())

    await adapter.cancel(attrs.evolve(sent, venue_order_ids=()))

    assert ["canceled"] == [row["state"] for row in quay.venue.orders()]


async def test_lists_are_read_to_their_last_page():
    quay = Quay(page_size=2)
    adapter = quay.adapter()
    await adapter.open()
    for number in range(5):
        await adapter.submit(limit(f"o{number}"))
        quay.venue.fill(f"h{number + 1}", "1")
    window = Window(start_ns=AT_NS - 1)

    assert 5 == len(await adapter.fetch_open_orders("A1"))
    assert 5 == len([one async for one in adapter.fetch_orders("A1", window)])
    assert 5 == len([one async for one in adapter.fetch_fills("A1", window)])
    assert [] == [one async for one in adapter.fetch_fills("A1", window, "MSFT")]
    await adapter.aclose()


async def test_a_refusal_keeps_the_venues_code(adapter):
    with pytest.raises(OrderRejectedError, match="unknown-symbol") as caught:
        await adapter.submit(OrderRequest.market("X", Side.BUY, D(1), account_id="A1"))

    assert "unknown-symbol" == caught.value.code


async def test_positions_and_accounts_are_read(quay, adapter):
    await adapter.submit(limit(side=Side.SELL))
    quay.venue.fill("h1")

    (position,) = await adapter.fetch_positions("A1")
    assert ("AAPL", D("-3.10")) == (position.symbol, position.quantity)
    assert () == await adapter.fetch_positions("A1", "MSFT")
    assert D("100000.00") == (await adapter.fetch_account("A1")).cash
    with pytest.raises(NotFoundError):
        await adapter.fetch_account("B1")


async def test_the_catalogue_is_read(adapter):
    assert ["AAPL", "MSFT"] == [one.symbol for one in await adapter.load_instruments()]
    assert ["MSFT"] == [one.symbol for one in await adapter.search_instruments("ms")]
    assert D("0.01") == (await adapter.fetch_instrument("AAPL")).tick_size
    with pytest.raises(UnknownInstrumentError):
        await adapter.fetch_instrument("X")


async def test_a_wrong_key_is_refused_when_it_opens(quay):
    adapter = quay.adapter(key="pirate")

    with pytest.raises(AuthenticationError):
        await adapter.open()
    await adapter.aclose()


@asynccontextmanager
async def private(adapter):
    wanted = Subscription(orders=True, positions=True)
    async with adapter.stream(wanted) as batches:
        yield batches


async def test_a_stream_is_live_once_it_is_entered(quay, adapter):
    async with private(adapter) as batches:
        assert [frozenset({"A1"})] == [one.accounts for one in quay.venue.streams]
        await adapter.submit(limit())
        kinds = []
        async for batch in batches:
            kinds += [type(event).__name__ for event in batch]
            if "OrderEvent" in kinds:
                break

    assert ["ConnectionEvent", "OrderEvent"] == kinds


async def test_a_stream_with_a_wrong_key_is_refused_for_good(quay):
    adapter = quay.adapter(key="pirate")

    with pytest.raises(AuthenticationError):
        async with private(adapter):
            pass
    await adapter.aclose()


async def test_adapters_of_one_session_close_it_with_the_last(adapter):
    other = adapter.for_account("A2")

    assert adapter is adapter.for_account("A1")
    await other.aclose()
    await other.aclose()
    assert 1 == len(await adapter.fetch_accounts())


@pytest.mark.parametrize(
    "call",
    [
        lambda adapter: adapter.fetch_hours("AAPL", Window()),
        lambda adapter: adapter.fetch_quotes(["AAPL"]),
        lambda adapter: adapter.fetch_tickers(["AAPL"]),
        lambda adapter: adapter.fetch_depth("AAPL", 5),
        lambda adapter: adapter.fetch_market_status(),
    ],
)
async def test_what_harbor_has_not_is_refused(adapter, call):
    with pytest.raises(UnsupportedError, match="harbor offers no"):
        await call(adapter)


@pytest.mark.parametrize(
    "call",
    [
        lambda adapter: adapter.fetch_ledger("A1", Window()),
        lambda adapter: adapter.fetch_bars("AAPL", Timeframe.parse("1m"), Window()),
        lambda adapter: adapter.fetch_trades("AAPL", Window()),
        lambda adapter: adapter.fetch_quote_history("AAPL", Window()),
    ],
)
async def test_histories_that_harbor_has_not_are_refused(adapter, call):
    with pytest.raises(UnsupportedError, match="harbor offers no"):
        call(adapter)


async def test_a_broker_trades_over_it(quay):
    async with connect(
        "harbor", registry=REGISTRY, transport=quay.transport(), key="captain", account_id="A1"
    ) as broker:
        order = await broker.submit(OrderRequest.market("AAPL", Side.BUY, D(1)))

    assert OrderStatus.OPEN is order.status


def test_no_installed_name_leads_to_it():
    with pytest.raises(UnknownProviderError):
        installed().find("harbor")
