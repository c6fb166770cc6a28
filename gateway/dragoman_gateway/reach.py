"""Which accounts a key reaches, at each place where a dialect is served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.dialects import Access
from dragoman.dialects.access import refusal
from dragoman.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.broker import Broker
    from dragoman.dialects import AccessKey, HashedKey

__all__ = ["Reach", "check_brokers", "check_keys"]


class Reach:
    """The brokers of one mount, and what each key opens there."""

    def __init__(self, brokers: tuple[Broker, ...]) -> None:
        self._brokers = brokers
        self._everything = Access(broker=brokers[0], brokers=brokers)
        self._known: dict[str, Access] = {}

    @property
    def everything(self) -> Access:
        """What anybody may reach where no key is needed."""
        return self._everything

    def of(self, key: HashedKey) -> Access:
        """Return what a key of the host opens.

        Raises:
            AuthenticationError: Nothing of what is served here (NOT_SENT).
        """
        access = self._known.get(key.key_id)
        if access is None:
            reached = tuple(broker for broker in self._brokers if _opens(key, broker))
            if not reached:
                raise refusal("the key opens no account that is served here")
            access = Access(
                broker=reached[0], brokers=reached, scopes=key.scopes, client=key.key_id
            )
            self._known[key.key_id] = access
        return access


def check_brokers(brokers: tuple[Broker, ...]) -> None:
    """Refuse brokers that can't be told apart.

    Raises:
        ConfigurationError: There is none, or two are for one account (NOT_SENT).
    """
    if not brokers:
        raise ConfigurationError("a gateway needs a broker to serve")
    if len({(one.provider, one.account_id) for one in brokers}) < len(brokers):
        raise ConfigurationError("two brokers of a gateway are for the same account")


def check_keys(keys: Sequence[AccessKey | HashedKey], brokers: tuple[Broker, ...]) -> None:
    """Refuse keys that nobody could enter with.

    Raises:
        ConfigurationError: There is none, or one is for what is not served (NOT_SENT).
    """
    if not keys:
        raise ConfigurationError("with an empty list of keys nobody could enter; None needs none")
    for key in keys:
        if not any(_opens(key, broker) for broker in brokers):
            known = ", ".join(sorted({f"{one.provider} {one.account_id}" for one in brokers}))
            meant = " ".join(part for part in (key.provider, key.account_id) if part)
            raise ConfigurationError(
                f"access key {key.key_id!r} is for {meant!r}, which is not served; served: {known}"
            )


def _opens(key: AccessKey | HashedKey, broker: Broker) -> bool:
    if key.provider not in (None, broker.provider):
        return False
    return key.account_id in (None, broker.account_id)
