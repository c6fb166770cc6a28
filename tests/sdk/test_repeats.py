"""A request that comes twice is done once: keys of repetition, and clients that lost an answer."""

import contextlib
import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
import tektii
from tests.sdk.clients import eventually, fill, fresh_name, open_client, position_of, rest
from tests.sdk.wire import RESTING

pytestmark = pytest.mark.usefixtures("flat")


def post(http, key, body=None, path="/v1/orders"):
    return http.post(path, json=body or RESTING, headers={"Idempotency-Key": key})


def resting(gateway):
    return gateway.list_orders(status=["OPEN", "PENDING"])


def test_an_order_with_the_same_key_is_one_order(http, gateway):
    key = fresh_name("key")

    answers = [post(http, key) for _ in range(3)]

    assert [201] * 3 == [answer.status_code for answer in answers]
    assert 1 == len({answer.text for answer in answers})
    assert 1 == len(resting(gateway))


def test_a_replay_says_that_it_is_one(http):
    key = fresh_name("key")

    first, again = post(http, key), post(http, key)

    assert "idempotent-replayed" not in first.headers
    assert "true" == again.headers["idempotent-replayed"]


def test_another_request_with_the_same_key_is_refused(http, gateway):
    key = fresh_name("key")
    post(http, key)

    answer = post(http, key, {**RESTING, "quantity": "2"})

    assert 422 == answer.status_code
    assert {"code", "message"} <= set(answer.json())
    assert 1 == len(resting(gateway))


def test_a_refusal_is_replayed(http):
    key = fresh_name("key")

    answers = [post(http, key, {**RESTING, "quantity": "0"}) for _ in range(2)]

    assert [400] * 2 == [answer.status_code for answer in answers]
    assert "true" == answers[1].headers["idempotent-replayed"]


@pytest.mark.parametrize("key", ["k" * 256, "tab\there"], ids=["long", "control"])
def test_a_key_that_is_none_is_refused(http, gateway, key):
    answer = post(http, key)

    assert 400 == answer.status_code
    assert "INVALID_REQUEST" == answer.json()["code"]
    assert [] == resting(gateway)


def test_a_key_of_255_characters_is_taken(http):
    assert 201 == post(http, fresh_name("k").ljust(255, "k")).status_code


def test_requests_without_a_key_are_each_done(http, gateway):
    for _ in range(2):
        assert 201 == http.post("/v1/orders", json=RESTING).status_code

    assert 2 == len(resting(gateway))


def test_many_at_once_with_one_key_are_one_order(http, gateway, base):
    key = fresh_name("key")
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: post(http, key).status_code, range(8)))

    assert set(statuses) <= {201, 409}
    assert 201 == post(http, key).status_code
    assert 1 == len(resting(gateway))


def test_a_close_with_a_key_is_done_once(http, gateway):
    fill(gateway, quantity="5")
    position_id = position_of(gateway).id
    key = {"Idempotency-Key": fresh_name("key")}

    answers = [
        http.request("DELETE", f"/v1/positions/{position_id}", json={"quantity": "2"}, headers=key)
        for _ in range(2)
    ]

    assert answers[0].text == answers[1].text
    eventually(lambda: Decimal(position_of(gateway).quantity) == 3)


def test_a_cancel_with_a_key_is_replayed(http, gateway):
    handle = rest(gateway)
    key = {"Idempotency-Key": fresh_name("key")}

    answers = [http.delete(f"/v1/orders/{handle.id}", headers=key) for _ in range(2)]

    assert [200, 200] == [answer.status_code for answer in answers]
    assert answers[0].text == answers[1].text


def test_a_change_with_a_key_is_done_once(http, gateway):
    handle = rest(gateway, quantity="2")
    key = {"Idempotency-Key": fresh_name("key")}

    answers = [
        http.patch(f"/v1/orders/{handle.id}", json={"quantity": "3"}, headers=key) for _ in range(2)
    ]

    assert [200, 200] == [answer.status_code for answer in answers]
    assert answers[0].text == answers[1].text


@pytest.mark.parametrize("call", ["close_position", "close_all_positions"])
def test_a_close_that_the_sdk_repeats_after_a_time_out_is_done_once(gateway, base, call):
    """The venue answers this symbol late, so the SDK gives up and sends its DELETE again."""
    fill(gateway, "TSLA", "5")
    position = eventually(lambda: position_of(gateway, "TSLA"))
    impatient = open_client("sync", base, timeout=0.3, max_retries=2)
    what = {
        "close_position": lambda: impatient.close_position(position.id, quantity="2"),
        "close_all_positions": lambda: impatient.close_all_positions(symbol="TSLA"),
    }[call]
    left = {"close_position": 3, "close_all_positions": 0}[call]

    with contextlib.suppress(tektii.APIConnectionError):
        what()
    impatient.close()

    def remaining():
        found = position_of(gateway, "TSLA")
        return Decimal(0) if found is None else Decimal(found.quantity)

    eventually(remaining, lambda found: found == left)
    sold = [
        order
        for order in gateway.get_order_history(symbol="TSLA", side="sell")
        if order.created_at >= position.opened_at
    ]
    assert [Decimal(5 - left)] == [Decimal(order.quantity) for order in sold]
    assert [] == resting(gateway)


def test_a_replay_has_a_correlation_id_of_its_own(http):
    key = fresh_name("key")
    answers = [
        http.post(
            "/v1/orders",
            content=json.dumps(RESTING),
            headers={
                "Content-Type": "application/json",
                "Idempotency-Key": key,
                "X-Correlation-ID": trace,
            },
        )
        for trace in ("one", "two")
    ]

    assert ["one", "two"] == [answer.headers["x-correlation-id"] for answer in answers]
