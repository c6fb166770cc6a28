"""How a request shows wharf who sent it: a key, a time, a nonce, and a signature over all of it.

Signed are the method, the path with its query as they are sent, the time in milliseconds, the nonce
and a hash of the body, each on a line. Wharf takes a time within 5 s of its own, and a nonce once;
a request may overtake others on the way, but none of the last 1,000 comes twice.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from dragoman.times import MILLISECOND_NS
from dragoman.transport.endpoint import Auth
from dragoman.transport.signatures import HmacSha256, hex_text, revealed
from dragoman.transport.signing import Signer
from dragoman.transport.urls import build_url, encode_query

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dragoman.credentials import Credentials
    from dragoman.transport.draft import RequestDraft

__all__ = [
    "KEY",
    "NONCE",
    "SIGNATURE",
    "TIMESTAMP",
    "Nonces",
    "WharfSigner",
    "payload_of",
    "target_of",
]

KEY: Final = "Wharf-Key"
TIMESTAMP: Final = "Wharf-Timestamp"
NONCE: Final = "Wharf-Nonce"
SIGNATURE: Final = "Wharf-Signature"


def payload_of(method: str, target: str, timestamp: str, nonce: str, body: bytes = b"") -> bytes:
    """Return what is signed; `target` is the path and the query as they are sent."""
    digest = hashlib.sha256(body).hexdigest()
    return f"{method}\n{target}\n{timestamp}\n{nonce}\n{digest}".encode()


def target_of(url: str) -> str:
    """Return what of a URL is signed: the path and the query, as they are sent."""
    return "/" + url.split("://", 1)[1].partition("/")[2]


class Nonces:
    """The nonces of one key: each is above the one before.

    Wharf counts by key, not by connection, so all that use a key in a process take them from one
    place, which lives as long as somebody uses it.
    """

    _shared: Final[WeakValueDictionary[str, Nonces]] = WeakValueDictionary()

    def __init__(self) -> None:
        self._last = 0

    @classmethod
    def of(cls, whose: str) -> Nonces:
        """Return the nonces that the users of a key share; `whose` names it, and is no secret."""
        return cls._shared.setdefault(whose, cls())

    def next(self, now_ns: int) -> int:
        """Return the next nonce: the time or, where that was used, what follows the last one."""
        self._last = max(self._last + 1, now_ns)
        return self._last

    def learn(self, newest: int) -> None:
        """Know that wharf has seen a nonce, maybe from another process."""
        self._last = max(self._last, newest)


class WharfSigner(Signer):
    """Signs requests and the greeting of the stream.

    Args:
        credentials: Hold `key` and `secret`; read for each signature, and kept nowhere else.
        now_ns: The venue's time.
        nonces: Those of the key.
        check_time: Asks for the venue's time if what is known of it can't be relied on.
    """

    def __init__(
        self,
        credentials: Credentials,
        now_ns: Callable[[], int],
        nonces: Nonces,
        *,
        check_time: Callable[[], Awaitable[None]],
    ) -> None:
        self._credentials = credentials
        self._now_ns = now_ns
        self._nonces = nonces
        self._check_time = check_time
        self._signature = HmacSha256(credentials, "secret")

    async def prepare(self, draft: RequestDraft) -> None:
        """See that the venue's time is known, where it will be signed."""
        if draft.endpoint.auth is Auth.SIGNED:
            await self._check_time()

    def sign(self, draft: RequestDraft) -> RequestDraft:
        """Return the draft with what its endpoint asks for: the key alone, or a signature too."""
        if draft.endpoint.auth is not Auth.SIGNED:
            return draft.signed(headers=(*draft.headers, (KEY, self._key())))
        url = build_url(draft.base, draft.path, encode_query(draft.query))
        proof = self.proof(draft.method, target_of(url), draft.body)
        return draft.signed(headers=(*draft.headers, *proof))

    def proof(self, method: str, target: str, body: bytes = b"") -> tuple[tuple[str, str], ...]:
        """Return key, time, nonce and signature, by the names of their headers."""
        now_ns = self._now_ns()
        timestamp, nonce = str(now_ns // MILLISECOND_NS), str(self._nonces.next(now_ns))
        payload = payload_of(method, target, timestamp, nonce, body)
        return (
            (KEY, self._key()),
            (TIMESTAMP, timestamp),
            (NONCE, nonce),
            (SIGNATURE, hex_text(self._signature.sign(payload))),
        )

    def _key(self) -> str:
        return revealed(self._credentials, "key")
