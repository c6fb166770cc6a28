import subprocess
import sys

import pytest

from dragoman import paper


@pytest.mark.parametrize("name", paper.__all__)
def test_every_public_name_resolves(name):
    assert name == getattr(paper, name).__name__
    assert name in dir(paper)


def test_unknown_name_is_told():
    with pytest.raises(AttributeError, match="nothing"):
        _ = paper.nothing


def test_importing_the_package_loads_no_engine():
    code = "import sys, dragoman.paper; print('dragoman.paper.engine' in sys.modules)"

    done = subprocess.run(  # noqa: S603 - this interpreter, a fixed program
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert "False" == done.stdout.strip()
