"""Every test of this folder runs in both ways, unless it is about what only one of them has."""

from contextlib import AsyncExitStack

import pytest
from tests.shared.rig import WAYS, Rig


@pytest.fixture(params=WAYS)
def way(request):
    return request.param


@pytest.fixture
async def open_rig(way, tmp_path):
    """Make the venue with settings of its own, and what lies between; connecting is the test's."""
    async with AsyncExitStack() as stack:

        async def make(served=None, **settings):
            rig = Rig(way, stack, tmp_path, **settings)
            await rig.open(**(served or {}))
            return rig

        yield make


@pytest.fixture
async def rig(open_rig):
    """The venue as it is by default, and a broker connected to it."""
    rig = await open_rig()
    await rig.connect()
    return rig
