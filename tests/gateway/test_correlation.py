"""One id for a request and all that comes of it: accepted, made, told back, and logged."""

import asyncio
import json
import logging

import pytest
from tests.core.dialects.toy import SECRET, ToyDialect
from tests.gateway.standing import CAPTAIN, gateway, shown

from dragoman_gateway.correlation import current_correlation_id
from dragoman_gateway.log import JsonFormatter

ANY = {"X-Key": "k"}
NAME = "X-Correlation-ID"


class Curious(ToyDialect):
    """Notes the id in a task of its own, and in a line of the log."""

    def __init__(self):
        super().__init__()
        self.seen = []

    async def account(self, request):
        async def look():
            self.seen.append(current_correlation_id())
            logging.getLogger("toy").warning("looked")

        await self.host.scope.spawn(look(), "look")
        return await super().account(request)


@pytest.mark.parametrize("header", [NAME, "X-Request-ID"])
@pytest.mark.parametrize("found", ["a", "x" * 128, "!~"])
async def test_a_clients_own_id_is_taken_over(broker, header, found):
    toy = Curious()
    async with gateway(broker, [toy]) as client:
        answer = await client.get("/account", headers={**ANY, header: found})

    assert [found] == [answer.headers[NAME]] == toy.seen


async def test_the_first_name_counts_if_both_are_sent(broker, toy):
    async with gateway(broker, [toy]) as client:
        answer = await client.get("/livez", headers={"X-Request-ID": "second", NAME: "first"})

    assert "first" == answer.headers[NAME]


@pytest.mark.parametrize("found", ["", "x" * 129, "a b", "é", "tab\there"])
async def test_any_other_is_replaced(broker, toy, found):
    async with gateway(broker, [toy]) as client:
        told = (await client.get("/livez", headers={NAME: found})).headers[NAME]

    assert found != told
    assert 0 < len(told) <= 128


async def test_made_ones_differ(broker, toy):
    async with gateway(broker, [toy]) as client:
        found = {(await client.get("/livez")).headers[NAME] for _ in range(20)}

    assert 20 == len(found)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/account", 200),
        ("GET", "/account?wrong=1", 200),
        ("GET", "/nothing", 404),
        ("DELETE", "/orders", 405),
        ("GET", "/boom", 500),
        ("POST", "/orders", 500),
        ("GET", "/moved", 302),
    ],
)
async def test_every_answer_tells_it(broker, toy, method, path, status):
    async with gateway(broker, [toy]) as client:
        headers = {**ANY, NAME: "mine"}
        answer = await client.request(method, path, headers=headers, allow_redirects=False)

    assert (status, ["mine"]) == (answer.status, answer.headers.getall(NAME))


async def test_refusals_and_upgrades_tell_it_as_well(broker, toy):
    async with gateway(broker, [toy]) as client:
        refused = await client.get("/account", headers={"Host": "evil.example", NAME: "mine"})
        async with client.ws_connect("/stream", headers={NAME: "mine"}) as socket:
            upgraded = socket._response.headers.getall(NAME)

    assert (403, "mine") == (refused.status, refused.headers[NAME])
    assert ["mine"] == upgraded


async def test_requests_at_once_keep_their_own(broker):
    toy = Curious()
    async with gateway(broker, [toy]) as client:
        answers = await asyncio.gather(
            *[client.get("/account", headers={**ANY, NAME: f"r{n}"}) for n in range(20)]
        )

    assert [f"r{n}" for n in range(20)] == [answer.headers[NAME] for answer in answers]
    assert {f"r{n}" for n in range(20)} == set(toy.seen)


async def test_the_log_names_request_and_client_and_nothing_they_sent(broker, caplog):
    caplog.set_level(logging.DEBUG)
    lines = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(JsonFormatter().format(record))
    logging.getLogger().addHandler(handler)
    try:
        async with gateway(broker, [Curious()], keys=[CAPTAIN]) as client:
            headers = {**shown(CAPTAIN), NAME: "mine"}
            await client.get(f"/account?secret={SECRET}", headers=headers)
            await client.get(f"/{SECRET}", headers=headers)
    finally:
        logging.getLogger().removeHandler(handler)

    facts = [json.loads(line) for line in lines]
    (looked,) = [one for one in facts if one["message"] == "looked"]
    assert ("mine", "toy") == (looked["correlation_id"], looked["logger"])
    first, second = [one for one in facts if one["logger"] == "dragoman.access"]
    del first["time"], first["duration_ms"]
    assert {
        "level": "INFO",
        "logger": "dragoman.access",
        "message": "request",
        "method": "GET",
        "route": "/account",
        "status": 200,
        "client": "captain",
        "correlation_id": "mine",
    } == first
    assert ("unmatched", 404) == (second["route"], second["status"])
    told = "".join(lines)
    assert SECRET not in told
    assert CAPTAIN.secret.reveal() not in told
