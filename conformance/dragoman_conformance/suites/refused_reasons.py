"""Refused orders: why the venue refused one is what the subject says, or that it can't say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import OrderRejectedError, RejectReason, VenueError
from dragoman.models import OrderType

from ..looks.bare import bare
from ..looks.terms import rests
from ..scenario import Need, scenario

if TYPE_CHECKING:
    from ..play import Play

_OWN: Final = frozenset({RejectReason.NEVER_ARRIVED, RejectReason.DUPLICATE_CLIENT_ORDER_ID})
"""What no venue gives as a reason, or not while it has no order of that id."""
_REASONS: Final = tuple([one for one in RejectReason if one not in _OWN])


@scenario("ORD-LIFE-250", needs=(Need.VENUE, Need.WIRE), when=rests)
async def every_reason_is_told_for_what_it_is(play: Play) -> None:
    """The venue refuses one order for each reason there is; the subject gives that one or OTHER."""
    refusals = [f"submit#{at} reject(reason={one})" for at, one in enumerate(_REASONS, start=1)]
    play.faults = "; ".join(refusals)
    async with bare(play, streams=False) as subject:
        for reason in _REASONS:
            name = f"refused-{reason.lower().replace('_', '-')}"
            request = subject.request(order_type=OrderType.LIMIT, client_order_id=name)
            what = f"an order that was refused for {reason}"
            call = subject.adapter.submit(request)
            error = await play.fails("ORD-LIFE-250", call, VenueError, what)
            if isinstance(error, OrderRejectedError):
                allowed = (reason, RejectReason.OTHER)
                held = error.reason in allowed
                play.check("ORD-LIFE-250", held, f"{what} is told as {error.reason}")
