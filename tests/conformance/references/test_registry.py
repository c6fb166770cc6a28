"""The references by name: each is found, spoken both ways, and simulated."""

import pytest

from dragoman.adapter import Adapter, AdapterContext, Environment
from dragoman.credentials import Credentials
from dragoman.registry import installed
from dragoman.transport.urls import check_base
from dragoman_conformance.references import REGISTRY

NAMES = ("beacon", "ferry", "wharf")


def test_there_are_three():
    assert NAMES == tuple(one.name for one in REGISTRY.protocols)
    assert NAMES == tuple(one.name for one in REGISTRY.providers)


@pytest.mark.parametrize("name", NAMES)
def test_a_reference_is_spoken_both_ways_and_trades_no_money(name):
    protocol, provider = REGISTRY.find(name)
    names = {field.name: "x" for field in provider.credentials}
    context = AdapterContext(
        provider=name,
        environment=provider.environment,
        endpoints=provider.endpoints,
        credentials=Credentials(names),
    )

    adapter = protocol.make_adapter(context)

    assert isinstance(adapter, Adapter)
    assert name == adapter.capabilities.protocol
    assert name == protocol.make_dialect().name
    assert Environment.SIMULATED is provider.environment
    assert all("127.0.0.1" in check_base(url) for url in provider.endpoints.values())


@pytest.mark.parametrize("name", NAMES)
def test_no_installed_name_leads_to_a_reference(name):
    assert name not in {one.name for one in installed().providers}
