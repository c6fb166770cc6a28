"""The venue can judge the library only because it does not stand on it."""

import ast
import sys
from pathlib import Path

import pytest

from dragoman_conformance.harbor import venue

FOLDER = Path(venue.__file__).parent
VENUE = ("book", "desk", "ledger", "messages", "order", "settings", "streams", "throttle", "venue")


@pytest.mark.parametrize("module", VENUE)
def test_the_venue_imports_nothing_but_itself_and_the_standard_library(module):
    tree = ast.parse((FOLDER / f"{module}.py").read_text("utf-8"))
    own, outside = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            outside |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            (own if node.level else outside).add((node.module or "").partition(".")[0])

    assert own <= set(VENUE)
    assert outside <= set(sys.stdlib_module_names) | {"__future__"}
