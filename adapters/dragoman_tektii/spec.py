"""What this folder offers: one protocol, its two providers, and the settings they take.

Read at start-up for every command, so it imports neither the adapter nor the dialect. A gateway
stands wherever its owner put it; so its address is a setting, and no host is anybody's own.
"""

from __future__ import annotations

from typing import Final

from dragoman.adapter import Environment
from dragoman.registry import CredentialField, OptionField, Protocol, Provider

__all__ = ["PROTOCOL", "STREAM_PATH"]

STREAM_PATH: Final = "/v1/ws"
"""Where the stream is, under its endpoint."""

_CREDENTIALS: Final = (
    CredentialField(
        name="api_key",
        variables=("TEKTII_TRADING_GATEWAY_API_KEY", "TRADING_GATEWAY_API_KEY"),
        is_required=False,
        description="The gateway's key; a gateway without one needs none.",
    ),
)

_OPTIONS: Final = (
    OptionField(
        name="symbols",
        types=(str, tuple, list),
        description="What may be traded, such as 'AAPL,BTC/USD': a gateway lists no instruments.",
    ),
    OptionField(
        name="acknowledge",
        types=(str,),
        description=(
            "When a backtest's events are acknowledged: 'handled', by who reads them (default), "
            "or 'received', as they come."
        ),
    ),
)


def _provider(name: str, environment: Environment, title: str, description: str) -> Provider:
    return Provider(
        name=name,
        environment=environment,
        title=title,
        endpoints={"rest": "http://localhost:8080", "stream": "ws://localhost:8080"},
        # Whoever points requests at a gateway means its stream too.
        endpoint_follows={"stream": "rest"},
        endpoint_variables={"rest": ("TEKTII_TRADING_GATEWAY_URL", "TRADING_GATEWAY_URL")},
        is_self_hosted=True,
        credentials=_CREDENTIALS,
        options=_OPTIONS,
        description=description,
    )


PROTOCOL: Final = Protocol(
    name="tektii",
    title="Tektii trading gateway",
    adapter="dragoman_tektii.adapter:TektiiAdapter",
    dialect="dragoman_tektii.dialect:TektiiDialect",
    documentation="https://github.com/Tektii/trading-gateway",
    providers=(
        _provider(
            "tektii",
            Environment.PAPER,
            "Tektii gateway, no real money",
            "Any Tektii gateway before a paper account, a simulator or a backtest.",
        ),
        _provider(
            "tektii-live",
            Environment.LIVE,
            "Tektii gateway, real money",
            "Any Tektii gateway before a live account.",
        ),
    ),
)
"""The Tektii protocol, as the entry point `dragoman.protocols` names it."""
