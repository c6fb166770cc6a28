"""Commands run in this process, as those of the core are."""

import os

import pytest
from tests.core.cli.conftest import cli, home, registry  # noqa: F401 - fixtures

FOREIGN = (
    "GATEWAY_",
    "ALPACA_",
    "APCA_",
    "RECONNECT_",
    "SUBSCRIPTIONS",
    "K_SERVICE",
    "ENVIRONMENT",
)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    """Leave nothing that this machine's user has set for a gateway."""
    for name in os.environ:
        if name.startswith(FOREIGN):
            monkeypatch.delenv(name)
