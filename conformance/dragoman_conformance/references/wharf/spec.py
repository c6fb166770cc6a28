"""What this folder offers: one protocol and its one provider, which only the kit runs."""

from __future__ import annotations

from typing import Final

from dragoman.adapter import Environment
from dragoman.registry import CredentialField, Protocol, Provider

__all__ = ["PROTOCOL"]

PROTOCOL: Final = Protocol(
    name="wharf",
    title="Wharf",
    adapter="dragoman_conformance.references.wharf.adapter:WharfAdapter",
    dialect="dragoman_conformance.references.wharf.dialect:WharfDialect",
    providers=(
        Provider(
            name="wharf",
            environment=Environment.SIMULATED,
            title="Wharf, a toy venue of the test kit",
            endpoints={"rest": "http://127.0.0.1:8790", "stream": "ws://127.0.0.1:8790"},
            endpoint_follows={"stream": "rest"},
            credentials=(
                CredentialField(name="key", variables=("WHARF_KEY",), description="The key id."),
                CredentialField(
                    name="secret",
                    variables=("WHARF_SECRET",),
                    description="What requests are signed with.",
                ),
            ),
            description="A venue that exists only where the test kit serves it.",
        ),
    ),
)
"""The wharf protocol."""
