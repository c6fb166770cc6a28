import json
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dragoman.errors import DecodeError
from dragoman.models import (
    Liquidity,
    Money,
    PositionEffect,
    PositionMode,
    Side,
)
from dragoman.money import total
from dragoman.paper.accounts.account import Execution

BUY, SELL = Side.BUY, Side.SELL
OPEN, CLOSE = PositionEffect.OPEN, PositionEffect.CLOSE


FUNDED = {"STOCK", "COIN/USD", "OPTION"}


SIDES = st.sampled_from([BUY, SELL])


SYMBOLS = ["STOCK", "COIN/USD", "EUR/USD", "USD/JPY", "FUTURE", "OPTION", "INVERSE"]


QUANTITIES = st.decimals("0.0001", 1000, places=4)


PRICES = st.decimals("0.01", 100_000, places=2)


@st.composite
def fills(draw):
    return Execution(
        fill_id="f",
        client_order_id="c",
        symbol=draw(st.sampled_from(SYMBOLS)),
        side=draw(SIDES),
        quantity=draw(QUANTITIES),
        price=draw(PRICES),
        liquidity=draw(st.sampled_from(Liquidity)),
        effect=draw(st.sampled_from([None, OPEN, CLOSE])),
        position_id=None,
        time_ns=1,
    )


EVENTS = st.one_of(
    st.tuples(st.just("charge_funding"), st.sampled_from(SYMBOLS), st.decimals(-1, 1, places=4)),
    st.tuples(st.just("pay_dividend"), st.sampled_from(SYMBOLS), st.decimals(0, 5, places=2)),
    st.tuples(
        st.just("split"), st.sampled_from(SYMBOLS), st.sampled_from([Decimal(2), Decimal("0.5")])
    ),
    st.tuples(st.just("settle"), st.sampled_from(SYMBOLS), PRICES),
    st.tuples(st.just("mark"), st.sampled_from(SYMBOLS), PRICES),
)


HISTORIES = st.lists(st.one_of(fills(), fills(), fills(), EVENTS), min_size=1, max_size=25)


MODES = pytest.mark.parametrize("mode", [PositionMode.NETTING, PositionMode.HEDGING])


def capped(paper, step):
    """Return a closing fill as an engine would send it, or None where nothing can be closed."""
    if step.effect is not CLOSE:
        return step
    closable = paper.closable(step.symbol, step.side)
    return step._replace(quantity=min(closable, step.quantity)) if closable else None


def played(paper, history, *, skip=None):
    """Play steps, with `skip` verbatim but for those; return executions."""
    paper.fund(Money("5", "BTC"), 1)
    for symbol in SYMBOLS:
        paper.mark(symbol, Decimal(100), 1)
    taken = []
    for number, step in enumerate(history):
        if skip and number in skip:
            continue
        if isinstance(step, Execution):
            sent = step if skip else capped(paper, step)
            if sent is not None:
                sent = sent._replace(fill_id=f"f{number}", time_ns=number + 2)
                taken.append((number, sent, paper.apply(sent)))
        else:
            name, symbol, value = step
            getattr(paper, name)(symbol, value, number + 2)
    return taken


def quantities_of(paper):
    found = {}
    for each in paper.positions():
        found[each.symbol] = found.get(each.symbol, 0) + Fraction(each.quantity)
    return found


def signed_value(of, fill):
    units = Fraction(fill.quantity) * Fraction(of.multiplier) * fill.side.sign
    return units * Fraction(fill.price)


@MODES
@given(history=HISTORIES)
def test_cash_and_positions_are_conserved_to_the_last_digit(
    account, fees, instruments, mode, history
):
    paper = account(fees, position_mode=mode)

    taken = played(paper, history)

    cash = {"USD": Fraction(100_000), "BTC": Fraction(0), "JPY": Fraction(0)}
    held = dict.fromkeys(SYMBOLS, Fraction(0))
    for entry in paper.ledger:
        if entry.amount is not None:
            cash[entry.amount.currency] += Fraction(entry.amount.amount)
        if entry.quantity is not None:
            held[entry.symbol] += Fraction(entry.quantity)
    for _, fill, applied in taken:
        of = instruments[fill.symbol]
        held[fill.symbol] += Fraction(fill.quantity) * fill.side.sign
        cash[of.settlement] -= Fraction(applied.commission.amount)
        if fill.symbol in FUNDED:
            cash[of.settlement] -= signed_value(of, fill)
        else:
            cash[of.settlement] += Fraction(applied.realized_pnl.amount)
    assert cash == {currency: Fraction(paper.cash(currency)) for currency in cash}
    assert {symbol: each for symbol, each in held.items() if each} == quantities_of(paper)


@MODES
@given(history=HISTORIES, data=st.data())
def test_bust_leaves_what_a_history_without_the_fill_leaves(account, fees, mode, history, data):
    paper, other = account(fees, position_mode=mode), account(fees, position_mode=mode)
    taken = played(paper, history)
    assume(taken)
    number, fill, _ = data.draw(st.sampled_from(taken))

    paper.bust(fill.fill_id, 99)

    sent = {index: each for index, each, _ in taken}
    same = [sent.get(index, step) for index, step in enumerate(history)]
    refused = {
        index
        for index, step in enumerate(history)
        if isinstance(step, Execution) and index not in sent
    }
    played(other, same, skip=refused | {number})
    assert told(other) == told(paper)
    assert ledger_sums(other) == ledger_sums(paper)


@MODES
@given(history=HISTORIES, data=st.data())
def test_sums_over_fills_and_busts_are_the_account(account, fees, mode, history, data):
    paper = account(fees, position_mode=mode)
    taken = played(paper, [step for step in history if isinstance(step, Execution)])
    assume(taken)
    undone = [paper.bust(fill.fill_id, 99) for _, fill, _ in taken[:: data.draw(st.integers(1, 3))]]

    applied = [each for _, _, each in taken] + undone
    for currency in ("USD", "BTC", "JPY"):
        realized = [each.realized_pnl for each in applied if each.realized_pnl.currency == currency]
        pool = paper.state()["realized"].get(currency, "0")
        assert Decimal(pool) == total(each.amount for each in realized)


def told(paper):
    positions = {
        each.position_id: (
            each.quantity,
            each.average_entry_price,
            each.realized_pnl,
            each.unrealized_pnl,
            each.margin,
        )
        for each in paper.positions()
    }
    balances = {
        each.currency: (each.total, each.margin_used, each.unrealized_pnl)
        for each in paper.snapshot(100).balances
        if each.total
    }
    return positions, balances, paper.snapshot(100).realized_pnl


def ledger_sums(paper):
    cash, held = {}, {}
    for entry in paper.ledger:
        if entry.amount is not None:
            key = entry.amount.currency
            cash[key] = cash.get(key, 0) + Fraction(entry.amount.amount)
        if entry.quantity is not None:
            held[entry.symbol] = held.get(entry.symbol, 0) + Fraction(entry.quantity)
    return (
        {key: each for key, each in cash.items() if each},
        {key: each for key, each in held.items() if each},
    )


@MODES
@given(before=HISTORIES, after=HISTORIES)
def test_restored_account_goes_on_exactly(account, fees, exposure, mode, before, after):
    paper, other = account(fees, position_mode=mode), account(fees, position_mode=mode)
    taken = played(paper, before)
    if taken:
        paper.bust(taken.pop()[1].fill_id, 150)
    paper.reserve(exposure("STOCK", BUY, 3, 7, name="open"))
    paper.set_leverage(Decimal(7), "FUTURE")

    other.restore(json.loads(json.dumps(paper.state())))

    assert paper.positions() == other.positions()
    for each in (paper, other):
        for number, step in enumerate(after):
            if isinstance(step, Execution):
                sent = capped(each, step)
                if sent is not None:
                    each.apply(sent._replace(fill_id=f"g{number}", time_ns=200 + number))
            else:
                name, symbol, value = step
                getattr(each, name)(symbol, value, 200 + number)
        if taken:
            each.bust(taken[0][1].fill_id, 400)
    assert paper.snapshot(500) == other.snapshot(500)
    assert paper.positions() == other.positions()
    assert paper.ledger == other.ledger
    assert json.dumps(paper.state()) == json.dumps(other.state())


def test_restored_account_forgets_what_its_settings_said_first(account):
    paper, other = account(leverage=Decimal(3)), account(leverage=Decimal(3))
    paper.set_leverage(None)

    other.restore(paper.state())

    assert other.snapshot(1).leverage is None


def test_state_with_an_unknown_operation_is_refused(account, execution):
    paper = account()
    paper.apply(execution("STOCK", BUY, 1, 1))
    state = paper.state()
    state["buckets"][0]["operations"][0][0] = "Merger"

    with pytest.raises(DecodeError, match="Merger"):
        account().restore(state)


def test_restored_account_spells_its_numbers_alike(account, execution, exposure):
    paper, other = account(), account()
    paper.mark("STOCK", Decimal("7.1250"), 1)
    paper.apply(execution("STOCK", BUY, 3, "7.125"))
    paper.reserve(exposure("STOCK", BUY, 3, "7.33333", name="open"))
    paper.snapshot(2)
    paper.release("open")
    paper.reserve(exposure("STOCK", BUY, 3, 7, name="other"))
    paper.mark("STOCK", Decimal("7.12500"), 3)

    other.restore(json.loads(json.dumps(paper.state())))

    for each in (paper, other):
        each.mark("STOCK", Decimal(8), 4)
    assert repr(paper.snapshot(5)) == repr(other.snapshot(5))
    assert repr(paper.positions()) == repr(other.positions())
