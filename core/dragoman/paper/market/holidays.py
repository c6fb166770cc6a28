"""Which days New York's exchanges rest, by rule: what is known years ahead, not sudden closures."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

__all__ = ["early_closes", "easter", "full_holidays", "is_business_day", "major_holidays"]

_MONDAY: Final = 0
_THURSDAY: Final = 3
_FRIDAY: Final = 4
_SATURDAY: Final = 5
_SUNDAY: Final = 6
_DAY: Final = timedelta(days=1)
_FIRST_JUNETEENTH: Final = 2022


def full_holidays(year: int) -> frozenset[date]:
    """Return the days of a year without a session, by the rules of the New York Stock Exchange.

    A holiday on Sunday moves to Monday; one on Saturday to Friday, except New Year's Day, which
    then is not observed. The rules hold from 1998 on, Juneteenth from 2022 on. Days of mourning and
    storms follow no rule.
    """
    days = {
        _nth_weekday(year, 1, _MONDAY, 3),
        _nth_weekday(year, 2, _MONDAY, 3),
        _last_monday_of_may(year),
        _observed(date(year, 7, 4)),
        _nth_weekday(year, 9, _MONDAY, 1),
        _nth_weekday(year, 11, _THURSDAY, 4),
    }
    if year >= _FIRST_JUNETEENTH:
        days.add(_observed(date(year, 6, 19)))
    return major_holidays(year) | days


def major_holidays(year: int) -> frozenset[date]:
    """Return the holidays on which futures rest too: New Year's Day, Good Friday, Christmas."""
    days = {easter(year) - 2 * _DAY, _observed(date(year, 12, 25))}
    new_year = date(year, 1, 1)
    if new_year.weekday() != _SATURDAY:
        days.add(_observed(new_year))
    return frozenset(days)


def early_closes(year: int) -> frozenset[date]:
    """Return the days of a year whose session ends at 13:00.

    They are July 3, the day after Thanksgiving and December 24;
    July 3 and December 24 only from Monday to Thursday: on a Friday they are the holiday itself,
    observed.
    """
    days = {_nth_weekday(year, 11, _THURSDAY, 4) + _DAY}
    eves = (date(year, 7, 3), date(year, 12, 24))
    return frozenset(days | {eve for eve in eves if eve.weekday() < _FRIDAY})


def is_business_day(day: date) -> bool:
    """Tell whether the exchanges hold a session on `day`, whole or short."""
    return day.weekday() < _SATURDAY and day not in full_holidays(day.year)


def easter(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar (the anonymous computus)."""
    golden = year % 19
    century, in_century = divmod(year, 100)
    leap_centuries, odd_centuries = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap_centuries - correction + 15) % 30
    leaps, odd_years = divmod(in_century, 4)
    weekday = (32 + 2 * odd_centuries + 2 * leaps - epact - odd_years) % 7
    shift = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * shift + 114, 31)
    return date(year, month, day + 1)


def _nth_weekday(year: int, month: int, weekday: int, count: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (count - 1))


def _last_monday_of_may(year: int) -> date:
    last = date(year, 5, 31)
    return last - timedelta(days=last.weekday())


def _observed(day: date) -> date:
    if day.weekday() == _SATURDAY:
        return day - _DAY
    return day + _DAY if day.weekday() == _SUNDAY else day
