"""Instants are exact nanoseconds; text without an offset is no instant; a manual clock obeys."""

import asyncio
import zoneinfo
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.corpora import unsound_times
from tests.strategies import instants

from dragoman import times
from dragoman.errors import InvalidValueError, Outcome
from dragoman.tasks import TaskScope
from dragoman.times import DAY_NS, EARLIEST_NS, LATEST_NS, SECOND_NS, ManualClock, SystemClock

OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(
    lambda minutes: timezone(timedelta(minutes=minutes))
)


def is_refused(text):
    try:
        times.parse_time(text)
    except InvalidValueError:
        return True
    return False


def test_unsound_times_are_refused():
    corpus = unsound_times()

    accepted = [text for text in corpus if not is_refused(text)]

    assert [] == accepted
    assert 600 < len(corpus)


@pytest.mark.parametrize(
    ("text", "instant_ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00.000000001z", 1),
        ("1970-01-01 00:00:00.1+00:00", 100_000_000),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("2026-01-07T15:30:00+01:00", 1_767_796_200 * SECOND_NS),
        ("2026-01-07T09:00:00.123456789-05:30", 1_767_796_200_123_456_789),
        ("2026-01-08T14:29:00+23:59", 1_767_796_200 * SECOND_NS),
        ("2026-01-07T14:30:00-00:00", 1_767_796_200 * SECOND_NS),
        ("2024-02-29T00:00:00Z", 1_709_164_800 * SECOND_NS),
        ("0001-01-01T00:00:00Z", EARLIEST_NS),
        ("9999-12-31T23:59:59.999999999Z", LATEST_NS),
    ],
)
def test_a_time_with_an_offset_is_read_to_the_nanosecond(text, instant_ns):
    assert instant_ns == times.parse_time(text)


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)), OFFSETS, st.integers(0, 10**9 - 1))  # noqa: DTZ001 - the zone is drawn apart
def test_any_offset_and_nine_digits_are_read_exactly(day, zone, nanoseconds):
    whole = day.replace(microsecond=0, tzinfo=zone)
    text = f"{whole:%H:%M:%S}.{nanoseconds:09d}{whole.isoformat()[19:]}"

    instant_ns = times.parse_time(f"{whole.date().isoformat()}T{text}")

    seconds = (whole - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    assert seconds * SECOND_NS + nanoseconds == instant_ns


@given(instants)
def test_text_reads_back_exactly(instant_ns):
    text = times.format_time(instant_ns)

    assert instant_ns == times.parse_time(text)
    assert 30 == len(text)


@given(st.text())
def test_any_text_is_an_instant_or_refused(text):
    if not is_refused(text):
        assert EARLIEST_NS <= times.parse_time(text) <= LATEST_NS


def test_a_refusal_names_field_found_and_allowed():
    with pytest.raises(InvalidValueError) as caught:
        times.parse_time("2026-01-31T09:30:00", "expires_at")

    assert (
        "not a time: expires_at: found '2026-01-31T09:30:00'; "
        "allowed: an RFC 3339 time with an offset, such as '2026-01-31T09:30:00.5Z'"
    ) == str(caught.value)
    assert Outcome.NOT_SENT is caught.value.outcome


@pytest.mark.parametrize(
    "instant_ns", [EARLIEST_NS - 1, LATEST_NS + 1, 10**5000], ids=["early", "late", "huge"]
)
@pytest.mark.parametrize("show", [times.format_time, times.to_datetime])
def test_an_instant_outside_the_calendar_is_refused(show, instant_ns):
    with pytest.raises(InvalidValueError, match=r"years 1 to 9999"):
        show(instant_ns)


@pytest.mark.parametrize("instant_ns", [EARLIEST_NS, -1, 0, 1_767_796_200_123_456_789, LATEST_NS])
def test_a_datetime_is_utc_and_cut_to_microseconds(instant_ns):
    shown = times.to_datetime(instant_ns)

    assert timedelta(0) == shown.utcoffset()
    assert instant_ns // 1000 * 1000 == times.from_datetime(shown)


def test_no_instant_is_no_datetime():
    assert times.to_datetime(None) is None


@given(st.datetimes(timezones=OFFSETS, min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)))  # noqa: DTZ001 - the zone is drawn apart
def test_an_aware_datetime_is_read_exactly(instant):
    assert instant == times.to_datetime(times.from_datetime(instant))


def test_both_sides_of_a_clock_change_differ_by_an_hour():
    paris = zoneinfo.ZoneInfo("Europe/Paris")
    first, second = (datetime(2026, 10, 25, 2, 30, tzinfo=paris, fold=fold) for fold in (0, 1))

    assert 3600 * SECOND_NS == times.from_datetime(second) - times.from_datetime(first)


def test_a_naive_datetime_is_refused_by_name():
    naive = datetime(2026, 1, 31, 9, 30)  # noqa: DTZ001 - naive on purpose

    with pytest.raises(
        InvalidValueError, match=r"expires_at: found '2026-01-31T09:30:00'; allowed: an aware"
    ):
        times.from_datetime(naive, "expires_at")


def test_a_datetime_whose_offset_leaves_the_calendar_is_refused():
    early = datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))

    with pytest.raises(InvalidValueError, match=r"years 1 to 9999"):
        times.from_datetime(early)


class TestSystemClock:
    def test_wall_time_is_the_machine_s(self):
        before = datetime.now(UTC)  # compared with the machine's own

        now = times.to_datetime(SystemClock().now_ns())

        assert timedelta(0) <= now - before + timedelta(microseconds=1) < timedelta(seconds=5)

    @pytest.mark.parametrize("speed", [1.0, 1_000.0])
    def test_monotonic_time_never_falls(self, speed):
        clock = SystemClock(speed)

        readings = [clock.monotonic_ns() for _ in range(1_000)]

        assert sorted(readings) == readings

    async def test_a_fast_clock_passes_an_hour_in_no_time(self):
        clock = SystemClock(speed=1e7)
        start = clock.now_ns()

        await clock.sleep_until_ns(start + 3600 * SECOND_NS)

        assert 3600 * SECOND_NS <= clock.now_ns() - start

    @pytest.mark.parametrize("speed", [1.0, 1e6])
    async def test_sleeping_until_the_past_returns_at_once(self, speed):
        clock = SystemClock(speed)

        assert None is await asyncio.wait_for(clock.sleep_until_ns(0), 1)

    @pytest.mark.parametrize("speed", [0, -1, float("nan")])
    def test_a_speed_that_is_not_above_0_is_refused(self, speed):
        with pytest.raises(InvalidValueError, match=r"speed: found .*; allowed: a number above 0"):
            SystemClock(speed)


@pytest.fixture
async def scope():
    scope = TaskScope()
    yield scope
    await scope.close()


class TestManualClock:
    def test_time_stands_still(self):
        clock = ManualClock(5)

        assert (5, 5, 0) == (clock.now_ns(), clock.now_ns(), clock.monotonic_ns())

    def test_the_default_start_is_a_wednesday_afternoon(self):
        start = times.to_datetime(ManualClock().now_ns())

        assert "Wed 14:30" == f"{start:%a %H:%M}"

    async def test_time_moves_as_far_as_told(self):
        clock = ManualClock(0)

        await clock.advance(seconds=1.5, nanoseconds=1)
        await clock.advance_to_ns(DAY_NS)

        assert (DAY_NS, DAY_NS) == (clock.now_ns(), clock.monotonic_ns())

    async def test_each_sleeper_wakes_at_its_own_instant_in_order(self, scope):
        clock = ManualClock(0)
        seen = []

        async def sleep(instant_ns):
            await clock.sleep_until_ns(instant_ns)
            seen.append((instant_ns, clock.now_ns()))

        for instant_ns in (30, 10, 20, 10):
            scope.spawn(sleep(instant_ns), f"sleeper {instant_ns}")
        await clock.advance(nanoseconds=20)

        assert [(10, 10), (10, 10), (20, 20)] == seen
        assert 20 == clock.now_ns()

    async def test_a_sleeper_that_sleeps_again_wakes_within_the_same_advance(self, scope):
        clock = ManualClock(0)
        ticks = []

        async def tick():
            for instant_ns in range(10, 60, 10):
                await clock.sleep_until_ns(instant_ns)
                ticks.append(clock.now_ns())

        scope.spawn(tick(), "ticker")
        await clock.advance(nanoseconds=40)

        assert [10, 20, 30, 40] == ticks

    async def test_sleeping_until_now_gives_others_a_turn_and_returns(self, scope):
        clock = ManualClock(5)
        turns = []

        async def other():
            turns.append("other")

        scope.spawn(other(), "other")
        await clock.sleep_until_ns(5)

        assert ["other"] == turns

    async def test_a_canceled_sleeper_does_not_stop_the_clock(self, scope):
        clock = ManualClock(0)
        sleeper = scope.spawn(clock.sleep_until_ns(10), "sleeper")
        await asyncio.sleep(0)  # lets it fall asleep

        sleeper.cancel()
        await clock.advance(nanoseconds=50)

        assert sleeper.cancelled()
        assert 50 == clock.now_ns()

    async def test_time_does_not_run_backwards(self):
        clock = ManualClock(10)

        with pytest.raises(InvalidValueError, match=r"instant_ns: found 9; allowed: at least 10"):
            await clock.advance_to_ns(9)

    async def test_a_shorter_advance_does_not_undo_a_longer_one(self, scope):
        clock = ManualClock(0)

        scope.spawn(clock.advance_to_ns(100), "longer")
        await asyncio.sleep(0)  # lets the longer one begin first
        await clock.advance_to_ns(50)

        assert 100 == clock.now_ns()


@given(instants, st.integers(0, 9))
def test_a_second_that_was_read_before_is_read_the_same(instant_ns, digits):
    text = times.format_time(instant_ns)
    cut = f"{text[:19]}{text[19 : 20 + digits] if digits else ''}Z"

    first = times.parse_time(cut)

    assert [first, first] == [times.parse_time(cut), times._parse_whole(cut, "time")]
    assert first == instant_ns - instant_ns % 10 ** (9 - digits)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "2026-01-31T09:30:00",
            "2026-01-31T09:30:00.Z",
            "2026-01-31T09:30:00.1",
            "2026-01-31T09:30",
        ),
        *("2026-01-31T09:30:00,5Z", "2026-01-31T09:30:00.1_0Z", "2026-01-31T09:30:00. 1Z"),
        *("2026-01-31T09:30:00.+1Z", "2026-01-31T09:30:00.1234567890Z", "2026-01-31T09:30:005Z"),
        *("2026-01-31T09:30:00.\u0661Z", "2026-01-31T09:30:00.\u00b2Z", "2026-01-31T09:30:00.5ZZ"),
        *("2026-01-31T09:30:00Z ", "2026-01-31T09:30:00.5", "2026-01-31T09:30:00.5z0", "Z", ""),
    ],
)
def test_what_is_no_time_is_none_in_a_second_that_was_read_before_either(text):
    times.parse_time("2026-01-31T09:30:00Z")

    assert is_refused(text)


def test_seconds_that_were_read_before_are_bounded(monkeypatch):
    monkeypatch.setattr(times, "_MOST_SECONDS", 5)

    found = [times.parse_time(f"2026-01-31T09:30:{second:02}.5Z") for second in range(60)]

    assert [found[0] + second * SECOND_NS for second in range(60)] == found
    assert len(times._SECONDS) <= 5


def test_a_second_read_with_an_offset_is_not_taken_for_the_same_of_utc():
    there = times.parse_time("2031-05-06T07:08:09+02:00")

    assert 2 * times.HOUR_NS == times.parse_time("2031-05-06T07:08:09Z") - there
    assert there == times.parse_time("2031-05-06T07:08:09.0+02:00")
