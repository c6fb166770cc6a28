import pytest

from dragoman.cli.connection_options import ShortIds
from dragoman.ids import is_client_order_id


def test_venues_of_different_seeds_are_kept_apart(cli):
    cli("buy", "AAPL", "1", "--wait")
    cli("buy", "AAPL", "2", "--wait", "--option", "seed=7")

    held = [
        cli("positions", "--json", *options).json["positions"][0]["quantity"]
        for options in [(), ("--option", "seed=7"), ("--option=seed=7",)]
    ]

    assert ["1", "2", "2"] == held


def test_what_concerns_one_call_is_the_same_venue(cli):
    cli("buy", "AAPL", "1", "--wait", "--option", "faults=submit#9 server_error")

    assert 1 == len(cli("positions", "--json").json["positions"])


def test_state_dir_keeps_another_venue(cli, tmp_path):
    cli("buy", "AAPL", "1", "--wait", "--state-dir", str(tmp_path / "other"))

    assert [] == cli("positions", "--json").json["positions"]
    assert (tmp_path / "other" / "mock" / "venue.json").is_file()


def test_profile_names_its_provider_and_its_settings(cli, home):
    (home / "config.toml").write_text(
        '[profiles.rich]\nprovider = "mock"\n[profiles.rich.options]\ncash = 5\n'
    )

    found = cli("account", "--profile", "rich", "--json").json

    assert ("mock", "5") == (found["provider"], found["account"]["cash"])


def test_state_file_of_a_profile_is_used(cli, home):
    path = home / "mine.json"
    (home / "config.toml").write_text(
        f'[profiles.mine]\nprovider = "mock"\n[profiles.mine.options]\nstate_file = "{path}"\n'
    )

    cli("buy", "AAPL", "1", "--profile", "mine")

    assert path.is_file()


def test_provider_of_the_environment_is_the_default(cli, monkeypatch):
    monkeypatch.setenv("DRAGOMAN_PROVIDER", "toy-live")

    assert "toy-live" == cli("account", "--json").json["provider"]


def test_account_is_chosen_by_name(cli):
    options = ("--option", "accounts=a,b", "--json")

    unchosen = cli("account", *options)
    chosen = cli("account", "--account", "b", *options)

    assert (3, True) == (unchosen.code, "--account; mock has: a, b" in unchosen.error["message"])
    assert "b" == chosen.json["account_id"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--provider", "nope"), 3, "nope"),
        (("--profile", "nope"), 3, "nope"),
        (("--account", "nope"), 3, "nope"),
        (("--option", "seed"), 2, "NAME=VALUE"),
        (("--option", "sed=1"), 3, "seed"),
        (("--option", "seed=x"), 3, "whole number"),
        (("--endpoint", "rest=http://127.0.0.1"), 3, "rest"),
        (("--endpoint", "rest"), 2, "NAME=VALUE"),
    ],
)
def test_wrong_setting_is_one_line(cli, arguments, code, words):
    found = cli("account", *arguments)

    assert (code, "", 1) == (found.code, found.out, len(found.err.splitlines()))
    assert words in found.err


def test_short_ids_differ_and_fit_the_grammar():
    source = ShortIds()

    found = {source.next_id() for _ in range(1000)}

    assert 1000 == len(found)
    assert all(is_client_order_id(text) and len(text) == 12 for text in found)
