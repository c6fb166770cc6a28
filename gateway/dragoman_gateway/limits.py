"""What clients may ask of a gateway unless somebody says otherwise."""

from __future__ import annotations

from typing import Final

from dragoman.dialects import HostLimits

__all__ = ["USUAL_LIMITS"]

USUAL_LIMITS: Final = HostLimits(idle_s=60.0, connections_per_peer=1000, body_bytes=2 * 1024 * 1024)
"""Idle connections and floods cost a server more that others can reach. Bodies are as large as
clients of the Tektii protocol may send them."""
