"""What the source of a package says is read without running it."""

import pytest

from dragoman_conformance import find_subject
from dragoman_conformance.looks.source import (
    adapter_package,
    calls,
    calls_on_import,
    clear_text,
    floats_of_amounts,
    imports,
    texts_of,
)
from dragoman_conformance.references.subjects import WHARF


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return a function that makes a package of one module with a text, and names it."""

    def make(text):
        folder = tmp_path / "kit_made_up_package"
        folder.mkdir()
        (folder / "__init__.py").write_text("", encoding="utf-8")
        (folder / "adapter.py").write_text(text, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        return folder.name

    return make


def test_a_call_is_told_by_the_full_name_that_imports_give_it(package):
    name = package("from time import time as now\nimport asyncio\n\nnow()\nasyncio.sleep(1)\n")

    assert {("time.time", "adapter.py:4"), ("asyncio.sleep", "adapter.py:5")} == set(calls(name))


def test_imports_are_told_by_their_top_package(package):
    name = package("import os.path\nfrom urllib import request\nfrom . import other\n")

    assert ["os", "urllib"] == [module for module, _ in imports(name)]


def test_what_reaches_out_on_import_is_told(package):
    name = package("import socket\n\nsocket.getaddrinfo('x', 1)\n")

    assert ["socket.getaddrinfo at adapter.py:3"] == list(calls_on_import(name))


def test_what_reaches_out_within_a_function_runs_later(package):
    name = package("import socket\n\n\ndef ask():\n    socket.getaddrinfo('x', 1)\n")

    assert [] == list(calls_on_import(name))


@pytest.mark.parametrize(
    "text",
    [
        "ask(url, verify=False)\n",
        "ask(url, ssl=False)\n",
        "context.check_hostname = False\n",
        "import ssl\n\ncontext.verify_mode = ssl.CERT_NONE\n",
        "import ssl\n\nssl._create_unverified_context()\n",
    ],
    ids=["verify", "ssl", "hostname", "mode", "unverified"],
)
def test_unchecked_certificates_are_told(package, text):
    assert 1 == len(list(clear_text(package(text))))


def test_checked_certificates_are_fine(package):
    assert [] == list(clear_text(package("ask(url, ssl=context, verify=True)\n")))


def test_a_float_of_an_amount_is_told(package):
    assert ["adapter.py:1"] == list(floats_of_amounts(package("float(row.price)\n")))


@pytest.mark.parametrize("text", ["float(delay_s)\n", "Error(retry_after=float(told))\n"])
def test_a_float_of_a_span_of_time_is_fine(package, text):
    assert [] == list(floats_of_amounts(package(text)))


def test_an_adapter_is_looked_at_with_all_of_its_package():
    package = adapter_package(find_subject("alpaca"))

    assert "dragoman_alpaca" == package
    assert {"spec.py", "capabilities.py"} <= set(texts_of(package))


def test_an_adapter_within_the_kit_is_looked_at_by_itself():
    assert "dragoman_conformance.references.wharf" == adapter_package(WHARF)
