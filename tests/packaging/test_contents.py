"""The wheel has the packages and nothing else; the sdist has what builds and tests them."""

import tarfile
import zipfile
from pathlib import PurePosixPath

import pytest

# All that may lie beside the modules of a package.
PACKAGE_DATA = (
    "*/py.typed",
    "dragoman/paper/market/tapes/*.csv",
    "dragoman/paper/market/tapes/README.md",
    "dragoman/paper/market/tapes/*.ndjson",
    "dragoman_*/NOTES.md",
    "dragoman_conformance/editions/*.toml",
    "dragoman_conformance/references/*/evidence/*.toml",
    "dragoman_conformance/references/*/evidence/*/*",
    "dragoman_conformance/report/page.css",
    "dragoman_conformance/report/report.schema.json",
    "dragoman_conformance/requirements/*.toml",
    "dragoman_conformance/scaffold/template/**/*",
    "dragoman_conformance/selftest/kill_matrix.toml",
    "dragoman_gateway/page/static/*",
)
DIST_INFO = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
SDIST = {
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "PKG-INFO",
    "README.md",
    "SECURITY.md",
    "adapters",
    "benchmarks",
    "cassettes",
    "conformance",
    "core",
    "docs",
    "examples",
    "gateway",
    "properdocs.yml",
    "pyproject.toml",
    "tests",
    "tools",
    "tox.ini",
}


def is_shipped(path):
    return path.suffix == ".py" or any(path.match(pattern) for pattern in PACKAGE_DATA)


def files_below(folder):
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {PurePosixPath(path.relative_to(folder.parent)) for path in paths}


@pytest.fixture(scope="session")
def wheel_names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="session")
def sdist_names(sdist):
    with tarfile.open(sdist) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def test_wheel_has_the_modules_and_listed_data_and_nothing_else(
    copy, package_folders, project, wheel_names
):
    packaged = set().union(*(files_below(copy / folder) for folder in package_folders))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"].get("force-include", {})
    evidence = {
        f"{target}/{path.relative_to(path.parts[0])}"
        for source, target in included.items()
        for path in files_below(copy / source)
    }
    info = f"dragoman-{project['project']['version']}.dist-info"

    expected = {str(path) for path in packaged if is_shipped(path)} | evidence
    assert expected | {f"{info}/{name}" for name in DIST_INFO} == wheel_names


def test_wheel_carries_the_sample_tape(wheel_names):
    assert any(PurePosixPath(name).match("dragoman/paper/market/tapes/*") for name in wheel_names)


def test_wheel_of_the_sdist_is_the_wheel_of_the_checkout(wheel, wheel_of_sdist):
    def record(path):
        with zipfile.ZipFile(path) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith("/RECORD"))
            return set(archive.read(name).decode().splitlines())

    assert record(wheel) == record(wheel_of_sdist)


def test_sdist_has_the_listed_files_and_folders_and_nothing_else(sdist_names):
    assert SDIST == {name.partition("/")[0] for name in sdist_names}


@pytest.mark.parametrize("stray", ["orders.sqlite3", "venue.pem"])
def test_sdist_leaves_ignored_files_behind(sdist_names, stray):
    assert [] == [name for name in sdist_names if name.endswith(stray)]
