"""Bugs that show credentials, or send them where they do not belong."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import attrs

from dragoman.errors import DragomanError

from ...references.beacon.rest import TokenHeader
from ...references.ferry.adapter import FerryAdapter
from ...references.wharf.adapter import WharfAdapter
from ...references.wharf.rest import WharfRest
from ...references.wharf.signing import WharfSigner
from ..grafts import around, rewrites, says_in_its_source
from ..mutant import mutant

if TYPE_CHECKING:
    from dragoman.adapter import AdapterContext
    from dragoman.transport.base import HttpRequest, Transport

    from ..mutant import Plant

_log: Final = logging.getLogger("dragoman_conformance.references.wharf")
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


@attrs.define
class Keys:
    """What a careless adapter keeps its credentials in."""

    secret: str = attrs.field(repr=False)


@mutant("M52", of="wharf", kills=("SEC-010", "SEC-020", "SEC-030"))
def shows_its_key(plant: Plant) -> None:
    """Has the key in its text, in the text of its errors, and in its log."""

    def shown(self: WharfAdapter) -> str:
        return f"<WharfAdapter {self.context.credentials['key']}>"

    async def fetch_accounts(true: Any, self: WharfAdapter) -> object:
        _log.debug("asking for the accounts of %s", self.context.credentials["key"])
        try:
            return await true(self)
        except DragomanError as error:
            raise type(error)(f"{error.message} (key {self.context.credentials['key']})") from None

    plant.replace(WharfAdapter, "__repr__", lambda _: shown)
    around(plant, WharfAdapter, "fetch_accounts", fetch_accounts)


@mutant("M150", of="wharf", kills=("SEC-010",))
def has_a_signer_that_tells_its_secret(plant: Plant) -> None:
    """Prints its signer with all that it holds."""
    plant.replace(
        WharfSigner,
        "__repr__",
        lambda _: lambda self: f"WharfSigner({self._credentials['secret']})",
    )


@mutant("M151", of="wharf", kills=("SEC-020",))
def notes_its_secret_on_errors(plant: Plant) -> None:
    """Adds to errors what they were signed with."""

    async def fetch_account(true: Any, self: WharfAdapter, account_id: str) -> object:
        try:
            return await true(self, account_id)
        except DragomanError as error:
            error.add_note(f"signed with {self.context.credentials['secret']}")
            raise

    around(plant, WharfAdapter, "fetch_account", fetch_account)


@mutant("M152", of="wharf", kills=("SEC-040",))
def keeps_its_secret_where_it_can_be_pickled(plant: Plant) -> None:
    """Copies the secret into a plain object of its own."""

    def keep(_: None, self: Any, context: AdapterContext, *__: Any) -> None:
        self.keys = Keys(context.credentials["secret"])

    rewrites(plant, WharfAdapter, "__init__", keep)


@mutant("M53", of="wharf", kills=("SEC-050",))
def follows_redirects(plant: Plant) -> None:
    """Sends a request again wherever it is redirected to, with all its headers."""

    def make(true: Any) -> Any:
        def begin(self: WharfRest, context: AdapterContext, transport: Transport) -> None:
            true(self, context, transport)
            send = transport.send

            async def follow(request: HttpRequest) -> object:
                answer = await send(request)
                if answer.status not in _REDIRECTS:
                    return answer
                return await send(attrs.evolve(request, url=answer.headers["location"]))

            transport.send = follow  # type: ignore[method-assign,assignment] # it is the bug

        return begin

    plant.replace(WharfRest, "__init__", make)


@mutant("M66", of="wharf", kills=("SEC-060",))
def checks_no_certificate(plant: Plant) -> None:
    """Turns the checking of certificates off."""
    says_in_its_source(
        plant,
        "import ssl\n\ncontext = ssl.create_default_context()\n"
        "context.check_hostname = False\ncontext.verify_mode = ssl.CERT_NONE\n",
    )


@mutant("M153", of="beacon", kills=("SEC-060",))
def asks_by_another_client(plant: Plant) -> None:
    """Sends some requests by a client that is not the library's."""
    says_in_its_source(
        plant, "import httpx\n\n\ndef ask(url):\n    return httpx.get(url, verify=False)\n"
    )


@mutant("M155", of="beacon", kills=("SEC-070",))
def puts_its_token_into_urls(plant: Plant) -> None:
    """Sends the token in the query too."""

    def with_token(draft: Any, self: TokenHeader, *_: Any) -> Any:
        return attrs.evolve(draft, query=(*draft.query, ("token", self.credentials["token"])))

    rewrites(plant, TokenHeader, "sign", with_token)


@mutant("M156", of="ferry", kills=("SEC-080",))
def holds_its_password_in_a_variable(plant: Plant) -> None:
    """Keeps the password in a local variable while it waits for an answer."""

    async def fetch_account(true: Any, self: FerryAdapter, account_id: str) -> object:
        password = self.context.credentials["password"]
        found = await true(self, account_id)
        return found if password else None

    around(plant, FerryAdapter, "fetch_account", fetch_account)
