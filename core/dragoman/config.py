"""Where a connection's settings come from.

Arguments, then environment variables, then profiles in a TOML file.

Profiles live in `config.toml` under the user's configuration folder, or where `DRAGOMAN_CONFIG`
points:

    [profiles.practice]
    provider = "oanda-practice"
    account_id = "..."
    [profiles.practice.credentials]
    token = "..."
    [profiles.practice.endpoints]
    rest = "http://127.0.0.1:8081"
    [profiles.practice.options]

A message of this module names files, keys and variables, never a value of a credential.
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

import attrs

from .credentials import Credentials
from .errors import ConfigurationError, MissingCredentialsError
from .transport.urls import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .registry import CredentialField, Protocol, Provider

__all__ = [
    "Profile",
    "config_path",
    "endpoints_of_environment",
    "load_profiles",
    "resolve_credentials",
    "resolve_endpoints",
    "resolve_options",
]

_VARIABLE: Final = "DRAGOMAN_CONFIG"
_KEYS: Final = frozenset(
    {"provider", "account_id", "credentials", "endpoints", "options", "allow_hosts"}
)
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_PLAIN: Final = frozenset({"http", "ws"})
_SECURE: Final = frozenset({"https", "wss"})
_REQUESTS: Final = ("http", "https")
_STREAMS: Final = ("ws", "wss")


@attrs.frozen(kw_only=True)
class Profile:
    """One table `[profiles.<name>]` of the configuration file."""

    name: str
    provider: str
    account_id: str | None = None
    credentials: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    endpoints: Mapping[str, str] = attrs.field(factory=dict[str, str])
    options: Mapping[str, object] = attrs.field(factory=dict[str, object])
    allow_hosts: tuple[str, ...] = ()


def config_path() -> Path:
    """Return where the configuration file is looked for."""
    given = os.environ.get(_VARIABLE)
    if given:
        return Path(given)
    import platformdirs  # noqa: PLC0415 - only needed without DRAGOMAN_CONFIG

    return Path(platformdirs.user_config_dir("dragoman", appauthor=False)) / "config.toml"


def state_path(given: Path | None = None) -> Path:
    """Return the folder for what outlives the process: `given`, DRAGOMAN_STATE_DIR, the platform's.

    Journals and halts are kept there, and, by the command line, the mock's venue.
    """
    if given is not None:
        return given.expanduser()
    named = os.environ.get("DRAGOMAN_STATE_DIR")
    if named:
        return Path(named).expanduser()
    import platformdirs  # noqa: PLC0415 - only needed without DRAGOMAN_STATE_DIR

    return Path(platformdirs.user_state_dir("dragoman", appauthor=False))


def load_profiles(path: Path) -> dict[str, Profile]:
    """Read every profile of a configuration file; none if there is no file.

    Raises:
        ConfigurationError: The file can't be read, is no TOML, is readable by others while it holds
            credentials, or has a key of a wrong name or type; the message names file and key, never
            the value.
    """
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} can't be read: {type(error).__name__}"
        raise ConfigurationError(message) from None
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        message = f"{path} is no TOML: {_position(error)}"
        raise ConfigurationError(message) from None
    unknown = sorted(set(data) - {"profiles"})
    if unknown:
        message = f"{path} has no table {unknown[0]!r}; it may have: profiles"
        raise ConfigurationError(message)
    tables = _table(data.get("profiles", {}), path, "profiles")
    profiles = {name: _profile(name, table, path) for name, table in tables.items()}
    if any(profile.credentials for profile in profiles.values()):
        _refuse_shared(path)
    return profiles


def resolve_credentials(
    provider: Provider, arguments: Mapping[str, object], profile: Profile | None
) -> Credentials:
    """Find each credential of a provider: argument, then variables in order, then profile.

    Raises:
        MissingCredentialsError: A required one is nowhere; the message names every place it may
            stand.
        ConfigurationError: One has a wrong type, or is a key of another environment, or the profile
            has one that the provider does not take.
    """
    _refuse_unknown_credentials(provider, profile)
    found: dict[str, str] = {}
    missing: list[CredentialField] = []
    for field in provider.credentials:
        text = _credential(field, arguments, profile)
        if text is not None:
            _refuse_other_kind(provider, field, text)
            found[field.name] = text
        elif field.is_required:
            missing.append(field)
    if missing:
        places = "; ".join(_places(field) for field in missing)
        message = f"{provider.name} needs credentials that were not found: {places}"
        raise MissingCredentialsError(message, provider=provider.name)
    return Credentials(found)


def endpoints_of_environment(provider: Provider) -> dict[str, str]:
    """Return the URLs that the provider's environment variables hold, by role."""
    found: dict[str, str] = {}
    for role, variables in provider.endpoint_variables.items():
        texts = [(os.environ.get(variable) or "").strip() for variable in variables]
        text = next((text for text in texts if text), None)
        if text is not None:
            found[role] = text
    return found


def resolve_endpoints(
    protocol: Protocol,
    provider: Provider,
    overrides: Mapping[str, str],
    allow_hosts: Iterable[str] = (),
) -> dict[str, str]:
    """Return the provider's endpoints with overrides applied and every host checked.

    Loopback is always allowed, there also by plain http and ws. Any other host must be the
    provider's own or named in `allow_hosts`, unless the provider is hosted by its users; a host of
    another environment of the protocol is refused even then.

    Raises:
        ConfigurationError: A role the provider lacks, no URL, a host or a scheme that is not
            allowed.
    """
    others = {
        host for other in protocol.providers if other.name != provider.name for host in other.hosts
    }
    allowed = provider.hosts | {host.lower() for host in allow_hosts}
    for role, url in overrides.items():
        if role not in provider.endpoints:
            known = ", ".join(sorted(provider.endpoints)) or "none"
            message = f"{provider.name} has no endpoint {role!r}; it has: {known}"
            raise ConfigurationError(message, provider=provider.name)
        _check_endpoint(provider, role, url, allowed=allowed, refused=others - provider.hosts)
    chosen = dict(overrides)
    for role, leader in provider.endpoint_follows.items():
        if leader in chosen and role not in chosen:
            chosen[role] = _spoken_as(provider.endpoints[role], chosen[leader])
    return {**provider.endpoints, **chosen}


def _spoken_as(like: str, url: str) -> str:
    """Return the same place with a scheme that carries requests or streams, as `like` does."""
    scheme, colon, rest = url.partition(":")
    family = _STREAMS if urlsplit(like).scheme in _STREAMS else _REQUESTS
    return f"{family[scheme in _SECURE]}{colon}{rest}"


def resolve_options(
    provider: Provider, arguments: Mapping[str, object], profile: Profile | None
) -> dict[str, object]:
    """Return the provider's settings, arguments before profile.

    Raises:
        ConfigurationError: A name the provider does not have, or a value of a wrong type.
    """
    known = {field.name: field for field in provider.options}
    secret = {field.name for field in provider.credentials}
    given = {
        **(profile.options if profile else {}),
        **{k: v for k, v in arguments.items() if k not in secret and v is not None},
    }
    for name, value in given.items():
        if name not in known:
            choices = ", ".join(sorted([*known, *secret])) or "none"
            message = f"{provider.name} takes no {name!r}; it takes: {choices}"
            raise ConfigurationError(message, provider=provider.name)
        if not _is_one_of(value, known[name].types):
            types = " or ".join(kind.__name__ for kind in known[name].types)
            message = f"{provider.name}: {name} must be {types}, found {type(value).__name__}"
            raise ConfigurationError(message, provider=provider.name)
    return given


def _is_one_of(value: object, types: tuple[type, ...]) -> bool:
    """Tell whether a value has one of the types; a truth value is no number."""
    return isinstance(value, types) and (not isinstance(value, bool) or bool in types)


def _position(error: Exception) -> str:
    text = str(error)
    return text[text.rfind("(at ") :] if "(at " in text else type(error).__name__


def _table(value: object, path: Path, key: str) -> dict[str, object]:
    if not isinstance(value, dict):
        message = f"{path}: {key} must be a table, found {type(value).__name__}"
        raise ConfigurationError(message)
    return cast("dict[str, object]", value)


def _texts(value: object, path: Path, key: str) -> dict[str, str]:
    table = _table(value, path, key)
    for name, text in table.items():
        if not isinstance(text, str):
            message = f"{path}: {key}.{name} must be a string, found {type(text).__name__}"
            raise ConfigurationError(message)
    return cast("dict[str, str]", table)


def _text(value: object, path: Path, key: str) -> str:
    return _texts({"value": value}, path, key)["value"]


def _profile(name: str, value: object, path: Path) -> Profile:
    key = f"profiles.{name}"
    table = _table(value, path, key)
    unknown = sorted(set(table) - _KEYS)
    if unknown:
        message = (
            f"{path}: {key} has no key {unknown[0]!r}; it may have: {', '.join(sorted(_KEYS))}"
        )
        raise ConfigurationError(message)
    hosts = table.get("allow_hosts", [])
    if not isinstance(hosts, list):
        message = f"{path}: {key}.allow_hosts must be a list, found {type(hosts).__name__}"
        raise ConfigurationError(message)
    account_id = table.get("account_id")
    return Profile(
        name=name,
        provider=_text(table.get("provider", name), path, f"{key}.provider"),
        account_id=None if account_id is None else _text(account_id, path, f"{key}.account_id"),
        credentials=_texts(table.get("credentials", {}), path, f"{key}.credentials"),
        endpoints=_texts(table.get("endpoints", {}), path, f"{key}.endpoints"),
        options=_table(table.get("options", {}), path, f"{key}.options"),
        allow_hosts=tuple(
            _text(host, path, f"{key}.allow_hosts") for host in cast("list[object]", hosts)
        ),
    )


def _refuse_shared(path: Path) -> None:
    if os.name == "posix" and path.stat().st_mode & _OTHERS:
        message = f"{path} holds credentials but others may read it; run: chmod 600 {path}"
        raise ConfigurationError(message)


def _credential(
    field: CredentialField, arguments: Mapping[str, object], profile: Profile | None
) -> str | None:
    given = arguments.get(field.name)
    if given is not None:
        if not isinstance(given, str) or not given.strip():
            found = type(given).__name__
            message = f"credential {field.name} must be a text that is not blank, found {found}"
            raise ConfigurationError(message)
        return given
    for variable in field.variables:
        text = os.environ.get(variable)
        if text and text.strip():
            return text
    text = profile.credentials.get(field.name, "") if profile else ""
    return text if text.strip() else None


def _refuse_unknown_credentials(provider: Provider, profile: Profile | None) -> None:
    names = {field.name for field in provider.credentials}
    unknown = sorted(set(profile.credentials) - names) if profile else []
    if unknown:
        takes = ", ".join(sorted(names)) or "none"
        message = f"{provider.name} takes no credential {unknown[0]!r}; it takes: {takes}"
        raise ConfigurationError(message, provider=provider.name)


def _places(field: CredentialField) -> str:
    variables = " or ".join(field.variables)
    variable = f", environment variable {variables}" if variables else ""
    return (
        f"{field.name} (argument {field.name}={variable}, or credentials.{field.name} in a profile)"
    )


def _refuse_other_kind(provider: Provider, field: CredentialField, text: str) -> None:
    for beginning, environment in field.kinds.items():
        if text.startswith(beginning) and environment is not provider.environment:
            message = (
                f"{field.name} is a key for {environment}, "
                f"but {provider.name} is {provider.environment}; nothing was sent"
            )
            raise ConfigurationError(message, provider=provider.name)


def _check_endpoint(
    provider: Provider, role: str, url: str, *, allowed: frozenset[str], refused: set[str]
) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    problem: str | None = None
    if not host or parts.scheme not in _PLAIN | _SECURE or parts.username is not None:
        problem = "is no http(s) or ws(s) URL of a host, without user names"
    elif is_loopback(host):
        return
    elif host in refused:
        problem = f"is a host of another environment than {provider.environment}"
    elif host not in allowed and not provider.is_self_hosted:
        problem = f"is a host that {provider.name} does not own; name it in allow_hosts to use it"
    elif parts.scheme in _PLAIN:
        problem = "would send credentials without TLS; plain http and ws are for loopback only"
    if problem:
        message = f"endpoint {role!r} of {provider.name} {problem}"
        raise ConfigurationError(message, provider=provider.name)
