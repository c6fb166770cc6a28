"""A gateway for each test."""

from contextlib import AsyncExitStack

import pytest
from tests.dialects.tektii.gateway_rig import Gateway


@pytest.fixture
async def open_gateway(tmp_path):
    """Make a gateway with settings of its own."""
    async with AsyncExitStack() as stack:

        async def make(entries=(), *, settings=None, **options):
            return await Gateway(stack, tmp_path, **(settings or {})).open(entries, **options)

        yield make


@pytest.fixture
async def gateway(open_gateway):
    """A gateway over a mock as it is by default."""
    return await open_gateway()
