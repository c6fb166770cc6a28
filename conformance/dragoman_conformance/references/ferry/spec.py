"""What this folder offers: one protocol and one provider, which is where its dialect is served."""

from __future__ import annotations

from typing import Final

from dragoman.adapter import Environment
from dragoman.registry import CredentialField, Protocol, Provider

__all__ = ["PROTOCOL"]

PROTOCOL: Final = Protocol(
    name="ferry",
    title="Ferry",
    adapter="dragoman_conformance.references.ferry.adapter:FerryAdapter",
    dialect="dragoman_conformance.references.ferry.dialect:FerryDialect",
    providers=(
        Provider(
            name="ferry",
            environment=Environment.SIMULATED,
            title="Ferry, a broker of the test kit",
            endpoints={"rest": "http://127.0.0.1:8792"},
            credentials=(
                CredentialField(
                    name="login", variables=("FERRY_LOGIN",), description="Who logs in."
                ),
                CredentialField(
                    name="password", variables=("FERRY_PASSWORD",), description="Its password."
                ),
            ),
            description="Shares and pairs by REST alone; exists where the kit serves it.",
        ),
    ),
)
"""The protocol ferry."""
