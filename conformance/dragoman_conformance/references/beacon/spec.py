"""What this folder offers: one protocol and one provider, which is where its dialect is served."""

from __future__ import annotations

from typing import Final

from dragoman.adapter import Environment
from dragoman.registry import CredentialField, Protocol, Provider

__all__ = ["PROTOCOL"]

PROTOCOL: Final = Protocol(
    name="beacon",
    title="Beacon",
    adapter="dragoman_conformance.references.beacon.adapter:BeaconAdapter",
    dialect="dragoman_conformance.references.beacon.dialect:BeaconDialect",
    providers=(
        Provider(
            name="beacon",
            environment=Environment.SIMULATED,
            title="Beacon, a dealer of the test kit",
            endpoints={"rest": "http://127.0.0.1:8791", "stream": "http://127.0.0.1:8791"},
            endpoint_follows={"stream": "rest"},
            credentials=(
                CredentialField(
                    name="token",
                    variables=("BEACON_TOKEN",),
                    description="The access token, which has no end.",
                ),
            ),
            description="Pairs of currencies, metals and coins; exists where the kit serves it.",
        ),
    ),
)
"""The protocol beacon."""
