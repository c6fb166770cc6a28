"""Known failures: strict files, and what an entry makes of an outcome."""

import datetime as dt

import attrs
import pytest
from tests.conformance.made_reports import CATALOGUE, TODAY, played

from dragoman.errors import ConfigurationError
from dragoman_conformance.known import Known, apply_known, read_known
from dragoman_conformance.verdicts import Ending, Verdict, merge

ENTRY = """
# what is being worked on
[[known]]
id = "ACC-010"
issue = "https://issues.example/acme/7"
expires = 2027-01-31
reason = "Cash is told late."
"""
KNOWN = Known(
    requirement="ACC-010",
    issue="https://issues.example/acme/7",
    expires=dt.date(2027, 1, 31),
    reason="Cash is told late.",
)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "known.toml"


def words(results, *entries, today=TODAY):
    requirement = CATALOGUE["ACC-010"]
    outcome = merge("ACC-010", results)
    return apply_known(outcome, results, entries, requirement=requirement, today=today)


def test_an_entry_is_read_with_all_it_says(file):
    file.write_text(ENTRY)

    assert (KNOWN,) == read_known(file, CATALOGUE, TODAY)


def test_an_entry_may_be_about_one_scenario(file):
    file.write_text(f'{ENTRY}scenario = "account.cash"\n')

    (entry,) = read_known(file, CATALOGUE, TODAY)
    assert "account.cash" == entry.scenario


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('reason = "Cash is told late."', "", "known.toml:3: the entry lacks reason"),
        ("reason =", "because =", "known.toml:3: the entry lacks reason"),
        ("[[known]]", '[[known]]\nsince = "x"', "known.toml:3: there is no field 'since'"),
        ("2027-01-31", '"2027-01-31"', "known.toml:3: expires is a date such as"),
        ("2027-01-31", "2027-01-31T00:00:00Z", "known.toml:3: expires is a date such as"),
        ("2027-01-31", "2027-05-20", "is more than 180 days ahead; the latest day is 2027-05-19"),
        ("https://issues.example/acme/7", "later", "known.toml:3: issue is the URL of one issue"),
        ("ACC-010", "ACC-990", "known.toml:3: there is no requirement 'ACC-990'"),
        ("ACC-010", "ACC-030", "known.toml:3: ACC-030 can never be waived"),
        ('"ACC-010"', "10", "known.toml:3: id is a text, not 10"),
        ("[[known]]", "[known]", "known.toml:1: a file of known failures has tables"),
        ("[[known]]", "[[unknown]]", "known.toml:1: a file of known failures has tables"),
        ("[[known]]", "[[known]", "known.toml: this is no TOML"),
    ],
    ids=[
        "lacking",
        "misspelled",
        "more",
        "text-for-a-date",
        "instant-for-a-date",
        "too-long",
        "no-url",
        "no-requirement",
        "never-waived",
        "number-for-an-id",
        "one-table",
        "other-table",
        "no-toml",
    ],
)
def test_what_is_written_wrongly_is_refused_with_its_place(file, before, after, told):
    file.write_text(ENTRY.replace(before, after))

    with pytest.raises(ConfigurationError) as raised:
        read_known(file, CATALOGUE, TODAY)

    assert told in str(raised.value)


def test_the_place_is_that_of_the_entry_that_is_wrong(file):
    file.write_text(f"{ENTRY}\n[[known]]\n")

    with pytest.raises(ConfigurationError, match=r"known\.toml:9: the entry lacks id, issue"):
        read_known(file, CATALOGUE, TODAY)


def test_a_file_that_is_not_there_is_refused(file):
    with pytest.raises(ConfigurationError, match="can't be read"):
        read_known(file, CATALOGUE, TODAY)


def test_a_failure_that_is_listed_is_known():
    outcome = words([played("ACC-010", why="1 expected")], KNOWN)

    assert Verdict.KNOWN is outcome.verdict
    assert "https://issues.example/acme/7" in outcome.message
    assert "1 expected" in outcome.message


def test_a_failure_that_nobody_lists_stays_one():
    assert Verdict.FAIL is words([played("ACC-010", why="1 expected")]).verdict


def test_what_holds_though_listed_is_stale():
    outcome = words([played("ACC-010")], KNOWN)

    assert Verdict.STALE is outcome.verdict
    assert "it holds: delete the entry" in outcome.message


def test_what_is_not_asked_though_listed_is_stale():
    assert Verdict.STALE is words([played("ACC-010", ending=Ending.NOT_DECLARED)], KNOWN).verdict


def test_an_entry_counts_on_its_last_day_and_is_stale_the_day_after():
    failed = [played("ACC-010", why="1 expected")]

    assert Verdict.KNOWN is words(failed, KNOWN, today=KNOWN.expires).verdict
    after = words(failed, KNOWN, today=KNOWN.expires + dt.timedelta(days=1))
    assert Verdict.STALE is after.verdict
    assert "ran out on 2027-01-31" in after.message


def test_an_entry_about_one_scenario_covers_no_other():
    one = played("ACC-010", why="1 expected", scenario="account.cash")
    other = played("ACC-010", why="2 expected", scenario="account.debt")
    entry = attrs.evolve(KNOWN, scenario="account.cash")

    assert Verdict.KNOWN is words([one], entry).verdict
    assert Verdict.FAIL is words([one, other], entry).verdict
    assert (
        Verdict.KNOWN
        is words([one, other], entry, attrs.evolve(KNOWN, scenario="account.debt")).verdict
    )


def test_an_entry_about_a_scenario_that_does_not_fail_is_stale():
    failed = [played("ACC-010", why="1 expected", scenario="account.cash")]

    assert Verdict.STALE is words(failed, attrs.evolve(KNOWN, scenario="account.debt")).verdict


def test_a_broken_kit_is_no_known_failure():
    assert Verdict.HARNESS is words([played("ACC-010", ending=Ending.BROKEN)], KNOWN).verdict
