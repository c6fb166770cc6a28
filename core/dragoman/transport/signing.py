"""What a request must carry to be let in, put on it right before it is sent.

A signer says *what* is signed and where the proof goes; the algorithms of `signatures` say *how*. A
signer works on the draft, whose query and body are sent exactly as they were signed. Keys are read
from the credentials each time and kept nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

import attrs

from dragoman.credentials import Credentials

from .endpoint import Auth
from .signatures import Signature, hex_text, revealed
from .urls import encode_query

if TYPE_CHECKING:
    from .draft import RequestDraft

__all__ = ["KeyHeaders", "QuerySigner", "Signer", "Unsigned"]


class Signer(Protocol):
    """Puts on a draft whatever its endpoint's `auth` asks for.

    Subclass it for a venue's own way. For each attempt, `prepare` is awaited, then `sign` is called
    with nothing awaited in between.
    """

    async def prepare(self, draft: RequestDraft) -> None:
        """Fetch what signing this draft needs, a fresh token say; most signers need nothing.

        Raises:
            AuthenticationError: The venue refuses to let these credentials in (NOT_SENT).
            VenueUnavailableError: What is needed can't be fetched now (NOT_SENT).
        """
        del draft

    def sign(self, draft: RequestDraft) -> RequestDraft:
        """Return the draft as it will be sent; unchanged where its endpoint asks for nothing.

        Raises:
            MissingCredentialsError: A credential that is needed was not given (NOT_SENT).
            ConfigurationError: A key can't be used (NOT_SENT).
        """
        ...


class Unsigned(Signer):
    """Leaves every draft as it is: for venues that know no keys."""

    def sign(self, draft: RequestDraft) -> RequestDraft:
        """Return the draft itself."""
        return draft


def _frozen(names: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(dict(names))


@attrs.frozen
class KeyHeaders(Signer):
    """Sends credentials as they are, each in a header: the name of the header to its credential."""

    credentials: Credentials
    names: Mapping[str, str] = attrs.field(converter=_frozen)

    def sign(self, draft: RequestDraft) -> RequestDraft:
        """Return the draft with the headers, unless its endpoint is open to all."""
        if draft.endpoint.auth is Auth.NONE:
            return draft
        headers = tuple(
            (header, revealed(self.credentials, name)) for header, name in self.names.items()
        )
        return draft.signed(headers=draft.headers + headers)


@attrs.frozen(kw_only=True)
class QuerySigner(Signer):
    """Signs the text of query and body, with the time of signing, as the query's last parameter.

    What is signed is the encoded query followed by the body, with nothing in between: where a body
    is sent besides a query, venues of this kind join the two so. Endpoints that ask for a key only
    get its header and nothing more.

    Args:
        keys: What names the sender.
        signature: How the text is signed.
        now_ns: The venue's time, as `ServerClock.now_ns` estimates it.
        receive_window_ms: For how long after signing the venue may accept the request; None leaves
            it to the venue.
        encode: How the signature is spelled.
    """

    keys: Signer
    signature: Signature
    now_ns: Callable[[], int]
    receive_window_ms: int | None = None
    encode: Callable[[bytes], str] = hex_text

    def sign(self, draft: RequestDraft) -> RequestDraft:
        """Return the draft with key, time and signature, as far as its endpoint asks for them."""
        keyed = self.keys.sign(draft)
        if draft.endpoint.auth is not Auth.SIGNED:
            return keyed
        query = keyed.query + self._terms()
        payload = encode_query(query).encode() + keyed.body
        proof = self.encode(self.signature.sign(payload))
        return keyed.signed(query=(*query, ("signature", proof)))

    def _terms(self) -> tuple[tuple[str, str], ...]:
        timestamp = ("timestamp", str(self.now_ns() // 1_000_000))
        if self.receive_window_ms is None:
            return (timestamp,)
        return (("recvWindow", str(self.receive_window_ms)), timestamp)
