"""The wheel works in a fresh environment outside the checkout."""

import statistics

# What a program pays for only when it connects.
HEAVY = {
    "aiohttp",
    "asyncio",
    "cattrs",
    "cyclopts",
    "dragoman_alpaca",
    "dragoman_conformance",
    "dragoman_gateway",
    "dragoman_mock",
    "importlib.metadata",
    "msgspec",
    "platformdirs",
    "rich",
    "sqlite3",
    "ssl",
}
TIMED_IMPORT = """
import time
start = time.process_time()
import {name}
print(time.process_time() - start)
"""


def import_seconds(environment, name):
    return float(environment.run("python", "-c", TIMED_IMPORT.format(name=name)).stdout)


def test_version_is_the_declared_one(plain_environment, project):
    script = "import dragoman; print(dragoman.__version__)"

    found = plain_environment.run("python", "-c", script)

    assert (project["project"]["version"], "") == (found.stdout.strip(), found.stderr)


def test_import_loads_nothing_heavy(plain_environment):
    script = "import sys, dragoman; print(*sys.modules)"

    loaded = plain_environment.run("python", "-c", script).stdout.split()

    assert "dragoman" in loaded
    assert set() == HEAVY & set(loaded)


def test_import_takes_at_most_two_fifths_of_importing_aiohttp(plain_environment):
    rounds = [
        (
            import_seconds(plain_environment, "dragoman"),
            import_seconds(plain_environment, "aiohttp"),
        )
        for _ in range(5)
    ]

    ours, theirs = (statistics.median(times) for times in zip(*rounds, strict=True))
    assert ours <= 0.4 * theirs


def test_command_without_its_extra_names_the_line_to_run(plain_environment):
    found = plain_environment.run("dragoman", "--version")

    assert 0 != found.returncode
    assert "dragoman[cli]" in found.stderr
    assert "Traceback" not in found.stderr


def test_command_tells_the_version(cli_environment, project):
    found = cli_environment.run("dragoman", "--version")

    assert (0, "") == (found.returncode, found.stderr)
    assert project["project"]["version"] in found.stdout


def test_every_subject_finds_its_evidence(plain_environment, checkout):
    script = """
from importlib.metadata import entry_points
for point in entry_points(group="dragoman.subjects"):
    folder = point.load().evidence
    if folder is not None:
        print(point.name, folder, len([path for path in folder.rglob("*") if path.is_file()]))
"""

    found = plain_environment.run("python", "-c", script)

    assert "" == found.stderr
    rows = [line.split() for line in found.stdout.splitlines()]
    assert rows
    for name, folder, count in rows:
        assert not folder.startswith(str(checkout))
        files = [path for path in (checkout / "cassettes" / name).rglob("*") if path.is_file()]
        assert len(files) == int(count)


def test_payloads_are_decoded_from_the_wheel(cli_environment):
    found = cli_environment.run("dragoman", "decode", "alpaca", "--kinds")

    assert (0, "") == (found.returncode, found.stderr)
    assert "trade_update" in found.stdout


def test_demo_runs_over_a_pipe_in_plain_text(cli_environment):
    found = cli_environment.run("dragoman", "demo")

    assert (0, "") == (found.returncode, found.stderr)
    assert found.stdout
    assert "\x1b" not in found.stdout
