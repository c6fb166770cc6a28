"""What this folder offers: one protocol, its providers, and the settings they take.

Read at start-up for every command, so it imports neither the adapter nor the dialect. The only
place, besides the paths in `rest`, that knows an address of Alpaca.
"""

from __future__ import annotations

from typing import Final

from dragoman.adapter import Environment
from dragoman.registry import CredentialField, OptionField, Protocol, Provider

__all__ = ["CRYPTO_DATA_PATH", "PROTOCOL", "STOCK_DATA_PATH", "TRADE_UPDATES_PATH"]

_DATA_HOSTS: Final = frozenset({"data.alpaca.markets", "stream.data.alpaca.markets"})
"""Market data comes from the same hosts for paper and live keys."""

_CREDENTIALS: Final = (
    CredentialField(
        name="api_key",
        variables=("APCA_API_KEY_ID",),
        kinds={"PK": Environment.PAPER, "AK": Environment.LIVE},
        description="The key id.",
    ),
    CredentialField(
        name="secret_key",
        variables=("APCA_API_SECRET_KEY",),
        description="The key's secret.",
    ),
)

_OPTIONS: Final = (
    OptionField(
        name="feed",
        types=(str,),
        description="Which stock feed: iex (default), sip, delayed_sip, boats, overnight or test.",
    ),
    OptionField(
        name="crypto_feed",
        types=(str,),
        description="Which crypto venue: us (default), us-1, us-2, eu-1 or bs-1.",
    ),
    OptionField(
        name="encoding",
        types=(str,),
        description="How streams are written: json (default) or msgpack.",
    ),
)


def _provider(environment: Environment, host: str, title: str, description: str) -> Provider:
    return Provider(
        name=f"alpaca-{environment.lower()}",
        environment=environment,
        title=title,
        endpoints={
            "rest": f"https://{host}",
            "stream": f"wss://{host}",
            "data": "https://data.alpaca.markets",
            "data_stream": "wss://stream.data.alpaca.markets",
        },
        # Whoever points requests elsewhere, at a simulator say, means streams and data too.
        endpoint_follows={"data": "rest", "stream": "rest", "data_stream": "stream"},
        hosts=_DATA_HOSTS | {host},
        credentials=_CREDENTIALS,
        options=_OPTIONS,
        description=description,
    )


PROTOCOL: Final = Protocol(
    name="alpaca",
    title="Alpaca",
    adapter="dragoman_alpaca.adapter:AlpacaAdapter",
    dialect="dragoman_alpaca.dialect:AlpacaDialect",
    payloads="dragoman_alpaca.mapping:PAYLOADS",
    documentation="https://docs.alpaca.markets",
    providers=(
        _provider(
            Environment.PAPER,
            "paper-api.alpaca.markets",
            "Alpaca paper trading",
            "Alpaca's simulator of US equities, options and crypto; no real money.",
        ),
        _provider(
            Environment.LIVE,
            "api.alpaca.markets",
            "Alpaca",
            "US equities, options and crypto, with real money.",
        ),
    ),
)
"""The Alpaca protocol, as the entry point `dragoman.protocols` names it."""

TRADE_UPDATES_PATH: Final = "/stream"
STOCK_DATA_PATH: Final = "/v2/{feed}"
CRYPTO_DATA_PATH: Final = "/v1beta3/crypto/{crypto_feed}"
"""Where the streams are, under their endpoints."""
