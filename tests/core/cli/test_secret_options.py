import pytest

SECRET = "do-not-show-this"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--api-key", SECRET],
        [f"--api-key={SECRET}"],
        [f"--secret={SECRET}"],
        ["--token", SECRET],
        [f"-key={SECRET}"],
        [f"--API_KEY={SECRET}"],
        ["--option", f"api_key={SECRET}"],
        [f"--option=api_key={SECRET}"],
        ["--option", f"handle={SECRET}"],
    ],
)
def test_credential_on_the_command_line_is_refused_unshown(cli, arguments):
    found = cli("account", "--provider", "toy-live", *arguments)

    assert (3, "") == (found.code, found.out)
    assert SECRET not in found.err
    assert "TOY_API_KEY" in found.err
    assert 1 == len(found.err.splitlines())


def test_without_a_provider_the_place_to_look_is_named(cli):
    found = cli("account", "--provider", "nope", "--password", SECRET)

    assert 3 == found.code
    assert "`dragoman providers`" in found.err


def test_provider_of_the_environment_names_its_variables(cli, monkeypatch):
    monkeypatch.setenv("DRAGOMAN_PROVIDER", "toy-live")

    assert "TOY_API_KEY" in cli("account", "--key", SECRET).err


def test_words_after_the_end_of_options_are_no_options(cli):
    found = cli("quote", "--", "--key")

    assert (2, True) == (found.code, "'--key'" in found.err)
