"""One line of text for every event a stream can bring."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from dragoman.models import (
    AccountEvent,
    Alarm,
    Bar,
    ConnectionEvent,
    Depth,
    Gap,
    HealthEvent,
    LedgerEvent,
    MarketStatus,
    OrderEvent,
    PositionEvent,
    ProtectionEvent,
    Quarantined,
    Quote,
    RateLimit,
    ReaderLagged,
    Staleness,
    Ticker,
    Trade,
    TradeCorrection,
)
from dragoman.models.events import SessionEvent

from .wording import amount, clock_time, day_time, money, order_event_line, printable

if TYPE_CHECKING:
    from dragoman.models import Event, MarketEvent, PrivateEvent

__all__ = ["event_line"]


def event_line(event: Event) -> str:
    """Write an event: when, what, about which symbol or order."""
    if isinstance(event, SessionEvent):
        return f"{clock_time(event.received_at_ns)} {_session(event)}"
    at = clock_time(event.venue_time_ns or event.received_at_ns)
    if isinstance(event, OrderEvent):
        return order_event_line(event)
    if isinstance(event, (PositionEvent, AccountEvent, LedgerEvent, ProtectionEvent)):
        return f"{at} {_private(event)}"
    return f"{at} {_market(event)}"


def _market(event: MarketEvent) -> str:
    symbol = printable(event.symbol or "all")
    match event:
        case Quote():
            bid = f"bid {amount(event.bid_price)} x {amount(event.bid_size)}"
            return f"QUOTE {symbol} {bid} ask {amount(event.ask_price)} x {amount(event.ask_size)}"
        case Trade():
            side = f" {event.aggressor}" if event.aggressor else ""
            return f"TRADE {symbol} {amount(event.size)} at {amount(event.price)}{side}"
        case Bar():
            return _bar(event, symbol)
        case Depth():
            return f"DEPTH {symbol} {len(event.bids)} bids {len(event.asks)} asks"
        case Ticker():
            return f"TICKER {symbol} last {amount(event.last_price)}"
        case MarketStatus() | TradeCorrection():
            return _notice(event, symbol)
        case _:
            assert_never(event)


def _notice(event: MarketStatus | TradeCorrection, symbol: str) -> str:
    if isinstance(event, MarketStatus):
        return f"MARKET {symbol} {event.state}"
    return f"TRADE CORRECTION {symbol} of {printable(event.trade_id)}"


def _bar(bar: Bar, symbol: str) -> str:
    prices = " ".join(amount(price) for price in (bar.open, bar.high, bar.low, bar.close))
    state = "complete" if bar.is_complete else "so far"
    opened = day_time(bar.open_time_ns)
    return f"BAR {symbol} {bar.timeframe} {opened} {prices} volume {amount(bar.volume)} {state}"


def _private(event: PrivateEvent) -> str:
    match event:
        case OrderEvent():
            return order_event_line(event)
        case PositionEvent():
            position = event.position
            entry = amount(position.average_entry_price)
            name = printable(position.position_id)
            return f"POSITION {name} {amount(position.quantity)} at {entry}"
        case AccountEvent():
            totals = f"equity {amount(event.account.equity)} cash {amount(event.account.cash)}"
            return f"ACCOUNT {event.kind} {totals}"
        case LedgerEvent():
            return f"LEDGER {event.entry.kind} {money(event.entry.amount)}"
        case ProtectionEvent():
            return f"PROTECTION {event.kind} {printable(f'{event.position_id}: {event.cause}')}"
        case _:
            assert_never(event)


def _session(event: SessionEvent) -> str:
    if isinstance(event, (ConnectionEvent, HealthEvent, Alarm)):
        return _condition(event)
    match event:
        case Staleness():
            return f"{event.state} {printable(event.channel)}"
        case Gap():
            lost = "unknown" if event.lost is None else event.lost
            return f"GAP {event.channel} {printable(event.symbol or '')} lost {lost}"
        case RateLimit():
            return f"RATE LIMIT {printable(event.pool)} left {event.remaining}"
        case ReaderLagged():
            return f"LAGGED from {event.from_sequence}"
        case Quarantined():
            return f"NOT UNDERSTOOD on {printable(event.channel)}: {printable(event.error)}"
        case _:
            assert_never(event)


def _condition(event: ConnectionEvent | HealthEvent | Alarm) -> str:
    match event:
        case ConnectionEvent():
            cause = f": {printable(event.cause)}" if event.cause else ""
            return f"CONNECTION {printable(event.channel)} {event.state}{cause}"
        case HealthEvent():
            causes = f": {printable('; '.join(event.causes))}" if event.causes else ""
            return f"HEALTH {event.state}{causes}"
        case Alarm():
            about = f" {printable(event.client_order_id)}" if event.client_order_id else ""
            return f"ALARM {event.kind}{about}: {printable(event.cause)}"
        case _:
            assert_never(event)
