"""Which provider a command speaks to, and with what settings: the options all commands share."""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import attrs
from cyclopts import Group, Parameter

from dragoman.config import config_path, load_profiles, state_path
from dragoman.connection import connect
from dragoman.errors import ConfigurationError, InvalidValueError, Violation
from dragoman.ids import RandomIds, hashed_token, stable_id
from dragoman.money import parse_decimal

if TYPE_CHECKING:
    from dragoman.connection import Connection
    from dragoman.registry import OptionField, Provider, Registry

__all__ = [
    "ConnectionOptions",
    "ShortIds",
    "kept_settings",
    "options_of",
    "pairs",
    "provider_name",
]

_GROUP: Final = Group("Connection and output", sort_key=10)
_STATE_FILE: Final = "state_file"
_STATE_COPY: Final = "state_copy"
_OF_THE_CALL: Final = frozenset({"faults", "latency_s", "speed", _STATE_COPY})
_FLAGS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_ID_LENGTH: Final = 12


@Parameter(name="*", group=_GROUP)
@attrs.frozen(kw_only=True)
class ConnectionOptions:
    """Where a command goes and how it answers."""

    json: Annotated[bool, Parameter(negative="", show_default=False, help="Answer with JSON.")] = (
        False
    )
    provider: Annotated[
        str | None, Parameter(help="The provider; else DRAGOMAN_PROVIDER, else mock.")
    ] = None
    account: Annotated[
        str | None, Parameter(help="The account, where the credentials reach several.")
    ] = None
    profile: Annotated[str | None, Parameter(help="A profile of the configuration file.")] = None
    endpoint: Annotated[
        tuple[str, ...],
        Parameter(
            negative="",
            metavar="ROLE=URL",
            show_default=False,
            help="Another base URL; may be repeated.",
        ),
    ] = ()
    allow_host: Annotated[
        tuple[str, ...],
        Parameter(
            negative="",
            metavar="HOST",
            show_default=False,
            help="A host endpoints may name besides the provider's own.",
        ),
    ] = ()
    option: Annotated[
        tuple[str, ...],
        Parameter(
            negative="",
            metavar="NAME=VALUE",
            show_default=False,
            help="A setting of the provider, such as seed=7; may be repeated.",
        ),
    ] = ()
    state_dir: Annotated[
        Path | None,
        Parameter(help="Where halts and the mock's venue are kept; else DRAGOMAN_STATE_DIR."),
    ] = None

    def connect(
        self, registry: Registry, *, read_only: bool = False, is_copy: bool | None = None
    ) -> Connection:
        """Return the connection these options describe, not yet made.

        `is_copy` says whether a venue that lives in this process is a copy of the one that is kept,
        which other commands may then go on using; None means: where it is only read.

        Raises:
            ConfigurationError: A name, a profile or a setting is wrong (NOT_SENT).
        """
        _, provider = registry.find(provider_name(self.provider, self.profile))
        folder = state_path(self.state_dir)
        return connect(
            provider.name,
            account_id=self.account,
            profile=self.profile,
            endpoints=pairs("--endpoint", self.endpoint),
            allow_hosts=self.allow_host,
            read_only=read_only,
            ids=ShortIds(),
            state_dir=folder,
            registry=registry,
            **self._settings(provider, folder, is_copy=read_only if is_copy is None else is_copy),
        )

    def _settings(self, provider: Provider, folder: Path, *, is_copy: bool) -> dict[str, Any]:
        given = options_of(provider, pairs("--option", self.option))
        return kept_settings(provider, given, folder, profile=self.profile, is_copy=is_copy)


class ShortIds:
    """Client order ids short enough to type: 12 characters, unique by 60 random bits."""

    def __init__(self) -> None:
        self._source = RandomIds()

    def next_id(self) -> str:
        """Return a new random id."""
        return hashed_token(self._source.next_id(), 0, alphabet=_ALPHABET, length=_ID_LENGTH)


def provider_name(given: str | None, profile: str | None = None) -> str:
    """Return the provider asked for: by name, by profile, by the environment, else the mock."""
    if given is not None:
        return given
    if profile is not None:
        found = load_profiles(config_path()).get(profile)
        if found is not None:
            return found.provider
        known = ", ".join(sorted(load_profiles(config_path()))) or "none"
        message = f"{config_path()} has no profile {profile!r}; it has: {known}"
        raise ConfigurationError(message)
    return os.environ.get("DRAGOMAN_PROVIDER") or "mock"


def options_of(provider: Provider, given: Mapping[str, str]) -> dict[str, object]:
    """Return a provider's settings, from text to the types it declares.

    Raises:
        ConfigurationError: No such setting, or a text that is none of its types (NOT_SENT).
    """
    known = {field.name: field for field in provider.options}
    for name in given:
        if name not in known:
            choices = ", ".join(sorted(known)) or "none"
            message = f"{provider.name} takes no option {name!r}; it takes: {choices}"
            raise ConfigurationError(message, provider=provider.name)
    return {name: _typed(known[name], text) for name, text in given.items()}


def kept_settings(
    provider: Provider,
    given: Mapping[str, object],
    folder: Path,
    *,
    profile: str | None = None,
    is_copy: bool = False,
) -> dict[str, Any]:
    """Add the place where a venue that lives in this process is kept between commands.

    Args:
        provider: Whose settings they are.
        given: Those that are given; they make the venue, with those of its profile.
        folder: What outlives the process.
        profile: The profile; None is the one named like the provider, if there is one.
        is_copy: Whether the venue is a copy of the one that is kept.
    """
    settings: dict[str, Any] = {**given}
    if any(field.name == _STATE_FILE for field in provider.options):
        found = load_profiles(config_path()).get(profile or provider.name)
        makes = {**(found.options if found else {}), **settings}
        if _STATE_FILE not in makes:
            settings[_STATE_FILE] = str(folder / provider.name / _file_name(makes))
        if is_copy and any(field.name == _STATE_COPY for field in provider.options):
            settings.setdefault(_STATE_COPY, True)
    return settings


def pairs(flag: str, given: tuple[str, ...]) -> dict[str, str]:
    """Read texts NAME=VALUE.

    Raises:
        InvalidValueError: One has no name or no equals sign (NOT_SENT).
    """
    found: dict[str, str] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name:
            wrong = Violation.of(flag, text, "NAME=VALUE")
            raise InvalidValueError(str(wrong), violations=[wrong])
        found[name] = value
    return found


def _file_name(makes: Mapping[str, object]) -> str:
    """Name a venue's file by what makes the venue: another seed is another venue, not an error."""
    parts = [f"{name}={makes[name]}" for name in sorted(makes) if name not in _OF_THE_CALL]
    return f"venue-{stable_id(*parts)[:8]}.json" if parts else "venue.json"


def _typed(field: OptionField, text: str) -> object:
    if str in field.types or object in field.types:
        return text
    if bool in field.types and text.lower() in _FLAGS:
        return _FLAGS[text.lower()]
    for kind in (int, Decimal, float, Path):
        if kind in field.types:
            try:
                return parse_decimal(text) if kind is Decimal else kind(text)
            except ValueError:
                continue
    kinds = " or ".join(kind.__name__ for kind in field.types)
    raise ConfigurationError(f"option {field.name} must be {kinds}, found a text of another form")
