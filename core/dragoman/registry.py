"""Which protocols are installed and which provider names they offer.

Finding one imports nothing of its adapter.
"""

from __future__ import annotations

import difflib
import functools
import importlib
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final, cast

import attrs

from .adapter import Environment
from .errors import ConfigurationError, UnknownProviderError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .adapter import Adapter, AdapterContext
    from .decoding import Payloads
    from .dialects import Dialect

__all__ = [
    "GROUP",
    "CredentialField",
    "OptionField",
    "Protocol",
    "Provider",
    "Registry",
    "installed",
]

GROUP: Final = "dragoman.protocols"
_LONGEST_NAME: Final = 80


@attrs.frozen(kw_only=True)
class CredentialField:
    """One credential of a provider.

    Its argument name and the environment variables that may hold it, best first.

    `kinds` tells keys of different environments apart by how they begin: {"PK": Environment.PAPER,
    ...}; a key that begins like another environment's is refused. `is_secret` False is for ids that
    may be shown.
    """

    name: str
    variables: tuple[str, ...] = ()
    is_required: bool = True
    is_secret: bool = True
    kinds: Mapping[str, Environment] = attrs.field(factory=dict[str, Environment])
    description: str = ""


@attrs.frozen(kw_only=True)
class OptionField:
    """One setting of a provider that is not secret.

    Its name, the types it takes and what it means.
    """

    name: str
    types: tuple[type, ...]
    description: str = ""


@attrs.frozen(kw_only=True)
class Provider:
    """One venue in one environment, under the name that users connect by.

    `hosts` are the hosts this provider owns; a connection of another environment of the protocol
    refuses them. `endpoint_follows` names, for a role, the role whose override it takes over unless
    it is overridden itself, each with a scheme of its own kind and in this order; so nobody who
    points one elsewhere sends credentials to the venue by the other.

    `endpoint_variables` are environment variables that may hold the URL of a role, best first.
    `is_self_hosted` says that the venue stands wherever its user put it: any host may be named
    then, by TLS off this machine as ever.
    """

    name: str
    environment: Environment
    title: str
    endpoints: Mapping[str, str] = attrs.field(factory=dict[str, str])
    endpoint_follows: Mapping[str, str] = attrs.field(factory=dict[str, str])
    endpoint_variables: Mapping[str, tuple[str, ...]] = attrs.field(
        factory=dict[str, tuple[str, ...]]
    )
    hosts: frozenset[str] = frozenset()
    is_self_hosted: bool = False
    credentials: tuple[CredentialField, ...] = ()
    options: tuple[OptionField, ...] = ()
    description: str = ""


@attrs.frozen(kw_only=True)
class Protocol:
    """One foreign language and who speaks it.

    `adapter`, `dialect` and `payloads` are lazy paths `module:attribute`; `payloads` is the table
    of what the protocol's payloads mean here.
    """

    name: str
    title: str
    providers: tuple[Provider, ...]
    adapter: str
    dialect: str | None = None
    payloads: str | None = None
    documentation: str | None = None

    def make_adapter(self, context: AdapterContext) -> Adapter:
        """Import the adapter and build one. Does no I/O with the venue.

        Raises:
            ConfigurationError: The path names no adapter.
        """
        build = cast("Callable[[AdapterContext], Adapter]", self._load("adapter", self.adapter))
        return build(context)

    def make_dialect(self) -> Dialect:
        """Import the dialect and make one, to be mounted once.

        Raises:
            ConfigurationError: The protocol is not spoken as a server, or the path names no
                dialect.
        """
        if self.dialect is None:
            raise ConfigurationError(f"protocol {self.name!r} has no dialect: it can't be served")
        return cast("Callable[[], Dialect]", self._load("dialect", self.dialect))()

    def load_payloads(self) -> Payloads:
        """Import the table of what the protocol's payloads mean.

        Raises:
            UnsupportedError: The protocol has none (NOT_SENT).
            ConfigurationError: The path names none.
        """
        if self.payloads is None:
            raise UnsupportedError(f"{self.title} has no payloads of its own to decode")
        return cast("Payloads", self._load("payload table", self.payloads))

    def _load(self, what: str, path: str) -> object:
        module, _, attribute = path.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            message = f"the {what} of protocol {self.name!r}, {path!r}, can't be loaded: {error}"
            raise ConfigurationError(message) from error


class Registry:
    """The protocols at hand, by provider name.

    Raises:
        ConfigurationError: Two protocols offer the same provider name.
    """

    def __init__(self, protocols: Iterable[Protocol]) -> None:
        self._protocols = tuple(protocols)
        self._providers: dict[str, tuple[Protocol, Provider]] = {}
        for protocol in self._protocols:
            for provider in protocol.providers:
                self._add(protocol, provider)

    @property
    def protocols(self) -> tuple[Protocol, ...]:
        """The protocols, by name."""
        return tuple(sorted(self._protocols, key=lambda protocol: protocol.name))

    @property
    def providers(self) -> tuple[Provider, ...]:
        """Every provider of every protocol, by name."""
        return tuple(self._providers[name][1] for name in sorted(self._providers))

    def find(self, name: str) -> tuple[Protocol, Provider]:
        """Return the protocol and the provider of that name.

        Raises:
            UnknownProviderError: No such provider; the message names the choices or near misses
                (NOT_SENT).
        """
        found = self._providers.get(name)
        if found is not None:
            return found
        raise UnknownProviderError(self._not_found(name))

    def find_protocol(self, name: str) -> Protocol:
        """Return the protocol of that name, or the one that a provider of that name speaks.

        Raises:
            UnknownProviderError: Neither is installed; the message names the protocols (NOT_SENT).
        """
        named = {one.name: one for one in self.protocols}
        if name in named:
            return named[name]
        if name in self._providers:
            return self._providers[name][0]
        shown = name[:_LONGEST_NAME]
        known = ", ".join(named) or "none"
        raise UnknownProviderError(f"no protocol {shown!r}. Installed: {known}")

    def find_dialect(self, name: str) -> Protocol:
        """Return the protocol of that name, which can be served.

        Raises:
            ConfigurationError: No such protocol, or it has no dialect; the message names the
                choices (NOT_SENT).
        """
        served = {one.name: one for one in self.protocols if one.dialect is not None}
        if name in served:
            return served[name]
        shown = name[:_LONGEST_NAME]
        known = ", ".join(served) or "none"
        raise ConfigurationError(f"no dialect {shown!r}. Installed: {known}")

    def _add(self, protocol: Protocol, provider: Provider) -> None:
        other = self._providers.get(provider.name)
        if other is not None:
            both = f"{other[0].name!r} and {protocol.name!r}"
            message = f"provider {provider.name!r} is offered by both {both}"
            raise ConfigurationError(message)
        self._providers[provider.name] = (protocol, provider)

    def _not_found(self, name: str) -> str:
        choices = [known for known in sorted(self._providers) if known.startswith(f"{name}-")]
        if choices:
            return f"{name!r} has several environments; choose one: {', '.join(choices)}"
        shown = name[:_LONGEST_NAME]
        near = difflib.get_close_matches(shown, self._providers, n=3)
        hint = f"; did you mean {', '.join(near)}?" if near else "."
        known = ", ".join(sorted(self._providers)) or "none"
        return f"no provider {shown!r}{hint} Installed: {known}"


@functools.cache
def installed() -> Registry:
    """Return the registry of everything installed, read from the entry points once per process.

    Raises:
        ConfigurationError: An entry point can't be loaded or is no `Protocol`.
    """
    protocols: list[Protocol] = []
    for point in entry_points(group=GROUP):
        try:
            protocol: object = point.load()
        except (ImportError, AttributeError) as error:
            message = f"protocol {point.name!r} of {point.value!r} can't be loaded: {error}"
            raise ConfigurationError(message) from error
        if not isinstance(protocol, Protocol):
            message = f"entry point {point.name!r} ({point.value!r}) is no Protocol"
            raise ConfigurationError(message)
        protocols.append(protocol)
    return Registry(protocols)
