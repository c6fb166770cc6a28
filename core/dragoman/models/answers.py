"""What optional ports answer with: previews, option chains, ideas."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import attrs

from dragoman.errors import RejectReason, Violation

from .instants import InstantView
from .market import Quote, Ticker
from .request import OrderRequest
from .values import Money, Timeframe

__all__ = ["Idea", "OptionQuote", "Preview"]


@attrs.frozen(kw_only=True)
class Preview:
    """What an order would cost and everything that stands in its way; nothing was sent."""

    violations: tuple[Violation, ...] = ()
    warnings: tuple[str, ...] = ()
    margin: Money | None = None
    commission: Money | None = None
    reject_reason: RejectReason | None = None

    @property
    def is_acceptable(self) -> bool:
        """Whether nothing known stands in the way."""
        return not self.violations and self.reject_reason is None


@attrs.frozen(kw_only=True)
class OptionQuote:
    """One row of an option chain.

    `iv` is a fraction per year; greeks are per unit of the instrument.
    """

    symbol: str
    quote: Quote | None = None
    ticker: Ticker | None = None
    iv: Decimal | None = None
    delta: Decimal | None = None
    gamma: Decimal | None = None
    theta: Decimal | None = None
    vega: Decimal | None = None
    rho: Decimal | None = None


@attrs.frozen(kw_only=True)
class Idea:
    """A suggestion to trade, with its reasons."""

    idea_id: str
    updated_at_ns: int
    request: OrderRequest
    text: str
    confidence: Decimal | None = None
    timeframe: Timeframe | None = None
    updated_at: ClassVar[InstantView] = InstantView()
