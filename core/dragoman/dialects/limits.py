"""How much clients may ask of a host, and how long anything may take."""

from __future__ import annotations

import attrs
from attrs.validators import gt

__all__ = ["HostLimits"]


@attrs.frozen(kw_only=True)
class HostLimits:
    """Limits on what clients may ask of a host. All above 0.

    Sizes are in bytes, times in seconds. `connections` counts requests and sockets alike, and
    `connections_per_peer` those from one address. `header_s` is how long the head of a request may
    take, the first of a connection from when it was made.
    `outbox_bytes` is how much may wait to be written to one socket before its client is cut;
    `farewell_s` how long the last frames of a socket may take. `request_s` bounds a handler that
    answers; what it has begun goes on. `answer_s` is how long a client may take to read an answer
    that is no stream, `drain_s` how long answers may still take once the host closes.
    """

    connections: int = attrs.field(default=2000, validator=gt(0))
    connections_per_peer: int = attrs.field(default=2000, validator=gt(0))
    header_bytes: int = attrs.field(default=16 * 1024, validator=gt(0))
    body_bytes: int = attrs.field(default=1024 * 1024, validator=gt(0))
    frame_bytes: int = attrs.field(default=1024 * 1024, validator=gt(0))
    outbox_bytes: int = attrs.field(default=4 * 1024 * 1024, validator=gt(0))
    header_s: float = attrs.field(default=5.0, validator=gt(0))
    body_s: float = attrs.field(default=10.0, validator=gt(0))
    request_s: float = attrs.field(default=60.0, validator=gt(0))
    answer_s: float = attrs.field(default=30.0, validator=gt(0))
    idle_s: float = attrs.field(default=300.0, validator=gt(0))
    ping_every_s: float = attrs.field(default=30.0, validator=gt(0))
    farewell_s: float = attrs.field(default=1.0, validator=gt(0))
    drain_s: float = attrs.field(default=2.0, validator=gt(0))
