"""Who may come in: signatures, nonces and budgets, by key.

A secret never travels, so the host can't teach it; `Gate.enrol` does. Until a key was enrolled, any
signature that looks like one opens, as any key does on a host without keys; time and nonce count
all the same.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import deque
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.times import MILLISECOND_NS, SECOND_NS

from ..signing import KEY, NONCE, SIGNATURE, TIMESTAMP
from .problems import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from dragoman.credentials import Secret
    from dragoman.dialects import Access, DialectHost, Scope

__all__ = ["Budget", "Gate", "Proof", "signature_fault"]

_WINDOW_NS: Final = 5 * SECOND_NS
_REMEMBERED: Final = 1_000
_SIGNATURE: Final = re.compile(r"[0-9a-f]{64}")
_NUMBER: Final = re.compile(r"[0-9]{1,20}")
_HEADERS: Final = (KEY, TIMESTAMP, NONCE, SIGNATURE)
_LIMIT: Final = 1_000
_SPAN_NS: Final = 10 * SECOND_NS


@attrs.frozen(kw_only=True)
class Proof:
    """What somebody shows to be let in."""

    key: str
    timestamp: str
    nonce: str
    signature: str = attrs.field(repr=False)

    @classmethod
    def of(cls, shown: Mapping[str, str]) -> Proof:
        """Read the headers of a request; what is missing is empty."""
        return cls(
            key=shown.get(KEY, ""),
            timestamp=shown.get(TIMESTAMP, ""),
            nonce=shown.get(NONCE, ""),
            signature=shown.get(SIGNATURE, ""),
        )


def signature_fault(
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    credentials: Mapping[str, str],
) -> str | None:
    """Say what is wrong with the signature of a request as it was sent; None if nothing is.

    Args:
        method: The method.
        target: The path with the query, byte by byte.
        headers: By name, in any case.
        body: The body.
        credentials: The sender's `key` and `secret`.
    """
    shown = {name.lower(): text for name, text in headers.items()}
    proof = Proof.of({name: shown.get(name.lower(), "") for name in _HEADERS})
    if proof.key != credentials["key"]:
        return f"{KEY} is not the key"
    due = _signature(credentials["secret"], method, target, proof, body)
    if not hmac.compare_digest(due, proof.signature):
        return f"{SIGNATURE} is not over what was sent"
    return None


def _signature(secret: str, method: str, target: str, proof: Proof, body: bytes) -> str:
    """Return the signature that is due.

    Written out once more: a server that asked its client how to sign would prove nothing.
    """
    lines = (method, target, proof.timestamp, proof.nonce, hashlib.sha256(body).hexdigest())
    text = "\n".join(lines)
    return hmac.digest(secret.encode(), text.encode(), hashlib.sha256).hex()


class _Nonces:
    """The nonces that a key has used lately, and the newest of all."""

    def __init__(self) -> None:
        self.newest = 0
        self._recent: deque[int] = deque()

    def take(self, nonce: int) -> bool:
        """Use a nonce up; False for one that was used, or may have been."""
        is_old = len(self._recent) >= _REMEMBERED and nonce < min(self._recent)
        if is_old or nonce in self._recent:
            return False
        self._recent.append(nonce)
        if len(self._recent) > _REMEMBERED:
            self._recent.popleft()
        self.newest = max(self.newest, nonce)
        return True


@attrs.define
class Budget:
    """What is left of a key's requests, and when the oldest of them counts no more."""

    remaining: int
    resets_at_ns: int


class Gate:
    """Lets requests and streams in.

    Args:
        host: Knows which account a key reaches, and the time.
        secrets: The secret of each enrolled key.
    """

    def __init__(self, host: DialectHost, secrets: Mapping[str, Secret]) -> None:
        self._host = host
        self._secrets = secrets
        self._nonces: dict[str, _Nonces] = {}
        self._uses: dict[str, deque[int]] = {}

    def newest_nonce(self, key: str) -> int:
        """Return the newest nonce of a key; 0 for none."""
        known = self._nonces.get(key)
        return 0 if known is None else known.newest

    async def admit(self, request: web.Request, scope: Scope) -> Access:
        """Return what the sender of a request may reach.

        Raises:
            RefusedError: It does not prove who it is (401).
            PermissionDeniedError: Its key lacks the scope (NOT_SENT).
        """
        proof, body = Proof.of(request.headers), await request.read()
        return await self.admit_proof(proof, request.method, request.raw_path, body, scope)

    async def admit_proof(
        self, proof: Proof, method: str, target: str, body: bytes, scope: Scope
    ) -> Access:
        """Return what somebody may reach who shows a proof over these parts; raises as `admit`."""
        if not proof.key or not _SIGNATURE.fullmatch(proof.signature):
            raise RefusedError(401, "bad_key", "key and signature are missing, or are none")
        self._check_signature(proof, method, target, body)
        self._check_time(proof)
        if not self._nonces.setdefault(proof.key, _Nonces()).take(int(proof.nonce)):
            raise RefusedError(401, "bad_nonce", "the nonce was used")
        access = await self._host.authenticate(proof.key, proof.signature)
        access.require(scope)
        return access

    def spend(self, key: str) -> Budget:
        """Count a request of a key.

        Raises:
            RefusedError: It is one too many (429).
        """
        now_ns = self._host.clock.monotonic_ns()
        uses = self._uses.setdefault(key, deque())
        while uses and uses[0] <= now_ns - _SPAN_NS:
            uses.popleft()
        resets_in_ns = _SPAN_NS - (now_ns - uses[0]) if uses else _SPAN_NS
        if len(uses) >= _LIMIT:
            wait_s = resets_in_ns / SECOND_NS
            message = f"{_LIMIT} requests in 10 s are too many; wait {wait_s:.0f} s"
            raise RefusedError(429, "too_many_requests", message, retry_after=wait_s + 1)
        uses.append(now_ns)
        return Budget(_LIMIT - len(uses), self._host.clock.now_ns() + resets_in_ns)

    def _check_signature(self, proof: Proof, method: str, target: str, body: bytes) -> None:
        if not self._secrets:
            return
        secret = self._secrets.get(proof.key)
        if secret is None:
            raise RefusedError(401, "bad_key", "the key is not known here")
        due = _signature(secret.reveal(), method, target, proof, body)
        if not hmac.compare_digest(due, proof.signature):
            raise RefusedError(401, "bad_signature", "the signature is not that of what was sent")

    def _check_time(self, proof: Proof) -> None:
        if not _NUMBER.fullmatch(proof.timestamp) or not _NUMBER.fullmatch(proof.nonce):
            raise RefusedError(401, "bad_timestamp", "time and nonce must be whole numbers")
        off_ns = abs(int(proof.timestamp) * MILLISECOND_NS - self._host.clock.now_ns())
        if off_ns > _WINDOW_NS:
            raise RefusedError(401, "bad_timestamp", f"the time is off by {off_ns / SECOND_NS:g} s")
