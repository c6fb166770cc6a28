from decimal import Decimal

import pytest

import dragoman
from dragoman.cli.demo_story import take_down
from dragoman.models import OrderRequest, Side
from dragoman.times import ManualClock


def events_of(found):
    return [
        (event["order"]["client_order_id"], event["kind"])
        for event in found.json["events"]
        if event["kind"] != "RESTATED"
    ]


@pytest.mark.parametrize("seed", ["5", "7", "8"])
def test_demo_ends_flat_and_reconciled_whatever_its_end(cli, seed):
    found = cli("demo", "--json", "--seed", seed)

    end = found.json["reconciliation"]
    assert (0, True) == (found.code, found.json["is_reconciled"])
    assert (0, 0) == (end["open_positions"], end["open_orders"])


def test_bracket_lives_its_whole_life(cli):
    told = events_of(cli("demo", "--json"))

    for step in [
        ("demo", "SUBMITTED"),
        ("demo", "ACCEPTED"),
        ("demo-sl", "ACCEPTED"),
        ("demo-tp", "ACCEPTED"),
        ("demo", "FILL"),
        ("demo-tp", "FILL"),
        ("demo-sl", "CANCELED"),
    ]:
        assert step in told
    assert told.index(("demo", "FILL")) < told.index(("demo-tp", "FILL"))


def test_stop_that_is_hit_cancels_the_target(cli):
    told = events_of(cli("demo", "--json", "--seed", "7"))

    assert [("demo-sl", "TRIGGERED"), ("demo-sl", "FILL"), ("demo-tp", "CANCELED")] == told[-3:]


def test_story_whose_legs_are_not_hit_closes_at_the_market(cli):
    found = cli("demo", "--quick", "--seed", "8")

    assert "* Neither leg was hit in time: closing at the market." in found.lines
    assert found.lines[-1] == "reconciled:  to the last digit"


def test_same_seed_tells_the_same_story(cli):
    first, second = (cli("demo", "--quick").out for _ in range(2))

    assert first == second


def test_lines_are_plain_and_tell_it_all(cli):
    found = cli("demo", "--quick")

    assert found.out.replace("\n", "").isprintable()
    for words in ("cash 100000 USD", "AAPL ", "ACCEPTED  stop loss", "position MES", "to the last"):
        assert words in found.out


def test_what_says_nothing_new_is_not_repeated(cli):
    told = [line for line in cli("demo", "--quick").lines if "RESTATED" in line]

    assert sorted(set(told)) == sorted(told)


def test_sum_at_the_end_is_explained(cli):
    found = cli("demo", "--json").json

    end = found["reconciliation"]
    assert "6.20" == end["commission"]
    assert Decimal(found["cash_change"]) == Decimal(end["realized_pnl"]) - Decimal(
        end["commission"]
    )


def test_screen_fits_a_terminal_and_ends_with_the_sum(cli):
    found = cli("demo", "--quick", is_terminal=True)

    assert 0 == found.code
    for words in ("Quotes", "Account", "Orders", "none, the account is flat", "to the last digit"):
        assert words in found.out


async def test_what_is_open_when_interrupted_is_taken_down():
    clock = ManualClock()
    async with dragoman.connect("mock", clock=clock) as broker:
        await broker.submit(
            OrderRequest.bracket("MES", Side.BUY, 5, stop_loss="5000", take_profit="7000")
        )
        await clock.advance(seconds=5)

        found = await take_down(broker, clock)

        assert (2, 1) == found
        assert ((), ()) == (await broker.fetch_positions(), await broker.fetch_open_orders())


def test_demo_leaves_nothing_behind(cli, home):
    cli("demo", "--quick")

    assert [] == [*home.iterdir()]
