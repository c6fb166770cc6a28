"""The files of a report: what `--report DIR` leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import ConfigurationError

from .badge import badge
from .html import Column, page
from .junit import junit
from .markdown import markdown
from .model import read_exchanges, read_report, write

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .model import Exchanges, Report

__all__ = ["EVENTS", "is_folder", "read_column", "write_folder", "write_page", "write_text"]

EVENTS: Final = "events.ndjson"
"""Where the run tells how it goes on."""
_REPORT: Final = "report.json"
_EXCHANGES: Final = "exchanges.json"


def write_folder(folder: Path, report: Report, exchanges: Exchanges) -> None:
    """Write `report.json`, `exchanges.json`, `junit.xml`, `summary.md` and `badge.svg`.

    Raises:
        OSError: The folder can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.joinpath(_REPORT).write_bytes(write(report))
    folder.joinpath(_EXCHANGES).write_bytes(write(exchanges))
    folder.joinpath("junit.xml").write_bytes(junit(report))
    write_text(folder / "summary.md", markdown(report))
    write_text(folder / "badge.svg", badge(report))


def write_page(file: Path, columns: Sequence[Column]) -> None:
    """Write the page on which several reports stand side by side.

    Raises:
        OSError: The file can't be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, page(columns))


def write_text(file: Path, text: str) -> None:
    """Write a text as UTF-8, with the line feeds it has.

    Raises:
        OSError: The file can't be written.
    """
    file.write_text(text, encoding="utf-8", newline="\n")


def is_folder(place: Path) -> bool:
    """Return whether there is a folder at a place."""
    return place.is_dir()


def read_column(place: Path) -> Column:
    """Return the report in a file, or in a folder, with the exchanges that lie beside it.

    Raises:
        ConfigurationError: There is no report, or it can't be read.
    """
    file = place / _REPORT if place.is_dir() else place
    try:
        report = read_report(file.read_bytes(), str(file))
    except OSError as error:
        raise ConfigurationError(f"there is no report at {file}: {error}") from None
    beside = file.with_name(_EXCHANGES)
    exchanges = read_exchanges(beside.read_bytes(), str(beside)) if beside.is_file() else None
    return Column(report=report, exchanges=exchanges)
