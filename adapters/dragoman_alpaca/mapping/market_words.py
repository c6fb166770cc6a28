"""Alpaca's words for what a market may do now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.models import TradingState

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TRADING_STATES"]

TRADING_STATES: Final[Mapping[str, TradingState | None]] = {
    "2": TradingState.HALTED,
    "3": TradingState.OPEN,
    "5": None,
    "6": None,
    "7": None,
    "8": None,
    "9": None,
    "A": None,
    "C": None,
    "D": None,
    "E": None,
    "F": None,
    "H": TradingState.HALTED,
    "P": TradingState.HALTED,
    "Q": TradingState.AUCTION,
    "T": TradingState.OPEN,
}
"""What each status code says: up to "F" those of tapes A and B, then those of C and O.

None: indications, imbalances and restrictions, which do not change whether the symbol trades. Once
quotations are resumed ("Q"), orders gather for the auction that resumes trading.

Source: docs.alpaca.markets, "Real-time Stock Data", trading statuses, checked 2026-06-15.
"""
