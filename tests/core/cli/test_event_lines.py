from decimal import Decimal

import pytest

from dragoman.cli.event_lines import event_line
from dragoman.models import (
    Account,
    AccountEvent,
    AccountEventKind,
    Alarm,
    AlarmKind,
    Bar,
    Channel,
    ConnectionEvent,
    ConnectionState,
    Depth,
    Fill,
    Gap,
    HealthEvent,
    HealthState,
    LedgerEntry,
    LedgerEvent,
    LedgerKind,
    Level,
    MarketStatus,
    Money,
    Order,
    OrderEvent,
    OrderEventKind,
    OrderStatus,
    OrderType,
    Position,
    PositionEvent,
    ProtectionEvent,
    ProtectionKind,
    Quarantined,
    Quote,
    RateLimit,
    ReaderLagged,
    Side,
    Staleness,
    StalenessState,
    Ticker,
    Timeframe,
    Trade,
    TradeCorrection,
    TradingState,
)

ONE = Decimal(1)
FROM_VENUE = {"provider": "mock", "received_at_ns": 0}
PRIVATE = {"account_id": "a", "received_at_ns": 0}
ORDER = Order(
    client_order_id="o1",
    account_id="a",
    symbol="AAPL",
    side=Side.BUY,
    order_type=OrderType.MARKET,
    status=OrderStatus.OPEN,
    quantity=Decimal(10),
    **FROM_VENUE,
)
FILL = Fill(
    fill_id="f1",
    account_id="a",
    client_order_id="o1",
    symbol="AAPL",
    side=Side.BUY,
    quantity=Decimal(4),
    price=Decimal("9.50"),
    venue_time_ns=0,
    commission=Money("0.10", "USD"),
    **FROM_VENUE,
)
ENTRY = LedgerEntry(
    entry_id="e1",
    account_id="a",
    kind=LedgerKind.FUNDING,
    venue_time_ns=0,
    amount=Money("-1.5", "USD"),
    **FROM_VENUE,
)
POSITION = Position(
    position_id="AAPL",
    account_id="a",
    symbol="AAPL",
    quantity=Decimal(-3),
    average_entry_price=Decimal("9.5"),
    **FROM_VENUE,
)
BAR = Bar(
    symbol="AAPL",
    timeframe=Timeframe.parse("1m"),
    open_time_ns=0,
    open=ONE,
    high=ONE,
    low=ONE,
    close=ONE,
    is_complete=False,
    **FROM_VENUE,
)
QUOTE = Quote(symbol="A\x1bB", bid_price=ONE, bid_size=ONE, **FROM_VENUE)


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (QUOTE, r"QUOTE A\x1bB bid 1 x 1 ask - x -"),
        (
            Trade(symbol="A", price=ONE, size=ONE, aggressor=Side.SELL, **FROM_VENUE),
            "TRADE A 1 at 1 SELL",
        ),
        (TradeCorrection(symbol="A", trade_id="t1", **FROM_VENUE), "TRADE CORRECTION A of t1"),
        (BAR, "BAR AAPL 1m 1970-01-01T00:00:00Z 1 1 1 1 volume - so far"),
        (
            Depth(symbol="A", bids=(Level(1, 1),), asks=(), is_snapshot=True, **FROM_VENUE),
            "DEPTH A 1 bids 0 asks",
        ),
        (Ticker(symbol="A", last_price=ONE, **FROM_VENUE), "TICKER A last 1"),
        (MarketStatus(state=TradingState.HALTED, **FROM_VENUE), "MARKET all HALTED"),
        (
            OrderEvent(kind=OrderEventKind.ACCEPTED, order=ORDER, **PRIVATE),
            "ACCEPTED  o1: BUY 10 AAPL MARKET",
        ),
        (
            OrderEvent(kind=OrderEventKind.FILL, order=ORDER, fill=FILL, **PRIVATE),
            "FILL      o1: BUY 4 AAPL at 9.50, commission 0.10 USD",
        ),
        (PositionEvent(position=POSITION, **PRIVATE), "POSITION AAPL -3 at 9.5"),
        (
            AccountEvent(
                account=Account(account_id="a", equity=ONE, **FROM_VENUE),
                kind=AccountEventKind.UPDATED,
                **PRIVATE,
            ),
            "ACCOUNT UPDATED equity 1 cash -",
        ),
        (LedgerEvent(entry=ENTRY, **PRIVATE), "LEDGER FUNDING -1.5 USD"),
        (
            ProtectionEvent(
                kind=ProtectionKind.UNPROTECTED,
                position_id="A",
                client_order_ids=(),
                cause="lost",
                **PRIVATE,
            ),
            "PROTECTION UNPROTECTED A: lost",
        ),
        (
            ConnectionEvent(
                state=ConnectionState.FAILED, channel="rest", cause="x\ny", received_at_ns=0
            ),
            r"CONNECTION rest FAILED: x\ny",
        ),
        (
            Staleness(
                state=StalenessState.STALE,
                channel="rest",
                symbols=(),
                since_ns=0,
                received_at_ns=0,
            ),
            "STALE rest",
        ),
        (Gap(channel=Channel.QUOTES, symbol="A", lost=3, received_at_ns=0), "GAP QUOTES A lost 3"),
        (Gap(channel=Channel.QUOTES, received_at_ns=0), "GAP QUOTES  lost unknown"),
        (RateLimit(pool="orders", remaining=3, received_at_ns=0), "RATE LIMIT orders left 3"),
        (ReaderLagged(from_sequence=9, received_at_ns=0), "LAGGED from 9"),
        (
            Quarantined(channel="rest", error="no", received_at_ns=0),
            "NOT UNDERSTOOD on rest: no",
        ),
        (
            HealthEvent(
                state=HealthState.STALE,
                previous=HealthState.LIVE,
                causes=("mute", "unsaved"),
                received_at_ns=0,
            ),
            "HEALTH STALE: mute; unsaved",
        ),
        (
            Alarm(kind=AlarmKind.LATE_FILL, cause="why", client_order_id="o", received_at_ns=0),
            "ALARM LATE_FILL o: why",
        ),
    ],
)
def test_every_event_is_one_printable_line(event, text):
    assert f"00:00:00.000Z {text}" == event_line(event)
