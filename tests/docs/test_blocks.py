"""What the pages and the examples show runs as it stands, against the mock."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SET_UP = ("python3 -m venv", ".venv/bin/pip", ".venv/bin/tox", "pip install")


def blocks(language: str) -> list[object]:
    found: list[object] = []
    for page in PAGES:
        text = page.read_text("utf-8")
        for match in BLOCK.finditer(text):
            if match[1] == language:
                line = text.count("\n", 0, match.start()) + 1
                found.append(pytest.param(match[2], id=f"{page.relative_to(ROOT)}:{line}"))
    return found


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    state = {"DRAGOMAN_STATE_DIR": str(folder / "state"), "DRAGOMAN_CONFIG": str(folder / "none")}
    return subprocess.run(  # noqa: S603 - runs the pages
        command,
        cwd=folder,
        env={**os.environ, **state, "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("code", blocks("python"))
def test_a_python_block_runs(code: str, tmp_path: Path) -> None:
    done = run([sys.executable, "-c", code], tmp_path)

    assert (0, "") == (done.returncode, done.stderr), done.stdout


@pytest.mark.parametrize("lines", blocks("console"))
def test_a_console_block_runs(lines: str, tmp_path: Path) -> None:
    for line in lines.splitlines():
        if line.startswith(SET_UP) or not line.strip():
            continue
        program, *arguments = shlex.split(line.removeprefix("$ "), comments=True)
        assert "dragoman" == Path(program).name

        done = run([str(Path(sys.executable).with_name("dragoman")), *arguments], tmp_path)

        assert 0 == done.returncode, (line, done.stdout, done.stderr)


@pytest.mark.parametrize(
    "arguments",
    [["moving_average.py"], ["quote_recorder.py", "quotes.csv", "20"], ["two_accounts.py"]],
    ids=lambda arguments: arguments[0],
)
def test_an_example_runs(arguments: list[str], tmp_path: Path) -> None:
    name, *rest = arguments

    done = run([sys.executable, str(ROOT / "examples" / name), *rest], tmp_path)

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout


def test_every_example_is_run() -> None:
    names = {path.name for path in (ROOT / "examples").glob("*.py")}

    assert {"moving_average.py", "quote_recorder.py", "two_accounts.py"} == names
