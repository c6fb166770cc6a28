"""The position that goes with each execution, though the broker knows of later ones by then."""

from decimal import Decimal
from types import SimpleNamespace

import pytest

from dragoman import Side
from dragoman_alpaca.dialect.holdings import Holdings

D = Decimal


class Account:
    """What a desk and its broker know: up to which event, and what is held by then."""

    def __init__(self):
        self.held = {"AAPL": D(0), "MSFT": D(0)}
        self.state = SimpleNamespace(sequence=0, worst_position=lambda symbol, _: self.held[symbol])
        self.broker = SimpleNamespace(state=self.state)
        self.ledger = SimpleNamespace(sequence=0)

    def fill(self, quantity, symbol="AAPL"):
        """Let the broker know of an execution; returns the news of it."""
        self.held[symbol] += quantity
        self.state.sequence += 1
        side = Side.BUY if quantity > 0 else Side.SELL
        fill = SimpleNamespace(quantity=abs(D(quantity)), side=side)
        return news(symbol, SimpleNamespace(fill=fill))

    def is_level(self):
        """Let the ledger have taken in all that the broker knows."""
        self.ledger.sequence = self.state.sequence


def news(symbol="AAPL", execution=None):
    return SimpleNamespace(
        row=SimpleNamespace(order=SimpleNamespace(symbol=symbol)), execution=execution
    )


@pytest.fixture
def account():
    return Account()


@pytest.fixture
def holdings(account):
    return Holdings(account)


def test_each_of_several_executions_told_at_once_has_the_position_it_made(account, holdings):
    told = [account.fill(4), account.fill(-1), news(), account.fill(7)]
    account.is_level()

    assert [4, 3, 3, 10] == holdings.after(told)


def test_each_symbol_has_a_position_of_its_own(account, holdings):
    told = [account.fill(4), account.fill(-5, "MSFT"), account.fill(1)]
    account.is_level()

    assert [4, -5, 5] == holdings.after(told)


def test_what_was_held_before_the_first_execution_counts(account, holdings):
    account.held["AAPL"] = D(100)
    told = [account.fill(-30)]
    account.is_level()

    assert [70] == holdings.after(told)


def test_executions_that_the_broker_knows_of_ahead_are_not_counted_yet(account, holdings):
    first = [account.fill(4)]
    account.is_level()
    assert [4] == holdings.after(first)
    second = [account.fill(1)]
    account.fill(50)

    assert [5] == holdings.after(second)


def test_what_moved_without_an_execution_counts_from_the_next_one_on(account, holdings):
    first = [account.fill(4)]
    account.is_level()
    holdings.after(first)
    account.held["AAPL"] = D(40)
    second = [account.fill(1)]
    account.is_level()

    assert [41] == holdings.after(second)


def test_what_was_not_shown_is_not_built_upon(account, holdings):
    first = [account.fill(4)]
    account.is_level()
    holdings.after(first)
    account.fill(50)
    holdings.forget()
    third = [account.fill(1)]

    assert [55] == holdings.after(third)


def test_news_without_an_execution_need_no_position(holdings):
    assert [0] == holdings.after([news()])
