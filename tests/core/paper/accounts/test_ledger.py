import json
from decimal import Decimal

from dragoman.models import LedgerKind, Money
from dragoman.paper.accounts.ledger import Ledger


def test_entries_are_numbered_in_order():
    ledger = Ledger("paper-1", "mock")

    first = ledger.post(LedgerKind.DEPOSIT, 5, amount=Money("10", "USD"))
    second = ledger.post(LedgerKind.FEE, 6, amount=Money("-1", "USD"), description="data")

    assert ["l1000001", "l1000002"] == [first.entry_id, second.entry_id]
    assert [first, second] == ledger.entries
    assert ("paper-1", "mock", 6, "data") == (
        second.account_id,
        second.provider,
        second.venue_time_ns,
        second.description,
    )


def test_state_restores_every_field_exactly():
    ledger = Ledger("paper-1", "mock")
    ledger.post(LedgerKind.DEPOSIT, 5, amount=Money("10.000000000000000000000001", "USD"))
    ledger.post(
        LedgerKind.SPLIT,
        6,
        symbol="AAPL",
        quantity=Decimal("1E+3"),
        price=Decimal("1.50"),
        client_order_id="c",
        fill_id="f",
        description="two for one",
    )
    other = Ledger("paper-1", "mock")

    other.restore(json.loads(json.dumps(ledger.state())))

    assert ledger.entries == other.entries
    assert [str(ledger.entries[0].amount.amount)] == [str(other.entries[0].amount.amount)]
    assert "l1000003" == other.post(LedgerKind.OTHER, 7).entry_id
