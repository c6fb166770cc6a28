"""The files of the page, read once, each with the tag that tells one version from another."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["INDEX", "PageFile", "load_files"]

INDEX: Final = "index.html"
"""The document itself; all other files are parts of it."""

_KINDS: Final[Mapping[str, str]] = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


@attrs.frozen(kw_only=True)
class PageFile:
    """One file as it is sent. `tag` changes whenever a byte of it does."""

    name: str
    kind: str
    body: bytes = attrs.field(repr=False)
    tag: str


def load_files() -> tuple[PageFile, ...]:
    """Return every file of the page, in the order of their names."""
    folder = files(__name__.rpartition(".")[0]).joinpath("static")
    return tuple(
        _page_file(item.name, item.read_bytes())
        for item in sorted(folder.iterdir(), key=lambda item: item.name)
        if PurePosixPath(item.name).suffix in _KINDS
    )


def _page_file(name: str, body: bytes) -> PageFile:
    kind = _KINDS[PurePosixPath(name).suffix]
    return PageFile(name=name, kind=kind, body=body, tag=hashlib.sha256(body).hexdigest()[:32])
