"""What `dragoman serve` serves, by whom and where: settings of any origin, in one form.

Flags come before environment variables, those before the file, and that before what is usual. Each
origin says what it says in a `GatewaySettings`, and nothing else; None and empty mean that it is
silent.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.credentials import Secret
from dragoman.dialects import HostLimits
from dragoman.errors import ConfigurationError
from dragoman.orders.limits import RiskLimits

from .keys import Key

if TYPE_CHECKING:
    from collections.abc import Sequence


__all__ = [
    "DEFAULT_HOST",
    "DEFAULT_PORT",
    "DialectSettings",
    "GatewaySettings",
    "ListenerSettings",
    "ProviderSettings",
    "merged",
]

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8080
"""Where clients of the Tektii protocol look for a gateway unless they are told."""


@attrs.frozen(kw_only=True)
class ProviderSettings:
    """How to connect to one provider; `label` is what the rest of a file calls it."""

    label: str = ""
    provider: str | None = None
    profile: str | None = None
    account_id: str | None = None
    endpoints: Mapping[str, str] = attrs.field(factory=dict[str, str])
    allow_hosts: tuple[str, ...] = ()
    options: Mapping[str, object] = attrs.field(factory=dict[str, object])
    credentials: Mapping[str, Secret] = attrs.field(factory=dict[str, Secret])
    """Those of variables with foreign names; a profile holds all others."""
    limits: RiskLimits | None = None


@attrs.frozen(kw_only=True)
class DialectSettings:
    """One dialect on one port.

    `prefix` None is "/" for the only one of its port, else "/<name>". `providers` are labels; none
    means all of them.
    """

    name: str
    prefix: str | None = None
    providers: tuple[str, ...] = ()
    settings: Mapping[str, object] = attrs.field(factory=dict[str, object])


@attrs.frozen(kw_only=True)
class ListenerSettings:
    """One port."""

    host: str | None = None
    port: int | None = None
    dialects: tuple[DialectSettings, ...] = ()
    page: bool | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None


@attrs.frozen(kw_only=True)
class GatewaySettings:
    """All of it."""

    providers: tuple[ProviderSettings, ...] = ()
    listeners: tuple[ListenerSettings, ...] = ()
    keys: tuple[Key, ...] | None = None
    """None: none are needed."""
    keys_from: str = ""
    """Where the keys are, for a message."""
    limits: HostLimits | None = None
    allow_hosts: tuple[str, ...] = ()
    allow_origins: tuple[str, ...] = ()
    log_format: str | None = None
    log_level: str | None = None
    metrics: bool | None = None
    state_dir: Path | None = None
    dialect_settings: Mapping[str, Mapping[str, object]] = attrs.field(
        factory=dict[str, Mapping[str, object]]
    )
    """Settings of dialects by their names, wherever they are mounted."""


def merged(origins: Sequence[GatewaySettings]) -> GatewaySettings:
    """Return one answer to every question: that of the first origin that has one.

    Lists of hosts add up. What belongs to one provider or one port can't be spread over several:
    an origin that comes first may only change the single one of those that follow.

    Raises:
        ConfigurationError: Two origins name keys, or an origin would change one of several
            providers or ports (NOT_SENT).
    """
    result = GatewaySettings()
    for origin in origins:
        result = _merged(result, origin)
    return result


def _merged(first: GatewaySettings, then: GatewaySettings) -> GatewaySettings:
    if first.keys is not None and then.keys is not None:
        message = f"keys are in {first.keys_from} and in {then.keys_from}: take one of them away"
        raise ConfigurationError(message)
    names = {*first.dialect_settings, *then.dialect_settings}
    return GatewaySettings(
        providers=_providers(first.providers, then.providers),
        listeners=_listeners(first.listeners, then.listeners),
        keys=then.keys if first.keys is None else first.keys,
        keys_from=first.keys_from or then.keys_from,
        limits=first.limits or then.limits,
        allow_hosts=(*first.allow_hosts, *then.allow_hosts),
        allow_origins=(*first.allow_origins, *then.allow_origins),
        log_format=first.log_format or then.log_format,
        log_level=first.log_level or then.log_level,
        metrics=then.metrics if first.metrics is None else first.metrics,
        state_dir=first.state_dir or then.state_dir,
        dialect_settings={
            name: {**then.dialect_settings.get(name, {}), **first.dialect_settings.get(name, {})}
            for name in names
        },
    )


def _providers(
    first: tuple[ProviderSettings, ...], then: tuple[ProviderSettings, ...]
) -> tuple[ProviderSettings, ...]:
    if len(first) == 0 or len(then) == 0:
        return first or then
    if len(first) > 1 or len(then) > 1:
        raise ConfigurationError(
            "the file names several providers, and a flag or a variable would change one: say it "
            "in the file, and take the flag or the variable away"
        )
    one, other = first[0], then[0]
    if one.provider and other.provider and one.provider != other.provider:
        return (attrs.evolve(one, label=one.label or other.label),)  # nothing fits another provider
    return (
        ProviderSettings(
            label=one.label or other.label,
            provider=one.provider or other.provider,
            profile=one.profile or other.profile,
            account_id=one.account_id or other.account_id,
            endpoints={**other.endpoints, **one.endpoints},
            allow_hosts=(*one.allow_hosts, *other.allow_hosts),
            options={**other.options, **one.options},
            credentials={**other.credentials, **one.credentials},
            limits=one.limits or other.limits,
        ),
    )


def _listeners(
    first: tuple[ListenerSettings, ...], then: tuple[ListenerSettings, ...]
) -> tuple[ListenerSettings, ...]:
    if len(first) == 0 or len(then) == 0:
        return first or then
    if len(first) > 1 or len(then) > 1:
        raise ConfigurationError(
            "the file names several ports, and a flag or a variable would change one: say it in "
            "the file, and take the flag or the variable away"
        )
    one, other = first[0], then[0]
    return (
        ListenerSettings(
            host=one.host or other.host,
            port=other.port if one.port is None else one.port,
            dialects=one.dialects or other.dialects,
            page=other.page if one.page is None else one.page,
            tls_certificate=one.tls_certificate or other.tls_certificate,
            tls_key=one.tls_key or other.tls_key,
        ),
    )
