"""What makes a life of events, and what breaks it."""

import attrs
import pytest

from dragoman.models import (
    Fill,
    Order,
    OrderEvent,
    OrderEventKind,
    OrderStatus,
    OrderType,
    Side,
)
from dragoman.money import ZERO
from dragoman_conformance.looks.lives import (
    faults_of_order,
    told_backwards,
    told_wrongly,
    wrong_sums,
    wrong_total,
)

from .rows import D, fill, order


def event(kind: str, status: str, filled: int = 0, by: Fill | None = None) -> OrderEvent:
    told = order(status=OrderStatus(status), filled_quantity=D(filled))
    return OrderEvent(
        kind=OrderEventKind(kind), order=told, fill=by, account_id="a", received_at_ns=1
    )


ACCEPTED = event("ACCEPTED", "OPEN")
HALF = event("FILL", "PARTIALLY_FILLED", 4, fill("f1", 4))
WHOLE = event("FILL", "FILLED", 8, fill("f2", 4))
LIFE = (ACCEPTED, HALF, WHOLE)


def test_a_whole_life_has_no_fault() -> None:
    assert [] == [*told_backwards(LIFE), *told_wrongly(LIFE), *wrong_sums(LIFE), *wrong_total(LIFE)]


@pytest.mark.parametrize(
    ("events", "fault"),
    [
        pytest.param((WHOLE, ACCEPTED), "ACCEPTED: OPEN after FILLED", id="an end taken back"),
        pytest.param((HALF, ACCEPTED), "ACCEPTED: OPEN after PARTIALLY_FILLED", id="a step back"),
        pytest.param((ACCEPTED, ACCEPTED), "ACCEPTED told 2 times", id="twice"),
    ],
)
def test_a_step_back_is_found(events: tuple[OrderEvent, ...], fault: str) -> None:
    assert fault in list(told_backwards(events))


def test_a_new_day_is_no_step_back() -> None:
    held = event("RESTATED", "HELD")

    assert [] == list(told_backwards((ACCEPTED, held)))


def test_a_fill_told_twice_is_found() -> None:
    again = attrs.evolve(WHOLE, fill=HALF.fill)

    assert "fill f1 told twice" in list(wrong_sums((ACCEPTED, HALF, again)))
    assert "a fill told twice" in list(wrong_total((ACCEPTED, HALF, again)))


def test_a_fill_that_is_missing_is_found() -> None:
    assert ["FILL: 8 filled, by fills 4"] == list(wrong_sums((ACCEPTED, WHOLE)))


def test_a_bust_lowers_what_has_filled() -> None:
    busted = event("FILL_BUSTED", "FILLED", 4, WHOLE.fill)

    assert [] == list(wrong_sums((*LIFE, busted)))


def test_a_fill_of_another_order_is_found() -> None:
    stray = attrs.evolve(fill("f1", 4), client_order_id="other")

    assert list(told_wrongly((attrs.evolve(HALF, fill=stray),)))


@pytest.mark.parametrize(
    ("status", "filled"),
    [("OPEN", 4), ("PARTIALLY_FILLED", 0), ("FILLED", 4), ("PARTIALLY_FILLED", 8), ("REJECTED", 4)],
)
def test_a_status_that_contradicts_what_has_filled_is_found(status: str, filled: int) -> None:
    told = order(status=OrderStatus(status), filled_quantity=D(filled))

    assert list(faults_of_order(told))


def test_an_order_without_a_quantity_may_have_filled() -> None:
    told = Order(
        client_order_id="c",
        account_id="a",
        symbol="AAPL",
        side=Side.BUY,
        order_type=OrderType.MARKET,
        status=OrderStatus.FILLED,
        provider="p",
        received_at_ns=1,
        notional=D(100),
        filled_quantity=ZERO + 3,
    )

    assert [] == list(faults_of_order(told))
