"""What the venue tells everybody: quotes, prints, tickers, market states and depth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.models import Depth, Level, MarketStatus, Quote, Side, Ticker, Trade, TradingState
from dragoman.money import add
from dragoman.times import SECOND_NS

from .book import is_better

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from .listed import Listing
    from .market.feed import MarketTick
    from .recorder import Recorder

__all__ = ["depth_of", "quote_of", "status_of", "tell_status", "tell_tick", "ticker_of"]

_TICKER_EVERY_NS: Final = SECOND_NS
_SHUT: Final = frozenset({TradingState.CLOSED, TradingState.HALTED})


def tell_tick(recorder: Recorder, listing: Listing, tick: MarketTick) -> None:
    """Tell a tick: its quote, its print, and at most once a second the ticker."""
    line = f"{tick.time_ns}|{tick.symbol}|{tick.bid_price}|{tick.ask_price}|{tick.last_price}"
    recorder.market(quote_of(listing, tick.time_ns), line)
    if tick.last_price is not None and tick.last_size:
        recorder.market(_trade_of(listing, tick, recorder.number("print")), "print")
    if tick.time_ns >= listing.ticker_due_ns and _has_news(tick):
        listing.ticker_due_ns = tick.time_ns + _TICKER_EVERY_NS
        recorder.market(ticker_of(listing, tick.time_ns), "ticker")


def tell_status(recorder: Recorder, listing: Listing) -> None:
    """Tell what a market lets one do now."""
    status = status_of(listing, recorder.now_ns)
    recorder.market(
        status, f"{recorder.now_ns}|{listing.symbol}|{status.state.value}|{status.reason}"
    )


def quote_of(listing: Listing, received_at_ns: int) -> Quote:
    """Return the top of the book: what is left of the market's own, and our displayed orders.

    Of ours only those count that the market has not reached: a tick is told before it is matched.
    """
    tick = listing.tick
    bid_price, bid_size = _top(listing, Side.BUY)
    ask_price, ask_size = _top(listing, Side.SELL)
    return Quote(
        symbol=listing.symbol,
        provider=listing.provider,
        received_at_ns=received_at_ns,
        bid_price=bid_price,
        bid_size=bid_size,
        ask_price=ask_price,
        ask_size=ask_size,
        is_tradable=tick is not None and listing.state not in _SHUT,
        venue_time_ns=None if tick is None else tick.time_ns,
    )


def _top(listing: Listing, side: Side) -> tuple[Decimal | None, Decimal | None]:
    price, size = _market_top(listing, side)
    against = listing.liquidity[side.opposite].best_price
    ours = listing.book(side).best_displayed(against, price)
    if ours is None:
        return price, size
    if price is None or is_better(side, ours[0], price):
        return ours
    return price, add(size, ours[1]) if size is not None and ours[0] == price else size


def _market_top(listing: Listing, side: Side) -> tuple[Decimal | None, Decimal | None]:
    """Return the market's best level: as quoted last while nothing can be taken from it."""
    tick, liquidity = listing.tick, listing.liquidity[side]
    if tick is None:
        return None, None
    is_bid = side is Side.BUY
    quoted = (tick.bid_price, tick.bid_size) if is_bid else (tick.ask_price, tick.ask_size)
    if liquidity.is_endless or listing.state in _SHUT or liquidity.best_price is None:
        return quoted
    return liquidity.best_price, liquidity.size_at_best()


def _trade_of(listing: Listing, tick: MarketTick, number: int) -> Trade:
    assert tick.last_price is not None  # noqa: S101 - told by the caller's condition
    assert tick.last_size is not None  # noqa: S101 - told by the caller's condition
    return Trade(
        symbol=listing.symbol,
        price=tick.last_price,
        size=tick.last_size,
        provider=listing.provider,
        received_at_ns=tick.time_ns,
        trade_id=f"t{number}",
        aggressor=tick.aggressor,
        venue_time_ns=tick.time_ns,
    )


def _has_news(tick: MarketTick) -> bool:
    return any(value is not None for value in (tick.last_price, tick.mark_price, tick.index_price))


def ticker_of(listing: Listing, received_at_ns: int) -> Ticker:
    """Return the day's prices, and the mark, index and funding of those that have them."""
    day, tick = listing.day, listing.tick
    return Ticker(
        symbol=listing.symbol,
        provider=listing.provider,
        received_at_ns=received_at_ns,
        last_price=listing.last_price,
        last_size=listing.last_size,
        open=day.open,
        high=day.high,
        low=day.low,
        previous_close=day.previous_close,
        volume=day.volume,
        turnover=None if listing.instrument.is_inverse else day.turnover,
        mark_price=listing.mark_price,
        index_price=listing.index_price,
        funding_rate=listing.funding_rate,
        next_funding_at_ns=listing.funding_at_ns,
        venue_time_ns=None if tick is None else tick.time_ns,
    )


def status_of(listing: Listing, now_ns: int) -> MarketStatus:
    """Return what the market lets one do now, and when that changes by the calendar."""
    state = listing.state
    is_waiting = state not in (TradingState.OPEN, TradingState.HALTED)
    return MarketStatus(
        state=state,
        provider=listing.provider,
        received_at_ns=now_ns,
        symbol=listing.symbol,
        reason=listing.halted,
        resumes_at_ns=listing.opens_at_ns if is_waiting and not listing.is_expired else None,
        venue_time_ns=now_ns,
    )


def depth_of(listing: Listing, levels: int, now_ns: int) -> Depth:
    """Return what is left of the market's levels and our displayed orders as one book."""
    return Depth(
        symbol=listing.symbol,
        bids=_side(listing, Side.BUY, levels),
        asks=_side(listing, Side.SELL, levels),
        is_snapshot=True,
        provider=listing.provider,
        received_at_ns=now_ns,
        venue_time_ns=now_ns,
    )


def _side(listing: Listing, side: Side, levels: int) -> tuple[Level, ...]:
    liquidity = listing.liquidity[side]
    if liquidity.is_endless:
        shown: Iterable[tuple[Decimal, Decimal]] = (
            (level.price, level.size)
            for level in listing.ladder(max(levels, 1))[0 if side is Side.BUY else 1]
        )
    else:
        shown = liquidity.levels()
    merged: dict[Decimal, tuple[Decimal, int]] = {price: (size, 1) for price, size in shown}
    against = listing.liquidity[side.opposite].best_price
    for price, size, count in listing.book(side).displayed(levels, against):
        held, orders = merged.get(price, (None, 0))
        merged[price] = (size if held is None else add(held, size), orders + count)
    ranked = sorted(merged.items(), reverse=side is Side.BUY)[:levels]
    return tuple(Level(price, size, orders) for price, (size, orders) in ranked)
