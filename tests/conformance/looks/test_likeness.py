"""What is told is compared with the venue's own: wrong is worse than unknown."""

from decimal import Decimal
from types import SimpleNamespace

import attrs
import pytest

from dragoman.models import LedgerEntry, LedgerKind, Money
from dragoman.times import SECOND_NS
from dragoman_conformance.looks.ledger import ledger_unlike
from dragoman_conformance.looks.likeness import unlike


@attrs.frozen(kw_only=True)
class Told:
    cash: Decimal | None = None
    equity: Decimal | None = None


def play_that_saw(*bodies):
    exchanges = [SimpleNamespace(response_body=body) for body in bodies]
    return SimpleNamespace(
        stage=SimpleNamespace(has_wire=True),
        wire=SimpleNamespace(exchanges=exchanges, frames=[]),
        venue=SimpleNamespace(name=lambda symbol: symbol),
    )


def differences(told, true, *bodies, **options):
    return list(unlike(play_that_saw(*bodies), told, true, ("cash", "equity"), **options))


def test_what_is_told_wrongly_differs():
    found = differences(Told(cash=Decimal(1)), Told(cash=Decimal(2)))

    assert ["cash is 1, at the venue 2"] == found


def test_what_the_venue_does_not_say_is_free():
    assert [] == differences(Told(cash=Decimal(1)), Told())


def test_what_was_not_on_the_wire_may_be_unknown():
    assert [] == differences(Told(), Told(cash=Decimal("98765.43")), b'{"other": 98765.4}')


def test_what_was_on_the_wire_may_not():
    found = differences(Told(), Told(cash=Decimal("98765.43")), b'{"cash": "98765.4300"}')

    assert ["cash is None, though the venue told 98765.43"] == found


def test_a_number_that_another_field_holds_was_meant_for_that():
    told = Told(equity=Decimal("98765.43"))

    true = Told(cash=Decimal("98765.43"), equity=Decimal("98765.43"))

    assert [] == differences(told, true, b'{"equity": "98765.43"}')


def test_few_digits_stand_anywhere_by_chance():
    assert [] == differences(Told(), Told(cash=Decimal(100)), b'{"limit": 100}')


def entry(entry_id="1", amount="5", **changes):
    fields = {
        "entry_id": entry_id,
        "account_id": "a",
        "kind": LedgerKind.DEPOSIT,
        "venue_time_ns": 10 * SECOND_NS,
        "provider": "p",
        "received_at_ns": 0,
        "amount": Money(amount, "USD"),
        **changes,
    }
    return LedgerEntry(**fields)


def test_a_ledger_of_the_same_entries_is_the_same():
    assert [] == list(ledger_unlike(play_that_saw(), [entry("other")], [entry()]))


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ([], "missing"),
        ([entry(amount="-5")], "the venue has not"),
        ([entry(venue_time_ns=20 * SECOND_NS)], "is of 20000000000"),
        ([entry(), entry(amount="7")], "share an id"),
    ],
    ids=["missing", "sign", "time", "id"],
)
def test_a_ledger_that_differs_is_told(told, word):
    found = list(ledger_unlike(play_that_saw(), told, [entry()]))

    assert any(word in line for line in found)
