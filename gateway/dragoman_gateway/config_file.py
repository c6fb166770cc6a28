"""The TOML file of a gateway: what it may say, read strictly.

state_dir = "state"

[providers.paper]
provider = "alpaca-paper"
endpoints.rest = "http://127.0.0.1:8081"

[[listeners]]
port = 8080
[[listeners.dialects]]
name = "tektii"

[access]
keys_file = "keys.toml"
"""

from __future__ import annotations

import math
import os
import stat
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.dialects import HostLimits
from dragoman.errors import ConfigurationError, InvalidValueError
from dragoman.orders.limits import RiskLimits

from .config import (
    DialectSettings,
    GatewaySettings,
    ListenerSettings,
    ProviderSettings,
)
from .config_table import Table
from .keys import load_keys
from .limits import USUAL_LIMITS
from .private_file import read_private

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .keys import Key

__all__ = ["LOG_FORMATS", "LOG_LEVELS", "SUBSCRIBED_DIALECT", "checked_prefix", "load_settings"]

LOG_FORMATS: Final = ("json", "text")
LOG_LEVELS: Final = ("debug", "info", "warning", "error")
SUBSCRIBED_DIALECT: Final = "tektii"
"""The dialect that `subscriptions` are for."""
_PORTS: Final = range(65536)


def load_settings(path: Path) -> GatewaySettings:
    """Read a file; folders and files that it names are relative to its own folder.

    Raises:
        ConfigurationError: It can't be read, is no TOML, holds keys that others may read, or says
            something wrong or unknown (NOT_SENT).
    """
    content = read_private(path, holds_secrets=False)
    try:
        data = tomllib.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{path} is no TOML: {_position(error)}") from None
    folder = path.absolute().parent
    with Table(str(path), "", data) as top:
        labels = _providers(top)
        keys, keys_from = _keys(top, path, folder)
        with top.table("access") as access:
            hosts, origins = access.texts("allow_hosts"), access.texts("allow_origins")
            _ = access.raw("keys"), access.raw("keys_file")
        with top.table("log") as log:
            log_format = _choice(log, "format", LOG_FORMATS)
            log_level = _choice(log, "level", LOG_LEVELS)
        state_dir = top.text("state_dir")
        return GatewaySettings(
            providers=labels,
            listeners=_listeners(top, folder, {one.label for one in labels}),
            keys=keys,
            keys_from=keys_from,
            limits=_limits(top),
            allow_hosts=hosts,
            allow_origins=origins,
            log_format=log_format,
            log_level=log_level,
            metrics=top.flag("metrics"),
            state_dir=None if state_dir is None else folder / Path(state_dir).expanduser(),
            dialect_settings=_subscriptions(top),
        )


def checked_prefix(prefix: str) -> str:
    """Return a path that a dialect can be mounted under.

    Raises:
        ValueError: It is none.
    """
    parts = prefix.strip("/").split("/")
    is_path = all(part and part.replace("-", "").replace("_", "").isalnum() for part in parts)
    if prefix == "/":
        return prefix
    if not prefix.startswith("/") or not is_path or not prefix.isascii():
        raise ValueError(prefix)
    return "/" + "/".join(parts)


def _providers(top: Table) -> tuple[ProviderSettings, ...]:
    found: list[ProviderSettings] = []
    with top.table("providers") as tables:
        for label in tables.names:
            with tables.table(label) as table:
                found.append(
                    ProviderSettings(
                        label=label,
                        provider=table.text("provider") or label,
                        profile=table.text("profile"),
                        account_id=table.text("account"),
                        endpoints=table.text_map("endpoints"),
                        allow_hosts=table.texts("allow_hosts"),
                        options=table.anything("options"),
                        limits=_risk_limits(table),
                    )
                )
    return tuple(found)


def _risk_limits(table: Table) -> RiskLimits | None:
    if "limits" not in table:
        table.raw("limits")
        return None
    names = [field.name for field in attrs.fields(RiskLimits)]
    with table.table("limits") as limits:
        given = {name: limits.raw(name) for name in names if name in limits}
        for name in names:
            limits.raw(name)
    wrong = next((name for name, each in given.items() if isinstance(each, float)), None)
    if wrong is not None:
        table.refuse(f"limits.{wrong}", "must be a text or a whole number, to be read exactly")
    try:
        return RiskLimits(**given)  # type: ignore[arg-type]  # its validators tell what is wrong
    except InvalidValueError as error:
        table.refuse("limits", f"is wrong: {error.message}")


def _listeners(top: Table, folder: Path, labels: set[str]) -> tuple[ListenerSettings, ...]:
    found: list[ListenerSettings] = []
    for table in top.tables("listeners"):
        with table:
            port = table.whole("port")
            if port is not None and port not in _PORTS:
                table.refuse("port", "must be from 0 to 65535")
            certificate, key = table.text("tls_certificate"), table.text("tls_key")
            if (certificate is None) is not (key is None):
                table.refuse("tls_key", "and tls_certificate are needed both, or none")
            found.append(
                ListenerSettings(
                    host=table.text("host"),
                    port=port,
                    dialects=_dialects(table, labels),
                    page=table.flag("page"),
                    tls_certificate=None if certificate is None else folder / certificate,
                    tls_key=None if key is None else folder / key,
                )
            )
    return tuple(found)


def _dialects(listener: Table, labels: set[str]) -> tuple[DialectSettings, ...]:
    found: list[DialectSettings] = []
    for table in listener.tables("dialects"):
        with table:
            name, prefix = table.text("name"), table.text("prefix")
            if name is None:
                table.refuse("name", "is missing")
            if prefix is not None:
                try:
                    prefix = checked_prefix(prefix)
                except ValueError:
                    table.refuse("prefix", "must be a path such as /broker")
            providers = table.texts("providers")
            unknown = sorted(set(providers) - labels)
            if unknown:
                table.refuse("providers", f"names {unknown[0]!r}, which is no table of providers")
            settings = table.anything("settings")
            found.append(
                DialectSettings(name=name, prefix=prefix, providers=providers, settings=settings)
            )
    return tuple(found)


def _keys(top: Table, path: Path, folder: Path) -> tuple[tuple[Key, ...] | None, str]:
    access = top.table("access")
    file = access.text("keys_file")
    if file is not None and "keys" in access:
        access.refuse("keys", "stand beside keys_file: take one of them away")
    if file is not None:
        named = folder / Path(file).expanduser()
        return load_keys(named), str(named)
    if "keys" not in access:
        return None, ""
    if os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(f"{path} holds keys but others may read it; run: chmod 600 {path}")
    return load_keys(path, within=("access",)), str(path)


def _limits(top: Table) -> HostLimits | None:
    if "limits" not in top:
        top.raw("limits")
        return None
    given: dict[str, int | float] = {}
    with top.table("limits") as table:
        for field in attrs.fields(HostLimits):
            is_count = field.type in (int, "int")
            number = table.whole(field.name) if is_count else table.seconds(field.name)
            if number is not None and not 0 < number < math.inf:
                table.refuse(field.name, "must be above 0, and finite")
            if number is not None:
                given[field.name] = number
    return attrs.evolve(USUAL_LIMITS, **given)  # type: ignore[arg-type]  # read by their types


def _subscriptions(top: Table) -> dict[str, dict[str, object]]:
    if "subscriptions" not in top:
        top.raw("subscriptions")
        return {}
    rows = [{name: table.raw(name) for name in table.names} for table in _rows(top)]
    return {SUBSCRIBED_DIALECT: {"subscriptions": rows}}


def _rows(top: Table) -> Iterable[Table]:
    return top.tables("subscriptions")


def _choice(table: Table, name: str, allowed: tuple[str, ...]) -> str | None:
    word = table.text(name)
    if word is not None and word.lower() not in allowed:
        table.refuse(name, f"must be one of {', '.join(allowed)}")
    return None if word is None else word.lower()


def _position(error: Exception) -> str:
    text = str(error)
    return text[text.rfind("(at ") :] if "(at " in text else type(error).__name__
