"""The venue as it is by default, served as wharf, and a broker connected to it."""

from contextlib import AsyncExitStack

import pytest
from tests.conformance.references.wharf.rig import Rig


@pytest.fixture
async def open_rig():
    """Serve a venue with settings of its own; connecting is the test's."""
    async with AsyncExitStack() as stack:

        async def make(**settings):
            rig = Rig(stack, **settings)
            await rig.open()
            return rig

        yield make


@pytest.fixture
async def rig(open_rig):
    """A venue, and nobody connected yet."""
    return await open_rig()


@pytest.fixture
async def broker(rig):
    """A broker connected as a user would."""
    return await rig.connect()
