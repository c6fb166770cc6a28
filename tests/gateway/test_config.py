"""What a gateway is told by flags, variables and its file."""

import json
import os

import pytest

from dragoman.dialects import HostLimits, Scope
from dragoman.errors import ConfigurationError
from dragoman.orders.limits import RiskLimits
from dragoman.registry import installed
from dragoman_gateway.config import (
    DialectSettings,
    GatewaySettings,
    ListenerSettings,
    ProviderSettings,
    merged,
)
from dragoman_gateway.config_environment import environment_settings, unheeded
from dragoman_gateway.config_file import load_settings

SECRET = "canary-of-the-configuration-with-32-letters"

WHOLE = """
state_dir = "state"
metrics = false

[providers.paper]
provider = "alpaca-paper"
profile = "mine"
account = "PA1"
endpoints.rest = "http://127.0.0.1:8081"
allow_hosts = ["broker.example"]
options.feed = "sip"
limits.max_order_notional = "10000.5"
limits.max_open_orders = 7

[providers.mock]
options.seed = 7

[[listeners]]
host = "127.0.0.1"
port = 8080
page = false
[[listeners.dialects]]
name = "tektii"
prefix = "/"
providers = ["paper"]
settings.depth = 3
[[listeners.dialects]]
name = "alpaca"
prefix = "/desk/alpaca/"

[[listeners]]
port = 8443
tls_certificate = "server.pem"
tls_key = "/etc/server.key"

[access]
allow_hosts = ["desk.example"]
allow_origins = ["https://desk.example"]

[limits]
body_bytes = 1000
request_s = 2.5

[log]
format = "json"
level = "DEBUG"

[[subscriptions]]
platform = "mock"
instrument = "*"
events = ["*"]
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "gateway.toml"

    def write(text):
        path.write_text(text)
        path.chmod(0o600)
        return path

    return write


def read(**variables):
    return environment_settings(variables, installed())


def test_a_file_says_all_there_is_to_say(file, tmp_path):
    found = load_settings(file(WHOLE))

    assert found.providers == (
        ProviderSettings(
            label="paper",
            provider="alpaca-paper",
            profile="mine",
            account_id="PA1",
            endpoints={"rest": "http://127.0.0.1:8081"},
            allow_hosts=("broker.example",),
            options={"feed": "sip"},
            limits=RiskLimits(max_order_notional="10000.5", max_open_orders=7),
        ),
        ProviderSettings(label="mock", provider="mock", options={"seed": 7}),
    )
    assert found.listeners == (
        ListenerSettings(
            host="127.0.0.1",
            port=8080,
            page=False,
            dialects=(
                DialectSettings(
                    name="tektii", prefix="/", providers=("paper",), settings={"depth": 3}
                ),
                DialectSettings(name="alpaca", prefix="/desk/alpaca"),
            ),
        ),
        ListenerSettings(
            port=8443,
            tls_certificate=tmp_path / "server.pem",
            tls_key=tmp_path.joinpath("/etc/server.key"),
        ),
    )
    assert (None, ("desk.example",), ("https://desk.example",)) == (
        found.keys,
        found.allow_hosts,
        found.allow_origins,
    )
    assert HostLimits(idle_s=60.0, connections_per_peer=1000, body_bytes=1000, request_s=2.5) == (
        found.limits
    )
    assert ("json", "debug", False, tmp_path / "state") == (
        found.log_format,
        found.log_level,
        found.metrics,
        found.state_dir,
    )
    assert {
        "tektii": {"subscriptions": [{"platform": "mock", "instrument": "*", "events": ["*"]}]}
    } == found.dialect_settings


def test_an_empty_file_says_nothing(file):
    assert GatewaySettings() == load_settings(file(""))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("portz = []", "portz is unknown; known: access"),
        ("zzz = 1", "zzz is unknown; known: access"),
        (
            "[providers.a]\naccount_ = 'x'",
            "providers.a.account_ is unknown; did you mean 'account'",
        ),
        ("[[listeners]]\nprot = 1", r"listeners\[1\].prot is unknown; did you mean 'port'"),
        ("[[listeners]]\nport = 70000", "must be from 0 to 65535"),
        ("[[listeners]]\nport = '80'", "port must be a whole number, found str"),
        ("[[listeners]]\nport = true", "port must be a whole number, found bool"),
        ("[[listeners]]\npage = 1", "page must be true or false"),
        ("[[listeners]]\ntls_key = 'k'", "are needed both, or none"),
        ("[listeners]\nport = 1", "listeners must be a list"),
        ("[[listeners]]\n[[listeners.dialects]]\nprefix = '/'", "name is missing"),
        (
            "[[listeners]]\n[[listeners.dialects]]\nname = 'a'\nprefix = 'x'",
            "must be a path such as",
        ),
        (
            "[[listeners]]\n[[listeners.dialects]]\nname = 'a'\nprefix = '/../x'",
            "must be a path such as",
        ),
        (
            "[[listeners]]\n[[listeners.dialects]]\nname = 'a'\nproviders = ['x']",
            "names 'x', which is no table of providers",
        ),
        ("[limits]\nbody_byte = 1", "did you mean 'body_bytes'"),
        ("[limits]\nbody_bytes = 0", "must be above 0"),
        ("[limits]\nbody_bytes = 1.5", "must be a whole number"),
        ("[limits]\nidle_s = nan", "must be above 0"),
        ("[limits]\nidle_s = inf", "must be above 0, and finite"),
        ("[log]\nformat = 'xml'", "must be one of json, text"),
        ("[access]\nallow_host = []", "did you mean 'allow_hosts'"),
        ("[access]\nallow_hosts = 'x'", "must be a list"),
        ("[access]\nkeys_file = 'no-such'", "can't be read"),
        ("[access]\nkeys_file = 'x'\n[access.keys.a]", "take one of them away"),
        ("[providers.a.limits]\nmax_position = 1.5", "to be read exactly"),
        ("[providers.a.limits]\nmax_position = '-1'", "limits is wrong"),
        ("[providers.a.limits]\nmax_positions = '1'", "did you mean 'max_position'"),
        ("[providers]\na = 1", "providers.a must be a table"),
        ("[providers.a]\nprovider = ' '", "provider is empty"),
        ("subscriptions = 'x'", "subscriptions must be a list"),
        ("x = [", "is no TOML"),
    ],
    ids=str,
)
def test_what_a_file_must_not_say_is_refused_by_name(file, text, words):
    with pytest.raises(ConfigurationError, match=words):
        load_settings(file(text))


def test_keys_may_stand_in_the_file(file):
    found = load_settings(file(f'[access.keys.captain]\nsecret = "{SECRET}"\nscopes = ["HALT"]\n'))

    assert [("captain", frozenset({Scope.HALT}))] == [
        (key.key_id, key.scopes) for key in found.keys
    ]
    assert SECRET not in repr(found)


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_a_file_with_keys_that_others_may_read_is_refused(file):
    path = file(f'[access.keys.captain]\nsecret = "{SECRET}"\n')
    path.chmod(0o644)

    with pytest.raises(ConfigurationError, match="chmod 600") as raised:
        load_settings(path)
    assert SECRET not in str(raised.value)


def test_a_file_without_keys_may_be_read_by_all(file):
    path = file("[log]\n")
    path.chmod(0o644)

    assert GatewaySettings() == load_settings(path)


def test_the_first_origin_that_answers_is_heard():
    flags = GatewaySettings(
        providers=(ProviderSettings(endpoints={"rest": "flag"}),),
        listeners=(ListenerSettings(port=0),),
    )
    variables = GatewaySettings(
        providers=(ProviderSettings(provider="mock", account_id="variable"),),
        listeners=(ListenerSettings(port=1, host="::1"),),
        dialect_settings={"tektii": {"a": 1}},
    )
    file = GatewaySettings(
        providers=(
            ProviderSettings(
                label="paper", provider="mock", account_id="file", endpoints={"rest": "f", "s": "f"}
            ),
        ),
        listeners=(ListenerSettings(port=2, page=False, dialects=(DialectSettings(name="x"),)),),
        log_format="json",
        dialect_settings={"tektii": {"a": 2, "b": 2}},
    )

    found = merged([flags, variables, file])

    assert found == GatewaySettings(
        providers=(
            ProviderSettings(
                label="paper",
                provider="mock",
                account_id="variable",
                endpoints={"rest": "flag", "s": "f"},
            ),
        ),
        listeners=(
            ListenerSettings(port=0, host="::1", page=False, dialects=(DialectSettings(name="x"),)),
        ),
        log_format="json",
        dialect_settings={"tektii": {"a": 1, "b": 2}},
    )


def test_settings_of_one_provider_are_not_those_of_another():
    flags = GatewaySettings(providers=(ProviderSettings(provider="mock"),))
    file = GatewaySettings(
        providers=(ProviderSettings(label="paper", provider="alpaca-paper", account_id="PA1"),)
    )

    assert (ProviderSettings(label="paper", provider="mock"),) == merged([flags, file]).providers


@pytest.mark.parametrize(
    ("first", "then", "words"),
    [
        (
            GatewaySettings(providers=(ProviderSettings(provider="mock"),)),
            GatewaySettings(
                providers=(ProviderSettings(label="a"), ProviderSettings(label="b")),
            ),
            "several providers",
        ),
        (
            GatewaySettings(listeners=(ListenerSettings(port=1),)),
            GatewaySettings(listeners=(ListenerSettings(port=2), ListenerSettings(port=3))),
            "several ports",
        ),
        (
            GatewaySettings(keys=(), keys_from="here"),
            GatewaySettings(keys=(), keys_from="there"),
            "in here and in there: take one",
        ),
    ],
    ids=["providers", "ports", "keys"],
)
def test_what_can_not_be_told_which_it_changes_is_refused(first, then, words):
    with pytest.raises(ConfigurationError, match=words):
        merged([first, then])


def test_an_empty_environment_says_nothing():
    assert GatewaySettings() == read()
    assert GatewaySettings() == read(GATEWAY_API_KEY="", GATEWAY_PORT=" ", SUBSCRIPTIONS="")


@pytest.mark.parametrize(
    ("word", "mode", "name"),
    [
        ("alpaca", "paper", "alpaca-paper"),
        ("alpaca", "live", "alpaca-live"),
        ("ALPACA", "", "alpaca-paper"),
        ("mock", "paper", "mock"),
        ("mock", "live", "mock"),
        ("tektii", "paper", "tektii"),
        ("tektii", "live", "tektii-live"),
    ],
)
def test_the_provider_of_another_gateways_variables_is_ours(word, mode, name):
    found = read(GATEWAY_PROVIDER=word, GATEWAY_MODE=mode)

    assert [name] == [one.provider for one in found.providers]
    assert [["tektii"]] == [[one.name for one in port.dialects] for port in found.listeners]


def test_variables_of_another_gateway_are_taken_for_what_they_say_there():
    found = read(
        GATEWAY_PROVIDER="alpaca",
        GATEWAY_HOST="0.0.0.0",  # noqa: S104 - only read
        GATEWAY_PORT="9000",
        GATEWAY_API_KEY=SECRET,
        ALPACA_API_KEY="PK-of-tests",
        ALPACA_API_SECRET=SECRET,
        ALPACA_BASE_URL="http://127.0.0.1:1",
        ALPACA_DATA_URL="http://127.0.0.1:2",
        ALPACA_FEED="sip",
        SUBSCRIPTIONS='[{"platform": "alpaca-paper", "instrument": "*", "events": ["*"]}]',
        K_SERVICE="gateway",
        RUST_LOG="warn",
    )

    (provider,), (port,), (key,) = found.providers, found.listeners, found.keys
    assert {"api_key": "PK-of-tests", "secret_key": SECRET} == {
        name: secret.reveal() for name, secret in provider.credentials.items()
    }
    assert ({"rest": "http://127.0.0.1:1", "data": "http://127.0.0.1:2"}, {"feed": "sip"}) == (
        provider.endpoints,
        provider.options,
    )
    assert ("0.0.0.0", 9000) == (port.host, port.port)  # noqa: S104 - only read
    assert ("gateway", frozenset(Scope)) == (key.key_id, key.scopes)
    assert ("json", "warning") == (found.log_format, found.log_level)
    assert [{"platform": "alpaca-paper", "instrument": "*", "events": ["*"]}] == (
        found.dialect_settings["tektii"]["subscriptions"]
    )
    assert SECRET not in repr(found)


def test_our_own_variables_come_before_those_of_another_gateway():
    found = read(
        DRAGOMAN_PROVIDER="mock",
        GATEWAY_PROVIDER="alpaca",
        DRAGOMAN_SERVE_HOST="::1",
        GATEWAY_HOST="127.0.0.1",
        DRAGOMAN_SERVE_PORT="1",
        GATEWAY_PORT="2",
        DRAGOMAN_SERVE_DIALECTS="alpaca, tektii",
        DRAGOMAN_SERVE_LOG="text",
        DRAGOMAN_SERVE_LOG_LEVEL="debug",
        DRAGOMAN_SERVE_ALLOW_HOSTS="a.example b.example",
        ENVIRONMENT="production",
        RUST_LOG="error",
    )

    assert found == GatewaySettings(
        providers=(ProviderSettings(provider="mock"),),
        listeners=(
            ListenerSettings(
                host="::1",
                port=1,
                dialects=(DialectSettings(name="alpaca"), DialectSettings(name="tektii")),
            ),
        ),
        log_format="text",
        log_level="debug",
        allow_hosts=("a.example", "b.example"),
    )


def test_credentials_under_names_of_our_own_are_not_replaced():
    found = read(DRAGOMAN_PROVIDER="alpaca-paper", APCA_API_KEY_ID="ours", ALPACA_API_KEY="theirs")

    assert {} == found.providers[0].credentials


IN_TWO = {"fill_ratio": "0.4", "fills_rest": "true"}


def test_the_share_of_a_mock_that_fills_first_is_its_fill_ratio():
    found = read(GATEWAY_PROVIDER="mock", MOCK_PARTIAL_FILL_RATIO="0.4")

    assert IN_TWO == found.providers[0].options


@pytest.mark.parametrize("share", ["0", "1", "2", "-0.5", "half", "NaN"])
def test_a_share_that_is_none_is_not_heeded(share):
    found = read(GATEWAY_PROVIDER="mock", MOCK_PARTIAL_FILL_RATIO=share)

    assert {} == found.providers[0].options


def test_variables_of_a_provider_that_a_flag_chooses_are_read():
    variables = {"MOCK_PARTIAL_FILL_RATIO": "0.4"}

    found = environment_settings(variables, installed(), chosen="mock")

    assert ("mock", IN_TWO) == (found.providers[0].provider, found.providers[0].options)


def test_variables_of_a_provider_that_a_flag_chooses_yield_to_those_that_name_another():
    variables = {"GATEWAY_PROVIDER": "mock", "GATEWAY_MODE": "paper"}

    found = environment_settings(variables, installed(), chosen="alpaca-paper")

    assert "mock" == found.providers[0].provider


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"GATEWAY_PROVIDER": "alpacca"}, "names none; did you mean 'alpaca'"),
        ({"GATEWAY_PROVIDER": "saxo"}, "nothing that is installed speaks to it"),
        ({"GATEWAY_PROVIDER": "mock", "GATEWAY_MODE": "real"}, "must be paper or live"),
        ({"GATEWAY_MODE": "real"}, "must be paper or live"),
        ({"GATEWAY_PORT": "x"}, "GATEWAY_PORT must be a port"),
        ({"GATEWAY_PORT": "65536"}, "GATEWAY_PORT must be a port from 0 to 65535"),
        ({"GATEWAY_API_KEY": "short-canary"}, "at least 32 characters"),
        ({"SUBSCRIPTIONS": "{"}, "is no JSON"),
        ({"SUBSCRIPTIONS": "{}"}, "must be a JSON array of objects"),
        ({"SUBSCRIPTIONS": json.dumps([1])}, "must be a JSON array of objects"),
        ({"RECONNECT_MAX_BACKOFF_MS": "soon"}, "RECONNECT_MAX_BACKOFF_MS must be a number"),
        ({"SL_TP_TTL_HOURS": "x"}, "SL_TP_TTL_HOURS must be a number"),
        ({"DRAGOMAN_SERVE_LOG": "xml"}, "must be one of json, text"),
        ({"DRAGOMAN_SERVE_KEYS": "canary"}, "not of the form ID=SECRET"),
    ],
    ids=str,
)
def test_a_variable_of_another_form_stops_the_start(variables, words):
    with pytest.raises(ConfigurationError, match=words) as raised:
        read(**variables)
    assert "canary" not in str(raised.value)


def test_what_is_set_and_changes_nothing_is_known():
    variables = {"EXIT_STATE_FILE": "x", "SL_TP_TTL_HOURS": "24", "GATEWAY_PORT": "1"}

    assert ("SL_TP_TTL_HOURS", "EXIT_STATE_FILE") == unheeded(variables)
