"""Who may do what: keys of foreign clients, and what a client may reach once it has shown one.

A host's keys are its own. They have nothing to do with the credentials of the venue behind a
broker, which no client ever sees.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.broker import Broker
from dragoman.credentials import Secret
from dragoman.errors import AuthenticationError, ConfigurationError, Outcome, PermissionDeniedError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ALL_SCOPES", "Access", "AccessKey", "KeyRing", "Scope"]

_SHORTEST_SECRET: Final = 8
_LONGEST: Final = 1024


class Scope(StrEnum):
    """What a client may do: read, or send, change and cancel orders as well."""

    READ = "READ"
    TRADE = "TRADE"


ALL_SCOPES: Final = frozenset(Scope)
"""Everything."""


@attrs.frozen(kw_only=True)
class Access:
    """What one client may reach, once authenticated."""

    broker: Broker
    scopes: frozenset[Scope] = ALL_SCOPES

    def require(self, scope: Scope) -> None:
        """Refuse what this client may not do.

        Raises:
            PermissionDeniedError: Its key lacks the scope (NOT_SENT).
        """
        if scope not in self.scopes:
            message = f"this key may not {scope.lower()}; use one with the scope {scope}"
            raise PermissionDeniedError(message, outcome=Outcome.NOT_SENT)


def _secret(text: str | Secret) -> Secret:
    return text if isinstance(text, Secret) else Secret(text)


@attrs.frozen(kw_only=True)
class AccessKey:
    """One key a host hands to its clients: the id and the secret they show.

    `account_id` is the account it reaches; None is the host's first.
    """

    key_id: str
    secret: Secret = attrs.field(converter=_secret)
    account_id: str | None = None
    scopes: frozenset[Scope] = ALL_SCOPES

    def __attrs_post_init__(self) -> None:
        """Refuse a key that protects nothing."""
        if not 0 < len(self.key_id) <= _LONGEST or not self.key_id.isprintable():
            raise ConfigurationError("the id of an access key must be a printable text")
        if not _SHORTEST_SECRET <= len(self.secret.reveal()) <= _LONGEST:
            raise ConfigurationError(
                f"the secret of access key {self.key_id!r} must have at least "
                f"{_SHORTEST_SECRET} characters"
            )
        if not self.scopes:
            raise ConfigurationError(f"access key {self.key_id!r} has no scope: it opens nothing")


class KeyRing:
    """The keys of a host, kept as digests under a salt of this process.

    Raises:
        ConfigurationError: Two keys have one id.
    """

    def __init__(self, keys: Sequence[AccessKey]) -> None:
        self._salt = secrets.token_bytes(32)
        self._keys: dict[str, tuple[bytes, str | None, frozenset[Scope]]] = {}
        self._nobody = secrets.token_bytes(32)
        for key in keys:
            if key.key_id in self._keys:
                raise ConfigurationError(f"two access keys have the id {key.key_id!r}")
            digest = self._digest(key.secret.reveal())
            self._keys[key.key_id] = (digest, key.account_id, key.scopes)

    def find(self, key_id: str | None, secret: str | None) -> tuple[str | None, frozenset[Scope]]:
        """Return the account and the scopes of the key that was shown.

        Without a key id, as where a protocol carries one token only, the secret alone decides; one
        that several keys share decides nothing. The time it takes depends on neither text.

        Raises:
            AuthenticationError: There is no such key, the secret is not its own, or it is not told
                which of several is meant (NOT_SENT).
        """
        shown = self._digest(secret or "")
        found: list[tuple[str | None, frozenset[Scope]]] = []
        for known_id, (digest, account_id, scopes) in self._keys.items():
            is_named = key_id is None or hmac.compare_digest(_bytes(known_id), _bytes(key_id))
            if hmac.compare_digest(digest if is_named else self._nobody, shown):
                found.append((account_id, scopes))
        if len(found) != 1 or not secret:
            raise refusal("the key is not known here, or its secret is wrong")
        return found[0]

    def _digest(self, text: str) -> bytes:
        return hmac.new(self._salt, _bytes(text), hashlib.sha256).digest()


def refusal(message: str) -> AuthenticationError:
    """Return the error for a client that has not shown who it is."""
    return AuthenticationError(message, outcome=Outcome.NOT_SENT)


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")
