import pytest

from dragoman_mock.storage import StateFile


@pytest.fixture
async def locked_venue(home):
    """The file of the mock's venue, held as by another process."""
    file = StateFile(home / "state" / "mock" / "venue.json")
    await file.acquire()
    yield file
    file.release()


@pytest.mark.usefixtures("locked_venue")
@pytest.mark.parametrize("account", [(), ("--account", "paper-1")])
def test_halt_and_resume_wait_for_nobody(cli, account):
    halted = cli("halt", *account, "--json")
    resumed = cli("resume", *account, "--json")

    assert (0, True) == (halted.code, halted.json["has_seen_orders"])
    assert (0, True, False) == (
        resumed.code,
        resumed.json["was_halted"],
        resumed.json["is_halted"],
    )


def test_halt_of_all_accounts_stands_when_one_is_resumed(cli):
    cli("halt", "--cause", "lunch")

    resumed = cli("resume", "--account", "paper-1")
    refused = cli("buy", "AAPL", "1")

    assert (6, 6) == (resumed.code, refused.code)
    assert "lunch" in refused.err


def test_halt_of_one_account_leaves_the_others_and_resume_ends_all(cli):
    two = ("--option", "accounts=a,b")
    cli("halt", "--account", "a")

    halted = [cli("buy", "AAPL", "1", "--account", name, *two).code for name in "ab"]
    cli("resume")

    assert [6, 0] == halted
    assert 0 == cli("buy", "AAPL", "1", "--account", "a", *two).code


def test_halt_of_an_account_that_is_not_there_says_so(cli):
    found = cli("halt", "--account", "nope")

    assert 3 == found.code
    assert "no account 'nope'" in found.out


def test_halt_outlives_its_process_until_resume(cli):
    cli("halt", "--cause", "lunch")

    refused = cli("buy", "AAPL", "1")
    cli("resume")
    bought = cli("buy", "AAPL", "1")

    assert (6, 0) == (refused.code, bought.code)
    assert "lunch" in refused.err
    assert "`dragoman resume`" in refused.err


def test_cancel_goes_through_while_halted(cli):
    cli("buy", "AAPL", "1", "--limit", "150", "--client-order-id", "a1")
    cli("halt")

    assert "CANCELED" == cli("cancel", "a1", "--json").json["order"]["status"]


def test_halt_tells_what_is_open(cli):
    cli("buy", "AAPL", "1", "--limit", "150", "--client-order-id", "a1")
    cli("buy", "MSFT", "1", "--wait")

    found = cli("halt", "--json").json

    assert (["a1"], ["MSFT"], True) == (
        found["halt"]["open_orders"],
        found["halt"]["open_positions"],
        found["has_seen_orders"],
    )


def test_halt_works_when_the_orders_cannot_be_read(cli):
    found = cli("halt", "--option", "faults=fetch_open_orders#1 server_error")

    assert (0, 6) == (found.code, cli("buy", "AAPL", "1").code)
    assert "could not be read" in found.out


def test_halt_of_one_provider_leaves_the_others(cli):
    cli("halt")

    assert 0 == cli("buy", "AAPL", "1", "--provider", "toy-live", "--yes").code


def test_resume_tells_whether_there_was_a_halt(cli):
    before = cli("resume", "--json").json
    cli("halt")
    after = cli("resume", "--json").json

    assert (False, True) == (before["was_halted"], after["was_halted"])
    assert (False, False) == (before["is_halted"], after["is_halted"])


def test_halt_that_cannot_be_written_down_is_no_halt(cli, home):
    (home / "state").mkdir()
    (home / "state" / "halts").write_text("in the way")

    found = cli("halt")

    assert (3, "") == (found.code, found.out)
    assert "NOT halted" in found.err


def test_a_broken_configuration_does_not_stand_in_the_way_of_a_halt(cli, monkeypatch, tmp_path):
    broken = tmp_path / "config.toml"
    broken.write_text("not = [toml")
    monkeypatch.setenv("DRAGOMAN_CONFIG", str(broken))

    found = cli("halt")

    assert 0 == found.code
    monkeypatch.delenv("DRAGOMAN_CONFIG")
    assert 6 == cli("buy", "AAPL", "1").code
