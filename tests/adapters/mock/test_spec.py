"""The declaration: what it offers, and how little it takes to read it."""

import subprocess
import sys

from dragoman.adapter import AdapterContext, Environment
from dragoman_mock import PROTOCOL, MockAdapter


def test_one_provider_that_needs_no_keys():
    (provider,) = PROTOCOL.providers

    assert ("mock", Environment.SIMULATED, ()) == (
        provider.name,
        provider.environment,
        provider.credentials,
    )
    assert all(field.description for field in provider.options)


def test_reading_it_loads_no_engine():
    script = (
        "import sys, dragoman_mock.spec\n"
        "print([name for name in sys.modules if name.startswith('dragoman.paper')])"
    )

    run = subprocess.run(  # noqa: S603 - runs the two lines above
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert "[]" == run.stdout.strip()


def test_the_declaration_makes_the_adapter():
    context = AdapterContext(provider="mock", environment=Environment.SIMULATED)

    assert isinstance(PROTOCOL.make_adapter(context), MockAdapter)
