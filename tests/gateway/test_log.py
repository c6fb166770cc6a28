"""One line for each record, whatever is in it."""

import io
import json
import logging
import sys

import pytest
from tests.gateway.standing import CAPTAIN, bearer, gateway

from dragoman.credentials import Secret
from dragoman.times import parse_time
from dragoman_gateway.log import JsonFormatter, PlainFormatter, audit, set_up_logs

HOSTILE = 'a\r\n{"level": "FORGED"}\x1b[2J\x00\x7f\x85\u2028\u202e\u2066\u200f\ud800b'


def line(message="sent", formatter=JsonFormatter, **extra):
    record = logging.LogRecord("dragoman.x", logging.INFO, "x.py", 1, message, (), None)
    vars(record).update(extra)
    return formatter().format(record)


def test_a_record_is_an_object_with_its_facts():
    found = json.loads(line(symbol="AAPL", count=3, ratio=0.5, is_flat=True, none=None))

    assert parse_time(found.pop("time"))
    assert {
        "level": "INFO",
        "logger": "dragoman.x",
        "message": "sent",
        "symbol": "AAPL",
        "count": 3,
        "ratio": 0.5,
        "is_flat": True,
        "none": None,
    } == found


@pytest.mark.parametrize("formatter", [JsonFormatter, PlainFormatter])
@pytest.mark.parametrize(
    "extra",
    [
        {"cause": HOSTILE},
        {"causes": [HOSTILE, (HOSTILE,)]},
        {"table": {HOSTILE: HOSTILE}},
        {"error": ValueError(HOSTILE)},
        {"message": HOSTILE},
    ],
    ids=["text", "list", "table", "object", "message"],
)
def test_what_comes_from_outside_makes_no_line_of_its_own(formatter, extra):
    told = line(formatter=formatter, **({"msg": extra["message"]} if "message" in extra else extra))

    assert told.isprintable()
    assert "FORGED" in told
    told.encode()


def test_what_is_very_long_is_cut():
    assert 2003 == len(json.loads(line(cause="x" * 100_000))["cause"])


def test_a_secret_stays_one():
    assert "<secret>" == json.loads(line(key=Secret("key-of-mine")))["key"]


def test_an_exception_is_told_by_its_place():
    try:
        int(HOSTILE)
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "failed", (), sys.exc_info())

    found = json.loads(JsonFormatter().format(record))

    assert "ValueError" == found["error"]
    assert "FORGED" not in str(found)
    assert "test_log.py" in found["place"]


def test_people_read_one_line_as_well():
    told = line(formatter=PlainFormatter, symbol="AAPL")

    assert told.endswith(" INFO dragoman.x sent symbol=AAPL")


def test_a_halt_is_audited(broker, caplog):
    audit("halt", broker=broker, client="captain", cause="fat finger")

    (record,) = caplog.records
    assert ("dragoman.audit", logging.WARNING) == (record.name, record.levelno)
    assert ("halt", "fake", "one", "captain", "fat finger") == (
        record.action,
        record.provider,
        record.account_id,
        record.client,
        record.cause,
    )


@pytest.fixture
def root():
    found = logging.getLogger()
    handlers, level = found.handlers[:], found.level
    yield found
    found.handlers[:] = handlers
    found.setLevel(level)


@pytest.mark.parametrize("is_json", [True, False])
def test_a_process_is_set_up_once(root, is_json):
    stream = io.StringIO()
    for _ in range(2):
        set_up_logs("WARNING", stream=stream, is_json=is_json)
    logging.getLogger("dragoman.x").info("nothing")
    logging.getLogger("dragoman.x").warning("something")

    (told,) = stream.getvalue().splitlines()
    assert is_json is told.startswith("{")
    assert "something" in told


@pytest.mark.parametrize("action", ["halt", "resume"])
async def test_whoever_steers_over_the_native_protocol_is_audited(broker, caplog, action):
    async with gateway(broker, native=True, keys=[CAPTAIN]) as client:
        path = f"/native/v1/fake/one/{action}"
        answer = await client.post(path, headers=bearer(CAPTAIN.secret.reveal()))

    assert 200 == answer.status
    told = [one for one in caplog.records if one.name == "dragoman.audit"]
    assert [(action, "captain")] == [(one.action, one.client) for one in told]
