"""What this folder offers: one protocol, one provider, and the settings it takes.

Read at start-up for every command, so it imports neither the adapter nor the engine. A setting
whose type lives there is declared as `object`; `options.py` checks every value.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Final

from dragoman.adapter import Environment
from dragoman.registry import OptionField, Protocol, Provider

__all__ = ["PROTOCOL"]

_SETTINGS: Final[dict[str, tuple[tuple[type, ...], str]]] = {
    "seed": ((int, str), "The same seed gives the same market; 0 by default."),
    "speed": ((int, float, str), "Venue seconds that pass in one second; 1 by default."),
    "tape": (
        (str, Path),
        "Replays real prices: a CSV or NDJSON file, or 'sample', the bundled tape.",
    ),
    "at_end": ((str,), "What the market does after the tape: 'loop' (default) or 'stop'."),
    "cash": ((str, int, Decimal), "What an account starts with; 100000 by default."),
    "accounts": (
        (tuple, list, str),
        "AccountSettings, tables of their fields, or ids ('a,b'); 'paper-1' by default.",
    ),
    "position_mode": ((str,), "NETTING (default) or HEDGING, for accounts that do not say."),
    "margin_mode": ((str,), "CROSS (default), CASH or ISOLATED, for accounts that do not say."),
    "hours": ((str,), "ALWAYS open (default), or REAL: each market's own calendar."),
    "fees": ((object,), "'realistic' (default), 'free', or a FeeSchedule."),
    "fill_ratio": ((str, int, Decimal), "The part of an order that one match fills: 0 < x <= 1."),
    "fills_rest": ((bool, str), "Whether the second match fills the rest; false by default."),
    "uses_liquidity": ((bool, str), "Whether the size shown bounds a match; true by default."),
    "native_exits": ((bool, str), "Whether entries may carry exits; true by default."),
    "native_lists": ((bool, str), "Whether OCO and OTO lists are taken; true by default."),
    "native_trailing": ((bool, str), "Whether trailing orders are taken; true by default."),
    "replace_keeps_id": ((bool, str), "Whether a replace keeps the venue id; true by default."),
    "latency_s": ((int, float, str), "Venue seconds that each way of a call takes; 0 by default."),
    "faults": ((object,), "What goes wrong and when: a FaultPlan, its line, or a list of faults."),
    "settings": ((object,), "VenueSettings, which the settings above change where given."),
    "venue": ((object,), "A MockVenue to share between connections; it has its own settings."),
    "state_file": ((str, Path), "Keeps the venue, so that the next process goes on from there."),
    "state_copy": (
        (bool, str),
        "Works on a copy of state_file: it is neither locked nor written; false by default.",
    ),
}

PROTOCOL: Final = Protocol(
    name="mock",
    title="Mock venue",
    adapter="dragoman_mock.adapter:MockAdapter",
    providers=(
        Provider(
            name="mock",
            environment=Environment.SIMULATED,
            title="Mock venue, in this process",
            options=tuple(
                OptionField(name=name, types=types, description=description)
                for name, (types, description) in _SETTINGS.items()
            ),
            description="A realistic market and broker: no keys, no network, no real money.",
        ),
    ),
)
"""The mock protocol, as the entry point `dragoman.protocols` names it."""
