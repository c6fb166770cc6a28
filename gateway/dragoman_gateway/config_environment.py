"""What environment variables say: our own names, and those that Tektii's gateway is started with.

Ours come first. A variable that is empty is not set. What a variable holds is never told.
"""

from __future__ import annotations

import json
import logging
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar, cast

import attrs

from dragoman.adapter import Environment
from dragoman.credentials import Secret
from dragoman.dialects import AccessKey
from dragoman.errors import ConfigurationError

from .config import DialectSettings, GatewaySettings, ListenerSettings, ProviderSettings
from .config_file import LOG_FORMATS, LOG_LEVELS, SUBSCRIBED_DIALECT
from .config_table import meant
from .serve_keys import VARIABLE, keys_of_variable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dragoman.registry import Provider, Registry

    from .keys import Key

__all__ = ["FOREIGN_CREDENTIALS", "environment_settings", "unheeded"]

Value = TypeVar("Value")

_SHORTEST_KEY: Final = 32
_GATEWAY_KEY: Final = "gateway"
"""The id of the key that GATEWAY_API_KEY holds."""
_PROVIDERS: Final = {
    "alpaca": "alpaca",
    "binance_spot": "binance-spot",
    "mock": "mock",
    "oanda": "oanda",
    "saxo": "saxo",
    "tektii": "tektii",
}
"""Protocols by the words of GATEWAY_PROVIDER."""
_MODES: Final = {
    "paper": (Environment.PAPER, Environment.SIMULATED),
    "live": (Environment.LIVE, Environment.SIMULATED),
}
FOREIGN_CREDENTIALS: Final[dict[str, dict[str, str]]] = {
    "alpaca": {"api_key": "ALPACA_API_KEY", "secret_key": "ALPACA_API_SECRET"},
    "binance-spot": {"api_key": "BINANCE_API_KEY", "secret_key": "BINANCE_API_SECRET"},
    "oanda": {"token": "OANDA_API_KEY"},
    "tektii": {"api_key": "TEKTII_API_KEY"},
}
"""Variables with credentials, by protocol and by our name of each."""
_ENDPOINTS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "alpaca": {"rest": ("ALPACA_BASE_URL",), "data": ("ALPACA_DATA_URL",)},
    "binance-spot": {"rest": ("BINANCE_BASE_URL",), "stream": ("BINANCE_STREAM_URL",)},
    "oanda": {"rest": ("OANDA_BASE_URL", "OANDA_REST_URL"), "stream": ("OANDA_STREAM_URL",)},
    "saxo": {"rest": ("SAXO_BASE_URL",), "stream": ("SAXO_STREAM_URL",)},
    "tektii": {"rest": ("TEKTII_ENGINE_URL",), "stream": ("TEKTII_ENGINE_WS_URL",)},
}
_OPTIONS: Final[dict[str, dict[str, str]]] = {
    "alpaca": {"feed": "ALPACA_FEED"},
    "mock": {"fill_ratio": "MOCK_PARTIAL_FILL_RATIO"},
}
_RATIO: Final = "fill_ratio"
_ACCOUNTS: Final = {"oanda": "OANDA_ACCOUNT_ID", "saxo": "SAXO_ACCOUNT_KEY"}
_NUMBERS: Final = (
    "RECONNECT_INITIAL_BACKOFF_MS",
    "RECONNECT_MAX_BACKOFF_MS",
    "RECONNECT_MAX_DURATION_SECS",
    "SL_TP_TTL_HOURS",
)
_UNHEEDED: Final = (*_NUMBERS, "EXIT_STATE_FILE", "ENABLE_SWAGGER")
_PORTS: Final = range(65536)
_log: Final = logging.getLogger(__name__)
_LEVELS_OF_RUST: Final = {"trace": "debug", "warn": "warning", "off": "error"}


def environment_settings(
    variables: Mapping[str, str], registry: Registry, *, chosen: str | None = None
) -> GatewaySettings:
    """Read every variable that a gateway is started with.

    Args:
        variables: The environment.
        registry: The protocols to choose from.
        chosen: The provider that is chosen elsewhere; where no variable names one, those that are
            for its protocol are read all the same.

    Raises:
        ConfigurationError: One has a value that is none of its own (NOT_SENT).
    """
    return _Variables(variables, registry, chosen).settings()


def unheeded(variables: Mapping[str, str]) -> tuple[str, ...]:
    """Return the known variables that are set and change nothing here."""
    return tuple(name for name in _UNHEEDED if variables.get(name, "").strip())


@attrs.frozen(kw_only=True)
class _Named:
    """The provider that GATEWAY_PROVIDER and GATEWAY_MODE stand for."""

    protocol: str
    name: str


class _Variables:
    def __init__(
        self, variables: Mapping[str, str], registry: Registry, chosen: str | None = None
    ) -> None:
        self._variables = variables
        self._registry = registry
        self._chosen = chosen

    def settings(self) -> GatewaySettings:
        keys, keys_from = self._keys()
        for name in _NUMBERS:
            self._read(name, float, "a number")
        return GatewaySettings(
            providers=self._providers(),
            listeners=self._listeners(),
            keys=keys,
            keys_from=keys_from,
            allow_hosts=self._words("DRAGOMAN_SERVE_ALLOW_HOSTS"),
            allow_origins=self._words("DRAGOMAN_SERVE_ALLOW_ORIGINS"),
            log_format=self._log_format(),
            log_level=self._log_level(),
            dialect_settings=self._dialect_settings(),
        )

    def _text(self, name: str) -> str | None:
        text = self._variables.get(name, "").strip()
        return text or None

    def _words(self, name: str) -> tuple[str, ...]:
        return tuple((self._text(name) or "").replace(",", " ").split())

    def _refuse(self, name: str, problem: str) -> NoReturn:
        raise ConfigurationError(f"{name} {problem}")

    def _read(self, name: str, kind: Callable[[str], Value], words: str) -> Value | None:
        text = self._text(name)
        if text is None:
            return None
        try:
            return kind(text)
        except ValueError:
            self._refuse(name, f"must be {words}")

    def _providers(self) -> tuple[ProviderSettings, ...]:
        ours = self._text("DRAGOMAN_PROVIDER")
        named = self._named() if ours is None else None
        name = ours if named is None else named.name
        if name is None:
            return ()
        protocol, provider = self._registry.find(name)
        given = ProviderSettings(
            provider=name, credentials=self._credentials(protocol.name, provider)
        )
        if named is None:
            return (given,)
        endpoints = {
            role: next((text for text in map(self._text, names) if text), None)
            for role, names in _ENDPOINTS.get(named.protocol, {}).items()
        }
        options = {
            option: self._text(name) for option, name in _OPTIONS.get(named.protocol, {}).items()
        }
        if options.get(_RATIO):
            options |= self._in_two(options[_RATIO] or "")
        account = _ACCOUNTS.get(named.protocol)
        return (
            attrs.evolve(
                given,
                account_id=None if account is None else self._text(account),
                endpoints={role: url for role, url in endpoints.items() if url},
                options={option: text for option, text in options.items() if text},
            ),
        )

    def _in_two(self, ratio: str) -> dict[str, str | None]:
        """Return how a mock fills in two parts; a share that is none is not heeded."""
        try:
            is_share = 0 < Decimal(ratio) < 1
        except ArithmeticError:
            is_share = False
        if is_share:
            return {_RATIO: ratio, "fills_rest": "true"}
        _log.warning("MOCK_PARTIAL_FILL_RATIO is not heeded: it must be above 0 and below 1")
        return {_RATIO: None}

    def _named(self) -> _Named | None:
        word = self._text("GATEWAY_PROVIDER")
        mode = (self._text("GATEWAY_MODE") or "paper").lower()
        if mode not in _MODES:
            self._refuse("GATEWAY_MODE", "must be paper or live")
        if word is None and self._chosen is not None:
            return _Named(protocol=self._registry.find(self._chosen)[0].name, name=self._chosen)
        if word is None:
            return None
        protocol = _PROVIDERS.get(word.lower().replace("-", "_"))
        if protocol is None:
            self._refuse("GATEWAY_PROVIDER", f"names none; {meant(word, list(_PROVIDERS))}")
        known = next((one for one in self._registry.protocols if one.name == protocol), None)
        offered = () if known is None else known.providers
        name = next((one.name for one in offered if one.environment in _MODES[mode]), None)
        if name is None:
            problem = f"is {word}, and nothing that is installed speaks to it in mode {mode}"
            self._refuse("GATEWAY_PROVIDER", problem)
        return _Named(protocol=protocol, name=name)

    def _credentials(self, protocol: str, provider: Provider) -> dict[str, Secret]:
        """Return those under foreign names, where none stands under a name of the provider."""
        found: dict[str, Secret] = {}
        foreign = FOREIGN_CREDENTIALS.get(protocol, {})
        for field in provider.credentials:
            text = self._text(foreign.get(field.name, ""))
            if text is not None and not any(map(self._text, field.variables)):
                found[field.name] = Secret(text)
        return found

    def _listeners(self) -> tuple[ListenerSettings, ...]:
        port: int | None = None
        for name in ("GATEWAY_PORT", "DRAGOMAN_SERVE_PORT"):
            found = self._read(name, int, "a port")
            if found is not None and found not in _PORTS:
                self._refuse(name, "must be a port from 0 to 65535")
            port = port if found is None else found
        dialects = self._words("DRAGOMAN_SERVE_DIALECTS")
        if not dialects and self._text("GATEWAY_PROVIDER"):
            dialects = (SUBSCRIBED_DIALECT,)  # whoever sets that variable expects Tektii's gateway
        host = self._text("DRAGOMAN_SERVE_HOST") or self._text("GATEWAY_HOST")
        if host is None and port is None and not dialects:
            return ()
        spoken = tuple(DialectSettings(name=each) for each in dialects)
        return (ListenerSettings(host=host, port=port, dialects=spoken),)

    def _keys(self) -> tuple[tuple[Key, ...] | None, str]:
        ours, theirs = self._text(VARIABLE), self._text("GATEWAY_API_KEY")
        if theirs is not None and len(theirs.encode()) < _SHORTEST_KEY:
            self._refuse("GATEWAY_API_KEY", f"must have at least {_SHORTEST_KEY} characters")
        names = [
            name
            for name, text in ((VARIABLE, ours), ("GATEWAY_API_KEY", theirs))
            if text is not None
        ]
        if not names:
            return None, ""
        keys = keys_of_variable(ours) if ours else ()
        if theirs:
            keys = (*keys, AccessKey(key_id=_GATEWAY_KEY, secret=theirs))
        return keys, " and ".join(names)

    def _log_format(self) -> str | None:
        ours = self._text("DRAGOMAN_SERVE_LOG")
        if ours is not None:
            return self._one_of("DRAGOMAN_SERVE_LOG", ours.lower(), LOG_FORMATS)
        place = self._text("ENVIRONMENT")
        in_cloud = self._text("K_SERVICE") or (place and place.lower() != "local")
        return "json" if in_cloud else None

    def _log_level(self) -> str | None:
        ours = self._text("DRAGOMAN_SERVE_LOG_LEVEL")
        if ours is not None:
            return self._one_of("DRAGOMAN_SERVE_LOG_LEVEL", ours.lower(), LOG_LEVELS)
        theirs = (self._text("RUST_LOG") or "").lower()
        level = _LEVELS_OF_RUST.get(theirs, theirs)
        return (
            level if level in LOG_LEVELS else None
        )  # it may also name modules, of another program

    def _one_of(self, name: str, word: str, allowed: tuple[str, ...]) -> str:
        if word not in allowed:
            self._refuse(name, f"must be one of {', '.join(allowed)}")
        return word

    def _dialect_settings(self) -> dict[str, dict[str, object]]:
        text = self._text("SUBSCRIPTIONS")
        if text is None:
            return {}
        return {SUBSCRIBED_DIALECT: {"subscriptions": self._rows(text)}}

    def _rows(self, text: str) -> list[dict[str, object]]:
        try:
            rows: object = json.loads(text)
        except (ValueError, RecursionError):
            self._refuse("SUBSCRIPTIONS", "is no JSON")
        listed = cast("list[object]", rows) if isinstance(rows, list) else None
        if listed is None or not all(isinstance(row, dict) for row in listed):
            self._refuse("SUBSCRIPTIONS", "must be a JSON array of objects")
        return cast("list[dict[str, object]]", listed)
