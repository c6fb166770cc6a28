import sys

import pytest

from dragoman.adapter import Environment
from dragoman.cli.checkup import check_credentials
from dragoman.registry import CredentialField, Protocol, Provider, Registry

SECRET = "do-not-show-this"


def findings(found):
    return {one["subject"]: one for one in found.json["findings"]}


def test_sound_installation_is_told_so(cli):
    found = cli("doctor")

    assert (0, "all is well") == (found.code, found.lines[-1])


def test_versions_and_places_are_named(cli, home):
    told = findings(cli("doctor", "--json"))

    for subject in ("python", "dragoman", "aiohttp", "protocols", "providers", "clock"):
        assert "ok" == told[subject]["state"]
    assert str(home / "state") in told["state folder"]["detail"]
    assert str(home / "config.toml") in told["configuration"]["detail"]


def test_named_provider_is_connected_to(cli):
    told = findings(cli("doctor", "--provider", "mock", "--json"))

    assert "round trip" in told["connection"]["detail"]
    assert "connection" not in findings(cli("doctor", "--json"))


def test_credentials_are_named_with_their_source_and_never_shown(cli, monkeypatch):
    monkeypatch.setenv("TOY_API_KEY", SECRET)

    found = cli("doctor", "--json")

    told = findings(found)
    assert "found in environment variable TOY_API_KEY" == told["toy-live api_key"]["detail"]
    assert "TOY_HANDLE" in told["toy-live handle"]["detail"]
    assert SECRET not in found.out + found.err


@pytest.mark.parametrize(("named", "state"), [("strict", "broken"), (None, "note")])
def test_missing_credential_is_broken_only_where_its_provider_is_named(named, state):
    field = CredentialField(name="key", variables=("NO_SUCH_KEY",))
    provider = Provider(
        name="strict", environment=Environment.PAPER, title="Strict", credentials=(field,)
    )
    registry = Registry([Protocol(name="s", title="S", providers=(provider,), adapter="no:where")])

    (found,) = check_credentials(registry, named, None)

    assert (state, True) == (found.state, "NO_SUCH_KEY" in found.detail)


def test_credentials_of_a_profile_are_found(cli, home):
    path = home / "config.toml"
    path.write_text(f'[profiles.toy-live.credentials]\napi_key = "{SECRET}"\n')
    path.chmod(0o600)

    found = cli("doctor", "--json")

    assert "found in profile toy-live" == findings(found)["toy-live api_key"]["detail"]
    assert SECRET not in found.out


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_secrets_that_others_may_read_are_broken(cli, home):
    path = home / "config.toml"
    path.write_text(f'[profiles.toy-live.credentials]\napi_key = "{SECRET}"\n')
    path.chmod(0o644)

    found = cli("doctor", "--json")

    assert (3, False) == (found.code, found.json["is_sound"])
    assert "chmod 600" in findings(found)["configuration"]["detail"]


def test_configuration_that_is_no_toml_is_broken(cli, home):
    (home / "config.toml").write_text("not = [toml")

    assert (3, "broken") == (
        cli("doctor").code,
        findings(cli("doctor", "--json"))["configuration"]["state"],
    )


def test_state_folder_that_is_a_file_is_broken(cli, home):
    (home / "state").write_text("")

    assert 3 == cli("doctor").code


def test_provider_that_does_not_answer_is_broken(cli):
    arguments = ("--provider", "mock", "--option", "faults=fetch_account#1 rate_limited")

    found = cli("doctor", *arguments, "--json")

    assert (5, "broken") == (found.code, findings(found)["connection"]["state"])


def test_unknown_provider_is_broken(cli):
    found = cli("doctor", "--provider", "nope")

    assert (3, True) == (found.code, "nope" in found.out)


def test_provider_may_stand_first(cli):
    found = cli("doctor", "mock", "--json").json["findings"]

    assert "connection" in [finding["subject"] for finding in found]
