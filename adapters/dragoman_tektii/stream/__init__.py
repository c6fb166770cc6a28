"""The stream of one gateway, behind one door: opened once, however many readers it has."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from dragoman.errors import ClosedError, UnsupportedError
from dragoman.streaming.joined import joined_stream
from dragoman.streaming.shared import SharedStream
from dragoman.streaming.topics import private_channels_of
from dragoman_tektii.capabilities import CAPABILITIES

from .pacing import PacedReader, Pacer
from .protocol import GatewayProtocol
from .watch import OrderWatch

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Callable,
        Sequence,
    )

    from dragoman.adapter import AdapterContext
    from dragoman.models import Event, Subscription
    from dragoman.transport.base import Transport
    from dragoman_tektii.mapping.reading import Reading

__all__ = ["GatewayStream", "OrderWatch", "Pacer"]


class GatewayStream:
    """All streams of one session.

    Args:
        context: Gives the address, the key and the clock.
        transport: What opens connections; it stays open.
        reading: What messages are read with, as it is known now.
        watch: Looks at orders of which the stream says too little.
        pacer: Acknowledges the events of a backtest.
        takes_wishes: Tells whether the gateway lets a client say what it wants.
    """

    def __init__(
        self,
        context: AdapterContext,
        transport: Transport,
        *,
        reading: Callable[[], Reading],
        watch: OrderWatch,
        pacer: Pacer,
        takes_wishes: Callable[[], bool],
    ) -> None:
        self._provider = context.provider
        self._watch = watch
        self._pacer = pacer
        self._is_complete = False

        def make_protocol() -> GatewayProtocol:
            return GatewayProtocol(
                context,
                reading=reading,
                pacer=pacer,
                watch=watch,
                takes_wishes=takes_wishes(),
            )

        self._shared: SharedStream[str | bytes] = SharedStream(
            make_protocol, context=context, transport=transport
        )

    @asynccontextmanager
    async def open(
        self, subscription: Subscription
    ) -> AsyncGenerator[AsyncIterator[Sequence[Event]]]:
        """Read what a subscription asks for; entered means that the gateway is listened to.

        Raises:
            UnsupportedError: No gateway streams some of it; nothing was sent.
            ClosedError: The backtest is complete: nothing will come any more.
            DragomanError: What else `SharedStream.read` raises.
        """
        self._check(subscription)
        is_private = bool(private_channels_of(subscription))
        reader = PacedReader(self._pacer, is_private=is_private, on_complete=self._completed)
        self._pacer.join(reader)
        async with AsyncExitStack() as stack:
            stack.callback(self._pacer.leave, reader)
            sources = [self._shared.read(subscription)]
            if is_private:
                sources.append(self._watch.open())
            source = sources[0] if len(sources) == 1 else joined_stream(sources)
            reader.read(await stack.enter_async_context(source))
            yield reader

    async def aclose(self) -> None:
        """End every stream. Idempotent; raises nothing."""
        await self._pacer.aclose()
        await self._shared.aclose()

    def _check(self, subscription: Subscription) -> None:
        if self._is_complete:
            raise ClosedError("the backtest is complete: nothing will be streamed any more")
        missing = sorted(str(one) for one in subscription.channels - CAPABILITIES.streams)
        known = CAPABILITIES.bar_timeframes or frozenset()
        missing += sorted({str(frame) for _, frame in subscription.bars} - known)
        if missing or subscription.is_empty:
            listed = ", ".join(missing) or "nothing"
            raise UnsupportedError(f"a gateway streams no {listed}", provider=self._provider)

    def _completed(self) -> None:
        self._is_complete = True
