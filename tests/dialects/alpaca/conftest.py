"""Loads the official client, which imports a deprecated module of its own dependency."""

import warnings
from contextlib import AsyncExitStack

import pytest

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="websockets.legacy", category=DeprecationWarning)
    import alpaca.trading.stream  # noqa: F401

from tests.dialects.alpaca.official import Official
from tests.shared.rig import Rig


@pytest.fixture
async def open_official(tmp_path):
    """Make the official client of a venue with settings of its own."""
    async with AsyncExitStack() as stack:

        async def make(*, raw_data=False, served=None, **settings):
            rig = Rig("alpaca", stack, tmp_path, **settings)
            await rig.open(**(served or {}))
            return Official(rig, raw_data=raw_data)

        yield make


@pytest.fixture
async def official(open_official):
    """The official client of a mock as it is by default."""
    return await open_official()
