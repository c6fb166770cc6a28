"""A venue's stream as readers of this library know it: events, and each change of the connection.

It comes back by itself and says so; what was missed meanwhile can't be known here. So a reader
takes RECONNECTED and Quarantined as the order to compare with the venue.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from dragoman.transport.link import Link
from dragoman.transport.link_report import LinkChange, LoopLag, Rolled, Undecoded

from .link_events import LinkTeller

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from dragoman.adapter import AdapterContext
    from dragoman.models.events import Event
    from dragoman.models.subscription import Subscription
    from dragoman.transport.base import Transport
    from dragoman.transport.link_pace import ConnectBudget
    from dragoman.transport.link_terms import LinkTerms
    from dragoman.transport.stream_protocol import StreamProtocol

__all__ = ["VenueStream", "venue_stream"]

Frame = TypeVar("Frame")

_REPORTS: Final = (LinkChange, Undecoded, Rolled, LoopLag)


class VenueStream:
    """Batches of events of one link. One reader; it may be canceled while it waits, and read on.

    Args:
        link: An open link whose payloads are sequences of events.
        teller: Turns its reports into events.
    """

    def __init__(self, link: Link[Any, Sequence[Event]], teller: LinkTeller) -> None:
        self.link = link
        self._teller = teller

    def __aiter__(self) -> VenueStream:
        return self

    async def __anext__(self) -> Sequence[Event]:
        """Return all events that have come since the last batch, waiting for one.

        Raises:
            DragomanError: What ended the stream; a ConnectionEvent FAILED came before.
        """
        events: list[Event] = []
        while not events:
            for item in await self.link.__anext__():
                if isinstance(item, _REPORTS):
                    events += self._teller.tell(item)
                else:
                    events += item
        return events


@asynccontextmanager
async def venue_stream(
    protocol: StreamProtocol[Frame, Sequence[Event]],
    *,
    context: AdapterContext,
    transport: Transport,
    subscription: Subscription,
    terms: LinkTerms | None = None,
    budget: ConnectBudget | None = None,
) -> AsyncGenerator[AsyncIterator[Sequence[Event]]]:
    """Open a venue's stream, as `Adapter.stream` returns it. Entered means subscribed.

    The first batch begins with CONNECTED. A loss is told by DISCONNECTED, each further attempt by
    RECONNECTING, and RECONNECTED says how long the gap was; a Gap for each market channel follows.
    A mute channel is told STALE before it is given up, and FRESH right before RECONNECTED. A frame
    that can't be understood is told by Quarantined, with its bytes if the context keeps raw data.

    Args:
        protocol: What the venue wants said; made for this stream alone.
        context: Gives clock, random and whether raw frames are kept.
        transport: What opens connections; it stays open.
        subscription: What the protocol subscribes to: names the channel and what may be missed.
        terms: How patient the stream is.
        budget: Attempts shared with other streams of the same venue and account.

    Raises:
        AuthenticationError: The venue refuses the credentials: on entry, or later from the iterator
            after a ConnectionEvent FAILED; so does PermissionDeniedError.
        DragomanError: On entry: the stream did not come about within `terms.open_within_s`.
    """
    link: Link[Frame, Sequence[Event]] = Link(
        protocol,
        transport=transport,
        clock=context.clock,
        random=context.random,
        terms=terms,
        budget=budget,
    )
    teller = LinkTeller(subscription, keep_raw=context.keep_raw)
    async with link:
        yield VenueStream(link, teller)
