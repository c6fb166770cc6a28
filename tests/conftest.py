"""Rules of the whole suite: nothing leaves this machine, no task outlives its test.

Nor does it matter how busy the machine is: time limits count what a test takes (see `patience`).
"""

import asyncio
import gc

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings
from tests.effort import PROFILE
from tests.patience import patient

from dragoman_conformance.guard import NetworkGuard

settings.register_profile(
    "ci",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # a busy machine is no defect
)
settings.register_profile("quick", settings.get_profile("ci"), max_examples=20)
settings.register_profile("soak", settings.get_profile("ci"), max_examples=1000)
settings.load_profile(PROFILE)

guard_key = pytest.StashKey[NetworkGuard]()


def pytest_configure(config):
    guard = config.stash[guard_key] = NetworkGuard()
    guard.__enter__()
    config.add_cleanup(lambda: guard.__exit__(None, None, None))


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Take the tests themselves, which stay to the end, out of every later search for garbage."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture(autouse=True)
def _stays_on_this_machine(pytestconfig):
    guard = pytestconfig.stash[guard_key]
    before = len(guard.attempts)

    yield

    assert () == guard.attempts[before:]


@pytest.fixture
async def _leaves_no_task():
    yield

    leaked = asyncio.all_tasks() - {asyncio.current_task()}
    assert not leaked


@pytest.fixture
async def _is_patient():
    with patient(asyncio.get_running_loop()):
        yield


@pytest.fixture(autouse=True)
def _has_rules(request):
    if pytest_asyncio.is_async_test(request.node):
        if request.node.get_closest_marker("wall_time") is None:
            request.getfixturevalue("_is_patient")
        request.getfixturevalue("_leaves_no_task")
