"""The checkout, what is built from a copy of it with strays planted, and fresh environments."""

import re
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
LEFT_BEHIND = shutil.ignore_patterns(".git", ".tox", ".venv", "__pycache__", ".*_cache")
STRAYS = (".env", "profile.toml", "notes.txt", "core/orders.sqlite3", "tests/venue.pem")


@pytest.fixture(scope="session")
def checkout():
    return CHECKOUT


@pytest.fixture(scope="session")
def project():
    return tomllib.loads((CHECKOUT / "pyproject.toml").read_text())


@pytest.fixture(scope="session")
def package_folders():
    """Every folder with a package of ours, as `root/package`."""
    roots = ("core", "adapters", "conformance", "gateway")
    found = (folder for root in roots for folder in (CHECKOUT / root).glob("dragoman*"))
    return {f"{folder.parent.name}/{folder.name}" for folder in found if folder.is_dir()}


@pytest.fixture(scope="session")
def copy(tmp_path_factory):
    """A copy of the checkout in which somebody left secrets and notes lying about."""
    folder = tmp_path_factory.mktemp("copy") / "dragoman"
    shutil.copytree(CHECKOUT, folder, ignore=LEFT_BEHIND)
    for stray in STRAYS:
        (folder / stray).write_text("stray")
    return folder


def build(kind, source, target):
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (built,) = target.iterdir()
    return built


@pytest.fixture(scope="session")
def wheel(copy, tmp_path_factory):
    return build("wheel", copy, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def sdist(copy, tmp_path_factory):
    return build("sdist", copy, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session")
def wheel_of_sdist(sdist, tmp_path_factory):
    unpacked = tmp_path_factory.mktemp("unpacked")
    shutil.unpack_archive(sdist, unpacked, filter="data")
    (source,) = unpacked.iterdir()
    return build("wheel", source, tmp_path_factory.mktemp("wheel-of-sdist"))


class Environment:
    """A fresh virtual environment outside the checkout, with the wheel in it."""

    def __init__(self, folder, requirement):
        venv.create(folder, with_pip=False)  # the pip that is here installs there as well
        self.folder = folder
        self.scripts = folder / ("Scripts" if sys.platform == "win32" else "bin")
        target = ("--python", str(self.scripts / "python"))
        command = [sys.executable, "-m", "pip", *target, "install", "--quiet", requirement]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)

    def run(self, program, *arguments):
        command = [str(self.scripts / program), *arguments]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def plain_environment(wheel, tmp_path_factory):
    return Environment(tmp_path_factory.mktemp("plain"), str(wheel))


@pytest.fixture(scope="session")
def cli_environment(wheel, tmp_path_factory):
    return Environment(tmp_path_factory.mktemp("cli"), f"{wheel}[cli]")


@pytest.fixture(scope="session")
def readme_commands(checkout):
    """Every line of the README's code blocks, without prompts."""
    blocks = re.findall(r"```\w*\n(.*?)```", (checkout / "README.md").read_text(), re.DOTALL)
    return [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
