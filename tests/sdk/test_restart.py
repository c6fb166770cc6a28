"""A gateway that ends and comes back: what its streams are told, and what it still knows."""

import signal
from contextlib import contextmanager

import pytest
import websockets.exceptions
from tests.sdk.clients import becomes, fill, fresh_name, open_client, rest
from tests.sdk.listening import listening
from tests.sdk.stacks import Served, door, serve_mock
from tests.sdk.wire import wire

pytestmark = pytest.mark.xdist_group("serve")


class Restarted:
    """A gateway in a process of its own, that can be ended and begun anew at one address."""

    def __init__(self, address, folder):
        self._door = address
        self._folder = folder
        self._process = None

    @property
    def url(self):
        return self._door.url

    def start(self):
        self._process = Served(self._folder, *serve_mock("tektii"))
        self._door.lead_to(self._process.url)

    def stop(self):
        self._door.lead_to(None)
        return self._process.end()

    def tell(self, number):
        self._process.tell(number)

    def kill(self):
        self._door.lead_to(None)
        self._process.kill()


@contextmanager
def gateway_process(folder):
    with door() as address:
        process = Restarted(address, folder)
        process.start()
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def process(tmp_path):
    with gateway_process(tmp_path) as process:
        yield process


def test_a_stream_is_told_that_the_gateway_goes_away(process):
    with wire(process.url) as socket:
        socket.until("connection", "CONNECTED")
        process.tell(signal.SIGTERM)

        assert "DISCONNECTING" == socket.until("connection")["event"]
        with pytest.raises(websockets.exceptions.ConnectionClosed) as caught:
            socket.until("never")

    assert 1001 == caught.value.rcvd.code


def test_it_ends_in_order(process):
    with wire(process.url) as socket:
        socket.until("connection", "CONNECTED")

        assert 0 == process.stop()


@pytest.mark.parametrize("face", ["sync", "async"])
def test_a_stream_comes_back_by_itself(process, face):
    with listening(face, process.url) as listener:
        process.stop()
        process.start()
        listener.wait_for(
            "connection CONNECTED", "connection DISCONNECTING", "connection CONNECTED"
        )

        client = open_client("sync", process.url)
        order_id = fill(client).id
        client.close()
        listener.tells(order_id, "ORDER_CREATED", "ORDER_FILLED")


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_what_was_known_is_known_after_a_restart(process, end):
    client = open_client("sync", process.url)
    name = fresh_name()
    resting = rest(client, client_order_id=name)
    filled = fill(client)
    client.close()
    getattr(process, end)()
    process.start()
    client = open_client("sync", process.url)

    assert name == client.get_order(resting.id).client_order_id
    assert "FILLED" == client.get_order(filled.id).status
    assert resting.id == rest_again(client, name, resting).id
    client.cancel_order(resting.id)
    assert "CANCELLED" == becomes(client, resting.id, "CANCELLED").status
    client.close()


def rest_again(client, name, before):
    """Send what was sent before under the same name."""
    order = client.get_order(before.id)
    return client.submit_order(
        "AAPL", "buy", "1", "limit", limit_price=order.limit_price, client_order_id=name
    )
