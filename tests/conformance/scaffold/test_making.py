"""The folder of a new adapter: what is in it, and what stops it from being made."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from dragoman.errors import ConfigurationError
from dragoman_conformance.scaffold import create, hint

PACKAGE = {
    "NOTES.md",
    "__init__.py",
    "adapter.py",
    "capabilities.py",
    "conformance.py",
    "dialect/__init__.py",
    "dialect/desk.py",
    "dialect/handlers.py",
    "dialect/refusals.py",
    "dialect/rows.py",
    "errors.py",
    "evidence/tables/calls.toml",
    "mapping.py",
    "py.typed",
    "rest.py",
    "spec.py",
    "stream.py",
    "wire.py",
}
CHECKOUT = Path(__file__).parents[3]


def files_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_distribution_of_its_own_is_made(tmp_path):
    made = create("zebu", tmp_path)

    project = {"README.md", "pyproject.toml", "tests/test_conformance.py"}
    assert tmp_path / "dragoman-zebu" == made
    assert {f"dragoman_zebu/{name}" for name in PACKAGE} | project == files_in(made)


def test_its_entry_points_lead_into_its_package(tmp_path):
    made = create("zebu", tmp_path)

    project = tomllib.loads((made / "pyproject.toml").read_text("utf-8"))["project"]
    points = project["entry-points"]
    assert {"zebu": "dragoman_zebu.spec:PROTOCOL"} == points["dragoman.protocols"]
    assert {"zebu": "dragoman_zebu.conformance:SUBJECT"} == points["dragoman.subjects"]


def test_within_the_adapters_of_a_checkout_only_the_package_is_made(tmp_path):
    (tmp_path / "core/dragoman").mkdir(parents=True)
    (tmp_path / "adapters").mkdir()

    made = create("zebu", tmp_path / "adapters")

    assert tmp_path / "adapters/dragoman_zebu" == made
    assert PACKAGE == files_in(made)
    assert any("dragoman.protocols" in line for line in hint("zebu", made))


def test_a_name_takes_the_place_of_the_template_s_in_every_spelling(tmp_path):
    made = create("big_bank", tmp_path)

    texts = [path.read_text("utf-8") for path in made.rglob("*") if path.is_file()]
    assert not [text for text in texts if "acme" in text.lower()]
    assert "class BigBankAdapter" in (made / "dragoman_big_bank/adapter.py").read_text("utf-8")
    assert 'name="big-bank-paper"' in (made / "dragoman_big_bank/spec.py").read_text("utf-8")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Acme",
        "2acme",
        "acme-x",
        "acme__x",
        "_acme",
        "acme_",
        "a b",
        "../acme",
        "a" * 41,
        "class",
    ],
)
def test_what_is_no_name_is_refused(tmp_path, name):
    with pytest.raises(ConfigurationError):
        create(name, tmp_path)

    assert set() == files_in(tmp_path)


@pytest.mark.parametrize("name", ["alpaca", "mock", "conformance"])
def test_what_is_installed_is_not_made_again(tmp_path, name):
    with pytest.raises(ConfigurationError, match=name):
        create(name, tmp_path)

    assert set() == files_in(tmp_path)


def test_nothing_that_exists_is_overwritten(tmp_path):
    made = create("zebu", tmp_path)
    (made / "README.md").write_text("mine", "utf-8")

    with pytest.raises(ConfigurationError, match="exists already"):
        create("zebu", tmp_path)

    assert "mine" == (made / "README.md").read_text("utf-8")


def test_a_folder_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(ConfigurationError, match="there is no folder"):
        create("zebu", tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["acme", "zebu"])
def test_what_is_made_passes_its_own_linter(tmp_path, name):
    made = create(name, tmp_path)
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    if ruff is None:
        pytest.skip("ruff is not installed here")

    check = [ruff, "check", "--no-cache", str(made)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)  # noqa: S603 - a tool

    assert 0 == done.returncode, done.stdout


def test_the_page_shows_the_files_that_are_made():
    page = (CHECKOUT / "docs/new-adapter.md").read_text("utf-8")

    for name in PACKAGE - {"__init__.py", "py.typed"}:
        word = name.partition("/")[0]
        assert f"`{word}`" in page or f"`{word}/`" in page, name
