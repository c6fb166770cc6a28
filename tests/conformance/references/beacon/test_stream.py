"""The numbers of beacon's transactions: what may be missing, and what may not."""

import pytest
from tests.conformance.references.staged import staged

from dragoman import OrderEvent, OrderType, Side
from dragoman.adapter import AdapterContext, Environment
from dragoman.credentials import Credentials
from dragoman.errors import ProtocolError, StreamLostError
from dragoman.models import AccountEvent
from dragoman.tasks import TaskScope
from dragoman.times import ManualClock
from dragoman.transport.codec import decode
from dragoman_conformance.references.beacon import wire
from dragoman_conformance.references.beacon.dialect.ledger import Ledger
from dragoman_conformance.references.beacon.dialect.rows import Book
from dragoman_conformance.references.beacon.stream import TransactionStream
from dragoman_conformance.references.subjects import BEACON


@pytest.fixture
def stream():
    context = AdapterContext(
        provider="beacon",
        environment=Environment.SIMULATED,
        endpoints={"stream": "http://127.0.0.1:1"},
        credentials=Credentials({"token": "t"}),
        account_id="a/b",
        clock=ManualClock(),
    )
    found = TransactionStream(context)
    found.opened(opened(7))
    return found


def opened(newest):
    return decode(b'{"type":"OPENED","lastTransactionId":"%d"}' % newest, wire.Line)


def line(number):
    account = b'{"id":"a","currency":"USD","balance":"1"}'
    head = b'{"id":"%d","type":"ACCOUNT_CHANGE","time":"2026-01-07T12:00:00Z"' % number
    return head + b',"account":%s}' % account


def beat(newest):
    return b'{"type":"HEARTBEAT","lastTransactionId":"%d"}' % newest


def test_each_transaction_is_told_once(stream):
    told = [stream.decode(line(number)) for number in (8, 8, 9, 8)]

    assert [1, 0, 1, 0] == [len(events or ()) for events in told]
    assert isinstance(told[0][0], AccountEvent)


@pytest.mark.parametrize("frame", [line(9), beat(8)], ids=["transaction", "heartbeat"])
def test_what_is_missing_costs_the_connection(stream, frame):
    with pytest.raises(StreamLostError):
        stream.decode(frame)


async def test_the_next_connection_begins_behind_the_last_that_came(stream):
    stream.decode(line(8))

    request = await stream.request()

    assert "/v1/accounts/a%2Fb/transactions/stream?sinceId=8" in request.url
    assert (("Authorization", "Bearer t"),) == request.headers
    assert "Bearer" not in repr(request)


@pytest.mark.parametrize("frame", [line(9), beat(8)], ids=["transaction", "heartbeat"])
def test_a_line_that_nobody_can_read_may_be_the_one_that_is_missing(stream, frame):
    with pytest.raises(ProtocolError):
        stream.decode(b"\xff\xfe")

    stream.decode(frame)


def test_a_line_that_nobody_can_read_stands_for_one_only(stream):
    with pytest.raises(ProtocolError):
        stream.decode(b"{")
    with pytest.raises(StreamLostError):
        stream.decode(line(10))


def test_a_transaction_without_its_parts_still_has_its_number(stream):
    with pytest.raises(ProtocolError):
        stream.decode(b'{"id":"8","type":"ORDER_FILL","time":"2026-01-07T12:00:00Z"}')

    assert stream.decode(line(9))


def test_a_venue_that_began_anew_is_counted_anew(stream):
    stream.opened(opened(2))

    assert stream.decode(line(3))


@staged(BEACON)
async def test_a_ledger_that_is_read_again_has_the_same_numbers(scene):
    terms = {"symbol": "EUR_USD", "side": Side.BUY, "order_type": OrderType.LIMIT}
    await scene.broker.submit(client_order_id="r", quantity="9", limit_price="1.05", **terms)
    order = await scene.broker.replace("r", quantity="8")
    await scene.venue.move("EUR_USD", "1.04")
    await scene.settle()
    broker, scope = scene.stage._served, TaskScope()
    ledger = Ledger(broker, Book(await broker.load_instruments()))
    scope.spawn(ledger.run(), "ledger")
    await ledger.level()
    await scope.close()

    told = [one.event_id for one in scene.of(OrderEvent) if one.event_id is not None]
    assert list(order.venue_order_ids) == ledger.numbers["r"].ids
    assert [str(number) for number in range(1, len(ledger.rows) + 1)] == [
        row["id"] for row in ledger.rows
    ]
    assert told
    assert set(told) <= {row["id"] for row in ledger.rows if "order" in row}
