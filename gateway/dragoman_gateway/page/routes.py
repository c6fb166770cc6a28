"""The routes of the page, and the headers that keep it harmless.

The policy lets the page load its own files and speak to its own origin: it runs nothing inline,
loads nothing from elsewhere, stands in no frame, and turns no text into markup, so that a symbol or
an order id that holds markup stays text even if the page's own code were wrong.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from aiohttp import web

from .files import INDEX, load_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .files import PageFile

__all__ = ["add_page"]

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_FOLDER: Final = "/page/"


def add_page(app: web.Application) -> None:
    """Serve the page at `/` of `app`, its parts below `/page/`.

    Every address in it is relative, so it works below any prefix of another application as well. It
    speaks the native protocol to `native/v1/` beside itself, and needs no key to be loaded: it
    holds no data.
    """
    for file in load_files():
        if file.name != INDEX:
            app.router.add_get(_FOLDER + file.name, partial(_send, file))
            continue
        app.router.add_get("/", partial(_send, file))
        # Where `app` lies below a prefix: without the slash the relative addresses would miss it.
        app.router.add_get("", _add_slash)


async def _send(file: PageFile, request: web.Request) -> web.Response:
    # Nobody's disk needs the document; its parts may be kept, but are asked for again each time,
    # because parts of two versions do not fit.
    caching = "no-store" if file.name == INDEX else "no-cache"
    headers = {**_HEADERS, "Cache-Control": caching, "ETag": f'"{file.tag}"'}
    asked = request.if_none_match or ()
    if any(tag.value in {file.tag, "*"} for tag in asked):
        return web.Response(status=304, headers=headers)
    return web.Response(body=file.body, content_type=file.kind, charset="utf-8", headers=headers)


async def _add_slash(request: web.Request) -> web.Response:
    name = request.rel_url.raw_path.rpartition("/")[2]
    return web.Response(status=308, headers={**_HEADERS, "Location": f"{name}/"})
