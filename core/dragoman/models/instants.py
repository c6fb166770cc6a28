"""Views that show an instant, stored as nanoseconds, as the datetime people read.

A field `venue_time_ns` is the truth; the attribute `venue_time` next to it is only this view,
because a datetime can't hold nanoseconds. A `*_ns` field without a view counts a duration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, overload

from dragoman.times import to_datetime

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["InstantView", "OptionalInstantView"]


class InstantView:
    """Shows the field of its own name plus `_ns` as an aware UTC datetime, cut to microseconds."""

    __slots__ = ("_field",)

    def __set_name__(self, owner: type, name: str) -> None:
        self._field = f"{name}_ns"

    @overload
    def __get__(self, model: None, owner: type) -> Self: ...
    @overload
    def __get__(self, model: object, owner: type) -> datetime: ...
    def __get__(self, model: object | None, owner: type) -> Self | datetime:
        if model is None:
            return self
        instant_ns: int = getattr(model, self._field)
        return to_datetime(instant_ns)


class OptionalInstantView:
    """Shows the field of its own name plus `_ns` as an aware UTC datetime, None where not known."""

    __slots__ = ("_field",)

    def __set_name__(self, owner: type, name: str) -> None:
        self._field = f"{name}_ns"

    @overload
    def __get__(self, model: None, owner: type) -> Self: ...
    @overload
    def __get__(self, model: object, owner: type) -> datetime | None: ...
    def __get__(self, model: object | None, owner: type) -> Self | datetime | None:
        if model is None:
            return self
        instant_ns: int | None = getattr(model, self._field)
        return to_datetime(instant_ns)
