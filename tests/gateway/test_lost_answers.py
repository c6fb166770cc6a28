"""Requests without a key whose clients hung up, and ask again."""

import asyncio
import json

import aiohttp
import pytest
from aiohttp import web
from tests.gateway.repeating import (
    Gateway,
    asking,
    begin_and_wait,
    eventually,
    hang_up,
    hang_up_both,
)

from dragoman_gateway.idempotency import REPLAYED


@pytest.fixture
async def gateway(tmp_path):
    gateway = Gateway(tmp_path)
    await gateway.open()
    yield gateway
    await gateway.die()


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def ask(gateway, session):
    return asking(gateway, session)


async def test_without_a_key_who_hung_up_and_asks_again_is_told_once(gateway, ask):
    gateway.toy.act = gateway.toy.wait
    await hang_up(gateway)
    gateway.toy.released.set()
    await eventually(lambda: not gateway.layer._lost._running)

    second, third = await ask(), await ask()

    assert ("true", None) == (second[2].get(REPLAYED), third[2].get(REPLAYED))
    assert 2 == gateway.toy.calls


async def test_without_a_key_a_repeat_waits_for_what_runs_for_nobody(gateway, ask):
    gateway.toy.act = gateway.toy.wait
    await hang_up(gateway)
    asking = asyncio.ensure_future(ask())
    await eventually(lambda: gateway.served == 2)
    gateway.toy.released.set()

    status, _, headers = await asking

    assert (200, "true", 1) == (status, headers.get(REPLAYED), gateway.toy.calls)


async def test_without_a_key_two_who_wait_are_two(gateway, ask):
    gateway.toy.act = gateway.toy.wait
    first = asyncio.ensure_future(ask())
    await gateway.toy.arrived.wait()
    second = asyncio.ensure_future(ask())
    await eventually(lambda: gateway.toy.calls == 2)
    gateway.toy.released.set()

    assert [200, 200] == [found[0] for found in await asyncio.gather(first, second)]


async def test_an_answer_that_could_not_be_written_is_given_again(gateway, ask):
    gateway.unwritten = True
    await ask()
    second = await ask()
    gateway.unwritten = False
    third, fourth = await ask(), await ask()

    told = [found[2].get(REPLAYED) for found in (second, third, fourth)]
    assert ["true", "true", None] == told
    assert 2 == gateway.toy.calls


@pytest.mark.parametrize(
    "other",
    [{"X_Client": "mate"}, {"body": b"{} "}, {"method": "DELETE"}],
    ids=["client", "body", "method"],
)
async def test_nobody_else_is_given_what_was_not_read(gateway, ask, other):
    gateway.unwritten = True
    await ask()
    gateway.unwritten = False

    assert None is (await ask(**other))[2].get(REPLAYED)


async def test_what_was_not_read_is_forgotten_after_a_minute(gateway, ask):
    gateway.unwritten = True
    await ask()
    await gateway.clock.advance(seconds=60)

    await ask()

    assert 2 == gateway.toy.calls


async def test_without_a_key_each_of_two_that_hung_up_is_told_once(gateway, ask):
    gateway.toy.act = gateway.toy.wait
    first = await begin_and_wait(gateway)
    second = await begin_and_wait(gateway)
    await hang_up_both(gateway, first, second)
    gateway.toy.released.set()
    await eventually(lambda: not gateway.layer._lost._running)

    told = [(await ask())[2].get(REPLAYED) for _ in range(3)]

    assert ["true", "true", None] == told
    assert 3 == gateway.toy.calls


@pytest.mark.parametrize(
    "other",
    [{"Authorization": "Bearer another"}, {"X_API_Key": "another"}, {"User_Agent": "another"}],
    ids=["token", "api-key", "program"],
)
async def test_where_no_keys_are_needed_programs_are_told_apart_by_what_they_show(
    gateway, ask, other
):
    gateway.unwritten = True
    await ask()
    gateway.unwritten = False

    assert None is (await ask(**other))[2].get(REPLAYED)
    assert "true" == (await ask())[2].get(REPLAYED)


@pytest.mark.parametrize(
    ("status", "headers"),
    [(409, {"Retry-After": "1"}), *[(status, {}) for status in (408, 423, 429, 503)]],
)
async def test_without_a_key_who_was_told_to_come_again_is_heard_again(
    gateway, ask, status, headers
):
    async def refuse(_):
        return web.Response(status=status, headers=headers)

    gateway.toy.act = refuse
    gateway.unwritten = True
    await ask()
    gateway.unwritten = False
    gateway.toy.act = gateway.toy.say_count

    assert 201 == (await ask())[0]


async def test_without_a_key_what_was_broken_off_for_nobody_is_not_begun_again(gateway, ask):
    gateway.toy.act = gateway.toy.wait
    await hang_up(gateway)
    gateway.toy.requests[0].task.cancel()
    await eventually(lambda: not gateway.layer._lost._running)
    gateway.toy.act = gateway.toy.say_count

    status, body, headers = await ask()

    assert (500, "true", 1) == (status, headers.get(REPLAYED), gateway.toy.calls)
    assert "may have been done" in json.loads(body)["toy"]
