"""What a data stream says besides quotes, prints, bars and books: halts, limits, corrections.

Each function raises `ValueError` for a message that lacks what its event needs, as those of `ticks`
do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.models import MarketStatus, Ticker, TradeCorrection, TradingState
from dragoman_alpaca.wire.market import TradeRow

from .market_words import TRADING_STATES
from .ticks import instant_of, make_trade, optional_amount, text_of

if TYPE_CHECKING:
    from dragoman_alpaca.wire.frames import (
        CancelErrorMessage,
        CorrectionMessage,
        LuldMessage,
        StatusMessage,
    )

__all__ = ["make_correction", "make_limits", "make_removal", "make_status"]


def make_status(row: StatusMessage, provider: str, received_at_ns: int) -> MarketStatus | None:
    """Build a symbol's trading state; None for what does not change it."""
    state = TRADING_STATES.get(row.sc or "", TradingState.UNKNOWN)
    if state is None:
        return None
    return MarketStatus(
        state=state,
        symbol=row.symbol,
        provider=provider,
        received_at_ns=received_at_ns,
        reason=" ".join(filter(None, (row.rc, row.rm or row.sm))) or None,
        venue_time_ns=instant_of(row.t),
    )


def make_limits(row: LuldMessage, provider: str, received_at_ns: int) -> Ticker:
    """Build the limits between which a symbol may trade."""
    return Ticker(
        symbol=row.symbol,
        provider=provider,
        received_at_ns=received_at_ns,
        price_floor=optional_amount(row.d),
        price_ceiling=optional_amount(row.u),
        venue_time_ns=instant_of(row.t),
    )


def make_removal(row: CancelErrorMessage, provider: str, received_at_ns: int) -> TradeCorrection:
    """Build the end of a print, which was canceled or an error."""
    return TradeCorrection(
        symbol=row.symbol,
        trade_id=_required(text_of(row.i)),
        provider=provider,
        received_at_ns=received_at_ns,
        venue_time_ns=instant_of(row.t),
    )


def make_correction(row: CorrectionMessage, provider: str, received_at_ns: int) -> TradeCorrection:
    """Build the end of a print, and the one that holds instead."""
    corrected = TradeRow(t=row.t, p=row.cp, s=row.cs, i=row.ci, c=row.cc)
    return TradeCorrection(
        symbol=row.symbol,
        trade_id=_required(text_of(row.oi)),
        provider=provider,
        received_at_ns=received_at_ns,
        replacement=make_trade(corrected, row.symbol, provider, received_at_ns),
        venue_time_ns=instant_of(row.t),
    )


def _required(trade_id: str | None) -> str:
    if not trade_id:
        raise ValueError("it names no print")
    return trade_id
