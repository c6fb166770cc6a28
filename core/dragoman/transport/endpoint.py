"""Endpoints as data: what a venue offers, and how each part of it may be called."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import attrs

from .base import MAX_BODY_BYTES, Lane

__all__ = ["Auth", "Endpoint"]


class Auth(StrEnum):
    """What a request must carry: nothing, the key that names its sender, or a signature besides."""

    NONE = "NONE"
    KEY = "KEY"
    SIGNED = "SIGNED"


def _frozen(weights: Mapping[str, int]) -> Mapping[str, int]:
    return MappingProxyType(dict(weights))


@attrs.frozen(kw_only=True)
class Endpoint:
    """One thing that can be asked of a venue over HTTP.

    `path` is a template such as "/v2/orders/{order_id}": each field is quoted as one segment.
    `weights` is what one call costs, by the name of the rate limit pool. `is_safe_to_repeat` says
    that asking twice does what asking once does: only then is it ever asked again. `base` names the
    base URL among the adapter's endpoints.
    """

    name: str
    method: str
    path: str
    lane: Lane = Lane.READ
    auth: Auth = Auth.SIGNED
    weights: Mapping[str, int] = attrs.field(default=MappingProxyType({}), converter=_frozen)
    is_safe_to_repeat: bool = False
    timeout_s: float = 10.0
    max_bytes: int = MAX_BODY_BYTES
    base: str = "rest"
