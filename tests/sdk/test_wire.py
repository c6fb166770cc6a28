"""The WebSocket, frame by frame: what a client of another make would see and send."""

import re

import pytest
import websockets.exceptions
from tests.sdk.clients import fill, rest
from tests.sdk.wire import wire

UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
ACK = {"type": "event_ack", "correlation_id": "c", "events_processed": [], "timestamp": 1}


def still_lives(socket, gateway):
    """Claim that a socket still tells what happens."""
    order_id = fill(gateway).id
    while socket.until("order", "ORDER_FILLED")["order"]["id"] != order_id:
        pass


def walk(value):
    """Yield a JSON value and everything within."""
    yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from walk(each)


@pytest.mark.parametrize(
    "message",
    [
        ACK,
        {**ACK, "events_processed": ["unknown", "twice", "twice"]},
        {"type": "event_ack"},
        {"type": "pong"},
        {"type": "subscribe", "symbols": ["AAPL"]},
        {"no": "type"},
        [],
        "not JSON",
        "",
        "null",
        '{"type": "event_ack", "correlation_id": 1e999}',
        b"\x00\xff",
        "[" * 2000,
    ],
    ids=lambda message: str(message)[:24].replace(" ", ""),
)
@pytest.mark.stacks("serve")
def test_what_a_client_says_never_ends_its_stream(base, gateway, message):
    with wire(base) as socket:
        socket.until("connection", "CONNECTED")
        socket.send(message)

        still_lives(socket, gateway)
        errors = [frame for frame in socket.frames if frame["type"] == "error"]
        assert {"INVALID_MESSAGE"} >= {frame["code"] for frame in errors}


def test_a_ping_of_the_protocol_is_answered(base):
    with wire(base) as socket:
        assert socket.socket.ping().wait(60)


def test_no_compression_and_no_subprotocol_is_agreed_on(base):
    with wire(base, compression="deflate") as socket:
        headers = socket.socket.response.headers

    assert (None, None) == (
        headers.get("Sec-WebSocket-Extensions"),
        headers.get("Sec-WebSocket-Protocol"),
    )


def test_every_frame_has_a_type_and_a_time_in_utc_and_no_null(base, gateway):
    with wire(base) as socket:
        socket.until("connection")
        fill(gateway)
        socket.until("trade")

    for frame in socket.frames:
        assert UTC_TIME.fullmatch(frame["timestamp"])
        assert None not in list(walk(frame))


def test_amounts_are_strings_and_never_scientific(base, gateway):
    with wire(base) as socket:
        socket.until("connection")
        fill(gateway, "BTC/USD", "0.00012")
        frames = [socket.until("order", "ORDER_FILLED"), socket.until("trade")]

    numbers = [each for each in walk(frames) if isinstance(each, float)]
    texts = [frames[0]["order"]["quantity"], frames[1]["trade"]["quantity"]]
    assert ([], ["0.00012"] * 2) == (numbers, texts)


def test_times_of_an_order_end_in_z(base, gateway):
    with wire(base) as socket:
        socket.until("connection")
        rest(gateway)
        order = socket.until("order")["order"]

    assert UTC_TIME.fullmatch(order["created_at"])
    assert UTC_TIME.fullmatch(order["updated_at"])


def test_a_clean_goodbye_is_answered(base):
    with wire(base) as socket:
        socket.until("connection")
        socket.socket.close(1000)

    assert 1000 == socket.socket.protocol.close_code


def test_a_plain_request_to_the_stream_is_refused(http):
    answer = http.get("/v1/ws")

    assert answer.status_code in {400, 426}
    assert {"code", "message"} <= set(answer.json())


def test_a_frame_beyond_the_limit_ends_only_its_sender(base, gateway):
    with wire(base) as other:
        other.until("connection")
        with wire(base) as socket:
            socket.until("connection")
            socket.send("x" * 2_000_000)
            with pytest.raises(websockets.exceptions.ConnectionClosed):
                socket.until("never")
        still_lives(other, gateway)
