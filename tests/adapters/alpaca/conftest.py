"""A scripted Alpaca, and an adapter connected to it."""

import pytest

from dragoman_alpaca import AlpacaAdapter

from .rest_venue import RestVenue
from .trading_rows import ACCOUNT


@pytest.fixture
def venue():
    return RestVenue()


@pytest.fixture
async def alpaca(venue):
    adapter = AlpacaAdapter(venue.context(account_id=ACCOUNT))
    await adapter.open()
    yield adapter
    await adapter.aclose()
