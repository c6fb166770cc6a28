"""The native protocol served over the mock venue, on a real port of this machine."""

from contextlib import asynccontextmanager

import aiohttp
import pytest

import dragoman
from dragoman.dialects import AccessKey, Scope, SimpleHost
from dragoman_gateway.native import NativeDialect

KEYS = {
    "reader": (Scope.READ,),
    "trader": (Scope.READ, Scope.TRADE),
    "halter": (Scope.HALT,),
}


@pytest.fixture
def clock():
    return dragoman.ManualClock()


@pytest.fixture
async def broker(clock):
    async with await dragoman.connect("mock", clock=clock) as broker:
        yield broker


@pytest.fixture
def serve(broker):
    """Serves a broker: `async with serve(**settings) as client`, whose base is the account."""

    @asynccontextmanager
    async def serving(brokers=None, *, headers=None, **settings):
        async with (
            SimpleHost(brokers or broker, NativeDialect(), **settings) as host,
            aiohttp.ClientSession(f"{host.url}/v1/mock/paper-1/", headers=headers or {}) as client,
        ):
            yield client

    return serving


@pytest.fixture
async def client(serve):
    async with serve() as client:
        yield client


@pytest.fixture
def keys():
    return [
        AccessKey(key_id=name, secret=f"the-key-of-the-{name}", scopes=frozenset(scopes))
        for name, scopes in KEYS.items()
    ]


@pytest.fixture
def shown():
    """Headers that show a key."""
    return lambda name: {"Authorization": f"Bearer the-key-of-the-{name}"}
