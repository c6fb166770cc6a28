"""Where a gateway is, is its user's word: an argument, the environment, or this machine."""

import pytest

from dragoman import connect
from dragoman.errors import ConfigurationError

from .gateway import Gateway

VARIABLES = ("TEKTII_TRADING_GATEWAY_URL", "TRADING_GATEWAY_URL")
KEYS = ("TEKTII_TRADING_GATEWAY_API_KEY", "TRADING_GATEWAY_API_KEY")


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch):
    for name in (*VARIABLES, *KEYS):
        monkeypatch.delenv(name, raising=False)


async def addressed(gateway, **facts):
    transport = gateway.transport()
    async with connect("tektii", transport=transport, read_only=True, **facts):
        return gateway.heard[0].host, gateway.heard[1].headers.get("x-api-key")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "localhost:8080"),
        ({"TRADING_GATEWAY_URL": "http://127.0.0.1:9001/"}, "127.0.0.1:9001"),
        ({"TRADING_GATEWAY_URL": "https://gateway.example"}, "gateway.example"),
        (
            {
                "TRADING_GATEWAY_URL": "https://gateway.example",
                "TEKTII_TRADING_GATEWAY_URL": "http://localhost:9002",
            },
            "localhost:9002",
        ),
    ],
    ids=["nothing", "loopback", "elsewhere", "both"],
)
async def test_the_environment_says_where_the_gateway_is(monkeypatch, variables, expected):
    for name, url in variables.items():
        monkeypatch.setenv(name, url)

    assert (expected, None) == await addressed(Gateway())


async def test_an_argument_wins_over_the_environment(monkeypatch):
    monkeypatch.setenv("TRADING_GATEWAY_URL", "https://gateway.example")

    found = await addressed(Gateway(), endpoints={"rest": "http://localhost:9003"})

    assert ("localhost:9003", None) == found


async def test_the_newer_name_of_the_key_wins(monkeypatch):
    monkeypatch.setenv("TRADING_GATEWAY_API_KEY", "older")
    assert "older" == (await addressed(Gateway()))[1]

    monkeypatch.setenv("TEKTII_TRADING_GATEWAY_API_KEY", "newer")
    assert "newer" == (await addressed(Gateway()))[1]


async def test_a_gateway_elsewhere_is_never_spoken_to_in_the_clear(monkeypatch):
    monkeypatch.setenv("TRADING_GATEWAY_URL", "http://gateway.example")

    with pytest.raises(ConfigurationError, match="without TLS"):
        await addressed(Gateway())
