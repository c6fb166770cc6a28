"""README, CONTRIBUTING and `.ci/run` give the same commands."""

import os
import stat

import pytest

SET_UP = ("python3 -m venv .venv", '.venv/bin/pip install -e ".[all]" tox')
MAIN_JOB = ".venv/bin/dragoman demo"
TESTS = ".venv/bin/tox"


@pytest.fixture(scope="session")
def ci_commands(checkout):
    lines = (checkout / ".ci/run").read_text().replace('"$python"', "python3").splitlines()
    return [line for line in lines if line.startswith((".venv/", "python3 -m"))]


@pytest.mark.parametrize("command", [*SET_UP, MAIN_JOB, TESTS])
def test_readme_gives_the_command(readme_commands, command):
    assert command in readme_commands


def test_ci_runs_the_commands_of_the_readme_and_no_other(ci_commands):
    assert [*SET_UP, TESTS] == ci_commands


def test_readme_installs_in_no_other_way(readme_commands):
    installs = {line for line in readme_commands if "pip install -e" in line or "-m venv" in line}

    assert set(SET_UP) == installs


def test_contributing_gives_the_same_commands(checkout):
    text = (checkout / "CONTRIBUTING.md").read_text()

    assert "\n".join([*SET_UP, TESTS]) in text


@pytest.mark.skipif(os.name != "posix", reason="needs permission bits")
def test_ci_script_is_executable(checkout):
    assert (checkout / ".ci/run").stat().st_mode & stat.S_IXUSR
