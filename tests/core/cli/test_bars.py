import csv
import json
import sys
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from dragoman.cli.bars_out import FIELDS, bar_file
from dragoman.errors import InvalidValueError, MissingDependencyError
from dragoman.models import Bar, Timeframe
from dragoman.times import parse_time

SPAN = ("--start", "2026-01-07", "--end", "2026-01-07T01:00:00Z")


def bar(**changes):
    fields = {
        "symbol": "AAPL",
        "timeframe": Timeframe.parse("1m"),
        "open_time_ns": parse_time("2026-01-07T14:30:00.000000001Z"),
        "open": Decimal("1.10"),
        "high": Decimal("1.2"),
        "low": Decimal("0.00000001"),
        "close": Decimal("1.15"),
        "is_complete": True,
        "provider": "mock",
        "received_at_ns": 0,
        "volume": Decimal("12345678901234567890.5"),
    }
    return Bar(**{**fields, **changes})


def test_span_is_read_whole_and_oldest_first(cli):
    found = cli("bars", "AAPL", "1m", *SPAN, "--json").json["bars"]

    times = [one["open_time"] for one in found]
    assert (60, sorted(times)) == (len(times), times)
    assert "2026-01-07T00:00:00.000000000Z" == times[0]


def test_limit_with_a_start_takes_the_first(cli):
    found = cli("bars", "AAPL", "1m", *SPAN, "--limit", "2", "--json").json["bars"]

    assert ["00:00", "00:01"] == [one["open_time"][11:16] for one in found]


def test_limit_without_a_start_takes_the_latest(cli):
    end = ("--end", "2026-01-07T01:00:00Z")
    found = cli("bars", "AAPL", "1m", *end, "--limit", "2", "--json").json["bars"]

    assert ["00:58", "00:59"] == [one["open_time"][11:16] for one in found]


def test_without_any_bound_there_are_the_latest_hundred(cli):
    assert len(cli("bars", "AAPL", "1m", "--json").json["bars"]) in {99, 100}


def test_table_has_one_line_for_each_bar(cli):
    found = cli("bars", "AAPL", "1m", *SPAN)

    assert ["TIME", "OPEN", "HIGH", "LOW", "CLOSE", "VOLUME"] == found.lines[0].split()
    assert 61 == len(found.lines)


def test_nothing_but_the_answer_is_written_without_a_terminal(cli):
    assert "" == cli("bars", "AAPL", "1m", *SPAN).err


def test_csv_and_json_say_the_same(cli, tmp_path):
    path = tmp_path / "bars.csv"

    told = cli("bars", "AAPL", "1m", *SPAN, "--out", str(path))
    exact = cli("bars", "AAPL", "1m", *SPAN, "--json").json["bars"]

    rows = [*csv.DictReader(path.read_text().splitlines())]
    assert f"60 bars written to {path}" == told.out.strip()
    for name in ("open_time", "open", "high", "low", "close", "volume"):
        assert [row[name] for row in rows] == [one[name] for one in exact]


def test_parquet_holds_exact_decimals(cli, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "bars.parquet"

    told = cli("bars", "AAPL", "1m", *SPAN, "--out", str(path), "--json").json
    exact = cli("bars", "AAPL", "1m", *SPAN, "--json").json["bars"]

    table = parquet.read_table(path)
    assert ({**told, "count": 60}, [*FIELDS]) == (told, table.column_names)
    assert [Decimal(one["close"]) for one in exact] == table["close"].to_pylist()
    assert datetime(2026, 1, 7, tzinfo=UTC) == table["open_time"].to_pylist()[0]


def test_csv_cells_are_plain_and_unknown_ones_empty(tmp_path):
    path = tmp_path / "bars.csv"

    with bar_file(path) as file:
        file.write([bar()])

    (row,) = csv.DictReader(path.read_text().splitlines())
    assert {
        "symbol": "AAPL",
        "timeframe": "1m",
        "open_time": "2026-01-07T14:30:00.000000001Z",
        "open": "1.10",
        "high": "1.2",
        "low": "0.00000001",
        "close": "1.15",
        "volume": "12345678901234567890.5",
        "turnover": "",
        "vwap": "",
        "trade_count": "",
        "price_source": "LAST",
        "is_complete": "true",
    } == row


def test_amount_that_parquet_cannot_hold_is_refused_and_leaves_no_file(tmp_path):
    pytest.importorskip("pyarrow")
    path = tmp_path / "bars.parquet"

    with pytest.raises(InvalidValueError, match="18 after"), bar_file(path) as file:
        file.write([bar(open=Decimal("0.0000000000000000001"))])

    assert [] == [*tmp_path.iterdir()]


def test_file_that_was_there_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "bars.csv"
    path.write_text("before")

    def fail():
        with bar_file(path) as file:
            file.write([bar()])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert ("before", [path]) == (path.read_text(), [*tmp_path.iterdir()])


def test_parquet_without_its_package_names_the_line_to_run(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with (
        pytest.raises(MissingDependencyError, match=r'pip install "dragoman\[arrow\]"'),
        bar_file(tmp_path / "bars.parquet"),
    ):
        pass


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("AAPL", "1x"), 2, "timeframe"),
        (("AAPL", "1m", "--limit", "0"), 2, "--limit"),
        (("AAPL", "1m", "--out", "bars.txt"), 2, ".parquet"),
        (("NOPE", "1m"), 2, "NOPE"),
        (("AAPL", "1m", "--out", "/no/such/folder/bars.csv"), 3, "/no/such/folder"),
    ],
)
def test_wrong_request_for_bars_is_one_line(cli, arguments, code, words):
    found = cli("bars", *arguments, "--json")

    assert (code, "") == (found.code, found.out)
    assert words in json.dumps(found.error)
