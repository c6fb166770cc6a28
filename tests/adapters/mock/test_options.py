"""The settings of a connection: what each may be, and what is said when it is not."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from dragoman.config import resolve_options
from dragoman.errors import ConfigurationError, Outcome
from dragoman.models import MarginMode, PositionMode
from dragoman.paper.faults.plan import FaultPlan
from dragoman.paper.settings import AccountSettings, FeeSchedule, Hours, VenueSettings
from dragoman.times import ManualClock
from dragoman_mock import PROTOCOL, MockAdapter, MockVenue
from dragoman_mock.options import read_options


def test_nothing_said_means_the_defaults():
    options = read_options({})

    assert (VenueSettings(), Fraction(1), None, 0, FaultPlan()) == (
        options.settings,
        options.speed,
        options.tape,
        options.latency_ns,
        options.faults,
    )


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("seed", "7", "seed", 7),
        ("seed", -7, "seed", -7),
        ("hours", "real", "hours", Hours.REAL),
        ("hours", Hours.REAL, "hours", Hours.REAL),
        ("fees", "free", "fees", FeeSchedule.free()),
        ("fill_ratio", "0.25", "fill_ratio", Decimal("0.25")),
        ("uses_liquidity", "false", "uses_liquidity", False),
        ("native_exits", False, "native_exits", False),
        ("native_lists", "no", "native_lists", False),
        ("native_trailing", "0", "native_trailing", False),
        ("replace_keeps_id", "False", "replace_keeps_id", False),
    ],
)
def test_a_setting_of_the_venue_is_read_exactly(name, value, field, expected):
    found = getattr(read_options({name: value}).settings, field)

    assert (expected, type(expected)) == (found, type(found))


def test_speed_and_latency_are_read_without_rounding():
    options = read_options({"speed": 0.1, "latency_s": "0.000000001"})

    assert (Fraction(1, 10), 1) == (options.speed, options.latency_ns)


def test_cash_and_modes_are_for_accounts_that_do_not_say():
    options = read_options(
        {
            "cash": "5",
            "position_mode": "hedging",
            "accounts": [
                {"account_id": "a", "cash": "7", "margin_mode": "cash"},
                "b",
                AccountSettings(account_id="c"),
            ],
        }
    )

    assert (
        AccountSettings(
            account_id="a",
            cash=7,
            margin_mode=MarginMode.CASH,
            position_mode=PositionMode.HEDGING,
        ),
        AccountSettings(account_id="b", cash=5, position_mode=PositionMode.HEDGING),
        AccountSettings(account_id="c"),
    ) == options.settings.accounts


def test_accounts_may_be_ids_in_a_text():
    accounts = read_options({"accounts": "a, b", "cash": 5}).settings.accounts

    assert [("a", Decimal(5)), ("b", Decimal(5))] == [
        (account.account_id, account.cash) for account in accounts
    ]


def test_single_settings_change_whole_settings():
    base = VenueSettings(seed=3, native_lists=False)

    options = read_options({"settings": base, "seed": 4, "cash": 9})

    assert (4, False, Decimal(9)) == (
        options.settings.seed,
        options.settings.native_lists,
        options.settings.accounts[0].cash,
    )


BAD = [
    ("seed", "many"),
    ("seed", "1.5"),
    ("seed", True),
    ("seed", "9" * 5000),
    ("speed", 0),
    ("speed", -1.0),
    ("speed", "fast"),
    ("speed", float("nan")),
    ("speed", float("inf")),
    ("speed", "1e60"),
    ("cash", "-1"),
    ("cash", "lots"),
    ("accounts", ["a", "a"]),
    ("accounts", []),
    ("accounts", [""]),
    ("accounts", [5]),
    ("accounts", [{"name": "a"}]),
    ("accounts", [{"account_id": "a", "cash": 1.5}]),
    ("accounts", [{"account_id": "a", "can_trade": "maybe"}]),
    ("position_mode", "BOTH"),
    ("margin_mode", "UNKNOWN"),
    ("hours", "sometimes"),
    ("fees", "cheap"),
    ("fees", 5),
    ("fill_ratio", "0"),
    ("fill_ratio", "1.01"),
    ("fill_ratio", 0.5),
    ("uses_liquidity", "maybe"),
    ("native_exits", 1),
    ("tape", ""),
    ("at_end", "loop"),
    ("latency_s", "-1"),
    ("latency_s", 1e9),
    ("faults", "submit explode"),
    ("faults", 5),
    ("faults", [5]),
    ("settings", {"seed": 1}),
    ("venue", "mine"),
    ("state_file", " "),
    ("state_copy", True),
]


@pytest.mark.parametrize(("name", "value"), BAD, ids=str)
def test_a_bad_value_is_refused_by_the_name_of_its_setting(name, value):
    with pytest.raises(ConfigurationError, match=name.replace("_", ".")) as caught:
        read_options({name: value})

    assert Outcome.NOT_SENT is caught.value.outcome


def test_the_end_of_a_tape_needs_a_tape():
    with pytest.raises(ConfigurationError, match="at_end"):
        read_options({"tape": "sample", "at_end": "explode"})

    assert not read_options({"tape": "sample", "at_end": "stop"}).loops


def test_a_shared_venue_has_settings_of_its_own():
    with pytest.raises(ConfigurationError, match="seed"):
        read_options({"venue": MockVenue(), "seed": 1})

    assert 0 == read_options({"venue": MockVenue(), "latency_s": 0}).latency_ns


def test_every_setting_declared_can_be_given():
    declared = {field.name for field in PROTOCOL.providers[0].options}
    texts = {
        "tape": "sample",
        "at_end": "stop",
        "accounts": "a",
        "position_mode": "NETTING",
        "margin_mode": "CASH",
        "hours": "REAL",
        "fees": "free",
        "faults": "",
        "state_file": "x.json",
    }
    given = {name: texts.get(name, "1") for name in declared if name not in ("settings", "venue")}

    resolved = resolve_options(PROTOCOL.providers[0], given, None)

    options = read_options(resolved)
    assert (Path("x.json"), False, "a") == (
        options.state_file,
        options.settings.seed == 0,
        options.settings.accounts[0].account_id,
    )


async def test_a_tape_that_is_not_there_is_named(make_context, tmp_path):
    adapter = MockAdapter(make_context(ManualClock(), tape=str(tmp_path / "nothing.csv")))

    with pytest.raises(ConfigurationError, match=r"nothing\.csv"):
        await adapter.open()


async def test_a_tape_that_is_no_tape_is_refused(make_context, tmp_path):
    path = tmp_path / "tape.csv"
    path.write_text("when,what\n1,2\n")
    adapter = MockAdapter(make_context(ManualClock(), tape=path))

    with pytest.raises(ConfigurationError, match=r"tape\.csv"):
        await adapter.open()


async def test_the_bundled_tape_plays(make_context):
    clock = ManualClock()
    adapter = MockAdapter(make_context(clock, tape="sample"))
    await adapter.open()

    await clock.advance(seconds=60)

    symbols = sorted(adapter.venue.prices.symbols)
    quotes = await adapter.fetch_quotes(symbols)
    assert any(quote.bid_price is not None for quote in quotes.values())
    await adapter.aclose()


async def test_a_tape_that_stops_leaves_the_last_prices(make_context, tmp_path):
    path = tmp_path / "tape.csv"
    path.write_text(
        "time,symbol,bid_price,bid_size,ask_price,ask_size\n"
        "2026-01-01T00:00:00Z,AAPL,99,10,101,10\n"
        "2026-01-01T00:00:02Z,AAPL,98,10,100,10\n"
    )
    clock = ManualClock()
    adapter = MockAdapter(make_context(clock, tape=path, at_end="stop"))
    await adapter.open()

    first = await adapter.fetch_quotes(["AAPL"])
    await clock.advance(seconds=30)
    last = await adapter.fetch_quotes(["AAPL"])

    assert (Decimal(99), Decimal(98)) == (first["AAPL"].bid_price, last["AAPL"].bid_price)
    await adapter.aclose()
