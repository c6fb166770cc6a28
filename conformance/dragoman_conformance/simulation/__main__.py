"""Play plans from the command line: one line of text, or many seeds.

python -m dragoman_conformance.simulation "seed=17 actions=... faults=..."
python -m dragoman_conformance.simulation --seeds 20000 --start 0
"""

from __future__ import annotations

import argparse
import logging
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .plan import Plan
from .run import play
from .workload import generate

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from .run import Run

__all__ = ["main"]

_SHOWN = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Play what was asked for; 0 if no invariant was broken."""
    parser = argparse.ArgumentParser(prog="python -m dragoman_conformance.simulation")
    parser.add_argument("line", nargs="*", help="one plan, as a failing run printed it")
    parser.add_argument("--seeds", type=int, help="how many seeds to play instead")
    parser.add_argument("--start", type=int, default=0, help="the first of them")
    parser.add_argument("--quiet", action="store_true", help="print no history")
    options = parser.parse_args(arguments)
    with _without_alarms():
        if options.seeds is not None:
            return _play_many(range(options.start, options.start + options.seeds))
        line = " ".join(options.line)
        plan = generate(int(line)) if line.isdecimal() else Plan.parse(line)
        return _play_one(plan, is_quiet=options.quiet)


@contextmanager
def _without_alarms() -> Generator[None, None, None]:
    """Keep the library's log quiet: its alarms are in the history."""
    log = logging.getLogger("dragoman")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)


def _play_one(plan: Plan, *, is_quiet: bool) -> int:
    run = play(plan)
    if not is_quiet:
        _say("\n".join(run.history.lines()))
    _say(f"plan    {plan}")
    _say(f"history {run.hash}")
    return _verdict(run)


def _play_many(seeds: range) -> int:
    failed = 0
    for seed in seeds:
        run = play(generate(seed))
        if run.breaches:
            failed += 1
            _verdict(run)
        if failed >= _SHOWN:
            _say(f"stopped at seed {seed}: {failed} plans broke an invariant")
            return 1
    _say(f"{len(seeds)} seeds from {seeds.start}, {failed} broke an invariant")
    return 1 if failed else 0


def _verdict(run: Run) -> int:
    if not run.breaches:
        _say("no invariant was broken")
        return 0
    _say(run.report())
    return 1


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
