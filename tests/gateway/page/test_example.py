"""The gateway's example file is one that `dragoman serve` takes."""

from pathlib import Path

from dragoman_gateway.config_file import load_settings

EXAMPLE = Path(__file__).parents[3] / "examples" / "gateway.toml"


def test_the_example_names_two_providers_on_two_ports():
    settings = load_settings(EXAMPLE)

    assert [("day", "mock"), ("swing", "mock")] == [
        (one.label, one.provider) for one in settings.providers
    ]
    assert [8080, 8081] == [one.port for one in settings.listeners]
    assert [None, False] == [one.page for one in settings.listeners]
