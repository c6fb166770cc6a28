"""Client order ids on Alpaca's wire: the token of each revision, and the names of legs.

A replace makes a new order there, which needs a client order id that was never used. It is the
intent's own with the revision behind it, `<id>~<revision>`, so any process reads both out of it.
What ends like that stands for itself, since the broker names orders so where it makes a replace of
a cancel and a new order. An id that leaves no room for a revision goes by a hash.
"""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING, Final

from dragoman.ids import hashed_token
from dragoman_alpaca.capabilities import CAPABILITIES

if TYPE_CHECKING:
    from dragoman_alpaca.wire.trading import OrderRow

__all__ = ["intent_of", "intent_of_row", "is_entry", "role_of", "token_of"]

_TAKEN: Final = re.compile(CAPABILITIES.client_ids.pattern)
_LONGEST_STEM: Final = 120
_ALPHABET: Final = string.ascii_letters + string.digits
_HASH_LENGTH: Final = 40
_TOKEN: Final = re.compile(r"(?s)(.+)~([1-9][0-9]{0,5})\Z", re.ASCII)
_WITH_ENTRY: Final = frozenset({"bracket", "oto"})
_ROLES: Final = {"limit": "tp", "stop": "sl", "stop_limit": "sl", "trailing_stop": "sl"}


def token_of(client_order_id: str, revision: int) -> str:
    """Return what one revision of an intent is called on the wire: the id itself for the first.

    An id that leaves no room for a revision goes by a hash instead. What is a token already stands
    for itself, as revision 0.
    """
    if revision == 0 and _TAKEN.fullmatch(client_order_id):
        return client_order_id
    stem = client_order_id
    if len(stem) > _LONGEST_STEM:
        stem = hashed_token(stem, 0, alphabet=_ALPHABET, length=_HASH_LENGTH)
    return stem if revision == 0 else f"{stem}~{revision}"


def intent_of(token: str) -> tuple[str, int]:
    """Return the client order id, or its hash, and the revision; inverse of `token_of`."""
    match = _TOKEN.match(token)
    return (token, 0) if match is None else (match[1], int(match[2]))


def intent_of_row(row: OrderRow) -> tuple[str, int]:
    """Return the client order id and the revision that an order is one of.

    Only what replaces another order can be a revision: another client may have given an order of
    its own an id that looks like one. An order without a client order id is named by its venue id.
    """
    token = row.client_order_id
    if not token:
        return f"ext-{row.id}", 0
    return intent_of(token) if row.replaces else (token, 0)


def is_entry(row: OrderRow) -> bool:
    """Tell whether a row is an entry with its exits nested, which are on the other side.

    Once an entry has filled, one exit may be shown nested in the other, in the same class.
    """
    is_with_entry = row.order_class in _WITH_ENTRY and bool(row.legs)
    return is_with_entry and all(leg.side != row.side for leg in row.legs or ())


def role_of(leg: OrderRow) -> str | None:
    """Return what a leg is for: "tp" (take profit) for a limit, "sl" (stop loss) for a stop.

    None for a type that is no exit.
    """
    return _ROLES.get(leg.type or leg.order_type or "")
