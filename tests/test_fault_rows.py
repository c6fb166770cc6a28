"""Every row of the published fault table is tested under its id, and every such test has a row."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent
TABLE = TESTS.parent / "docs" / "reliability.md"
NAMED = re.compile(r"test_f(\d\d)_")


def published():
    return set(re.findall(r"^\| F-(\d\d) \|", TABLE.read_text("utf-8"), re.MULTILINE))


def covered():
    found = set()
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found |= set(NAMED.findall(node.name))
    return found


def test_the_published_rows_are_those_that_are_tested():
    assert sorted(published()) == sorted(covered())
