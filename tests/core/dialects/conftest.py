"""A toy dialect served over a venue in the test's hands, on a real port of this machine."""

from contextlib import asynccontextmanager

import aiohttp
import pytest
from tests.core.dialects.toy import HeldVenue, ToyDialect

from dragoman.dialects import SimpleHost


@pytest.fixture
async def venue():
    return HeldVenue()


@pytest.fixture
async def broker(venue):
    async with venue.connect() as broker:
        yield broker


@pytest.fixture
def toy():
    return ToyDialect()


@pytest.fixture
def serve(broker, toy):
    """Serves the toy: `async with serve(**settings) as client`; the client shows a key."""

    @asynccontextmanager
    async def serving(brokers=None, *, key="k", secret="", **settings):
        async with (
            SimpleHost(brokers or broker, toy, **settings) as host,
            aiohttp.ClientSession(host.url, headers={"X-Key": key, "X-Secret": secret}) as client,
        ):
            yield client

    return serving
