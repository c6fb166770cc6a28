"""What a replay found: where an adapter and the evidence part."""

from __future__ import annotations

from enum import StrEnum

import attrs

__all__ = ["Finding", "FindingKind"]


class FindingKind(StrEnum):
    """What was found.

    UNMATCHED: a request that was never recorded. OUT_OF_ORDER: one that was, but later than others
    of its method and path, or than others at all where the whole order counts. SIGNATURE: what was
    signed is not what was sent. STREAM_UNKNOWN: a stream that was never recorded, or opened once
    more than it was. FRAME_DIFFERENT, FRAME_UNEXPECTED, FRAME_MISSING: what the client said on a
    stream is not what it should, was not awaited, or was awaited and never came.
    """

    UNMATCHED = "UNMATCHED"
    OUT_OF_ORDER = "OUT_OF_ORDER"
    SIGNATURE = "SIGNATURE"
    STREAM_UNKNOWN = "STREAM_UNKNOWN"
    FRAME_DIFFERENT = "FRAME_DIFFERENT"
    FRAME_UNEXPECTED = "FRAME_UNEXPECTED"
    FRAME_MISSING = "FRAME_MISSING"


@attrs.frozen(kw_only=True)
class Finding:
    """One difference.

    `place` is the file and the place in it that was expected, empty where nothing was; `exchange`
    is the number of the request that led to it, None on streams.
    """

    kind: FindingKind
    message: str
    place: str = ""
    exchange: int | None = None
