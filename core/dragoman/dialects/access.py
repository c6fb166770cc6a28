"""Who may do what: keys for foreign clients, and what a client may reach once it has shown one.

A host's keys are its own. They have nothing to do with the credentials of the venue behind a
broker, which no client ever sees.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import attrs

from dragoman.broker import Broker
from dragoman.credentials import Secret
from dragoman.errors import AuthenticationError, ConfigurationError, Outcome, PermissionDeniedError

__all__ = ["ALL_SCOPES", "Access", "AccessKey", "HashedKey", "Scope", "refusal"]

_SHORTEST_SECRET: Final = 8
_LONGEST: Final = 1024
_SHORTEST_SALT: Final = 16
_DIGEST_BYTES: Final = 32


class Scope(StrEnum):
    """What a client may do: read; send, change and cancel orders; stop and resume trading.

    None contains another: a key that only halts reads nothing.
    """

    READ = "READ"
    TRADE = "TRADE"
    HALT = "HALT"


ALL_SCOPES: Final = frozenset(Scope)
"""Everything."""


@attrs.frozen(kw_only=True)
class Access:
    """What one client may reach, once authenticated.

    `broker` is the account it means where its protocol names none. `brokers` are all it may name,
    that one first; left out, it is the only one. `client` names who it is, the same each time it
    comes: the id of its key, never its secret; None where no key is needed.
    """

    broker: Broker
    brokers: tuple[Broker, ...] = attrs.field(
        default=attrs.Factory(lambda self: (self.broker,), takes_self=True)
    )
    scopes: frozenset[Scope] = ALL_SCOPES
    client: str | None = None

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

    `account_id` is the account it reaches, None the host's first; `provider` the provider, None
    every one that has that account.
    """

    key_id: str
    secret: Secret = attrs.field(converter=_secret)
    account_id: str | None = None
    provider: str | None = None
    scopes: frozenset[Scope] = ALL_SCOPES

    def __attrs_post_init__(self) -> None:
        """Refuse a key that protects nothing."""
        _check(self.key_id, self.scopes)
        if not _SHORTEST_SECRET <= len(self.secret.reveal()) <= _LONGEST:
            raise ConfigurationError(
                f"the secret of access key {self.key_id!r} must have at least "
                f"{_SHORTEST_SECRET} characters"
            )


@attrs.frozen(kw_only=True)
class HashedKey:
    """A key as it is kept at rest: enough to know its secret again, not to find it out.

    `digest` is the HMAC-SHA-256 of the secret under `salt`. One fast hash is enough for secrets
    that were drawn at random; one that a person made up can be guessed from it.
    """

    key_id: str
    salt: bytes = attrs.field(repr=False, eq=False)
    digest: bytes = attrs.field(repr=False, eq=False)
    account_id: str | None = None
    provider: str | None = None
    scopes: frozenset[Scope] = ALL_SCOPES

    def __attrs_post_init__(self) -> None:
        """Refuse a key that protects nothing."""
        _check(self.key_id, self.scopes)
        if len(self.salt) < _SHORTEST_SALT or len(self.digest) != _DIGEST_BYTES:
            raise ConfigurationError(f"the hash of access key {self.key_id!r} is incomplete")


def _check(key_id: str, scopes: frozenset[Scope]) -> None:
    if not 0 < len(key_id) <= _LONGEST or not key_id.isprintable():
        raise ConfigurationError("the id of an access key must be a printable text")
    if not scopes:
        raise ConfigurationError(f"access key {key_id!r} has no scope: it opens nothing")


def refusal(message: str) -> AuthenticationError:
    """Return the error for a client that has not shown who it is."""
    return AuthenticationError(message, outcome=Outcome.NOT_SENT)
