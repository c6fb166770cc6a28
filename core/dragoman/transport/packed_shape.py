"""Whether a long MessagePack document is too deep, or a part of it too long, by its raw bytes.

The twin of `json_shape`: depth is counted before a decoder follows it by recursion, and items
before they are built, of which one byte can make sixty. Only bytes that may break a limit are
walked through. The grammar is not checked: bytes that are no document may pass here, and the
decoder refuses them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .json_shape import ShapeLimits

__all__ = ["breach"]

_HARMLESS_LEVELS: Final = 500
"""How deep a decoder follows on the smallest stacks in use, with room to spare."""

_CONTAINERS: Final = bytes((*range(0x80, 0xA0), 0xDC, 0xDD, 0xDE, 0xDF))
_NOT_CONTAINERS: Final = bytes(set(range(256)) - set(_CONTAINERS))

_PLAIN: Final = (0, 0, 0, 0)
_HEADS: Final = [
    *[_PLAIN] * 0x80,
    *[(0, count, 0, 2) for count in range(16)],
    *[(0, count, 0, 1) for count in range(16)],
    *[(0, length, 0, 0) for length in range(32)],
    *[_PLAIN] * 4,
    *[(width, 0, 0, 0) for width in (1, 2, 4)],
    *[(width, 0, 1, 0) for width in (1, 2, 4)],
    *[(0, length, 0, 0) for length in (4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17)],
    *[(width, 0, 0, 0) for width in (1, 2, 4)],
    *[(width, 0, 0, 1) for width in (2, 4)],
    *[(width, 0, 0, 2) for width in (2, 4)],
    *[_PLAIN] * 0x20,
]
"""For each first byte: in how many bytes it is said how much comes, how much comes in any case, how
many bytes stand in between, and for arrays and maps, which values a count of one means."""


def breach(data: bytes, limits: ShapeLimits) -> str | None:
    """Return which limit the document breaks, None for none."""
    is_suspect = (
        len(data) > min(limits.max_items, limits.max_string)
        or len(data.translate(None, _NOT_CONTAINERS)) > _HARMLESS_LEVELS
    )
    return _walk(data, limits) if is_suspect else None


def _walk(data: bytes, limits: ShapeLimits) -> str | None:
    """Go through the values; `lacking` counts those that each array and map still wants."""
    place, lacking = 0, [1]
    while place < len(data):
        while lacking and not lacking[-1]:
            lacking.pop()
        if not lacking:
            return None
        lacking[-1] -= 1
        width, count, between, values = _HEADS[data[place]]
        place += 1
        count += int.from_bytes(data[place : place + width], "big")
        place += width
        if not values:
            if count > limits.max_string:
                return f"a string longer than {limits.max_string} bytes"
            place += between + count
            continue
        if count > limits.max_items:
            return f"an array or object of more than {limits.max_items} items"
        lacking.append(count * values)
        if len(lacking) > limits.max_depth + 1:
            return f"more than {limits.max_depth} levels"
    return None
