"""Every value within a model is found, with the place that it stands at."""

from datetime import UTC, datetime
from decimal import Decimal

import attrs

from dragoman.models import Balance, Money
from dragoman_conformance.looks.parts import broken_times, floats, instants, parts

_BALANCE = Balance(currency="EUR", total=Decimal(2))


@attrs.frozen(kw_only=True)
class Told:
    paid: object = None
    rows: tuple[object, ...] = ()
    venue_time_ns: object = None


def test_values_are_found_at_every_depth():
    told = Told(
        paid=Money("1.5", "USD"), rows=(Balance(currency="EUR", total=Decimal(2)), {"a": 3})
    )

    found = dict(parts(told))

    assert Decimal("1.5") == found["Told.paid.amount"]
    assert Decimal(2) == found["Told.rows[0].total"]
    assert 3 == found["Told.rows[1].a"]


def test_a_float_is_found_wherever_it_hides():
    assert ["Told.rows[0].x = 0.5"] == floats(Told(rows=({"x": 0.5},)))


def test_what_is_exact_is_no_float():
    assert [] == floats(Told(paid=Decimal("0.5"), rows=(1, True, "0.5")))


def test_instants_are_ints_of_nanoseconds():
    assert [("Told.venue_time_ns", 7)] == list(instants(Told(venue_time_ns=7)))


def test_a_time_that_is_no_int_is_broken():
    assert ["Told.venue_time_ns = 1.5"] == broken_times(Told(venue_time_ns=1.5))


def test_a_naive_datetime_is_broken_anywhere():
    naive = datetime(2026, 1, 7, 12)  # noqa: DTZ001 - what is wrong with it is the point

    assert ["Told.paid = naive 2026-01-07T12:00:00"] == broken_times(Told(paid=naive))


def test_an_aware_datetime_and_a_time_that_is_not_known_are_fine():
    assert [] == broken_times(Told(paid=datetime(2026, 1, 7, tzinfo=UTC), venue_time_ns=None))
