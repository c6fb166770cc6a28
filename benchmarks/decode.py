"""From the bytes of a frame to public frozen events, for each kind of frame that Alpaca streams.

    python -m benchmarks decode [--frames 3000] [--repeats 9]

Three ways, in turns in the same run: this library; the plain row of `_plain_rows`, which is what
one writes with msgspec and attrs without a thought and which keeps no limit; and the official
client's own models, from what its streams read (MessagePack for market data, JSON for updates),
where it is installed. Market data comes in frames of ten messages and in frames of one. A figure is
the median over the repeats of the processor time for one event (for a book, one book of 2 x 20
levels; for trade updates, one frame); `ratio` is the median of the ratios within each repeat. All
frames differ, and no repeat profits from the one before: what this library keeps of amounts is
forgotten, then filled by as many frames as are measured after them. `known` is how many of the
amounts it had met by then, as in a session that has gone on for a while. The events are compared
with those of the plain row once, field by field.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from typing import TYPE_CHECKING, Any, Final

import attrs

from benchmarks._market_frames import frames, packed
from benchmarks._plain_rows import ACCOUNT, DECODERS, PROVIDER
from dragoman.transport import codec
from dragoman_alpaca.mapping.frames import DataFrames, TradingFrames
from dragoman_alpaca.mapping.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NOW_NS: Final = 1_767_796_300_000_000_000
ROWS: Final = (
    ("quote", 10),
    ("trade", 10),
    ("bar", 10),
    ("trade_updates", 1),
    ("quote", 1),
    ("trade", 1),
    ("bar", 1),
    ("book", 1),
)


def ours(kind: str) -> Callable[[bytes], Any]:
    """Return this library's way to read a frame."""
    if kind == "trade_updates":
        reading = Reading(provider=PROVIDER, account_id=ACCOUNT, received_at_ns=0)
        decode_update = TradingFrames(reading=reading.at).decode
        return lambda frame: decode_update(frame, NOW_NS)
    decode_data = DataFrames(provider=PROVIDER).decode
    return lambda frame: decode_data(frame, NOW_NS)


def plain(kind: str) -> Callable[[bytes], Any]:
    """Return the plain way."""
    decode = DECODERS[kind]
    return lambda frame: decode(frame, NOW_NS)


def official(kind: str) -> Callable[[bytes], Any] | None:
    """Return the official client's way; None where it is not installed."""
    try:
        import msgpack  # noqa: PLC0415 - a dependency of the official client
        from alpaca.data.live import StockDataStream  # noqa: PLC0415 - may be missing
        from alpaca.trading.stream import TradingStream  # noqa: PLC0415 - likewise
    except ImportError:
        return None
    if kind == "trade_updates":
        cast_update = TradingStream("key", "secret")._cast  # noqa: SLF001 - what its reader calls
        return lambda frame: cast_update(json.loads(frame))
    cast_data = StockDataStream("key", "secret")._cast  # noqa: SLF001 - what its reader calls
    return lambda frame: [cast_data(message) for message in msgpack.unpackb(frame)]


def timed(decode: Callable[[bytes], Any], tape: Sequence[bytes]) -> float:
    """Return the processor time of reading each frame once, in nanoseconds."""
    gc.collect()
    start_ns = time.process_time_ns()
    for frame in tape:
        decode(frame)
    return time.process_time_ns() - start_ns


def check(kind: str, tape: Sequence[bytes]) -> None:
    """Compare what both ways make of the first frames, except for what only one of them says."""
    for frame in tape[:20]:
        for event, row in zip(ours(kind)(frame), plain(kind)(frame), strict=True):
            for field in attrs.fields(type(event)):
                found, expected = getattr(event, field.name), getattr(row, field.name)
                if not attrs.has(type(expected)) and not isinstance(expected, tuple):
                    assert found == expected, (kind, field.name, found, expected)


def warm(kind: str, tape: Sequence[bytes]) -> None:
    """Forget all amounts, then read frames that come before those to be measured."""
    codec.known_amounts.clear()
    decode = ours(kind)
    for frame in tape:
        decode(frame)


def hit_rate(kind: str, before: Sequence[bytes], tape: Sequence[bytes]) -> float:
    """Return how many of the amounts in frames are known from those before them."""
    warm(kind, before)
    decode, new = ours(kind), 0
    for frame in tape:
        known = len(codec.known_amounts)
        decode(frame)
        found = len(codec.known_amounts)
        new += found - known if found >= known else found  # full, it had started anew
    return 1 - new / sum(amounts_in(frame) for frame in tape)


def amounts_in(frame: bytes) -> int:
    """Count the numbers of a frame that are looked up: volumes are read anew each time."""
    document = json.loads(frame)
    if isinstance(document, dict):
        row = document["data"] | document["data"]["order"]
        names = ("qty", "limit_price", "filled_qty", "filled_avg_price", "price", "position_qty")
        return sum(row.get(name) is not None for name in names) + ("price" in row)
    count = 0
    for message in document:
        fields = {"q": 4, "t": 2, "b": 5, "o": 4 * len(message.get("b", ()))}
        count += fields[message["T"]]
    return count


def measure(kind: str, batch: int, count: int, repeats: int) -> str:
    """Measure one row of the table."""
    both = frames(kind, 2 * max(1, count // batch), batch)
    before, tape = both[: len(both) // 2], both[len(both) // 2 :]
    check(kind, tape)
    hits = hit_rate(kind, before, tape)
    ways: dict[str, tuple[Callable[[bytes], Any], Sequence[bytes]]] = {
        "ours": (ours(kind), tape),
        "plain": (plain(kind), tape),
    }
    theirs = official(kind)
    if theirs is not None:
        ways["official"] = theirs, [packed(f) for f in tape] if kind != "trade_updates" else tape
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        warm(kind, before)
        for name, (decode, given) in ways.items():
            taken[name].append(timed(decode, given) / len(tape) / batch)
    text = f"{kind:>13} x {batch:<2}"
    for name, found in taken.items():
        text += f"  {name} {statistics.median(found):8,.0f} ns"
    for name in list(ways)[1:]:
        ratios = [own / other for own, other in zip(taken["ours"], taken[name], strict=True)]
        text += f"  ratio to {name} {statistics.median(ratios):5.2f}"
    return f"{text}  known {hits:4.0%}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="From frame bytes to public frozen events.")
    parser.add_argument("--frames", type=int, default=3_000, help="messages of each kind")
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_known_args()[0]
    for kind, batch in ROWS:
        print(measure(kind, batch, options.frames, options.repeats))


if __name__ == "__main__":
    main()
