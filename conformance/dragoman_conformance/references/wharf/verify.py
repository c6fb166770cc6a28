"""Wharf's signature, recomputed over the bytes that came in: no code is shared with the signer."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["signature_fault"]

_OPEN: Final = frozenset({"/v1/time"})
_STREAM: Final = "/v1/stream"


def signature_fault(
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    credentials: Mapping[str, str],
) -> str | None:
    """Return what is wrong with how a request is signed; None if nothing is.

    Args:
        method: The method as sent.
        target: Path and query as they stand on the wire.
        headers: The headers by their lower-case names.
        body: The body as it stands on the wire.
        credentials: The key and the secret.
    """
    if target in _OPEN or target == _STREAM:
        return None
    lacking = [
        name
        for name in ("wharf-key", "wharf-timestamp", "wharf-nonce", "wharf-signature")
        if name not in headers
    ]
    if lacking:
        return f"not signed: {', '.join(lacking)} is missing"
    if headers["wharf-key"] != credentials["key"]:
        return "signed for another key"
    signed = "\n".join(
        (
            method,
            target,
            headers["wharf-timestamp"],
            headers["wharf-nonce"],
            hashlib.sha256(body).hexdigest(),
        )
    )
    expected = hmac.new(credentials["secret"].encode(), signed.encode(), "sha256").hexdigest()
    is_right = hmac.compare_digest(expected, headers["wharf-signature"])
    return None if is_right else "the signature is not that of what was sent"
