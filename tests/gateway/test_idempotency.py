"""Requests that clients repeat, over real connections, to a handler in the test's hands."""

import asyncio
import json
import uuid
from types import SimpleNamespace

import aiohttp
import pytest
from aiohttp import web
from tests.gateway.repeating import Gateway, asking, eventually, hang_up

from dragoman.errors import (
    ConflictError,
    JournalUnavailableError,
    OrderRejectedError,
    Outcome,
    OutcomeUnknownError,
    RejectReason,
    UnknownReason,
)
from dragoman.ids import SeededIds
from dragoman.repeats import is_repeat
from dragoman.times import DAY_NS
from dragoman_gateway.idempotency import HEADER, REPLAYED, Idempotency
from dragoman_gateway.idempotency_store import store_path


@pytest.fixture(params=["file"])
async def gateway(request, tmp_path):
    gateway = Gateway(tmp_path if request.param == "file" else None)
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


@pytest.mark.parametrize("gateway", ["file", "memory"], indirect=True)
async def test_a_repeat_is_answered_in_the_same_words_and_says_so(gateway, ask):
    first, second = await ask("k"), await ask("k")

    assert (201, b'{"calls": 1}') == first[:2] == second[:2]
    assert (None, "true") == (first[2].get(REPLAYED), second[2].get(REPLAYED))
    assert ["application/json; charset=utf-8", "yes"] == [
        second[2].get(name) for name in ("Content-Type", "X-Own")
    ]
    assert (1, 1) == (gateway.toy.calls, gateway.replays)


async def test_another_key_or_none_is_another_request(gateway, ask):
    for key in ("a", "b", None, None):
        await ask(key)

    assert 4 == gateway.toy.calls


@pytest.mark.parametrize(
    "other",
    [
        {"body": b"{} "},
        {"path": "/toy/orders/7"},
        {"path": "/toy/orders?x=1"},
        {"method": "PUT"},
    ],
    ids=["body", "path", "query", "method"],
)
async def test_a_key_used_for_another_request_is_refused(gateway, ask, other):
    await ask("k")

    status, body, _ = await ask("k", **other)

    assert (422, 1) == (status, gateway.toy.calls)
    assert "another request" in json.loads(body)["toy"]


@pytest.mark.parametrize(
    "other", [{"X_Client": "mate"}, {"path": "/other/orders"}], ids=["client", "mount"]
)
async def test_nobody_is_answered_what_another_asked(gateway, ask, other):
    await ask("k", X_Client="captain")

    found = await ask("k", **{"X_Client": "captain", **other})

    assert 201 == found[0]
    assert REPLAYED not in found[2]


async def test_who_is_not_known_here_is_left_to_the_handler(gateway, ask):
    await ask("k", X_Client="nobody")
    await ask("k", X_Client="nobody")

    assert 2 == gateway.toy.calls


@pytest.mark.parametrize(
    "key", ["", "k" * 256, "k\u00e9y", "k\ty"], ids=["empty", "long", "latin", "tab"]
)
async def test_a_key_that_is_none_is_refused(gateway, ask, key):
    status, body, _ = await ask(key)

    assert (400, 0) == (status, gateway.toy.calls)
    assert HEADER in json.loads(body)["toy"]


async def test_two_keys_are_none(gateway, session):
    headers = [(HEADER, "a"), (HEADER, "b")]
    async with session.post(gateway.url("/toy/x"), headers=headers) as answer:
        assert (400, 0) == (answer.status, gateway.toy.calls)


@pytest.mark.parametrize("key", ["k", "k" * 255, "a b"], ids=["one", "longest", "space"])
async def test_any_printable_text_is_a_key(gateway, ask, key):
    assert [201, 201] == [(await ask(key))[0] for _ in range(2)]
    assert 1 == gateway.toy.calls


async def test_of_two_at_the_same_moment_one_runs(gateway, ask):
    gateway.toy.act = gateway.toy.wait
    first = asyncio.ensure_future(ask("k"))
    await gateway.toy.arrived.wait()

    status, body, headers = await ask("k")
    gateway.toy.released.set()

    assert (409, "1") == (status, headers["Retry-After"])
    assert "being handled" in json.loads(body)["toy"]
    assert (200, 1) == ((await first)[0], gateway.toy.calls)
    assert (200, "true") == ((await ask("k"))[0], (await ask("k"))[2][REPLAYED])


@pytest.mark.parametrize("status", [200, 204, 207, 400, 404, 409, 410, 422])
async def test_what_is_said_for_good_is_kept(gateway, ask, status):
    async def say(_):
        return web.Response(status=status)

    gateway.toy.act = say

    assert [status, status] == [(await ask("k"))[0] for _ in range(2)]
    assert 1 == gateway.toy.calls


@pytest.mark.parametrize("status", [401, 403, 408, 423, 429, 500, 502, 503, 504])
async def test_what_may_end_otherwise_is_tried_again(gateway, ask, status):
    async def say(_):
        return web.Response(status=status)

    gateway.toy.act = say

    assert [status, status] == [(await ask("k"))[0] for _ in range(2)]
    assert 2 == gateway.toy.calls


async def test_an_error_of_the_handler_is_kept_if_it_is_for_good(gateway, ask):
    async def fail(_):
        raise ConflictError("no", outcome=Outcome.REJECTED)

    gateway.toy.act = fail

    assert [(409, b'{"toy": "no"}')] * 2 == [(await ask("k"))[:2] for _ in range(2)]
    assert 1 == gateway.toy.calls


async def test_an_outcome_that_nobody_knows_is_never_final(gateway, ask):
    mount = gateway.toy
    mount.answer_of = lambda error: mount.dialect.refuse(422, error.message)

    async def fail(_):
        raise OutcomeUnknownError("lost", reason=UnknownReason.OTHER)

    mount.act = fail
    assert 422 == (await ask("k"))[0]
    mount.act = mount.say_ids

    found = json.loads((await ask("k"))[1])

    assert (True, 2) == (found["repeat"], mount.calls)


async def test_an_order_that_never_arrived_is_asked_for_again_and_then_left_to_a_repeat(
    gateway, ask
):
    lost = OrderRejectedError("not there", reason=RejectReason.NEVER_ARRIVED)
    seen = []

    async def fail(_):
        seen.append((is_repeat(), gateway.layer.ids.next_id()))
        raise ConflictError("refused", outcome=Outcome.REJECTED) from lost

    gateway.toy.act = fail

    assert [409, 409] == [(await ask("k"))[0] for _ in range(2)]
    assert [False, True, True, True, True, True] == [is_marked for is_marked, _ in seen]
    assert 1 == len({drawn for _, drawn in seen})


async def test_who_is_told_to_come_again_is_heard_again(gateway, ask):
    async def say(_):
        return web.Response(status=409, headers={"Retry-After": "1"})

    gateway.toy.act = say

    assert [409, 409] == [(await ask("k"))[0] for _ in range(2)]
    assert 2 == gateway.toy.calls


async def test_a_repeat_draws_the_same_ids_even_by_another_process(gateway, ask):
    mount = gateway.toy
    drawn = []

    async def fail(_):
        drawn.extend([gateway.layer.ids.next_id(), gateway.layer.ids.next_id()])
        raise OutcomeUnknownError("lost", reason=UnknownReason.OTHER)

    mount.act = fail
    await ask("k")
    await gateway.restart()
    gateway.toy.act = gateway.toy.say_ids

    found = json.loads((await ask("k"))[1])

    assert {"ids": drawn, "repeat": True} == found
    assert 2 == len(set(drawn))
    assert drawn == [str(uuid.UUID(one)) for one in drawn]


async def test_ids_of_other_keys_bodies_clients_and_mounts_are_others(gateway, ask):
    for mount in gateway.mounts.values():
        mount.act = mount.say_ids

    found = [
        json.loads((await ask(*asked[:2], **more))[1])["ids"]
        for *asked, more in (
            ("a", b"1", {}),
            ("b", b"1", {}),
            ("a", b"1", {"X_Client": "captain"}),
            ("a", b"1", {"path": "/other/orders"}),
            (None, b"1", {}),
        )
    ]

    assert 10 == len({one for ids in found for one in ids})
    assert ["order-1", "order-2"] == found[-1]


async def test_what_outlives_a_request_draws_ids_of_its_own(gateway, ask):
    drawn = asyncio.get_running_loop().create_future()
    answered = asyncio.Event()

    async def draw_later():
        await answered.wait()
        drawn.set_result(gateway.layer.ids.next_id())

    async def act(_):
        gateway.toy.scope.spawn(draw_later(), "later")
        return web.Response()

    gateway.toy.act = act
    await ask("k")
    answered.set()

    assert "order-1" == await drawn


async def test_an_answer_outlives_the_process(gateway, ask):
    first = await ask("k")
    await gateway.restart()

    second = await ask("k")

    assert (first[:2], 0) == (second[:2], gateway.toy.calls)


async def test_a_process_that_died_within_a_request_leaves_it_to_a_repeat(gateway, ask):
    gateway.toy.act = gateway.toy.wait
    asking = asyncio.ensure_future(ask("k"))
    await gateway.toy.arrived.wait()
    await gateway.restart()
    await asyncio.wait([asking])
    gateway.toy.act = gateway.toy.say_ids

    found = json.loads((await ask("k"))[1])

    assert (True, 1) == (found["repeat"], gateway.toy.calls)


async def test_a_day_later_a_key_is_new(gateway, ask):
    await ask("k")
    await gateway.clock.advance(nanoseconds=DAY_NS)

    await ask("k")

    assert 2 == gateway.toy.calls


async def test_the_work_goes_on_when_its_client_hangs_up_and_a_repeat_is_told(gateway, ask):
    gateway.toy.act = gateway.toy.wait
    await hang_up(gateway, **{HEADER: "k"})
    gateway.toy.released.set()
    await eventually(lambda: not gateway.toy.scope.names)

    status, _, headers = await ask("k")

    assert (200, "true", 1) == (status, headers.get(REPLAYED), gateway.toy.calls)


async def test_the_work_goes_on_when_the_wait_for_it_is_ended(gateway, ask):
    gateway.toy.act = gateway.toy.wait
    gateway.toy.arrived.clear()
    asking = asyncio.ensure_future(ask("k"))
    await gateway.toy.arrived.wait()
    gateway.toy.requests[0].task.cancel()
    await asyncio.wait([asking])
    gateway.toy.released.set()
    await eventually(lambda: not gateway.toy.scope.names)

    assert "true" == (await ask("k"))[2].get(REPLAYED)


async def test_a_file_that_fails_lets_nothing_begin(gateway, ask):
    gateway.layer._stores[("mock", "paper-1")].close()

    status, body, _ = await ask("k")

    assert (409, 0) == (status, gateway.toy.calls)
    assert "answers" in json.loads(body)["toy"]


async def test_an_answer_that_can_not_be_kept_is_given_all_the_same(gateway, ask, caplog):
    async def act(request):
        gateway.layer._stores[("mock", "paper-1")].close()
        return await gateway.toy.say_count(request)

    gateway.toy.act = act

    assert 201 == (await ask("k"))[0]
    assert "an answer could not be kept" in caplog.text


async def test_a_file_that_can_not_be_used_stops_the_start(gateway, tmp_path):
    broken = SimpleNamespace(provider="mock", account_id="b", state_dir=tmp_path)
    path = store_path(broken)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"no database" * 200)

    with pytest.raises(JournalUnavailableError):
        await Idempotency([broken], SeededIds(), gateway.clock).open()
