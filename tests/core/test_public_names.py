"""Every public name resolves, and importing the package costs next to nothing."""

import subprocess
import sys

import dragoman


def test_every_public_name_resolves_to_itself() -> None:
    for name in dragoman.__all__:
        assert getattr(dragoman, name) is not None
    assert set(dragoman._HOMES) | {"__version__"} == set(dragoman.__all__)


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    assert not hasattr(dragoman, "exchange")


def test_names_stay_what_they_are_whatever_is_imported_first() -> None:
    code = (
        "import dragoman, dragoman.connection, dragoman.sync; "
        "from dragoman import *; "
        "print(callable(dragoman.connect), callable(dragoman.connect_sync))"
    )

    done = subprocess.run(  # noqa: S603 - a fresh interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert "True True" == done.stdout.strip()


def test_importing_the_package_loads_no_dependency_and_no_adapter() -> None:
    code = (
        "import sys, dragoman; "
        "print([name for name in ('aiohttp', 'asyncio', 'attrs', 'cattrs', 'msgspec', 'ssl', "
        "'dragoman_mock') if name in sys.modules])"
    )

    done = subprocess.run(  # noqa: S603 - a fresh interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert "[]" == done.stdout.strip()
