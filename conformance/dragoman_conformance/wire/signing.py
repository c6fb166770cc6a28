"""The origin's own look at a signature: over the bytes that came, with the secret of the replay.

A recording holds no signature, and matching leaves it out; so that an adapter can't sign one thing
and send another, whoever knows the venue's rule recomputes it from what arrived.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import parse_qsl

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["HmacSpec", "SignatureCheck", "SignedRequest", "check_of"]

_DIGESTS: Final = frozenset({"sha256", "sha384", "sha512"})


@attrs.frozen(kw_only=True)
class SignedRequest:
    """A request as it arrived: the target and the body byte for byte, names in lower case."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The query as it was sent, without the question mark."""
        return self.target.partition("?")[2]

    def header(self, name: str) -> str | None:
        """Return the first header with a name in lower case; None without one."""
        return next((value for known, value in self.headers if known == name), None)

    def parameter(self, name: str) -> str | None:
        """Return the first parameter of the query of a name; None without one."""
        pairs = parse_qsl(self.query, keep_blank_values=True)
        return next((value for known, value in pairs if known == name), None)


SignatureCheck: TypeAlias = "Callable[[SignedRequest], str | None]"
"""A venue's rule: what is wrong with the signature of a request, None if nothing is.

It may tell neither the secret nor what it computed from it.
"""

Declared: TypeAlias = (
    "Callable[[str, str, Mapping[str, str], bytes, Mapping[str, str]], str | None]"
)
"""A rule as a subject declares it: method, target, headers, body and credentials."""


def check_of(declared: Declared, credentials: Mapping[str, str]) -> SignatureCheck:
    """Return a subject's rule as a check with the credentials that the subject was given."""

    def check(request: SignedRequest) -> str | None:
        headers = dict(reversed(request.headers))  # of one that comes twice, the first
        return declared(request.method, request.target, headers, request.body, credentials)

    return check


@attrs.frozen(kw_only=True)
class HmacSpec:
    """The commonest rule: an HMAC over text made of the request, in a header or in the query.

    `message` makes the bytes that are signed, as the venue's documentation says. `exempt` are
    beginnings of paths that need no signature. Give either `header` or `parameter`.
    """

    secret: str = attrs.field(repr=False)
    message: Callable[[SignedRequest], bytes]
    header: str | None = None
    parameter: str | None = None
    digest: str = attrs.field(default="sha256", validator=attrs.validators.in_(_DIGESTS))
    encode: Callable[[bytes], str] = bytes.hex
    exempt: tuple[str, ...] = ()

    def __call__(self, request: SignedRequest) -> str | None:
        """Return what is wrong with the signature of a request; None if nothing is."""
        if request.path.startswith(self.exempt):
            return None
        found = self._found(request)
        if found is None:
            return "the request carries no signature"
        digest = getattr(hashlib, self.digest)
        made = hmac.new(self.secret.encode(), self.message(request), digest)
        if hmac.compare_digest(self.encode(made.digest()).encode(), found.encode()):
            return None
        return "the signature is not that of the bytes that arrived"

    def _found(self, request: SignedRequest) -> str | None:
        if self.header is not None:
            return request.header(self.header.lower())
        return request.parameter(self.parameter or "signature")
