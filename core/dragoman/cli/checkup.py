"""The single checks of `dragoman doctor`."""

from __future__ import annotations

import os
import platform
import stat
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import attrs

from dragoman import __version__
from dragoman.config import config_path, load_profiles
from dragoman.errors import DragomanError
from dragoman.times import SECOND_NS, format_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dragoman.config import Profile
    from dragoman.registry import CredentialField, Provider, Registry
    from dragoman.times import Clock

__all__ = [
    "Finding",
    "check_clock",
    "check_configuration",
    "check_credentials",
    "check_packages",
    "check_providers",
    "check_state_folder",
]

_OLDEST_PYTHON: Final = (3, 11)
_NEEDED: Final = ("aiohttp", "attrs", "cattrs", "msgspec", "platformdirs", "cyclopts", "rich")
_OPTIONAL: Final = (("pyarrow", "arrow", "Parquet files"),)


@attrs.frozen
class Finding:
    """What a check found: `ok`, `note` (may be meant so) or `broken`."""

    state: str
    subject: str
    detail: str

    @classmethod
    def ok(cls, subject: str, detail: str) -> Self:
        """Make a finding of something sound."""
        return cls("ok", subject, detail)

    @classmethod
    def note(cls, subject: str, detail: str) -> Self:
        """Make a finding that may be meant so."""
        return cls("note", subject, detail)

    @classmethod
    def broken(cls, subject: str, detail: str) -> Self:
        """Make a finding that something does not work."""
        return cls("broken", subject, detail)

    @property
    def is_broken(self) -> bool:
        """Whether something does not work."""
        return self.state == "broken"


def check_packages() -> Iterator[Finding]:
    """Check Python, this library and what it stands on."""
    python = f"{platform.python_version()} at {sys.executable}"
    is_old = sys.version_info < _OLDEST_PYTHON
    yield Finding.broken("python", f"{python}: too old") if is_old else Finding.ok("python", python)
    yield Finding.ok("dragoman", __version__)
    for name in _NEEDED:
        found = _version(name)
        yield Finding.ok(name, found) if found else Finding.broken(name, "not installed")
    for name, extra, purpose in _OPTIONAL:
        found = _version(name)
        hint = f'not installed; for {purpose}: pip install "dragoman[{extra}]"'
        yield Finding.ok(name, found) if found else Finding.note(name, hint)


def check_providers(registry: Registry) -> Iterator[Finding]:
    """Tell which protocols and providers are installed."""
    protocols = ", ".join(protocol.name for protocol in registry.protocols)
    providers = ", ".join(provider.name for provider in registry.providers)
    if not providers:
        yield Finding.broken("protocols", "none is installed")
        return
    yield Finding.ok("protocols", protocols)
    yield Finding.ok("providers", providers)


def check_configuration(path: Path) -> Iterator[Finding]:
    """Check the configuration file, if there is one."""
    if not path.exists():
        yield Finding.ok("configuration", f"no file at {path}")
        return
    try:
        profiles = load_profiles(path)
        mode = stat.filemode(path.stat().st_mode)
    except DragomanError as error:
        yield Finding.broken("configuration", error.message)
        return
    names = ", ".join(profiles) or "none"
    yield Finding.ok("configuration", f"{path} ({mode}), profiles: {names}")


def check_credentials(
    registry: Registry, named: str | None, profile_name: str | None
) -> Iterator[Finding]:
    """Tell where each provider's credentials stand; missing ones are broken only where named."""
    try:
        profiles = load_profiles(config_path())
    except DragomanError:
        profiles = {}
    for provider in registry.providers:
        profile = profiles.get(profile_name or provider.name)
        for field in provider.credentials:
            yield _credential(provider, field, profile, is_named=provider.name == named)


def check_clock(clock: Clock) -> Finding:
    """Check that the clock is not behind the files of this installation."""
    now_ns = clock.now_ns()
    text = format_time(now_ns)
    if now_ns < int(Path(__file__).stat().st_mtime) * SECOND_NS:
        return Finding.broken(
            "clock", f"{text} is before this library was installed; set the clock"
        )
    return Finding.ok("clock", text)


def check_state_folder(folder: Path) -> Finding:
    """Check that what outlives a command can be written."""
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    if not (place.is_dir() and os.access(place, os.W_OK | os.X_OK)):
        return Finding.broken("state folder", f"{folder} can't be written")
    return Finding.ok("state folder", str(folder))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _credential(
    provider: Provider, field: CredentialField, profile: Profile | None, *, is_named: bool
) -> Finding:
    subject = f"{provider.name} {field.name}"
    source = _source(field, profile, os.environ)
    if source is not None:
        return Finding.ok(subject, f"found in {source}")
    places = " or ".join(field.variables) or "a profile"
    if not field.is_required:
        return Finding.ok(subject, f"not set, not required ({places})")
    make = Finding.broken if is_named else Finding.note
    return make(subject, f"not set; set {places}, or use a profile")


def _source(
    field: CredentialField, profile: Profile | None, environment: Mapping[str, str]
) -> str | None:
    for variable in field.variables:
        if environment.get(variable, "").strip():
            return f"environment variable {variable}"
    if profile is not None and field.name in profile.credentials:
        return f"profile {profile.name}"
    return None
