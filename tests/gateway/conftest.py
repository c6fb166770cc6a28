"""One broker of a venue in the test's hands."""

import pytest
from tests.core.dialects.toy import HeldVenue, ToyDialect


@pytest.fixture
def venue():
    return HeldVenue()


@pytest.fixture
async def broker(venue):
    async with venue.connect() as broker:
        yield broker


@pytest.fixture
def toy():
    return ToyDialect()
