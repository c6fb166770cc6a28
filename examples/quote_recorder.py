"""Record quotes to a CSV file, exactly as they were told, and say what was missed.

Usage: python examples/quote_recorder.py FILE [COUNT] [SYMBOL ...]
"""

import asyncio
import csv
import sys
from pathlib import Path

import dragoman
from dragoman import Gap, Quote
from dragoman.times import format_time

COLUMNS = ("received_at", "symbol", "bid_price", "bid_size", "ask_price", "ask_size")


async def record(path: Path, symbols: list[str], count: int) -> int:
    """Write `count` quotes; returns how many were lost on the way."""
    lost = 0
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        async with (
            dragoman.connect("mock", speed=20) as broker,
            broker.stream(quotes=symbols) as events,
        ):
            async for event in events:
                if isinstance(event, Gap):
                    lost += event.lost or 0
                if isinstance(event, Quote):
                    prices = [event.bid_price, event.bid_size, event.ask_price, event.ask_size]
                    writer.writerow([format_time(event.received_at_ns), event.symbol, *prices])
                    count -= 1
                if count == 0:
                    break
    return lost


async def main(path: str, count: str = "100", *symbols: str) -> None:
    """Record and report."""
    lost = await record(Path(path), list(symbols) or ["AAPL", "EUR/USD", "BTC/USD"], int(count))
    print(f"{count} quotes in {path}, {lost} lost")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(str(__doc__))
    asyncio.run(main(*sys.argv[1:]))
