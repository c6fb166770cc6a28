"""Bugs in what failures become."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs

from dragoman.errors import (
    AuthenticationError,
    DecodeError,
    DragomanError,
    InvalidOrderError,
    NotFoundError,
    OrderRejectedError,
    Outcome,
    OutcomeUnknownError,
    RejectReason,
    VenueError,
    VenueUnavailableError,
)
from dragoman.models import Order, OrderStatus, Side
from dragoman.transport.base import Lane
from dragoman.transport.codec import JsonDecoder

from ...references.ferry import errors as ferry_errors
from ...references.ferry.adapter import FerryAdapter
from ...references.wharf import errors, mapping
from ...references.wharf.adapter import WharfAdapter
from ..grafts import around, rewrites
from ..mutant import mutant

if TYPE_CHECKING:
    from dragoman.adapter import Adapter
    from dragoman.models import OrderRequest

    from ..mutant import Plant

_LISTS = ("fetch_positions", "fetch_open_orders", "fetch_accounts", "load_instruments")


def taken(request: OrderRequest, adapter: Adapter) -> Order:
    """Return an order as it would be told if the venue had taken it."""
    return Order(
        client_order_id=request.client_order_id or "",
        account_id=request.account_id or "",
        symbol=request.symbol,
        side=request.side,
        order_type=request.order_type,
        status=OrderStatus.OPEN,
        provider=adapter.context.provider,
        received_at_ns=adapter.context.clock.now_ns(),
        quantity=request.quantity,
        limit_price=request.limit_price,
    )


@mutant("M40", of="wharf", kills=("ERR-020",))
def lets_a_parser_s_exception_out(plant: Plant) -> None:
    """Parses the body of every refusal as JSON, and lets out what that raises."""

    def careless(true: Any) -> Any:
        def classify(endpoint: Any, response: Any) -> Any:
            json.loads(response.body)
            return true(endpoint, response)

        return classify

    plant.replace(errors, "classify", careless)


@mutant("M41", of="ferry", kills=("ERR-050",))
def takes_an_error_in_a_200_for_success(plant: Plant) -> None:
    """Looks at the status alone, and at nothing in the answer to an order."""

    def blind(true: Any) -> Any:
        def classify(endpoint: Any, response: Any) -> Any:
            found = true(endpoint, response)
            return None if endpoint.lane is Lane.ORDER else found

        return classify

    async def submit(true: Any, self: FerryAdapter, request: OrderRequest) -> Any:
        try:
            return await true(self, request)
        except OutcomeUnknownError as error:
            if error.reason.value != "BAD_RESPONSE":
                raise
            return taken(request, self)

    plant.replace(ferry_errors, "classify", blind)
    around(plant, FerryAdapter, "submit", submit)


@mutant("M42", of="wharf", kills=("ERR-010",))
def takes_every_refusal_for_a_bad_order(plant: Plant) -> None:
    """Makes an InvalidOrderError of every status from 400 to 499."""

    def coarse(true: Any) -> Any:
        def classify(endpoint: Any, response: Any) -> Any:
            if 400 <= response.status < 500:
                return InvalidOrderError(f"refused with {response.status}")
            return true(endpoint, response)

        return classify

    plant.replace(errors, "classify", coarse)


@mutant("M43", of="wharf", kills=("ERR-030",))
def asks_to_retry_what_can_not_be_paid(plant: Plant) -> None:
    """Tells a lack of funds as something that passes."""

    def changed(found: Any, *_: object) -> Any:
        if found is not None and found.code == "insufficient_funds":
            return VenueUnavailableError(
                found.message, code=found.code, outcome=Outcome.REJECTED, retry_after=1.0
            )
        return found

    rewrites(plant, errors, "error_of", changed)


class _Lenient(dict[str, OrderStatus]):
    def get(self, key: Any, default: Any = None) -> Any:
        del default
        return super().get(key, OrderStatus.FILLED)


@mutant("M44", of="wharf", kills=("ERR-060",))
def takes_an_unknown_status_for_filled(plant: Plant) -> None:
    """Falls back to "filled" for a status that it does not know."""
    plant.replace(mapping, "STATUSES", _Lenient)


class _Guessing(dict[str, Side]):
    def get(self, key: Any, default: Any = None) -> Any:
        del default
        return super().get(key, Side.BUY)


@mutant("M312", of="wharf", kills=("FLT-170",))
def guesses_every_word(plant: Plant) -> None:
    """Falls back to "buy" and "filled" for words that it does not know."""
    plant.replace(mapping, "STATUSES", _Lenient)
    plant.replace(mapping, "SIDES", _Guessing)


@mutant("M45", of="wharf", kills=("ERR-070", "FLT-160", "FLT-190", "FLT-200", "FLT-210"))
def tells_a_failed_read_as_empty(plant: Plant) -> None:
    """Answers a read of positions or orders that failed with an empty list."""

    async def empty(true: Any, self: WharfAdapter, *args: Any) -> Any:
        try:
            return await true(self, *args)
        except DragomanError:
            return ()

    around(plant, WharfAdapter, "fetch_positions", empty)
    around(plant, WharfAdapter, "fetch_open_orders", empty)


@mutant("M311", of="wharf", kills=("ERR-070", "ERR-020", "ERR-090"))
def swallows_every_exception(plant: Plant) -> None:
    """Returns a default from whatever fails, and says nothing of it."""

    async def nothing(true: Any, self: WharfAdapter, *args: Any, **named: Any) -> Any:
        try:
            return await true(self, *args, **named)
        except Exception:  # noqa: BLE001 - this is the bug
            return ()

    async def none(true: Any, self: WharfAdapter, *args: Any, **named: Any) -> Any:
        try:
            return await true(self, *args, **named)
        except Exception:  # noqa: BLE001 - this is the bug
            return None

    for name in _LISTS:
        around(plant, WharfAdapter, name, nothing)
    around(plant, WharfAdapter, "fetch_order", none)


@mutant("M300", of="wharf", kills=("ERR-040",))
def drops_the_code(plant: Plant) -> None:
    """Forgets the venue's code."""

    def changed(found: Any, *_: object) -> Any:
        if found is not None:
            found.code = None
        return found

    rewrites(plant, errors, "error_of", changed)


@mutant("M301", of="wharf", kills=("ERR-040",))
def drops_the_words(plant: Plant) -> None:
    """Puts words of its own in place of the venue's."""

    def changed(found: Any, *_: object) -> Any:
        if isinstance(found, OrderRejectedError):
            return OrderRejectedError("request failed", reason=found.reason, code=found.code)
        return found

    rewrites(plant, errors, "error_of", changed)


@mutant("M302", of="wharf", kills=("ERR-080",))
def knows_only_the_codes_of_its_table(plant: Plant) -> None:
    """Looks a code up in its table, and breaks where it is not there."""

    def changed(found: Any, _: object, __: object, problem: Any) -> Any:
        if found is None or isinstance(found, OrderRejectedError):
            return OrderRejectedError(
                problem.message, reason=errors.REASONS[problem.code], code=problem.code
            )
        return found

    rewrites(plant, errors, "error_of", changed)


@mutant("M303", of="wharf", kills=("ERR-090", "FLT-150"))
def lets_decoding_fail_by_a_foreign_error(plant: Plant) -> None:
    """Lets a ValueError out where an answer does not parse."""

    def careless(true: Any) -> Any:
        def decode(self: Any, data: Any) -> Any:
            try:
                return true(self, data)
            except DecodeError as error:
                raise ValueError(error.message) from None

        return decode

    plant.replace(JsonDecoder, "decode", careless)


@mutant("M304", of="wharf", kills=("ERR-100",))
def remembers_a_failure(plant: Plant) -> None:
    """Gives the last failure again instead of asking anew."""
    kept: list[DragomanError] = []

    async def cached(true: Any, self: WharfAdapter, *args: Any) -> Any:
        if kept:
            raise kept[0]
        try:
            return await true(self, *args)
        except DragomanError as error:
            kept.append(error)
            raise

    around(plant, WharfAdapter, "fetch_positions", cached)


@mutant("M305", of="wharf", kills=("ERR-110",))
def confuses_reasons(plant: Plant) -> None:
    """Takes a lack of funds for a bad price."""
    plant.replace(
        errors, "REASONS", lambda true: {**true, "insufficient_funds": RejectReason.INVALID_PRICE}
    )


@mutant("M306", of="wharf", kills=("ERR-120",))
def raises_for_an_order_that_never_was(plant: Plant) -> None:
    """Raises where an order that is looked up is not there."""

    async def strict(true: Any, self: WharfAdapter, *args: Any, **named: Any) -> Any:
        found = await true(self, *args, **named)
        if found is None:
            raise NotFoundError("no such order")
        return found

    around(plant, WharfAdapter, "fetch_order", strict)


@mutant("M307", of="wharf", kills=("ERR-120",))
def gives_another_account(plant: Plant) -> None:
    """Gives the first account where the one that was asked for is not there."""

    async def first(true: Any, self: WharfAdapter, account_id: str) -> Any:
        try:
            return await true(self, account_id)
        except VenueError:
            return (await self.fetch_accounts())[0]

    around(plant, WharfAdapter, "fetch_account", first)


@mutant("M308", of="ferry", kills=("ERR-110",))
def tells_every_refusal_as_other(plant: Plant) -> None:
    """Gives no reason for any refusal."""
    plant.replace(ferry_errors, "REASONS", lambda true: dict.fromkeys(true, RejectReason.OTHER))


@mutant("M309", of="wharf", kills=("ERR-010", "FLT-070", "FLT-080", "FLT-100"))
def takes_a_server_s_error_for_a_refusal(plant: Plant) -> None:
    """Tells an order as refused where the venue's server failed."""

    async def hasty(true: Any, self: WharfAdapter, request: OrderRequest) -> Any:
        try:
            return await true(self, request)
        except OutcomeUnknownError as error:
            if error.reason.value != "SERVER_ERROR":
                raise
            raise OrderRejectedError(error.message, code=error.code) from None

    around(plant, WharfAdapter, "submit", hasty)


@mutant("M310", of="wharf", kills=("ERR-050", "FLT-210", "FLT-200"))
def takes_any_answer_for_a_yes(plant: Plant) -> None:
    """Tells an order as taken where the answer could not be read."""

    async def trusting(true: Any, self: WharfAdapter, request: OrderRequest) -> Any:
        try:
            return await true(self, request)
        except OutcomeUnknownError as error:
            if error.reason.value != "BAD_RESPONSE":
                raise
            return attrs.evolve(taken(request, self), venue_order_ids=("0",))

    around(plant, WharfAdapter, "submit", trusting)


@mutant("M313", of="wharf", kills=("ERR-130",))
def takes_wrong_credentials_for_a_venue_that_is_away(plant: Plant) -> None:
    """Tells credentials that were refused as a venue that is not available."""

    def changed(found: Any, *_: object) -> Any:
        if isinstance(found, AuthenticationError):
            return VenueUnavailableError(found.message, code=found.code)
        return found

    rewrites(plant, errors, "error_of", changed)
