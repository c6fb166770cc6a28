"""Small values: money, distances, timeframes, windows, frozen mappings."""

import copy
import pickle
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import MODELS

from dragoman.errors import InvalidValueError
from dragoman.models import (
    FrozenMapping,
    Level,
    Money,
    Offset,
    OffsetUnit,
    Timeframe,
    TimeUnit,
    Window,
)
from dragoman.times import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS


class TestFrozenMapping:
    @given(st.dictionaries(st.text(), st.integers()))
    def test_it_is_the_mapping_it_was_made_from(self, items):
        frozen = FrozenMapping(items)

        assert items == frozen == FrozenMapping(items)
        assert (len(items), repr(items)) == (len(frozen), repr(frozen))
        assert hash(FrozenMapping(dict(reversed(items.items())))) == hash(frozen)

    def test_it_does_not_change_with_the_dict_it_came_from(self):
        items = {"a": 1}
        frozen = FrozenMapping(items)

        items["a"] = 2

        assert {"a": 1} == frozen

    def test_it_can_not_be_changed(self):
        with pytest.raises(TypeError):
            FrozenMapping({"a": 1})["a"] = 2

    def test_it_can_be_copied_and_pickled(self):
        frozen = FrozenMapping({"a": 1})

        assert frozen == copy.deepcopy(frozen) == pickle.loads(pickle.dumps(frozen))  # noqa: S301 - our own bytes

    def test_it_may_be_empty(self):
        assert {} == FrozenMapping() == FrozenMapping(None)


class TestMoney:
    @pytest.mark.parametrize("amount", [Decimal("1.50"), "1.50"])
    def test_an_amount_keeps_its_scale(self, amount):
        assert "1.50" == str(Money(amount, "USD").amount)

    def test_an_int_is_an_amount(self):
        assert Money(Decimal(-5), "BTC") == Money(-5, "BTC")

    def test_an_exact_product_may_be_long(self):
        long = Decimal("1" * 120 + "." + "1" * 80)

        assert long == Money(long, "USD").amount


class TestOffset:
    @pytest.mark.parametrize(
        ("offset", "unit"),
        [
            (Offset.price("0.5"), "PRICE"),
            (Offset.percent("0.5"), "PERCENT"),
            (Offset.ticks("0.5"), "TICKS"),
        ],
    )
    def test_a_constructor_names_its_unit(self, offset, unit):
        assert Offset(Decimal("0.5"), OffsetUnit(unit)) == offset

    def test_a_distance_is_in_price_unless_said(self):
        assert Offset.price(2) == Offset(2)


class TestLevel:
    def test_a_level_reads_text_exactly(self):
        level = Level("1.10", "0")

        assert ("1.10", "0", None) == (str(level.price), str(level.size), level.order_count)


class TestTimeframe:
    @pytest.mark.parametrize(
        ("text", "count", "unit", "length_ns"),
        [
            ("1s", 1, TimeUnit.SECOND, SECOND_NS),
            ("5m", 5, TimeUnit.MINUTE, 5 * MINUTE_NS),
            ("4h", 4, TimeUnit.HOUR, 4 * HOUR_NS),
            ("1d", 1, TimeUnit.DAY, DAY_NS),
            ("2w", 2, TimeUnit.WEEK, 14 * DAY_NS),
            ("3M", 3, TimeUnit.MONTH, None),
        ],
    )
    def test_text_names_count_and_unit(self, text, count, unit, length_ns):
        frame = Timeframe.parse(text)

        assert Timeframe(count, unit) == frame
        assert (text, length_ns) == (str(frame), frame.length_ns)

    @given(MODELS[Timeframe])
    def test_text_reads_back(self, frame):
        assert frame == Timeframe.parse(str(frame))

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "m",
            "5",
            "0m",
            "05m",
            "-5m",
            "5 m",
            "5min",
            "5D",
            "1.5h",
            "5m\n",
            "\uff11m",
            "100000m",
            "5mm",
        ],
    )
    def test_other_text_is_refused(self, text):
        with pytest.raises(
            InvalidValueError, match=r"timeframe: found .*; allowed: a count and s, m, h, d"
        ):
            Timeframe.parse(text)

    @pytest.mark.parametrize("count", [0, -1, 100_000, 1.5, "5", True, None])
    def test_a_count_without_text_is_refused(self, count):
        with pytest.raises(
            InvalidValueError, match=r"count: found .*; allowed: an int from 1 to 99999"
        ):
            Timeframe(count, TimeUnit.DAY)

    @pytest.mark.parametrize("unit", ["DAY", "d", None])
    def test_a_unit_is_a_member(self, unit):
        with pytest.raises(
            InvalidValueError, match=r"unit: found .*; allowed: TimeUnit SECOND, MINUTE"
        ):
            Timeframe(1, unit)


class TestWindow:
    @pytest.mark.parametrize(
        ("start_ns", "end_ns", "covered"),
        [(None, None, [1, 2, 3]), (2, None, [2, 3]), (None, 2, [1]), (1, 3, [1, 2]), (2, 2, [])],
    )
    def test_the_start_is_included_and_the_end_is_not(self, start_ns, end_ns, covered):
        window = Window(start_ns=start_ns, end_ns=end_ns)

        assert covered == [instant_ns for instant_ns in (1, 2, 3) if window.covers(instant_ns)]

    def test_sides_may_be_aware_datetimes(self):
        window = Window(start_ns=datetime(1970, 1, 2, tzinfo=UTC))

        assert (DAY_NS, datetime(1970, 1, 2, tzinfo=UTC), None) == (
            window.start_ns,
            window.start,
            window.end,
        )

    def test_an_end_before_the_start_is_refused(self):
        with pytest.raises(
            InvalidValueError, match=r"end_ns: found 1; allowed: at or after start_ns 2"
        ):
            Window(start_ns=2, end_ns=1)

    @pytest.mark.parametrize("limit", [0, -1, 1.5, "5", True])
    def test_a_limit_below_1_is_refused(self, limit):
        with pytest.raises(
            InvalidValueError, match=r"limit: found .*; allowed: an int of at least 1"
        ):
            Window(limit=limit)

    @pytest.mark.parametrize("start", [datetime(2026, 1, 31), 1.5, "now"])  # noqa: DTZ001 - naive on purpose
    def test_a_side_that_is_no_instant_is_refused(self, start):
        with pytest.raises(InvalidValueError, match=r"start_ns: found .*; allowed: UTC"):
            Window(start_ns=start)
