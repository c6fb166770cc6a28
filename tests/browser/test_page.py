"""The report's page in a real browser: it fits a phone and a desk, and prints.

Skipped where there is no Chromium; `tox -e browser` demands one.
"""

import os
import re
import shutil
import subprocess

import pytest
from tests.conformance.made_reports import all_played, column_of, played

from dragoman_conformance.report.html import page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
WRAPPER = """<!doctype html><title>waiting</title><iframe src="report.html" onload="
  const inner = this.contentDocument.documentElement;
  document.title = 'widths ' + inner.scrollWidth + ' ' + inner.clientWidth;
" style="border: 0; width: {width}px; height: 3000px"></iframe>"""
LONG = "x" * 300 + " 1 expected, 2 found"

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and "DRAGOMAN_BROWSER" not in os.environ, reason="there is no Chromium"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    failed = played("ACC-010", why=LONG, exchanges=("GET /" + "y" * 900,))
    columns = [column_of(all_played(ACC_010=failed)) for _ in range(3)]
    text = page(columns)
    (folder / "report.html").write_text(text.replace("<details>", "<details open>", 40))
    return folder


def chromium(folder, *arguments):
    assert CHROMIUM is not None, "there is no Chromium to look with"
    command = [
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={folder}/u",
    ]
    return subprocess.run(  # noqa: S603 - runs the browser that was found
        [*command, *arguments], cwd=folder, capture_output=True, text=True, timeout=120, check=True
    )


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_window(folder, width):
    (folder / "wrapper.html").write_text(WRAPPER.format(width=width))

    shown = chromium(
        folder,
        "--allow-file-access-from-files",
        "--hide-scrollbars",
        "--virtual-time-budget=3000",
        "--dump-dom",
        f"file://{folder}/wrapper.html",
    )

    (widths,) = re.findall(r"<title>widths (\d+) (\d+)</title>", shown.stdout)
    assert (str(width), str(width)) == widths


def test_the_page_prints(folder):
    chromium(folder, "--print-to-pdf=page.pdf", f"file://{folder}/report.html")

    assert (folder / "page.pdf").read_bytes().startswith(b"%PDF")
