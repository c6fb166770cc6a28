"""A scripted gateway, and an adapter connected to it."""

import pytest

from dragoman_tektii import TektiiAdapter

from .gateway import Gateway


@pytest.fixture
def gateway():
    return Gateway()


@pytest.fixture
async def tektii(gateway):
    adapter = TektiiAdapter(gateway.context(account_id="gateway"))
    await adapter.open()
    yield adapter
    await adapter.aclose()
