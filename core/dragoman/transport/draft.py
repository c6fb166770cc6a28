"""A request before it is sent: its parts in the order and the spelling that will be signed.

Signers take a draft and give back a draft; only then does it become a URL. So what is signed is
what is sent, byte by byte.
"""

from __future__ import annotations

import attrs

from .base import Headers
from .endpoint import Endpoint

__all__ = ["Query", "RequestDraft"]

Query = tuple[tuple[str, str], ...]


@attrs.frozen(kw_only=True)
class RequestDraft:
    """One request as a signer sees it.

    `path` is percent-encoded already and sent as is. `query` is not encoded: `urls.encode_query`
    gives the text that stands in the URL, in the order of the pairs. `base` is the base URL. None
    of what a signer adds is ever shown: the representation names the endpoint only.
    """

    endpoint: Endpoint
    method: str = attrs.field(repr=False)
    base: str = attrs.field(repr=False)
    path: str = attrs.field(repr=False)
    query: Query = attrs.field(default=(), repr=False)
    headers: Headers = attrs.field(default=(), repr=False)
    body: bytes = attrs.field(default=b"", repr=False)

    def signed(self, headers: Headers | None = None, query: Query | None = None) -> RequestDraft:
        """Return the draft with the headers and the query that a signer gives it."""
        return RequestDraft(
            endpoint=self.endpoint,
            method=self.method,
            base=self.base,
            path=self.path,
            query=self.query if query is None else query,
            headers=self.headers if headers is None else headers,
            body=self.body,
        )
