"""A new adapter as it is made, and as the page on new adapters finishes it."""

import importlib
import re
import sys
from pathlib import Path

import attrs
import pytest

from dragoman.registry import Registry
from dragoman_conformance.scaffold import create

PAGE = Path(__file__).parents[3] / "docs/new-adapter.md"
BLOCK = re.compile(r"^```py\n# dragoman_acme/(\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def replaced(text, code):
    """Put a function that the page shows in the place of the one of the same name."""
    name = re.match(r"(?:async )?def (\w+)", code)[1]
    pattern = rf"^( *)(?:async )?def {name}\(.*?(?=^\1(?:async def|def|class|@)|^\S|\Z)"
    found = re.search(pattern, text, re.MULTILINE | re.DOTALL)
    lines = [found[1] + line if line.strip() else line for line in code.splitlines(keepends=True)]
    return f"{text[: found.start()]}{''.join(lines)}\n\n{text[found.end() :]}"


def imported(made, monkeypatch):
    """Import the subject of an adapter that is not installed."""
    package = next(made.glob("dragoman_*")).name
    monkeypatch.syspath_prepend(str(made))
    subject = importlib.import_module(f"{package}.conformance").SUBJECT
    protocol = importlib.import_module(f"{package}.spec").PROTOCOL
    return subject, Registry([protocol])


@pytest.fixture
def load(monkeypatch):
    """Imports a new adapter; it is forgotten after the test."""
    before = set(sys.modules)
    yield lambda made: imported(made, monkeypatch)
    for name in set(sys.modules) - before:
        if name.startswith("dragoman_fresh"):
            del sys.modules[name]


@pytest.fixture
def unfinished(tmp_path, load):
    subject, registry = load(create("fresh", tmp_path))
    return attrs.evolve(subject, registry=registry)


@pytest.fixture
def finished(tmp_path, load):
    made = create("fresh", tmp_path)
    for name, code in BLOCK.findall(PAGE.read_text("utf-8")):
        file = made / "dragoman_fresh" / name
        named = code.replace("Acme", "Fresh").replace("acme", "fresh")
        file.write_text(replaced(file.read_text("utf-8"), named), "utf-8")
    subject, registry = load(made)
    return attrs.evolve(subject, registry=registry)
