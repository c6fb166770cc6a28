"""Requests made up from the OpenAPI document: whatever is asked, no answer is a failure within.

A few hundred of them, the same ones each time. `DRAGOMAN_FUZZ` asks for so many of each operation
instead (`tox -e schemathesis`).
"""

import asyncio
import os
import threading
from contextlib import contextmanager

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import dragoman
from dragoman.dialects import SimpleHost
from dragoman_gateway.native import NativeDialect
from dragoman_gateway.native.documents import openapi

WANTED = int(os.environ.get("DRAGOMAN_FUZZ", "0"))
CHECKS = (
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
KNOWN = {
    "symbol": ["AAPL", "BTC/USD", "NOPE"],
    "client_order_id": ["a", "a/b"],
    "position_id": ["AAPL", "BTC/USD"],
}


def reachable():
    """Return the document with the account that is served in its paths, and some known names."""
    document = openapi()
    document["servers"] = []
    paths = document["paths"]
    document["paths"] = {
        path.replace("{provider}/{account_id}", "mock/paper-1"): operations
        for path, operations in paths.items()
    }
    for operations in paths.values():
        for operation in operations.values():
            operation["parameters"] = [
                with_known(one)
                for one in operation.get("parameters", ())
                if one["name"] not in {"provider", "account_id"}
            ]
    order = document["components"]["schemas"]["OrderRequestInput"]["properties"]
    order["symbol"] = {"anyOf": [{"enum": KNOWN["symbol"]}, {"type": "string"}]}
    return document


def with_known(parameter):
    schema, known = parameter["schema"], KNOWN.get(parameter["name"])
    if "timeout_s" == parameter["name"]:
        return {**parameter, "schema": {"type": "integer", "maximum": 0}}
    if known is None:
        return parameter
    if "array" == schema.get("type"):
        return {**parameter, "schema": {**schema, "maxItems": 9, "items": {"enum": known}}}
    return {**parameter, "schema": {"anyOf": [{"enum": known}, schema]}}


SCHEMA = schemathesis.openapi.from_dict(reachable())
OPERATIONS = [result.ok() for result in SCHEMA.get_all_operations()]


@contextmanager
def serving():
    """Serve the mock venue from a thread with a loop of its own."""
    ready, urls, loop = threading.Event(), [], asyncio.new_event_loop()

    async def serve():
        stop = asyncio.Event()
        async with (
            await dragoman.connect("mock", clock=dragoman.ManualClock()) as broker,
            SimpleHost(broker, NativeDialect()) as host,
        ):
            urls.extend([host.url, stop])
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(60)
        yield urls[0]
    finally:
        loop.call_soon_threadsafe(urls[1].set)
        thread.join(60)
        loop.close()


@pytest.fixture(scope="module")
def url():
    with serving() as url:
        yield url


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_no_request_breaks_an_operation(url, operation):
    calls = settings(
        max_examples=WANTED or 8,
        derandomize=not WANTED,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    @calls
    @given(case=operation.as_strategy())
    def call(case):
        answer = case.call(base_url=url)
        case.validate_response(answer, checks=CHECKS)

    call()
