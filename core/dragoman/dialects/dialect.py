"""What a protocol folder writes to be spoken as a server: routes, and how errors are told."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from dragoman.errors import (
    AuthenticationError,
    BusyError,
    ConfigurationError,
    ConflictError,
    LifecycleError,
    NotFoundError,
    Outcome,
    PermissionDeniedError,
    RateLimitedError,
    RequestError,
    VenueError,
)

from .credentials import shown_credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from dragoman.errors import DragomanError

    from .host import DialectHost

__all__ = ["Dialect"]

_STATUSES: Final[tuple[tuple[type[DragomanError], int], ...]] = (
    (AuthenticationError, 401),
    (PermissionDeniedError, 403),
    (NotFoundError, 404),
    (ConflictError, 409),
    (RateLimitedError, 429),
    (RequestError, 422),
    (VenueError, 422),
    (LifecycleError, 503),
    (BusyError, 503),
)


class Dialect(ABC):
    """One foreign protocol, served over any broker.

    A protocol folder names its dialect in `Protocol.dialect`; it is made without arguments, and one
    instance is mounted once. It keeps what it must remember in the host's identity maps, and knows
    no venue.
    """

    name: str
    """The protocol's name, such as "alpaca": `dragoman serve --dialect` takes it."""

    @abstractmethod
    def mount(self, app: web.Application, host: DialectHost) -> None:
        """Add every route to `app`, and to its `on_startup` and `on_cleanup` what lives with it.

        Called before the server listens; nothing is served before every `on_startup` is done. A
        handler may raise any `DragomanError`: the host answers with `problem`. What a handler began
        goes on when its client goes away: it isn't canceled before the host closes.
        """

    @abstractmethod
    def refuse(self, status: int, message: str) -> web.StreamResponse:
        """Return the answer of this HTTP status, in the protocol's own form of an error.

        Also the form of what the host itself refuses: no such route (404, 405), a body too large or
        too slow (413, 408), a wrong Host or Origin (403), too many requests (429), a failure within
        (500).
        """

    def problem(self, error: DragomanError) -> web.StreamResponse:
        """Return the answer to a request whose handler raised `error`.

        An outcome that is not known is a 504, never an error a client may repeat. Protocols whose
        clients act on codes or texts override this.
        """
        if error.outcome is Outcome.UNKNOWN:
            return self.refuse(504, error.message)
        status = next((code for kind, code in _STATUSES if isinstance(error, kind)), 502)
        return self.refuse(status, error.message)

    def configure(self, settings: Mapping[str, object]) -> None:
        """Take settings of the protocol's own; called at most once, before `mount`.

        Protocols that have some override this.

        Raises:
            ConfigurationError: There is no such setting, or its value is wrong (NOT_SENT).
        """
        for name in settings:
            raise ConfigurationError(f"the dialect {self.name} has no setting {name!r}")

    def credentials(self, request: web.Request) -> tuple[str | None, str | None]:
        """Return the key id and the secret that a request shows, as `authenticate` takes them.

        None where it shows none. The host knows by them whose request it is before its handler
        runs; protocols that carry them elsewhere override this. It never raises.
        """
        return shown_credentials(request)

    def account_named(self, request: web.Request) -> tuple[str, str] | None:
        """Return the provider and the account id that the path of a request names.

        None where the protocol names none: then the client's default account is meant. What a
        client is answered is kept apart by it. Protocols that name accounts override this.
        """
        del request
        return None

    async def farewell(self) -> None:  # noqa: B027 - most dialects have nothing to say
        """Say what is to be said before the host closes every socket.

        Called once, when no new command is taken any more and those begun are answered, and given
        `farewell_s` of the host's limits. What is handed to a socket here is written before it
        closes; one that is ended here closes with the code and the reason given here, any other
        with 1001.
        """

    def hints(self, url: str) -> tuple[str, ...]:
        """Return lines that tell a person how to point a client at `url`: settings, no secrets."""
        return (f"base URL: {url}",)
