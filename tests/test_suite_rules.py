"""The rules that `conftest.py` sets for every test are enforced: here are tests that break them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
OFFENDERS = """
import asyncio, contextlib, socket, warnings

async def test_keeps_the_rules():
    task = asyncio.get_running_loop().create_task(asyncio.Event().wait())
    task.cancel()
    await asyncio.wait([task])

async def test_leaks_a_task():
    test_leaks_a_task.kept = asyncio.get_running_loop().create_task(asyncio.Event().wait())

def test_reaches_out():
    socket.create_connection(("192.0.2.1", 443))

def test_swallows_that_it_reached_out():
    with contextlib.suppress(BaseException):
        socket.create_connection(("192.0.2.1", 443))

def test_warns():
    warnings.warn("something")

def test_forgets_a_socket():
    socket.socket()

async def test_forgets_to_await():
    asyncio.wait([])
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("offenders")
    shutil.copy(TESTS / "conftest.py", folder)
    (folder / "test_offenders.py").write_text(OFFENDERS)
    config = f"-c={TESTS.parent / 'pyproject.toml'}"
    command = [sys.executable, "-m", "pytest", config, f"--rootdir={folder}", "-qrA", str(folder)]

    run = subprocess.run(  # noqa: S603 - runs the tests written above
        [*command, "-p", "no:cacheprovider"], capture_output=True, text=True, check=False
    )

    found = re.findall(r"^(PASSED|FAILED|ERROR) \S*::test_(\w+)", run.stdout, re.MULTILINE)
    return {name: outcome for outcome, name in sorted(found, reverse=True)}


def test_a_test_that_keeps_the_rules_passes(outcomes):
    assert "PASSED" == outcomes["keeps_the_rules"]


@pytest.mark.parametrize(
    "name",
    [
        "leaks_a_task",
        "reaches_out",
        "swallows_that_it_reached_out",
        "warns",
        "forgets_a_socket",
        "forgets_to_await",
    ],
)
def test_a_test_that_breaks_a_rule_fails(outcomes, name):
    assert outcomes[name] in {"FAILED", "ERROR"}
