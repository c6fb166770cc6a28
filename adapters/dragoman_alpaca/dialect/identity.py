"""Ids in the form the protocol wants, computed from what the core calls things.

All are version 5 UUIDs over names that never change, so every process shows the same ids, and none
needs to be stored. An account's own UUID is the namespace of all that belongs to it.
"""

from __future__ import annotations

import uuid
from typing import Final

from dragoman.ids import stable_id
from dragoman.times import MILLISECOND_NS

__all__ = ["AccountIds", "asset_id", "child_id", "event_id", "is_uuid", "revision_id"]

_ROOT: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:dragoman:alpaca")
_LONGEST_ID: Final = 128
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ULID_LENGTH: Final = 26
_FRAMES_PER_EVENT: Final = 8


def is_uuid(text: str) -> bool:
    """Tell whether `text` is a UUID in the usual form with hyphens."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def asset_id(symbol: str) -> str:
    """Return the id of the asset with that symbol: the same for every account and provider."""
    return str(uuid.uuid5(_ROOT, f"asset:{symbol}"))


def child_id(client_order_id: str) -> str:
    """Return the client order id of the stop that goes with an OCO's limit order."""
    name = f"{client_order_id}-sl"
    return name if len(name) <= _LONGEST_ID else f"{stable_id(client_order_id)}-sl"


def revision_id(client_order_id: str, revision: int) -> str:
    """Return the client order id that a replaced order goes by, where its client gave it none."""
    if revision == 0:
        return client_order_id
    name = f"{client_order_id}~{revision}"
    return name if len(name) <= _LONGEST_ID else f"{stable_id(client_order_id)}~{revision}"


def event_id(at_ns: int, sequence: int, part: int) -> str:
    """Return a ULID that sorts by time to the millisecond, then by sequence, then by part.

    The 80 bits that are random elsewhere hold the event's place in the journal, so that a replay
    gives the same id.

    Args:
        at_ns: When the event was received; from 1970 on.
        sequence: The event's sequence, from 0 on.
        part: Which of the frames that tell of the event, from 0 to 7.
    """
    number = max(at_ns, 0) // MILLISECOND_NS << 80 | sequence * _FRAMES_PER_EVENT + part
    digits = [number >> 5 * place & 31 for place in reversed(range(_ULID_LENGTH))]
    return "".join([_CROCKFORD[digit] for digit in digits])


class AccountIds:
    """The ids of one account and of what belongs to it.

    Args:
        provider: The provider's name.
        account_id: The account's id there; taken as it is where it is a UUID already.
    """

    def __init__(self, provider: str, account_id: str) -> None:
        if is_uuid(account_id):
            self._space = uuid.UUID(account_id)
        else:
            self._space = uuid.uuid5(_ROOT, f"account:{provider}:{account_id}")

    @property
    def account(self) -> str:
        """The account's own id."""
        return str(self._space)

    def order(self, client_order_id: str, revision: int) -> str:
        """Return the id of one revision of an order: each replace shows a new one."""
        return str(uuid.uuid5(self._space, f"{client_order_id}:{revision}"))

    def execution(self, fill_id: str) -> str:
        """Return the id of an execution."""
        return str(uuid.uuid5(self._space, f"fill:{fill_id}"))

    def entry(self, entry_id: str) -> str:
        """Return the id of a movement of cash or quantity that is no execution."""
        return str(uuid.uuid5(self._space, f"entry:{entry_id}"))
