"""Settings come from arguments, then variables, then profiles; mix-ups are refused unsent."""

from pathlib import Path

import attrs
import pytest

from dragoman import ConfigurationError, Environment, MissingCredentialsError
from dragoman.config import (
    Profile,
    config_path,
    endpoints_of_environment,
    load_profiles,
    resolve_credentials,
    resolve_endpoints,
    resolve_options,
)
from dragoman.registry import CredentialField, OptionField, Protocol, Provider

HERE = "http://127.0.0.1:8081"
THERE = "http://127.0.0.1:8082"
KINDS = {"PK": Environment.PAPER, "AK": Environment.LIVE}
FIELDS = (
    CredentialField(name="api_key", variables=("ACME_KEY", "ACME_KEY_OLD"), kinds=KINDS),
    CredentialField(name="passphrase", variables=("ACME_PASS",), is_required=False),
)
OPTIONS = (OptionField(name="depth", types=(int,)),)
PAPER = Provider(
    name="acme-paper",
    environment=Environment.PAPER,
    title="Acme paper",
    endpoints={"rest": "https://paper.acme.example", "stream": "wss://paper.acme.example/ws"},
    hosts=frozenset({"paper.acme.example"}),
    credentials=FIELDS,
    options=OPTIONS,
)
LIVE = Provider(
    name="acme-live",
    environment=Environment.LIVE,
    title="Acme live",
    endpoints={"rest": "https://api.acme.example"},
    hosts=frozenset({"api.acme.example"}),
    credentials=FIELDS,
)
ACME = Protocol(name="acme", title="Acme", providers=(PAPER, LIVE), adapter="acme:Adapter")


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACME_KEY", "ACME_KEY_OLD", "ACME_PASS", "DRAGOMAN_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def test_an_argument_wins_over_a_variable_and_a_variable_over_a_profile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    profile = Profile(name="p", provider="acme-paper", credentials={"api_key": "PK-profile"})

    by_profile = resolve_credentials(PAPER, {}, profile)["api_key"]
    monkeypatch.setenv("ACME_KEY_OLD", "PK-old")
    by_old = resolve_credentials(PAPER, {}, profile)["api_key"]
    monkeypatch.setenv("ACME_KEY", "PK-variable")
    by_variable = resolve_credentials(PAPER, {}, profile)["api_key"]
    by_argument = resolve_credentials(PAPER, {"api_key": "PK-argument"}, profile)["api_key"]

    assert ["PK-profile", "PK-old", "PK-variable", "PK-argument"] == [
        by_profile,
        by_old,
        by_variable,
        by_argument,
    ]


def test_a_missing_credential_is_named_with_every_place_it_may_stand() -> None:
    with pytest.raises(MissingCredentialsError) as raised:
        resolve_credentials(PAPER, {}, None)

    for place in ("api_key=", "ACME_KEY or ACME_KEY_OLD", "credentials.api_key", "acme-paper"):
        assert place in raised.value.message


@pytest.mark.parametrize("value", ["", "  ", 7, b"PK"])
def test_a_blank_or_mistyped_credential_is_refused_without_showing_it(value: object) -> None:
    with pytest.raises(ConfigurationError, match=r"credential api_key must be a text"):
        resolve_credentials(PAPER, {"api_key": value}, None)


@pytest.mark.parametrize(("provider", "key"), [(PAPER, "AK-canary"), (LIVE, "PK-canary")])
def test_a_key_of_another_environment_is_refused_without_showing_it(
    provider: Provider, key: str
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        resolve_credentials(provider, {"api_key": key}, None)

    assert "canary" not in str(raised.value)
    assert provider.environment in raised.value.message


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8081",
        "ws://localhost:1/x",
        "http://[::1]:9",
        "https://paper.acme.example/v2",
    ],
)
def test_loopback_and_the_providers_own_hosts_are_allowed(url: str) -> None:
    endpoints = resolve_endpoints(ACME, PAPER, {"rest": url})

    assert url == endpoints["rest"]
    assert PAPER.endpoints["stream"] == endpoints["stream"]


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://api.acme.example", "another environment"),
        ("https://API.acme.example", "another environment"),
        ("https://evil.example", "does not own"),
        ("http://paper.acme.example", "without TLS"),
        ("ftp://127.0.0.1", "no http"),
        ("127.0.0.1:80", "no http"),
        ("https://user@paper.acme.example", "user names"),
        ("http://127.0.0.1@evil.example", "user names"),
        ("http://127.0.0.1.evil.example", "does not own"),
        ("https://paper.acme.example:port", "no http"),
        ("http://[::1", "no http"),
    ],
)
def test_any_other_host_or_scheme_is_refused(url: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        resolve_endpoints(ACME, PAPER, {"rest": url})


def test_a_host_named_by_the_user_is_allowed_but_never_the_other_environments() -> None:
    endpoints = resolve_endpoints(
        ACME, PAPER, {"rest": "https://proxy.example"}, allow_hosts=["proxy.example"]
    )

    assert "https://proxy.example" == endpoints["rest"]
    with pytest.raises(ConfigurationError, match=r"another environment"):
        resolve_endpoints(
            ACME, PAPER, {"rest": "https://api.acme.example"}, allow_hosts=["api.acme.example"]
        )


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({}, {}),
        ({"rest": HERE}, {"rest": HERE, "data": HERE}),
        ({"data": THERE}, {"data": THERE}),
        ({"rest": HERE, "data": THERE}, {"rest": HERE, "data": THERE}),
        ({"stream": "ws://localhost:9"}, {"stream": "ws://localhost:9"}),
    ],
    ids=["none", "the one it follows", "itself", "both", "another"],
)
def test_a_role_follows_the_override_of_another_unless_it_has_its_own(
    overrides: dict[str, str], expected: dict[str, str]
) -> None:
    own = {**PAPER.endpoints, "data": "https://data.acme.example"}
    provider = attrs.evolve(PAPER, endpoints=own, endpoint_follows={"data": "rest"})

    assert {**own, **expected} == resolve_endpoints(ACME, provider, overrides)


@pytest.mark.parametrize(
    ("rest", "stream"),
    [("http://localhost:9/v", "ws://localhost:9/v"), ("https://[::1]:9", "wss://[::1]:9")],
    ids=["plain", "secure"],
)
def test_a_stream_that_follows_requests_is_still_a_stream(rest: str, stream: str) -> None:
    provider = attrs.evolve(PAPER, endpoint_follows={"stream": "rest"})

    assert {"rest": rest, "stream": stream} == resolve_endpoints(ACME, provider, {"rest": rest})


def test_what_follows_may_be_followed() -> None:
    own = {**PAPER.endpoints, "data_stream": "wss://data.acme.example"}
    follows = {"stream": "rest", "data_stream": "stream"}
    provider = attrs.evolve(PAPER, endpoints=own, endpoint_follows=follows)

    found = resolve_endpoints(ACME, provider, {"rest": HERE})

    assert found["stream"] == found["data_stream"] == HERE.replace("http", "ws")


def test_what_a_role_would_follow_is_checked_as_well() -> None:
    own = {**PAPER.endpoints, "data": "https://data.acme.example"}
    provider = attrs.evolve(PAPER, endpoints=own, endpoint_follows={"data": "rest"})

    with pytest.raises(ConfigurationError, match=r"does not own"):
        resolve_endpoints(ACME, provider, {"rest": "https://evil.example"})


def test_a_provider_that_users_host_may_stand_anywhere_but_in_the_clear() -> None:
    own = attrs.evolve(PAPER, is_self_hosted=True)

    found = resolve_endpoints(ACME, own, {"rest": "https://gateway.example:8080"})

    assert "https://gateway.example:8080" == found["rest"]
    with pytest.raises(ConfigurationError, match=r"without TLS"):
        resolve_endpoints(ACME, own, {"rest": "http://gateway.example:8080"})
    with pytest.raises(ConfigurationError, match=r"another environment"):
        resolve_endpoints(ACME, own, {"rest": "https://api.acme.example"})


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, {}),
        ({"ACME_URL": HERE}, {"rest": HERE}),
        ({"ACME_URL": "  ", "ACME_URL_OLD": THERE}, {"rest": THERE}),
        ({"ACME_URL": HERE, "ACME_URL_OLD": THERE}, {"rest": HERE}),
    ],
    ids=["none", "the first", "a blank one", "both"],
)
def test_the_environment_may_say_where_a_provider_is(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: dict[str, str]
) -> None:
    for name in ("ACME_URL", "ACME_URL_OLD"):
        monkeypatch.delenv(name, raising=False)
    for name, url in variables.items():
        monkeypatch.setenv(name, url)
    own = attrs.evolve(PAPER, endpoint_variables={"rest": ("ACME_URL", "ACME_URL_OLD")})

    assert expected == endpoints_of_environment(own)


def test_an_unknown_role_names_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"it has: rest, stream"):
        resolve_endpoints(ACME, PAPER, {"data": "http://127.0.0.1"})


def test_options_are_checked_by_name_and_type_and_arguments_win() -> None:
    profile = Profile(name="p", provider="acme-paper", options={"depth": 5})

    assert {"depth": 9} == resolve_options(PAPER, {"depth": 9, "api_key": "PK"}, profile)
    with pytest.raises(ConfigurationError, match=r"takes no 'depht'; it takes: api_key, depth"):
        resolve_options(PAPER, {"depht": 9}, None)
    with pytest.raises(ConfigurationError, match=r"depth must be int, found str"):
        resolve_options(PAPER, {"depth": "9"}, None)


GOOD = """
[profiles.mine]
provider = "acme-paper"
account_id = "A1"
allow_hosts = ["proxy.example"]
[profiles.mine.credentials]
api_key = "PK-canary"
[profiles.mine.endpoints]
rest = "http://127.0.0.1:8081"
[profiles.mine.options]
depth = 5
"""


def written(folder: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path = folder / "config.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


@pytest.mark.parametrize("text", [GOOD, GOOD.replace("\n", "\r\n"), "\ufeff" + GOOD])
def test_a_profile_is_read_whole_with_any_line_ends_and_a_byte_order_mark(
    tmp_path: Path, text: str
) -> None:
    profile = load_profiles(written(tmp_path, text))["mine"]

    assert ("acme-paper", "A1", {"depth": 5}, ("proxy.example",)) == (
        profile.provider,
        profile.account_id,
        profile.options,
        profile.allow_hosts,
    )
    assert "canary" not in repr(profile)


def test_no_file_is_no_profile(tmp_path: Path) -> None:
    assert {} == load_profiles(tmp_path / "none.toml")


def test_a_file_with_credentials_that_others_may_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"chmod 600"):
        load_profiles(written(tmp_path, GOOD, 0o644))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("profiles = 3", "profiles must be a table"),
        ("[profiles]\nmine = 3", "profiles.mine must be a table"),
        ('[profiles.mine]\nkey = "canary"', "no key 'key'"),
        ("[profiles.mine]\nprovider = 3", "profiles.mine.provider"),
        ("[profiles.mine.credentials]\napi_key = 12345678", "profiles.mine.credentials.api_key"),
        ("[profiles.mine.endpoints]\nrest = 1", "profiles.mine.endpoints.rest"),
        ('[profiles.mine]\nallow_hosts = "x"', "profiles.mine.allow_hosts"),
        ("[profiles.mine]\nallow_hosts = [1]", "profiles.mine.allow_hosts"),
        ('[profiles.mine.credentials]\napi_key = "canary', "no TOML"),
        (b"\xff\xfe", "can't be read"),
        ("a = " + "[" * 5000, "no TOML"),
    ],
)
def test_a_bad_file_is_named_with_its_key_and_never_its_values(
    tmp_path: Path, text: str | bytes, named: str
) -> None:
    path = written(tmp_path, text)

    with pytest.raises(ConfigurationError) as raised:
        load_profiles(path)

    assert named in raised.value.message
    assert str(path) in raised.value.message
    assert "canary" not in str(raised.value)
    assert "12345678" not in str(raised.value)


def test_the_path_is_the_variables_or_the_users_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    default = config_path()
    monkeypatch.setenv("DRAGOMAN_CONFIG", "/elsewhere/my.toml")

    assert ("config.toml", Path("/elsewhere/my.toml")) == (default.name, config_path())
    assert "dragoman" in default.parts


def test_a_blank_credential_of_a_profile_is_missing() -> None:
    profile = Profile(name="p", provider="acme-paper", credentials={"api_key": " "})

    with pytest.raises(MissingCredentialsError, match="api_key"):
        resolve_credentials(PAPER, {}, profile)


def test_a_misspelled_credential_of_a_profile_is_named_not_passed_over() -> None:
    profile = Profile(
        name="p", provider="acme-paper", credentials={"api_key": "PK-1", "pass_phrase": "hidden"}
    )

    with pytest.raises(ConfigurationError, match=r"'pass_phrase'.*api_key, passphrase") as raised:
        resolve_credentials(PAPER, {}, profile)

    assert "hidden" not in raised.value.message


def test_a_truth_value_is_no_number() -> None:
    with pytest.raises(ConfigurationError, match="depth must be int, found bool"):
        resolve_options(PAPER, {"depth": True}, None)


def test_an_option_given_as_none_is_not_given() -> None:
    profile = Profile(name="p", provider="acme-paper", options={"depth": 3})

    assert {"depth": 3} == resolve_options(PAPER, {"depth": None}, profile)


def test_an_allowed_host_is_meant_in_any_case() -> None:
    found = resolve_endpoints(
        ACME, PAPER, {"rest": "https://Proxy.Example/x"}, allow_hosts=["PROXY.example"]
    )

    assert "https://Proxy.Example/x" == found["rest"]


@pytest.mark.parametrize("text", ['[profile.x]\nprovider = "mock"', 'provider = "mock"'])
def test_a_misspelled_table_is_named_not_passed_over(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)

    with pytest.raises(ConfigurationError, match="profiles"):
        load_profiles(path)
