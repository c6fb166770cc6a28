"""How to connect, whatever the provider: every setting, checked by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Final, NoReturn, TypeVar

import attrs

from .errors import ConfigurationError, Violation
from .halting import ExitPolicy
from .ids import IdSource
from .orders.journal import Durability
from .orders.limits import RiskLimits
from .registry import Registry
from .times import Clock
from .transport.base import Transport

__all__ = [
    "DEFAULT_RECONCILE_EVERY_S",
    "DEFAULT_TIMEOUT_S",
    "IN_MEMORY",
    "ConnectSettings",
    "refuse_setting",
]

DEFAULT_TIMEOUT_S = 10.0
DEFAULT_RECONCILE_EVERY_S = 30.0
IN_MEMORY: Final = Path(":memory:")
"""The state folder of those who keep nothing."""
_LONGEST_S: Final = 1e9

Choice = TypeVar("Choice", bound=StrEnum)


def _to_path(folder: Path | str | None) -> Path | None:
    return Path(folder) if isinstance(folder, str) else folder


def _to_durability(text: Durability | str) -> Durability:
    return _one_of(Durability, "durability", text)


def _to_policy(text: ExitPolicy | str) -> ExitPolicy:
    return _one_of(ExitPolicy, "on_exit", text)


@attrs.frozen(kw_only=True)
class ConnectSettings:
    """How to connect, whatever the provider; the arguments of `connect` of the same names."""

    account_id: str | None = None
    profile: str | None = None
    endpoints: Mapping[str, str] = attrs.field(factory=dict[str, str])
    allow_hosts: Sequence[str] = ()
    limits: RiskLimits = attrs.field(factory=RiskLimits)
    read_only: bool = False
    keep_raw: bool = False
    clock: Clock | None = None
    ids: IdSource | None = None
    timeout_s: float = DEFAULT_TIMEOUT_S
    state_dir: Path | None = attrs.field(default=None, converter=_to_path)
    durability: Durability = attrs.field(default=Durability.PROCESS, converter=_to_durability)
    on_exit: ExitPolicy = attrs.field(default=ExitPolicy.LEAVE, converter=_to_policy)
    reconcile_every_s: float = DEFAULT_RECONCILE_EVERY_S
    reconciling_wait_s: float = 0.0
    transport: Transport | Callable[[], Transport] | None = None
    random: Random | None = None
    registry: Registry | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse a setting of a wrong kind, by name."""
        for name, allowed in _SETTINGS.items():
            value: object = getattr(self, name)
            if not (value is None and name in _MAY_BE_NONE) and not isinstance(value, allowed):
                kinds = " or ".join(kind.__name__ for kind in allowed)
                refuse_setting(name, value, kinds)
        if self.account_id is not None and not self.account_id.strip():
            refuse_setting("account_id", self.account_id, "an id, or None for the only account")
        for name in ("timeout_s", "reconcile_every_s"):
            seconds: object = getattr(self, name)
            if isinstance(seconds, bool) or not 0 < float(str(seconds)) < _LONGEST_S:
                refuse_setting(name, seconds, "seconds above 0")
        if isinstance(self.reconciling_wait_s, bool) or not self.reconciling_wait_s >= 0:
            refuse_setting("reconciling_wait_s", self.reconciling_wait_s, "seconds from 0")
        if isinstance(self.allow_hosts, str):
            refuse_setting("allow_hosts", self.allow_hosts, "a list of hosts")
        if not (self.transport is None or isinstance(self.transport, Transport)) and not callable(
            self.transport
        ):
            refuse_setting("transport", self.transport, "a Transport, or what makes one")
        if self.clock is not None and not callable(getattr(self.clock, "now_ns", None)):
            refuse_setting("clock", self.clock, "a Clock")


_SETTINGS: Final[dict[str, tuple[type, ...]]] = {
    "account_id": (str,),
    "profile": (str,),
    "endpoints": (Mapping,),
    "limits": (RiskLimits,),
    "read_only": (bool,),
    "keep_raw": (bool,),
    "timeout_s": (int, float),
    "reconcile_every_s": (int, float),
    "reconciling_wait_s": (int, float),
    "random": (Random,),  # noqa: S311 - only its type is looked at
    "state_dir": (Path,),
    "registry": (Registry,),
}
_MAY_BE_NONE: Final = frozenset({"account_id", "profile", "random", "state_dir", "registry"})


def _one_of(kind: type[Choice], name: str, text: Choice | str) -> Choice:
    """Return the member of an enum that is meant, in whatever case it is written."""
    found = next((one for one in kind if one.lower() == str(text).lower()), None)
    if found is None:
        refuse_setting(name, text, " or ".join(repr(one.lower()) for one in kind))
    return found


def refuse_setting(name: str, found: object, allowed: str) -> NoReturn:
    """Say which argument of `connect` is wrong.

    Raises:
        ConfigurationError: Always (NOT_SENT).
    """
    message = f"connect: {Violation.of(name, found, allowed)}"
    raise ConfigurationError(message)
