"""Good housekeeping: nothing leaks or is lost, and nothing is asked in vain."""

from __future__ import annotations

import contextlib
import gc
from typing import TYPE_CHECKING, Final

from dragoman.errors import DragomanError
from dragoman.models import Channel, OrderType, Side

from ..chaos import Ending
from ..looks.probes import read_probes, stream_probes
from ..looks.source import adapter_package, calls, floats_of_amounts, imports, texts_of
from ..looks.terms import takes
from ..scenario import Need, scenario

if TYPE_CHECKING:
    from ..play import Play

_WIRE: Final = (Need.VENUE, Need.WIRE)
_CLOCKS: Final = frozenset(
    {
        "time.time",
        "time.time_ns",
        "time.monotonic",
        "time.monotonic_ns",
        "time.perf_counter",
        "time.sleep",
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
        "datetime.datetime.today",
        "datetime.date.today",
        "asyncio.sleep",
    }
)
_LOOSE: Final = frozenset(
    {"asyncio.create_task", "asyncio.ensure_future", "threading.Thread", "asyncio.get_event_loop"}
)
_CHANCE: Final = ("random.random", "random.uniform", "random.randint", "uuid.uuid4", "uuid.uuid1")
_RULES: Final = (
    ("HYG-050", _CLOCKS, "use the clock that is given"),
    ("HYG-070", _LOOSE, "use a TaskScope"),
    ("HYG-070", frozenset(_CHANCE), "use the ids and the chance given"),
)
_BLOCKING: Final = frozenset({"requests", "urllib3", "subprocess"})


@scenario("HYG-010", needs=_WIRE, is_smoke=True)
async def nothing_is_asked_that_the_venue_refuses(play: Play) -> None:
    """Everything declared is used as it should be; the venue's own answers are looked at."""
    broker = await play.connect()
    order = await play.take()
    if takes(play.capabilities, OrderType.LIMIT):
        await broker.cancel(await play.rest())
    for probe in [*read_probes(play, play.symbol), *stream_probes(play, play.symbol)]:
        if probe.is_declared:
            with contextlib.suppress(DragomanError):
                await probe.call()
    await broker.fetch_order(order)
    await play.until(lambda: broker.state.positions)
    await play.take(side=Side.SELL)
    await play.settle()
    await play.disconnect()
    await play.settle()
    for exchange in play.wire.exchanges:
        status = exchange.venue_status
        is_fine = status is None or status < 400
        why = f"{exchange.method} {exchange.path} was answered by {status}"
        play.check("HYG-010", is_fine, why, exchange=exchange.number)
        is_whole = exchange.ending is not Ending.OPEN
        play.check("HYG-010", is_whole, f"{exchange.method} {exchange.path} was never answered")


@scenario("HYG-030", "HYG-040")
async def nothing_is_lost_or_left_to_the_collector(play: Play) -> None:
    """Streams are opened and left, tasks canceled, and the connection is closed."""
    await play.connect()
    await play.take()
    if Channel.QUOTES in play.capabilities.streams:
        stream = play.broker.stream(quotes=[play.symbol])
        async with stream:
            await play.venue.move(play.symbol, play.subject.sample.price)
            await play.settle()
    if play.stage.has_wire:
        play.wire.reset_streams()
        await play.pause(3)
    await play.disconnect()
    adapter = play.stage.make_adapter()
    await adapter.open()
    await adapter.aclose()
    del adapter
    gc.collect()
    await play.settle()
    warned = [line for line in play.records.collect() if line.startswith("ResourceWarning")]
    play.check("HYG-030", not warned, f"left open: {warned[:2]}")
    never = [line for line in play.records.collect() if "was never awaited" in line]
    play.check("HYG-030", not never, f"never awaited: {never[:2]}")
    lost = [line for line in play.records.lost if line]
    play.check("HYG-040", not lost, f"errors that nobody took: {lost[:1]}")


@scenario("HYG-050", "HYG-060", "HYG-070", needs=())
async def the_source_keeps_the_rules_of_the_house(play: Play) -> None:
    """The package of the adapter is read: clocks, floats, loose tasks, chance, other clients."""
    package = adapter_package(play.subject)
    play.check("HYG-050", texts_of(package), f"the source of {package} is not there")
    for name, place in calls(package):
        for requirement, names, instead in _RULES:
            if name in names:
                play.check(requirement, held=False, why=f"{name} at {place}: {instead}")
    for place in floats_of_amounts(package):
        play.check("HYG-060", held=False, why=f"float() at {place}: use Decimal, which is exact")
    for module, place in imports(package):
        if module in _BLOCKING:
            play.check("HYG-070", held=False, why=f"{module} at {place}: it blocks the loop")
    play.check("HYG-060", held=True, why="")
    play.check("HYG-070", held=True, why="")
