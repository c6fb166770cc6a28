"""Bugs that go against what the venue's documents say, and that no double of the venue shows.

Those of payloads are planted in an adapter that has a table of them, which no reference has.
"""

from __future__ import annotations

import importlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs

from dragoman.errors import NotFoundError, RejectReason
from dragoman.models import Money, OrderStatus, PendingAction

from ...references.wharf import errors as wharf_errors
from ...references.wharf import mapping as wharf
from ...references.wharf import rest as wharf_rest
from ..grafts import retells, rewrites
from ..mutant import mutant

if TYPE_CHECKING:
    from types import ModuleType

    from ..mutant import Plant


def _part(plant: Plant, name: str) -> ModuleType:
    """Return a module of the adapter's package, which is known by the subject alone."""
    return importlib.import_module(f"{plant.subject.package}.{name}")


@mutant("M400", of="wharf", kills=("DOC-010",))
def writes_prices_without_their_last_zeros(plant: Plant) -> None:
    """Sends 99.5 where 99.50 was asked for."""

    def stripped(body: Any, _: Any) -> Any:
        price = body.get("limit_price")
        return body if price is None else {**body, "limit_price": price.rstrip("0")}

    rewrites(plant, wharf, "order_body", stripped)


@mutant("M401", of="wharf", kills=("DOC-010",))
def adds_a_field_that_is_not_documented(plant: Plant) -> None:
    """Sends a field that the venue passes over today."""
    rewrites(plant, wharf, "order_body", lambda body, _: {**body, "source": "dragoman"})


@mutant("M402", of="wharf", kills=("DOC-020",))
def inverts_what_a_fill_cost(plant: Plant) -> None:
    """Tells what was paid for a fill as if it had been received."""

    def inverted(told: Any) -> dict[str, Any]:
        paid = told.commission
        return {} if paid is None else {"commission": Money(-paid.amount, paid.currency)}

    retells(plant, wharf, "fill_of", inverted)


@mutant("M403", of="wharf", kills=("DOC-020",))
def tells_a_canceling_order_as_canceled(plant: Plant) -> None:
    """Takes an accepted cancel for a done one."""

    def canceled(told: Any) -> dict[str, Any]:
        is_canceling = told.pending is PendingAction.CANCEL
        return {"status": OrderStatus.CANCELED, "pending": None} if is_canceling else {}

    retells(plant, wharf, "order_of", canceled)


@mutant("M404", of="wharf", kills=("DOC-020",))
def fills_in_the_side_that_nobody_quotes(plant: Plant) -> None:
    """Tells an ask of 0 where nobody asks."""
    retells(plant, wharf, "quote_of", lambda told: {"ask_price": told.ask_price or Decimal(0)})


@mutant("M405", of="wharf", kills=("DOC-030",))
def takes_no_funds_for_no_position(plant: Plant) -> None:
    """Mixes up two reasons of refusals."""
    wrong = {"insufficient_funds": RejectReason.INSUFFICIENT_POSITION}
    plant.replace(wharf_errors, "REASONS", lambda true: {**true, **wrong})


@mutant("M406", of="wharf", kills=("DOC-030",))
def takes_an_ended_order_for_none(plant: Plant) -> None:
    """Says of an order that has ended that there is none."""
    plant.replace(wharf_errors, "CLASSES", lambda true: {**true, "order_ended": NotFoundError})


@mutant("M407", of="wharf", kills=("DOC-010",))
def cancels_without_the_account(plant: Plant) -> None:
    """Leaves the documented query out of a cancel."""

    def make(_: Any) -> Any:
        async def cancel(self: Any, account_id: str, venue_id: str) -> Any:
            del account_id
            path = {"venue_id": venue_id}
            response = await self._client.call(wharf_rest.CANCEL, path=path)
            return wharf_rest.READ_ORDER.decode(response.body)

        return cancel

    plant.replace(wharf_rest.WharfRest, "cancel", make)


@mutant("M410", of="alpaca", kills=("DOC-040",))
def swaps_the_sides_of_a_payload(plant: Plant) -> None:
    """Reads the bid of a documented quote as its ask."""

    def swapped(told: Any) -> dict[str, Any]:
        return {"bid_price": told.ask_price, "ask_price": told.bid_price}

    retells(plant, _part(plant, "mapping.payloads.market"), "quote_of", swapped)


@mutant("M411", of="alpaca", kills=("DOC-040",))
def reads_times_to_the_second(plant: Plant) -> None:
    """Cuts the documented nanoseconds off a print."""

    def cut(told: Any) -> dict[str, Any]:
        at_ns = told.venue_time_ns
        return {} if at_ns is None else {"venue_time_ns": at_ns // 10**9 * 10**9}

    retells(plant, _part(plant, "mapping.payloads.market"), "trade_of", cut)


@mutant("M412", of="alpaca", kills=("DOC-040",))
def tells_one_leg_too_few(plant: Plant) -> None:
    """Leaves the last order out of a documented list."""
    rewrites(
        plant,
        _part(plant, "mapping.payloads.trading"),
        "orders_of",
        lambda told, *_, **__: told[:-1] if len(told) > 1 else told,
    )


@mutant("M413", of="alpaca", kills=("DOC-040",))
def takes_an_update_of_a_book_for_the_book(plant: Plant) -> None:
    """Takes every documented frame about a book for the whole of it."""
    ticks = _part(plant, "mapping.frames")
    rewrites(plant, ticks, "make_depth", lambda told, *_: attrs.evolve(told, is_snapshot=True))


@mutant("M420", of="alpaca", kills=("DOC-050",))
def subscribes_by_another_word(plant: Plant) -> None:
    """Asks for minutes without the corrected ones."""
    plan = _part(plant, "stream.plan")
    plant.replace(
        plan,
        "_BARS",
        lambda true: {frame: words[:1] for frame, words in true.items()},
    )


@mutant("M421", of="alpaca", kills=("DOC-050",))
def takes_changes_of_a_book_for_levels_added(plant: Plant) -> None:
    """Leaves out of a change the levels that go."""

    def without(told: Any, *_: object) -> Any:
        bids = tuple(one for one in told.bids if one.size)
        return attrs.evolve(told, bids=bids)

    rewrites(plant, _part(plant, "mapping.frames"), "make_depth", without)


@mutant("M422", of="alpaca", kills=("DOC-050",))
def leaves_out_the_position_after_a_fill(plant: Plant) -> None:
    """Leaves out the position that a documented fill tells."""
    frames = _part(plant, "mapping.frames")

    def without(told: Any, *_: object) -> Any:
        return [one for one in told if type(one).__name__ != "PositionEvent"]

    rewrites(plant, frames, "event_of", without)
