"""Legs that the stream tells before the answer to their order: told once, under the right name."""

import pytest

from dragoman_alpaca.mapping.updates import event_of

from .trading_rows import AT_NS, leg_content, order_content, order_row, reading, update

LATER_NS = AT_NS + 1


@pytest.fixture
def known():
    found = reading()
    found.legs.expect("a", {"sl": "mine"})
    found.legs.sending("a", LATER_NS)
    return found


def names(update, known):
    return [one.order.client_order_id for one in event_of(update, known)]


def test_a_leg_is_not_told_before_its_order_is_answered(known):
    assert [] == names(update("pending_new", order=leg_content("stop")), known)


def test_a_leg_is_told_by_its_own_name_once_its_order_is_answered(known):
    known.legs.learn(order_row(order_class="bracket", legs=[leg_content("stop")]))

    assert ["mine"] == names(update("new", order=leg_content("stop")), known)


def test_the_order_itself_is_told_while_it_is_on_its_way(known):
    assert ["a"] == names(update("new", order=order_content(order_class="bracket")), known)


def test_an_execution_is_told_whatever_the_leg_is_called(known):
    fill = update(
        "fill",
        order=leg_content("stop", status="filled", filled_qty="2"),
        execution_id="e",
        price="140",
        qty="2",
    )

    assert ["generated-for-stop"] == names(fill, known)


def test_a_leg_of_another_clients_order_is_told_once_nothing_is_on_its_way(known):
    known.legs.answered("a")

    assert ["generated-for-stop"] == names(update("new", order=leg_content("stop")), known)


def test_a_leg_is_told_after_all_when_no_answer_comes(known):
    late = known.at(LATER_NS)

    assert ["generated-for-stop"] == names(update("new", order=leg_content("stop")), late)
