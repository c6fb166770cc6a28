"""Bugs in streams."""

from __future__ import annotations

from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs

from dragoman.errors import AuthenticationError, ProtocolError, StreamLostError
from dragoman.models import OrderEvent, Trade
from dragoman.streaming import shared
from dragoman.streaming.shared import SharedStream

from ...references.beacon import stream as beacon_stream
from ...references.wharf import mapping
from ...references.wharf.adapter import WharfAdapter
from ...references.wharf.stream import WharfStreamProtocol
from ..grafts import rewrites
from ..mutant import mutant

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ..mutant import Plant


@mutant("M36", of="wharf", kills=("STR-060",))
def ignores_a_gap(plant: Plant) -> None:
    """Takes the next number that comes, whatever is missing before it."""

    def lax(true: Any) -> Any:
        def is_next(self: Any, number: int) -> bool:
            try:
                return bool(true(self, number))
            except StreamLostError:
                return True

        return is_next

    plant.replace(WharfStreamProtocol, "_is_next", lax)


class _ByChunk:
    """Takes each piece that comes for whole lines."""

    beats = 0

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the lines of a piece."""
        return [line for line in piece.split(b"\n") if line]


@mutant("M37", of="beacon", kills=("STR-040", "FLT-270"))
def splits_lines_by_chunk(plant: Plant) -> None:
    """Takes each chunk for whole lines."""
    plant.replace(beacon_stream, "LineFraming", lambda _: _ByChunk)


@mutant("M38", of="wharf", kills=("STR-030",))
def dies_of_an_unknown_message(plant: Plant) -> None:
    """Understands nothing any more after a message of a type that it does not know."""

    def dying(true: Any) -> Any:
        def decode(self: Any, frame: Any) -> Any:
            if getattr(self, "is_dead", False):
                return None
            try:
                return true(self, frame)
            except ProtocolError:
                self.is_dead = True
                return None

        return decode

    plant.replace(WharfStreamProtocol, "decode", dying)


@mutant("M39", of="wharf", kills=("STR-090",))
def keeps_everything_for_a_slow_reader(plant: Plant) -> None:
    """Puts no bound on what waits for a reader."""
    plant.replace(
        shared.SharedStream,
        "__init__",
        lambda true: lambda self, *args, **named: true(self, *args, **named, most_waiting=10**9),
    )


@mutant("M320", of="wharf", kills=("STR-010",))
def tells_every_print_twice(plant: Plant) -> None:
    """Tells each print of the stream twice."""
    rewrites(plant, mapping, "events_of", lambda told, *_: told * 2 if _is_print(told) else told)


@mutant("M321", of="wharf", kills=("STR-010", "MKT-040"))
def leaves_out_repeated_prints(plant: Plant) -> None:
    """Leaves out every third print."""
    seen: list[object] = []

    def thinned(told: Any, *_: object) -> Any:
        if not _is_print(told):
            return told
        seen.append(told)
        return () if len(seen) % 3 == 0 else told

    rewrites(plant, mapping, "events_of", thinned)


def _is_print(told: Any) -> bool:
    return any(isinstance(one, Trade) for one in told)


@mutant("M322", of="wharf", kills=("STR-020",))
def tells_prints_of_others(plant: Plant) -> None:
    """Names every print after the symbol that was printed first."""
    first: list[str] = []

    def named(told: Any, *_: object) -> Any:
        first.append(told.symbol)
        return attrs.evolve(told, symbol=first[0])

    rewrites(plant, mapping, "trade_of", named)


@mutant("M323", of="wharf", kills=("STR-050",))
def gives_a_connection_up_for_an_unknown_message(plant: Plant) -> None:
    """Connects anew for each message that it does not understand."""

    def nervous(true: Any) -> Any:
        def decode(self: Any, frame: Any) -> Any:
            try:
                return true(self, frame)
            except ProtocolError as error:
                raise StreamLostError(error.message) from None

        return decode

    plant.replace(WharfStreamProtocol, "decode", nervous)


@mutant("M324", of="wharf", kills=("STR-100", "STR-030"))
def ends_for_good_at_what_it_can_not_read(plant: Plant) -> None:
    """Takes a message that it can't read for the end of the session."""

    def final(true: Any) -> Any:
        def decode(self: Any, frame: Any) -> Any:
            try:
                return true(self, frame)
            except ProtocolError as error:
                raise AuthenticationError(error.message) from None

        return decode

    plant.replace(WharfStreamProtocol, "decode", final)


@mutant("M325", of="wharf", kills=("STR-070",))
def opens_a_connection_that_nobody_reads(plant: Plant) -> None:
    """Asks for everything on a second connection too, and reads only the first."""

    def doubled(true: Any) -> Any:
        @asynccontextmanager
        async def stream(self: Any, subscription: Any) -> AsyncIterator[Any]:
            spare: Any = SharedStream(
                lambda: self.stream_type(self.context, self._session.rest),
                context=self.context,
                transport=self._session.transport,
            )
            try:
                async with spare.read(subscription), true(self, subscription) as batches:
                    yield batches
            finally:
                await spare.aclose()

        return stream

    plant.replace(WharfAdapter, "stream", doubled)


@mutant("M326", of="wharf", kills=("STR-080",))
def takes_a_quiet_stream_for_dead(plant: Plant) -> None:
    """Expects a sign of life more often than the venue gives one."""
    plant.replace(WharfStreamProtocol, "heartbeat_s", lambda _: 1.0)


@mutant("M327", of="wharf", kills=("STR-110",))
def never_unsubscribes(plant: Plant) -> None:
    """Asks for whatever was ever wanted."""
    wanted: dict[str, set[str]] = {}

    def more(told: Any, *_: object) -> Any:
        for name, words in told.items():
            wanted.setdefault(name, set()).update(words)
        return {name: sorted(words) for name, words in wanted.items()}

    rewrites(plant, mapping, "topics_of", more)


@mutant("M328", of="wharf", kills=("STR-130",))
def tells_other_prices_in_the_stream(plant: Plant) -> None:
    """Rounds the price of a fill that the stream tells."""

    def rounded(told: Any, *_: object) -> Any:
        return tuple([_rounded(one) for one in told])

    rewrites(plant, mapping, "events_of", rounded)


def _rounded(event: Any) -> Any:
    if not isinstance(event, OrderEvent) or event.fill is None:
        return event
    price = event.fill.price.quantize(Decimal(1)) + 1
    return attrs.evolve(event, fill=attrs.evolve(event.fill, price=price))


@mutant("M329", of="wharf", kills=("STR-140",))
def breaks_at_a_symbol_it_does_not_know(plant: Plant) -> None:
    """Looks a symbol up in a table of its own, and breaks where it is not there."""
    known = {"AAPL": "AAPL", "MSFT": "MSFT"}

    def strict(true: Any) -> Any:
        def stream(self: Any, subscription: Any) -> Any:
            names = [known[symbol] for symbol in subscription.quotes]
            del names
            return true(self, subscription)

        return stream

    plant.replace(WharfAdapter, "stream", strict)
