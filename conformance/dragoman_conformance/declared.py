"""What a subject declares, as plain names and one fingerprint, for levels and reports."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from dragoman.models.enums import Support
from dragoman.models.serde import to_plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dragoman.capabilities import Capabilities
    from dragoman.models.serde import Plain

__all__ = ["capability_digest", "declared_names"]

_HIDDEN: Final = "_cells"


def declared_names(capabilities: Capabilities) -> tuple[str, ...]:
    """Return the name of everything that is declared, sorted, such as "orders.limit".

    Reads are `<what>.read`, and whoever takes orders of any kind also has "orders.cancel".
    """
    cells = [cell for cell in capabilities.orders if cell.support is not Support.NONE]
    names = {f"{feature.lower()}.read" for feature in capabilities.reads}
    names |= {f"orders.{cell.order_type.lower()}" for cell in cells}
    names |= {f"time.{cell.time_in_force.lower()}" for cell in cells}
    names |= {f"kind.{cell.kind.lower()}" for cell in cells}
    names |= {f"feature.{name}" for name in _present(capabilities.features.items())}
    names |= {f"exit.{name}" for name in _present(capabilities.exits.items())}
    names |= {f"list.{name}" for name in _present(capabilities.lists.items())}
    names |= {f"stream.{channel.lower()}" for channel in capabilities.streams}
    if cells:
        names.add("orders.cancel")
    if capabilities.replace.fields:
        names.add("orders.replace")
    return tuple(sorted(names))


def capability_digest(capabilities: Capabilities) -> str:
    """Return the SHA-256 of the whole declaration, in hex; equal declarations have equal ones."""
    text = json.dumps(_canonical(to_plain(capabilities)), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _present(supports: Iterable[tuple[str, Support]]) -> set[str]:
    return {name.lower() for name, support in supports if support is not Support.NONE}


def _canonical(value: Plain) -> Plain:
    """Return plain data in one order, where its order says nothing."""
    if isinstance(value, dict):
        return {name: _canonical(one) for name, one in value.items() if name != _HIDDEN}
    if isinstance(value, list):
        return sorted(map(_canonical, value), key=lambda one: json.dumps(one, sort_keys=True))
    return value
