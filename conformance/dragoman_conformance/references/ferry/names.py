"""Client order ids on ferry's wire: at most 20 of the letters a to z and the digits."""

from __future__ import annotations

import re
from typing import Final

from dragoman.ids import hashed_token

__all__ = ["token_of"]

_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_LONGEST: Final = 20
_FITS: Final = re.compile(r"[a-z0-9]{1,20}\Z")


def token_of(client_order_id: str, revision: int) -> str:
    """Return what one revision of an intent is called on the wire.

    The id itself where it fits, else a hash of it: never a cut, since two long ids may share a
    head.
    """
    if revision == 0 and _FITS.match(client_order_id):
        return client_order_id
    return hashed_token(client_order_id, revision, alphabet=_ALPHABET, length=_LONGEST)
