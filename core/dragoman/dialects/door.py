"""Who may speak to a server at all: by its own names, from its own pages, on its own machine.

A page in somebody's browser can send requests to this machine, so what a browser sends for another
page, and what came by a name that is not this machine's, is refused. No page may read an answer:
nothing here allows cross-origin requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from dragoman.transport.urls import is_loopback

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from aiohttp import web

__all__ = ["Door", "address_of", "is_local"]

_FOREIGN_HOST: Final = "the Host header names another machine than this one"
_FOREIGN_PAGE: Final = "what a browser sends for another page is refused"
_NOT_LOCAL: Final = "without keys only programs on this machine are served"
_MOST_NAMES: Final = 1024
_MAPPED: Final = "::ffff:"
_OTHER_SITES: Final = frozenset({"cross-site", "same-site"})


class Door:
    """Looks at where a request comes from.

    Args:
        hosts: Names that a request may come by besides those of loopback, without ports.
        origins: Origins that may ask besides the server's own, such as "https://desk.example".
        is_keyed: Whether clients must show keys; without, only connections to a loopback address
            are served, whoever listens.
    """

    def __init__(
        self, *, hosts: Collection[str] = (), origins: Collection[str] = (), is_keyed: bool = True
    ) -> None:
        self._hosts = frozenset(name.lower() for name in hosts)
        self._origins = frozenset(origins)
        self._is_keyed = is_keyed
        self._known: set[str] = set()

    def objection(self, request: web.Request) -> str | None:
        """Return why this request is refused; None to let it in."""
        headers = request.headers
        host = headers.getall("Host", [])
        if len(host) != 1 or not self._is_own(host[0]):
            return _FOREIGN_HOST
        if "Origin" in headers:
            if not self._is_own_page(request, host[0]):
                return _FOREIGN_PAGE
        elif _is_part_of_a_page(headers):
            return _FOREIGN_PAGE
        if not self._is_keyed and not is_local(request.protocol.sockname):
            return _NOT_LOCAL
        return None

    def _is_own(self, host: str) -> bool:
        if host in self._known:
            return True
        name = _name_of(host)
        if not (is_loopback(name) or name in self._hosts):
            return False
        if len(self._known) < _MOST_NAMES:
            self._known.add(host)
        return True

    def _is_own_page(self, request: web.Request, host: str) -> bool:
        origins = request.headers.getall("Origin")
        return len(origins) == 1 and (
            origins[0] == f"{request.scheme}://{host}" or origins[0] in self._origins
        )


def _is_part_of_a_page(headers: Mapping[str, str]) -> bool:
    """Tell whether a page of another origin loads this as if it were an image or a script.

    A browser sends no Origin then; what somebody goes to by a link is no part of a page.
    """
    site = headers.get("Sec-Fetch-Site")
    return site in _OTHER_SITES and headers.get("Sec-Fetch-Mode") != "navigate"


def is_local(address: object) -> bool:
    """Tell whether a socket's own address can be reached from this machine only."""
    if isinstance(address, str):
        return True  # a socket in the file system
    host = address_of(address).removeprefix(_MAPPED)
    return host == "::1" or host.startswith("127.")


def address_of(address: object) -> str:
    """Return the host of one end of a connection; "" where it has none."""
    if isinstance(address, tuple) and address:
        return str(cast("tuple[object, ...]", address)[0])
    return ""


def _name_of(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
