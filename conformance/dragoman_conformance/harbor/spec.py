"""How the kit reaches harbor: a registry of its own, which no installed name leads to."""

from __future__ import annotations

from typing import Final

from dragoman.adapter import Environment
from dragoman.registry import CredentialField, Protocol, Provider, Registry

__all__ = ["REGISTRY"]

REGISTRY: Final = Registry(
    [
        Protocol(
            name="harbor",
            title="Harbor",
            adapter="dragoman_conformance.harbor.adapter:HarborAdapter",
            providers=(
                Provider(
                    name="harbor",
                    environment=Environment.SIMULATED,
                    title="Harbor, the kit's own venue",
                    endpoints={"rest": "http://127.0.0.1:8787", "stream": "ws://127.0.0.1:8787"},
                    credentials=(CredentialField(name="key", variables=("HARBOR_KEY",)),),
                    description="A venue that exists only where the test kit runs it.",
                ),
            ),
        )
    ]
)
"""Give it to `connect(..., registry=REGISTRY)`."""
