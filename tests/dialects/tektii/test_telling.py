"""What happens to an account, as messages: of orders, executions, money, and lost protection."""

from decimal import Decimal

import attrs
import pytest

from dragoman.models import (
    Account,
    AccountEvent,
    AccountEventKind,
    Alarm,
    AlarmKind,
    LedgerEntry,
    LedgerEvent,
    LedgerKind,
    Money,
    Order,
    OrderEvent,
    OrderEventKind,
    OrderOrigin,
    OrderStatus,
    OrderType,
    Position,
    PositionEvent,
    ProtectionEvent,
    ProtectionKind,
    RateLimit,
    Side,
)
from dragoman_tektii.dialect.desks import Desk
from dragoman_tektii.dialect.metrics import Metrics
from dragoman_tektii.dialect.telling import Telling

ORDER = Order(
    client_order_id="c1",
    account_id="paper-1",
    symbol="AAPL",
    side=Side.SELL,
    order_type=OrderType.STOP,
    status=OrderStatus.OPEN,
    provider="mock",
    received_at_ns=1,
    quantity=Decimal(5),
    stop_price=Decimal(90),
)
LEG = attrs.evolve(ORDER, client_order_id="c1-sl", parent_client_order_id="c1")
ABOUT = {"account_id": "paper-1", "received_at_ns": 1}


@pytest.fixture
def desk(gateway):
    """The desk of the gateway's broker, and a feed of its own."""
    return Desk(gateway.broker, gateway.host, (), Metrics(gateway.host))


@pytest.fixture
def telling(desk):
    return Telling(desk)


def order_event(kind, order=ORDER, **changes):
    return OrderEvent(kind=kind, order=attrs.evolve(order, **changes), **ABOUT)


def words(telling, *events):
    """Return what usual clients are told of orders."""
    news = [one for event in events for one in telling.private(event) if one.is_usual]
    return [one.message["event"] for one in news if one.message["type"] == "order"]


def only(telling, event):
    (news,) = telling.private(event)
    return news


async def test_order_is_told_once_to_exist_before_anything_else(telling):
    accepted = order_event(OrderEventKind.ACCEPTED)
    canceled = order_event(OrderEventKind.CANCELED, status=OrderStatus.CANCELED)

    assert ["ORDER_CREATED"] == words(telling, order_event(OrderEventKind.SUBMITTED), accepted)
    assert [] == words(telling, accepted, order_event(OrderEventKind.PENDING_CANCEL))
    assert ["ORDER_MODIFIED"] == words(telling, order_event(OrderEventKind.RESTATED))
    assert ["ORDER_CANCELLED"] == words(telling, canceled)


async def test_order_that_is_first_heard_of_at_its_end_has_existed_before(telling):
    expired = order_event(OrderEventKind.EXPIRED, status=OrderStatus.EXPIRED)

    first, second = telling.private(expired)

    assert ("ORDER_CREATED", "OPEN") == (
        first.message["event"],
        first.message["order"]["status"],
    )
    assert ("ORDER_EXPIRED", "EXPIRED") == (
        second.message["event"],
        second.message["order"]["status"],
    )


async def test_refused_order_was_never_there(telling):
    rejected = order_event(OrderEventKind.REJECTED, status=OrderStatus.REJECTED)

    news = only(telling, rejected)

    assert ("ORDER_REJECTED", "UNKNOWN") == (
        news.message["event"],
        news.message["order"]["reject_reason"],
    )


async def test_exit_is_told_of_when_it_works_and_before_only_to_those_that_asked(telling):
    held = order_event(OrderEventKind.ACCEPTED, LEG, status=OrderStatus.HELD)
    works = order_event(OrderEventKind.RESTATED, LEG)

    early = only(telling, held)
    created = only(telling, works)

    assert (False, "PENDING") == (early.is_usual, early.message["order"]["status"])
    assert (True, "ORDER_CREATED", "c1") == (
        created.is_usual,
        created.message["event"],
        created.message["parent_order_id"],
    )


async def test_exit_that_never_worked_ends_untold(telling):
    gone = order_event(OrderEventKind.CANCELED, LEG, status=OrderStatus.CANCELED)

    news = only(telling, gone)

    assert (False, "ORDER_CANCELLED") == (news.is_usual, news.message["event"])


async def test_unknown_fate_is_an_error_that_names_the_order(telling):
    lost = order_event(OrderEventKind.OUTCOME_UNKNOWN, status=OrderStatus.UNKNOWN)

    news = only(telling, lost)

    assert ("error", "INTERNAL_ERROR") == (news.message["type"], news.message["code"])
    assert ("c1", "UNKNOWN") == (
        news.message["details"]["order_id"],
        news.message["details"]["outcome"],
    )


async def test_order_by_which_the_broker_liquidates_is_an_error_once(telling):
    forced = order_event(OrderEventKind.ADOPTED, origin=OrderOrigin.LIQUIDATION)

    first, order = telling.private(forced)

    assert ("LIQUIDATION", None) == (first.message["code"], first.topic)
    assert "ORDER_CREATED" == order.message["event"]
    assert ["ORDER_MODIFIED"] == words(
        telling, order_event(OrderEventKind.REPLACED, origin=OrderOrigin.LIQUIDATION)
    )


async def test_position_without_protection_is_an_error_and_counts(telling, desk, gateway):
    await gateway.buy()
    lost = ProtectionEvent(
        kind=ProtectionKind.UNPROTECTED,
        position_id="AAPL",
        client_order_ids=("c1-sl",),
        cause="refused",
        **ABOUT,
    )

    news = only(telling, lost)

    details = news.message["details"]
    assert ("POSITION_UNPROTECTED", "refused") == (news.message["code"], news.message["message"])
    assert ("AAPL", "AAPL", False) == (
        details["position_id"],
        details["symbol"],
        details["circuit_breaker_open"],
    )
    assert 1 == desk.breakers.exits.row()["failure_count"]
    protected = attrs.evolve(lost, kind=ProtectionKind.PROTECTED)
    assert [] == list(telling.private(protected))


async def test_both_exits_filled_are_an_error_with_both_fills(telling, gateway):
    first = await gateway.buy()
    second = await gateway.buy(quantity="5")
    double = ProtectionEvent(
        kind=ProtectionKind.DOUBLE_EXIT,
        position_id="AAPL",
        client_order_ids=(first["id"], second["id"]),
        cause="both filled",
        **ABOUT,
    )

    news = only(telling, double)

    details = news.message["details"]
    assert ("OCO_DOUBLE_EXIT", "15") == (news.message["code"], details["total_exit_quantity"])
    assert {"order_id": first["id"], "quantity": "10", "side": "BUY"} == details["first_fill"]
    assert second["id"] == details["second_fill"]["order_id"]


@pytest.mark.parametrize(
    ("kind", "symbol", "is_told"),
    [
        (LedgerKind.FUNDING, "AAPL", True),
        (LedgerKind.INTEREST, "AAPL", True),
        (LedgerKind.FUNDING, None, False),
        (LedgerKind.DEPOSIT, "AAPL", False),
    ],
    ids=["funding", "interest", "no_symbol", "deposit"],
)
async def test_financing_is_told_with_its_sign(telling, kind, symbol, is_told):
    entry = LedgerEntry(
        entry_id="e1",
        account_id="paper-1",
        kind=kind,
        venue_time_ns=1,
        provider="mock",
        received_at_ns=1,
        amount=Money("-1.50", "USD"),
        symbol=symbol,
    )

    told = [one.message for one in telling.private(LedgerEvent(entry=entry, **ABOUT))]

    amounts = [(one["type"], one["symbol"], one["amount"]) for one in told]
    assert ([("financing", "AAPL", "-1.50")] if is_told else []) == amounts


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (AccountEventKind.UPDATED, "BALANCE_UPDATED"),
        (AccountEventKind.MODE_CHANGED, "BALANCE_UPDATED"),
        (AccountEventKind.MARGIN_WARNING, "MARGIN_WARNING"),
        (AccountEventKind.MARGIN_CALL, "MARGIN_CALL"),
    ],
)
async def test_account_events_have_words(telling, kind, word):
    account = Account(account_id="paper-1", provider="mock", received_at_ns=1, cash=Decimal(7))

    news = only(telling, AccountEvent(account=account, kind=kind, **ABOUT))

    shown = news.message["account"]
    assert (word, "7", "7", "7", "USD") == (
        news.message["event"],
        shown["balance"],
        shown["equity"],
        shown["margin_available"],
        shown["currency"],
    )


async def test_short_position_that_ends_is_told_as_the_short_it_was(telling):
    open_ = Position(
        position_id="p1",
        account_id="paper-1",
        symbol="AAPL",
        quantity=Decimal(-3),
        provider="mock",
        received_at_ns=1,
        average_entry_price=Decimal(50),
        opened_at_ns=1,
    )
    flat = attrs.evolve(open_, quantity=Decimal(0), average_entry_price=None, opened_at_ns=None)

    opened = only(telling, PositionEvent(position=open_, **ABOUT))
    closed = only(telling, PositionEvent(position=flat, previous_quantity=Decimal(-3), **ABOUT))

    assert ("POSITION_OPENED", "3") == (
        opened.message["event"],
        opened.message["position"]["quantity"],
    )
    row = closed.message["position"]
    assert ("POSITION_CLOSED", "SHORT", "0", "50", "50") == (
        closed.message["event"],
        row["side"],
        row["quantity"],
        row["average_entry_price"],
        row["current_price"],
    )


async def test_limit_whose_rest_is_not_known_is_not_told(telling):
    assert telling.limit(RateLimit(pool="all", received_at_ns=1)) is None


async def test_blocked_loop_is_no_news_for_clients(telling):
    assert telling.alarm(Alarm(kind=AlarmKind.LOOP_LAG, cause="x", received_at_ns=1)) is None
