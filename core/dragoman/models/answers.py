"""What optional ports answer with: previews, option chains, ideas, raw answers."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Final

import attrs

from dragoman.errors import RejectReason, Violation

from .instants import InstantView
from .market import Quote, Ticker
from .request import OrderRequest
from .values import FrozenMapping, Money, Timeframe

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Idea", "OptionQuote", "Preview", "RawAnswer"]


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


_NO_HEADERS: Final[FrozenMapping[str]] = FrozenMapping()


def _frozen(headers: Mapping[str, str]) -> FrozenMapping[str]:
    return FrozenMapping(headers)


@attrs.frozen(kw_only=True)
class RawAnswer:
    """What the venue answered to a raw request. Names of `headers` are lower case."""

    status: int
    headers: FrozenMapping[str] = attrs.field(default=_NO_HEADERS, converter=_frozen, repr=False)
    text: str = attrs.field(default="", repr=False)
