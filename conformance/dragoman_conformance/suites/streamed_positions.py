"""Positions as the adapter itself streams them: opened, grown, and gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.models import PositionEvent, Side, Subscription
from dragoman.models.enums import Channel
from dragoman.tasks import TaskScope

from ..looks.bare import bare
from ..looks.terms import trades
from ..scenario import Need, scenario

if TYPE_CHECKING:
    from dragoman.adapter import Adapter
    from dragoman.capabilities import Capabilities

    from ..play import Play

_SOON_S: Final = 10.0


def _tells_positions(capabilities: Capabilities) -> bool:
    return trades(capabilities) and Channel.POSITIONS in capabilities.streams


@scenario("POS-110", needs=(Need.VENUE,), when=_tells_positions)
async def the_adapter_alone_tells_a_position_to_its_end(play: Play) -> None:
    """A position is opened and closed; the stream tells its quantity each time, 0 at the end."""
    async with bare(play, streams=False) as subject:
        heard: list[PositionEvent] = []
        scope = TaskScope()
        scope.spawn(_follow(subject.adapter, heard), "stream of positions")
        await play.settle()
        try:
            whole = play.subject.sample.quantity
            steps = ((Side.BUY, whole), (Side.SELL, 0))
            for number, (side, wanted) in enumerate(steps):
                request = subject.request(client_order_id=f"flat-{number}", side=side)
                await subject.adapter.submit(request)
                await play.until(
                    lambda wanted=wanted: [one.position.quantity for one in heard][-1:] == [wanted],  # type: ignore[misc] # bound now
                    within_s=_SOON_S,
                )
                found = [(one.position.symbol, one.position.quantity) for one in heard][-1:]
                what = f"streamed after a {side} of {whole}"
                play.equal("POS-110", [(play.symbol, wanted)], found, what)
        finally:
            await scope.close()


async def _follow(adapter: Adapter, heard: list[PositionEvent]) -> None:
    async with adapter.stream(Subscription(orders=True, positions=True)) as batches:
        async for batch in batches:
            heard += [one for one in batch if isinstance(one, PositionEvent)]
