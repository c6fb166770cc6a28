"""Requests that are refused before a handler sees them, and handlers that fail."""

import asyncio
import contextlib
import logging
from http import HTTPStatus

import aiohttp
import pytest
from tests.core.dialects.toy import SECRET
from tests.core.transport.raw_server import until

from dragoman.dialects import SimpleHost
from dragoman.dialects.limits import HostLimits
from dragoman.errors import ClosedError


async def told(answer):
    return answer.status, (await answer.json())["toy"]


@pytest.mark.parametrize(
    "name",
    [
        "evil.example",
        "evil.example:8081",
        "127.0.0.1.evil.example",
        "127.0.0.1@evil.example",
        "",
        "[::1",
        "192.168.1.2",
        "0.0.0.0",  # noqa: S104 - refused
    ],
)
async def test_a_name_that_is_not_this_machines_is_refused(serve, name):
    async with serve() as client:
        answer = await client.get("/account", headers={"Host": name})

        assert (403, "the Host header names another machine than this one") == await told(answer)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1:9", "[::1]:8081", "LOCALHOST:1"])
async def test_any_name_of_this_machine_will_do_by_whatever_port_it_came(serve, name):
    async with serve() as client:
        assert 200 == (await client.get("/account", headers={"Host": name})).status


@pytest.mark.parametrize("path", ["/account", "/stream"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:9", ""])
async def test_what_a_browser_sends_for_another_page_is_refused(serve, path, origin):
    async with serve() as client:
        answer = await client.get(path, headers={"Origin": origin})

        assert (403, "what a browser sends for another page is refused") == await told(answer)
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_a_client_that_names_the_server_itself_as_origin_is_let_in(broker, toy):
    async with SimpleHost(broker, toy) as host, aiohttp.ClientSession(host.url) as client:
        answer = await client.get("/account", headers={"Origin": host.url, "X-Key": "k"})

        assert 200 == answer.status


async def test_a_second_origin_is_not_hidden_behind_the_first(broker, toy):
    async with SimpleHost(broker, toy) as host, aiohttp.ClientSession(host.url) as client:
        both = [("Origin", host.url), ("Origin", "https://evil.example"), ("X-Key", "k")]
        answer = await client.get("/account", headers=both)

        assert 200 != answer.status


async def test_no_page_may_ask_what_it_would_be_allowed(serve):
    async with serve() as client:
        answer = await client.options("/account", headers={"Origin": "https://evil.example"})

        assert 403 == answer.status


async def test_what_there_is_not_is_told_in_the_dialects_words(serve):
    async with serve() as client:
        missing = await client.get("/nothing")
        wrong = await client.delete("/orders")

        assert (404, "Not Found") == await told(missing)
        assert (405, "Method Not Allowed") == await told(wrong)
        assert "POST" == wrong.headers["Allow"]


async def test_a_body_too_large_is_refused(serve):
    async with serve(limits=HostLimits(body_bytes=1000)) as client:
        fits = await client.post("/echo", data=b"x" * 1000)
        answer = await client.post("/echo", data=b"x" * 1001)

        assert b"x" * 1000 == await fits.read()
        assert (413, HTTPStatus.REQUEST_ENTITY_TOO_LARGE.phrase) == await told(answer)


async def test_a_body_that_unpacks_too_large_is_refused(serve):
    async with serve(limits=HostLimits(body_bytes=1000)) as client:
        answer = await client.post("/echo", data=b"x" * 1_000_000, compress="gzip")

        assert (413, HTTPStatus.REQUEST_ENTITY_TOO_LARGE.phrase) == await told(answer)


@pytest.mark.parametrize("packing", ["gzip", "deflate"])
async def test_a_body_that_is_not_packed_as_it_says_is_the_clients_mistake(serve, caplog, packing):
    async with serve() as client:
        headers = {"Content-Encoding": packing}
        answer = await client.post("/orders", data=b"not packed", headers=headers, compress=False)

        assert (400, "the body can't be read") == await told(answer)
    assert [] == [one for one in caplog.records if one.levelno >= logging.WARNING]


async def test_a_client_that_goes_away_within_its_body_is_no_failure_of_the_server(serve, caplog):
    async with serve() as client:
        port = client._base_url.port
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        head = b"POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nnot"
        writer.write(head)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

        assert 200 == (await client.get("/account")).status
    assert [] == [one for one in caplog.records if one.levelno >= logging.WARNING]


async def test_a_body_that_comes_too_slowly_is_refused(serve):
    async def slow():
        yield b"one"
        await asyncio.get_running_loop().create_future()

    async with serve(limits=HostLimits(body_s=0.01)) as client:
        answer = await client.post("/echo", data=slow())

        assert (408, "Request Timeout") == await told(answer)


async def test_a_handler_that_takes_too_long_is_a_fate_that_is_not_known(serve, toy):
    async with serve(limits=HostLimits(request_s=0.01)) as client:
        answer = await client.get("/stuck")

        message = "no answer in time; what was asked for may have been done"
        assert (504, message) == await told(answer)
    assert ["stuck"] == toy.ended


async def test_a_command_that_takes_too_long_is_no_status_that_clients_repeat(serve, toy):
    async with serve(limits=HostLimits(request_s=0.01)) as client:
        answer = await client.post("/stuck")

        message = "no answer in time; what was asked for may have been done"
        assert (500, message) == await told(answer)
    assert ["stuck"] == toy.ended


async def test_a_handler_that_fails_shows_its_text_to_nobody(serve, caplog):
    caplog.set_level(logging.DEBUG)
    async with serve() as client:
        answer = await client.get("/boom")

        assert (500, "the server failed; its log says where") == await told(answer)
    (record,) = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert ("a handler failed", "ZeroDivisionError") == (record.message, record.error)
    assert record.place.startswith("boom (toy.py:")
    assert record.exc_info is None
    assert SECRET not in caplog.text


async def test_a_client_that_never_reads_its_answer_is_dropped(broker, toy):
    async with SimpleHost(broker, toy, limits=HostLimits(answer_s=0.05)) as host:
        name, port = host.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(name, int(port), limit=1024)
        writer.write(b"GET /large HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await until(lambda: toy.ended and not host._guard.in_progress)

        received = 0
        with contextlib.suppress(ConnectionError):
            while part := await reader.read(1 << 20):
                received += len(part)
        assert 0 < received < 64 * 1024 * 1024
        writer.close()


async def test_a_handler_that_returns_nothing_has_failed(serve, caplog):
    async with serve() as client:
        answer = await client.get("/nothing-said")

        assert (500, "the server failed; its log says where") == await told(answer)
    assert ["TypeError"] == [one.error for one in caplog.records if one.levelno >= logging.ERROR]


async def test_a_redirect_is_none_of_the_hosts_business(serve):
    async with serve() as client:
        answer = await client.get("/moved", allow_redirects=False)

        assert (302, "/account") == (answer.status, answer.headers["Location"])


async def test_a_dialect_that_can_not_even_refuse_shows_no_text_either(
    serve, toy, caplog, monkeypatch
):
    def fail(status, message):
        raise ZeroDivisionError(SECRET)

    monkeypatch.setattr(toy, "refuse", fail)
    async with serve() as client:
        answer = await client.get("/boom")

        assert 500 == answer.status
        assert SECRET not in await answer.text()
    assert ["a handler failed", "a request failed"] == [one.message for one in caplog.records]
    assert SECRET not in caplog.text


async def test_a_stream_that_fails_is_broken_off_not_ended(serve, caplog):
    async with serve() as client:
        answer = await client.get("/lines")
        with pytest.raises(aiohttp.ClientError):
            await answer.read()

    assert SECRET not in caplog.text


async def test_a_library_error_is_told_by_the_dialect(serve, broker):
    async with serve() as client:
        await broker.aclose()
        answer = await client.get("/account")

        assert 503 == answer.status
        with pytest.raises(ClosedError) as raised:
            await broker.fetch_account()
        assert raised.value.message == (await answer.json())["toy"]


async def test_requests_that_come_while_it_closes_are_refused(broker, toy, venue):
    host = SimpleHost(broker, toy, limits=HostLimits(drain_s=30))
    async with aiohttp.ClientSession(headers={"X-Key": "k"}) as client:
        await host.__aenter__()
        order = {"symbol": "HELD", "id": "c1"}
        held = asyncio.create_task(client.post(f"{host.url}/orders", json=order))
        await venue.arrived.wait()
        assert 200 == (await client.get(f"{host.url}/account")).status
        closing = asyncio.create_task(host.__aexit__(None, None, None))
        await until(lambda: host._guard.is_draining)

        late = await client.get(f"{host.url}/account")
        assert (503, "the server is closing") == await told(late)

        venue.released.set()
        assert 200 == (await held).status
        await closing
