"""The keys of a host: found by what a client shows, and kept as digests only."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Final

from dragoman.errors import ConfigurationError

from .access import HashedKey, refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .access import AccessKey

__all__ = ["KeyRing", "digest_of"]

_SALT_BYTES: Final = 32
_MOST_SEEN: Final = 1024


def digest_of(secret: str, salt: bytes) -> bytes:
    """Return what a `HashedKey` keeps of a secret."""
    return hmac.new(salt, _bytes(secret), hashlib.sha256).digest()


class KeyRing:
    """The keys of a host.

    Raises:
        ConfigurationError: Two keys have one id.
    """

    def __init__(self, keys: Sequence[AccessKey | HashedKey]) -> None:
        self._keys: dict[str, HashedKey] = {}
        self._nobody = secrets.token_bytes(32)
        self._pepper = secrets.token_bytes(32)
        self._seen: dict[bytes, HashedKey] = {}
        for key in keys:
            if key.key_id in self._keys:
                raise ConfigurationError(f"two access keys have the id {key.key_id!r}")
            self._keys[key.key_id] = _hashed(key)

    def find(self, key_id: str | None, secret: str | None) -> HashedKey:
        """Return the key that was shown.

        Without a key id, as where a protocol carries one token only, the secret alone decides; one
        that several keys share decides nothing. How long a wrong one takes depends on neither text.

        Raises:
            AuthenticationError: There is no such key, the secret is not its own, or it is not told
                which of several is meant (NOT_SENT).
        """
        # What was right before is known again by one hash, whose key nobody outside has: however
        # many keys there are, a client that keeps asking costs the same.
        shown = self._fingerprint(key_id, secret or "")
        known = self._seen.get(shown)
        if known is None:
            known = self._search(key_id, secret or "")
            if len(self._seen) < _MOST_SEEN:
                self._seen[shown] = known
        return known

    def _search(self, key_id: str | None, secret: str) -> HashedKey:
        found: list[HashedKey] = []
        for known in self._keys.values():
            is_named = key_id is None or hmac.compare_digest(_bytes(known.key_id), _bytes(key_id))
            digest = digest_of(secret, known.salt)
            if hmac.compare_digest(known.digest if is_named else self._nobody, digest):
                found.append(known)
        if len(found) != 1 or not secret:
            raise refusal("the key is not known here, or its secret is wrong")
        return found[0]

    def _fingerprint(self, key_id: str | None, secret: str) -> bytes:
        name = b"" if key_id is None else _bytes(key_id)
        text = b"%d:%b%b" % (-1 if key_id is None else len(name), name, _bytes(secret))
        return hashlib.blake2b(text, key=self._pepper, digest_size=32).digest()


def _hashed(key: AccessKey | HashedKey) -> HashedKey:
    if isinstance(key, HashedKey):
        return key
    salt = secrets.token_bytes(_SALT_BYTES)
    return HashedKey(
        key_id=key.key_id,
        salt=salt,
        digest=digest_of(key.secret.reveal(), salt),
        account_id=key.account_id,
        provider=key.provider,
        scopes=key.scopes,
    )


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")
