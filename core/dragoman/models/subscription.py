"""What a reader wants to hear, as a value: subscriptions add up and subtract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias, TypedDict, cast

import attrs

from dragoman.errors import InvalidValueError, Violation

from .checks import text_violation
from .enums import Channel
from .field_rules import flag_violations
from .values import Timeframe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


__all__ = ["BarKey", "Subscription", "SubscriptionFields", "SubscriptionSymbols"]

BarKey: TypeAlias = tuple[str, Timeframe]
SubscriptionSymbols: TypeAlias = "str | Iterable[str]"


_SYMBOLS: Final = ("quotes", "trades", "depth", "tickers", "market_status")
_FLAGS: Final = ("orders", "positions", "account", "ledger")
_ONE_BAR: Final = "pairs of symbol and timeframe, such as ('AAPL', '1m')"


def _to_symbols(symbols: SubscriptionSymbols) -> frozenset[str]:
    try:
        return frozenset((symbols,) if isinstance(symbols, str) else symbols)
    except TypeError:
        return cast("frozenset[str]", symbols)


def _to_bars(bars: Iterable[tuple[str, str | Timeframe]]) -> frozenset[BarKey]:
    try:
        return frozenset((symbol, _to_timeframe(frame)) for symbol, frame in bars)
    except InvalidValueError:
        raise
    except (TypeError, ValueError):
        return cast("frozenset[BarKey]", bars)


def _to_timeframe(frame: str | Timeframe) -> Timeframe:
    return Timeframe.parse(frame) if isinstance(frame, str) else frame


class SubscriptionFields(TypedDict, total=False):
    """Every field of a `Subscription`, in the forms its constructor takes."""

    quotes: SubscriptionSymbols
    trades: SubscriptionSymbols
    bars: Iterable[tuple[str, str | Timeframe]]
    depth: SubscriptionSymbols
    tickers: SubscriptionSymbols
    market_status: SubscriptionSymbols
    orders: bool
    positions: bool
    account: bool
    ledger: bool


@attrs.frozen(kw_only=True)
class Subscription:
    """A set of channels, per symbol for market data, whole for the account's own.

    `bars` holds pairs of symbol and timeframe, the latter as `"1m"` or a `Timeframe`.
    """

    quotes: frozenset[str] = attrs.field(default=frozenset(), converter=_to_symbols)
    trades: frozenset[str] = attrs.field(default=frozenset(), converter=_to_symbols)
    bars: frozenset[BarKey] = attrs.field(default=frozenset(), converter=_to_bars)
    depth: frozenset[str] = attrs.field(default=frozenset(), converter=_to_symbols)
    tickers: frozenset[str] = attrs.field(default=frozenset(), converter=_to_symbols)
    market_status: frozenset[str] = attrs.field(default=frozenset(), converter=_to_symbols)
    orders: bool = False
    positions: bool = False
    account: bool = False
    ledger: bool = False

    def __attrs_post_init__(self) -> None:
        """Refuse what can't be a symbol, a bar or a flag, listing every violation."""
        violations = [*self._violations()]
        if violations:
            raise InvalidValueError.of("Subscription", violations)

    def _violations(self) -> Iterator[Violation]:
        yield from flag_violations(self, *_FLAGS)
        for name in _SYMBOLS:
            yield from _symbol_violations(name, getattr(self, name))
        yield from _bar_violations(self.bars)

    @property
    def channels(self) -> frozenset[Channel]:
        """The channels this asks for."""
        return frozenset(
            Channel[name.upper()] for name in attrs.fields_dict(type(self)) if getattr(self, name)
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for."""
        return not self.channels

    def __or__(self, other: Subscription) -> Subscription:
        return Subscription(
            quotes=self.quotes | other.quotes,
            trades=self.trades | other.trades,
            bars=self.bars | other.bars,
            depth=self.depth | other.depth,
            tickers=self.tickers | other.tickers,
            market_status=self.market_status | other.market_status,
            orders=self.orders or other.orders,
            positions=self.positions or other.positions,
            account=self.account or other.account,
            ledger=self.ledger or other.ledger,
        )

    def __sub__(self, other: Subscription) -> Subscription:
        return Subscription(
            quotes=self.quotes - other.quotes,
            trades=self.trades - other.trades,
            bars=self.bars - other.bars,
            depth=self.depth - other.depth,
            tickers=self.tickers - other.tickers,
            market_status=self.market_status - other.market_status,
            orders=self.orders and not other.orders,
            positions=self.positions and not other.positions,
            account=self.account and not other.account,
            ledger=self.ledger and not other.ledger,
        )


def _symbol_violations(field: str, symbols: object) -> Iterator[Violation]:
    if not isinstance(symbols, frozenset):
        yield Violation.of(field, symbols, "a symbol or an iterable of symbols")
        return
    for symbol in cast("frozenset[object]", symbols):
        violation = text_violation(field, symbol)
        if violation is not None:
            yield violation


def _bar_violations(bars: object) -> Iterator[Violation]:
    if not isinstance(bars, frozenset):
        yield Violation.of("bars", bars, _ONE_BAR)
        return
    for symbol, frame in cast("frozenset[tuple[object, object]]", bars):
        yield from _symbol_violations("bars", frozenset({symbol}))
        if not isinstance(frame, Timeframe):
            yield Violation.of("bars", frame, _ONE_BAR)
