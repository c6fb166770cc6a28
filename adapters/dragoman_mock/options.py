"""The settings of a connection, read exactly: from Python values, TOML or text, to what is meant.

Text stands for every type, because profiles and the command line have little else. Each error names
the setting, the value found and what is allowed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import attrs

from dragoman.errors import ConfigurationError, InvalidValueError, Violation
from dragoman.models.enums import MarginMode, PositionMode
from dragoman.paper.faults.plan import FaultPlan
from dragoman.paper.settings import AccountSettings, Hours, VenueSettings

from . import option_values as values
from .tapes import tape_feed
from .venue import MockVenue

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MockOptions", "read_options"]

Value = TypeVar("Value")

_OWN: Final = frozenset({"venue", "latency_s", "faults"})


@attrs.frozen(kw_only=True)
class MockOptions:
    """What a connection was told. `tape` None: made-up prices; `venue` None: one of its own."""

    settings: VenueSettings = attrs.field(factory=VenueSettings)
    speed: Fraction = Fraction(1)
    tape: str | None = None
    loops: bool = True
    latency_ns: int = 0
    faults: FaultPlan = attrs.field(factory=FaultPlan)
    venue: MockVenue | None = None
    state_file: Path | None = None
    state_copy: bool = False

    def make_venue(self) -> MockVenue:
        """Return the venue these settings describe; nothing is read before it opens."""
        return MockVenue(
            self.settings,
            feed=None if self.tape is None else tape_feed(self.tape, loops=self.loops),
            feed_name="walk" if self.tape is None else f"{self.tape} {self.loops}",
            speed=self.speed,
            state_file=self.state_file,
            state_copy=self.state_copy,
        )


def read_options(options: Mapping[str, object]) -> MockOptions:
    """Read every setting.

    Raises:
        ConfigurationError: A value is not allowed, or settings exclude each other (NOT_SENT).
    """
    _refuse_contradictions(options)
    return MockOptions(
        settings=_settings(options),
        speed=_read(options, "speed", values.speed, Fraction(1)),
        tape=_read(options, "tape", values.path, None),
        loops=_read(options, "at_end", values.loops, True),
        latency_ns=_read(options, "latency_s", values.latency_ns, 0),
        faults=_read(options, "faults", values.plan, FaultPlan()),
        venue=_read(options, "venue", _venue, None),
        state_file=_read(options, "state_file", lambda value: Path(values.path(value)), None),
        state_copy=_read(options, "state_copy", values.flag, False),
    )


def _read(
    options: Mapping[str, object],
    name: str,
    convert: Callable[[Any], Value],
    default: Value,
    place: str = "",
) -> Value:
    if name not in options:
        return default
    value = options[name]
    try:
        return convert(value)
    except values.NotAllowedError as error:
        raise _refusal(f"{place}{name}", value, error.allowed) from None
    except InvalidValueError as error:
        raise ConfigurationError(f"mock: {name}: {error.message}", provider="mock") from error


def _refusal(name: str, value: object, allowed: str) -> ConfigurationError:
    return ConfigurationError(f"mock: {Violation.of(name, value, allowed)}", provider="mock")


def _refuse_contradictions(options: Mapping[str, object]) -> None:
    if "at_end" in options and "tape" not in options:
        raise _refusal("at_end", options["at_end"], "nothing without a tape")
    if "state_copy" in options and "state_file" not in options:
        raise _refusal("state_copy", options["state_copy"], "nothing without a state_file")
    if options.get("venue") is not None:
        for name in sorted(set(options) - _OWN):
            raise _refusal(name, options[name], "nothing beside venue, which has its own settings")


def _settings(options: Mapping[str, object]) -> VenueSettings:
    base = _read(options, "settings", _venue_settings, VenueSettings())
    changes: dict[str, Any] = {
        name: _read(options, name, convert, None)
        for name, convert in _VENUE_FIELDS.items()
        if name in options
    }
    defaults = _account_defaults(options)
    changes["accounts"] = _read(
        options,
        "accounts",
        lambda value: _accounts(value, defaults),
        tuple(attrs.evolve(account, **defaults) for account in base.accounts),
    )
    try:
        return attrs.evolve(base, **changes)
    except InvalidValueError as error:
        raise ConfigurationError(f"mock: {error.message}", provider="mock") from error


def _account_defaults(options: Mapping[str, object]) -> dict[str, Any]:
    names = ("cash", "position_mode", "margin_mode")
    return {
        name: _read(options, name, _ACCOUNT_FIELDS[name], None) for name in names if name in options
    }


def _accounts(value: object, defaults: Mapping[str, Any]) -> tuple[AccountSettings, ...]:
    allowed = "AccountSettings, tables of their fields, or account ids apart by commas"
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")]
    if not isinstance(value, Iterable):
        raise values.NotAllowedError(allowed)
    found: list[AccountSettings] = []
    for entry in cast("Iterable[object]", value):
        if isinstance(entry, AccountSettings):
            found.append(entry)
        elif isinstance(entry, str) and entry:
            found.append(AccountSettings(account_id=entry, **defaults))
        elif isinstance(entry, Mapping):
            found.append(_account(cast("Mapping[str, object]", entry), defaults))
        else:
            raise values.NotAllowedError(allowed)
    return tuple(found)


def _account(table: Mapping[str, object], defaults: Mapping[str, Any]) -> AccountSettings:
    for name in table:
        if name not in _ACCOUNT_FIELDS:
            raise values.NotAllowedError(f"tables with the fields {', '.join(_ACCOUNT_FIELDS)}")
    fields: dict[str, Any] = {**defaults}
    for name in table:
        fields[name] = _read(table, name, _ACCOUNT_FIELDS[name], None, "accounts.")
    return AccountSettings(**fields)


def _venue_settings(value: object) -> VenueSettings:
    if not isinstance(value, VenueSettings):
        raise values.NotAllowedError("VenueSettings")
    return value


def _venue(value: object) -> MockVenue | None:
    if value is not None and not isinstance(value, MockVenue):
        raise values.NotAllowedError("a MockVenue")
    return value


_ACCOUNT_FIELDS: Final[dict[str, Callable[[Any], object]]] = {
    "account_id": values.text,
    "currency": values.text,
    "cash": values.amount,
    "position_mode": values.member_of(PositionMode),
    "margin_mode": values.member_of(MarginMode),
    "leverage": values.amount,
    "can_trade": values.flag,
}
_VENUE_FIELDS: Final[dict[str, Callable[[Any], object]]] = {
    "seed": values.whole,
    "hours": values.member_of(Hours),
    "fees": values.fees,
    "fill_ratio": values.ratio,
    "fills_rest": values.flag,
    "uses_liquidity": values.flag,
    "native_exits": values.flag,
    "native_lists": values.flag,
    "native_trailing": values.flag,
    "replace_keeps_id": values.flag,
}
