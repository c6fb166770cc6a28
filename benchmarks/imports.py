"""How long `import dragoman` takes, against importing aiohttp alone, side by side."""

import statistics
import subprocess
import sys

ROUNDS = 15
CODE = "import time; t = time.perf_counter(); import {0}; print(time.perf_counter() - t)"


def seconds(module: str) -> float:
    """Import a module in a fresh interpreter and return how long the import took."""
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(module)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def main() -> None:
    """Print the medians of interleaved rounds and their ratio."""
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(seconds("dragoman"))
        theirs.append(seconds("aiohttp"))
    mine, control = statistics.median(ours), statistics.median(theirs)
    print(f"import dragoman {mine * 1000:.1f} ms, import aiohttp {control * 1000:.1f} ms")
    print(f"ratio {mine / control:.3f}")


if __name__ == "__main__":
    main()
