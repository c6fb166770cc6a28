"""What a paper venue can be told about itself, as frozen values."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

import attrs

from dragoman.errors import InvalidValueError, Violation
from dragoman.models.checks import to_amount, to_known_amount
from dragoman.models.enums import AssetClass, InstrumentKind, MarginMode, PositionMode
from dragoman.money import ZERO

if TYPE_CHECKING:
    from dragoman.models import Instrument

__all__ = ["AccountSettings", "Fee", "FeeSchedule", "Hours", "VenueSettings"]


class Hours(StrEnum):
    """Whether each market keeps its real calendar, or trades around the clock in UTC days."""

    ALWAYS = "ALWAYS"
    REAL = "REAL"


@attrs.frozen(kw_only=True)
class Fee:
    """What one fill costs: a fraction of its value plus an amount per unit, at least `minimum`.

    A negative maker fraction is a rebate. Amounts are in the instrument's settlement currency.
    """

    maker: Decimal = attrs.field(default=ZERO, converter=to_known_amount)
    taker: Decimal = attrs.field(default=ZERO, converter=to_known_amount)
    per_unit: Decimal = attrs.field(default=ZERO, converter=to_known_amount)
    minimum: Decimal = attrs.field(default=ZERO, converter=to_known_amount)


@attrs.frozen(kw_only=True)
class FeeSchedule:
    """Fees by what is traded: by symbol, else by (asset class, kind), else `default`."""

    by_symbol: dict[str, Fee] = attrs.field(factory=dict[str, Fee])
    by_market: dict[tuple[AssetClass, InstrumentKind], Fee] = attrs.field(
        factory=dict[tuple[AssetClass, InstrumentKind], Fee]
    )
    default: Fee = Fee()

    @classmethod
    def free(cls) -> FeeSchedule:
        """Return a schedule that charges nothing."""
        return cls()

    @classmethod
    def realistic(cls) -> FeeSchedule:
        """Return usual retail fees: none on equities and FX, a fraction on crypto, per contract."""
        crypto = Fee(maker=Decimal("0.0015"), taker=Decimal("0.0025"))
        perpetual = Fee(maker=Decimal("0.0002"), taker=Decimal("0.0005"))
        return cls(
            by_market={
                (AssetClass.CRYPTO, InstrumentKind.SPOT): crypto,
                (AssetClass.CRYPTO, InstrumentKind.PERPETUAL): perpetual,
                (AssetClass.INDEX, InstrumentKind.FUTURE): Fee(per_unit=Decimal("0.62")),
                (AssetClass.EQUITY, InstrumentKind.OPTION): Fee(per_unit=Decimal("0.65")),
            }
        )

    def fee_of(self, instrument: Instrument) -> Fee:
        """Return the fee that applies to an instrument."""
        fee = self.by_symbol.get(instrument.symbol)
        return fee or self.by_market.get((instrument.asset_class, instrument.kind), self.default)


@attrs.frozen(kw_only=True)
class AccountSettings:
    """One account of the venue and what it starts with.

    `leverage` bounds the value of all positions to that many times the equity; None leaves it to
    the instruments' margin rates. In `MarginMode.CASH` nothing is sold short and nothing bought
    beyond the cash.
    """

    account_id: str = "paper-1"
    currency: str = "USD"
    cash: Decimal = attrs.field(default=Decimal(100_000), converter=to_known_amount)
    position_mode: PositionMode = PositionMode.NETTING
    margin_mode: MarginMode = MarginMode.CROSS
    leverage: Decimal | None = attrs.field(default=None, converter=to_amount)
    can_trade: bool = True


@attrs.frozen(kw_only=True)
class VenueSettings:
    """Everything about a paper venue that is not its instruments or its prices.

    Args:
        fill_ratio: The largest part (0 < ratio <= 1) of what remains of an order that one match
            fills.
        fills_rest: Whether the ratio bounds an order's first match alone, and the next one fills
            the rest.
        uses_liquidity: Whether a match is bounded by the size shown; otherwise it fills whole at
            the best price.
        depth_levels: How many levels a side the synthetic book has beyond the top.
        native_exits: Whether the venue takes stop_loss and take_profit on an entry.
        native_lists: Whether the venue takes OCO and OTO lists and groups.
        native_trailing: Whether the venue takes trailing orders.
        replace_keeps_id: Whether a replaced order keeps its venue id, or gets a new one.
        max_open_orders: How many orders an account may have open.
        maintenance_fraction: The part of the initial margin below which positions are liquidated.
        max_idle_steps: How many feed steps a long pause is caught up in before the rest is skipped.
    """

    provider: str = "mock"
    seed: int = 0
    accounts: tuple[AccountSettings, ...] = (AccountSettings(),)
    fees: FeeSchedule = attrs.field(factory=FeeSchedule.realistic)
    hours: Hours = Hours.ALWAYS
    fill_ratio: Decimal = attrs.field(default=Decimal(1), converter=to_known_amount)
    fills_rest: bool = False
    uses_liquidity: bool = True
    depth_levels: int = 20
    native_exits: bool = True
    native_lists: bool = True
    native_trailing: bool = True
    replace_keeps_id: bool = True
    max_open_orders: int = 10_000
    maintenance_fraction: Decimal = attrs.field(default=Decimal("0.5"), converter=to_known_amount)
    max_idle_steps: int = 100_000

    def __attrs_post_init__(self) -> None:
        """Refuse a fill ratio outside (0, 1] and accounts that share an id."""
        if not 0 < self.fill_ratio <= 1:
            raise InvalidValueError.of(
                "VenueSettings", [Violation.of("fill_ratio", self.fill_ratio, "above 0, at most 1")]
            )
        ids = [account.account_id for account in self.accounts]
        if len(set(ids)) != len(ids) or not ids:
            raise InvalidValueError.of(
                "VenueSettings",
                [Violation.of("accounts", ids, "at least one, each with its own account_id")],
            )
