"""A new adapter's first run is red for the right reasons; what the page shows makes it green."""

import pytest

from dragoman_conformance.runner import play_one
from dragoman_conformance.scenario import all_scenarios
from dragoman_conformance.verdicts import Ending

READS = (
    "configuration.a_missing_credential_is_told_before_anything_is_sent",
    "configuration.opening_tells_whether_the_venue_is_there",
    "decimals.a_quote_has_every_digit",
    "field.the_account_is_read",
    "instruments.an_instrument_is_what_the_venue_says",
    "instruments.the_catalogue_is_whole",
    "secrets.no_error_shows_a_credential",
)
COMMANDS = (
    "field.an_order_rests_is_found_and_canceled",
    "order_life.an_order_fills_in_parts",
    "order_life.an_order_rests_and_is_canceled",
    "ambiguity.a_lost_answer_leads_to_one_order",
    "ambiguity.another_order_s_answer_is_not_taken_for_its_own",
    "fills.each_fill_is_told_once",
    "order_types.limit_orders_stand_as_asked",
    "reconnection.what_happened_meanwhile_is_told_once",
)


def named(names):
    return [one for one in all_scenarios() if one.name in names]


def wrong(result):
    return [f"{check.requirement} {check.why}" for check in result.checks if not check.held]


@pytest.mark.parametrize("scenario", named(COMMANDS), ids=lambda one: one.name)
def test_what_needs_an_order_says_what_is_to_be_written(unfinished, scenario):
    result = play_one(unfinished, scenario)

    assert Ending.RAISED is result.ending
    assert "submit is not written yet" in result.message
    assert "docs/new-adapter.md" in result.message


@pytest.mark.parametrize("scenario", named(COMMANDS), ids=lambda one: one.name)
def test_the_commands_that_the_page_shows_are_right(finished, scenario):
    result = play_one(finished, scenario)

    assert (Ending.COMPLETE, []) == (result.ending, wrong(result)), result.message


@pytest.mark.parametrize("scenario", named(READS), ids=lambda one: one.name)
def test_reading_works_from_the_first(unfinished, scenario):
    result = play_one(unfinished, scenario)

    assert (Ending.COMPLETE, []) == (result.ending, wrong(result)), result.message


def test_every_scenario_named_here_is_one_of_the_kit_s():
    known = {one.name for one in all_scenarios()}

    assert set() == {*READS, *COMMANDS} - known
