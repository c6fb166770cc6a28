"""Bugs in how an account is told."""

from __future__ import annotations

import importlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs

from dragoman.models import AccountEvent

from ...references.beacon import mapping as beacon
from ...references.ferry import mapping as ferry
from ...references.wharf import mapping as wharf
from ...references.wharf.adapter import WharfAdapter
from ..grafts import around, retells, rewrites
from ..mutant import mutant

if TYPE_CHECKING:
    from ..mutant import Plant

_MOCK = "dragoman_mock.adapter"


@mutant("M100", of="wharf", kills=("ACC-010",))
def takes_cash_for_equity(plant: Plant) -> None:
    """Tells the cash as the equity."""
    retells(plant, wharf, "account_of", lambda told: {"equity": told.cash})


@mutant("M101", of="beacon", kills=("ACC-010",))
def loses_the_sign_of_a_loss(plant: Plant) -> None:
    """Tells a loss that is not realized as a gain."""
    retells(plant, beacon, "account_of", lambda told: {"unrealized_pnl": abs(told.unrealized_pnl)})


@mutant("M102", of="ferry", kills=("ACC-020",))
def takes_every_account_to_be_in_euros(plant: Plant) -> None:
    """Names a currency that the account is not in."""
    retells(plant, ferry, "account_of", lambda _: {"currency": "EUR"})


@mutant("M103", of="wharf", kills=("ACC-030",))
def takes_all_cash_to_be_free(plant: Plant) -> None:
    """Tells the cash as the buying power, whatever orders bind."""
    retells(
        plant,
        wharf,
        "account_of",
        lambda told: {"buying_power": told.cash, "margin_available": told.cash},
    )


@mutant("M104", of="ferry", kills=("ACC-040",))
def hides_debts(plant: Plant) -> None:
    """Tells cash that is owed as cash that is there."""
    retells(plant, ferry, "account_of", lambda told: {"cash": abs(told.cash)})


@mutant("M105", of="wharf", kills=("ACC-050",))
def reaches_every_account_it_is_asked_for(plant: Plant) -> None:
    """Tells the one account under whatever id was asked for."""

    async def fetch_accounts(true: Any, self: WharfAdapter) -> object:
        name = self.context.account_id
        found = await true(self)
        return found if name is None else (attrs.evolve(found[0], account_id=name),)

    around(plant, WharfAdapter, "fetch_accounts", fetch_accounts)


@mutant("M106", of="wharf", kills=("ACC-060",))
def books_fills_to_another_account(plant: Plant) -> None:
    """Names an account of its own in every fill."""
    retells(plant, wharf, "fill_of", lambda _: {"account_id": "main"})


@mutant("M107", of="mock", kills=("ACC-070",))
def turns_the_sign_of_what_is_paid_out(plant: Plant) -> None:
    """Tells money that is paid out as money that is paid in."""
    adapter = importlib.import_module(_MOCK).MockAdapter

    def make(true: Any) -> Any:
        async def fetch_ledger(self: object, *args: Any, **named: Any) -> Any:
            async for entry in true(self, *args, **named):
                amount = attrs.evolve(entry.amount, amount=abs(entry.amount.amount))
                yield attrs.evolve(entry, amount=amount)

        return fetch_ledger

    plant.replace(adapter, "fetch_ledger", make)


@mutant("M108", of="wharf", kills=("ACC-080",))
def streams_an_account_that_stands_still(plant: Plant) -> None:
    """Tells in every event of the account the cash that it began with."""

    def still(events: Any, *_: Any) -> Any:
        return tuple([_with_cash(one) if isinstance(one, AccountEvent) else one for one in events])

    rewrites(plant, wharf, "events_of", still)


def _with_cash(event: AccountEvent) -> AccountEvent:
    return attrs.evolve(event, account=attrs.evolve(event.account, cash=Decimal(100_000)))


@mutant("M109", of="beacon", kills=("ACC-080",))
def hears_nothing_of_the_account(plant: Plant) -> None:
    """Passes over what the stream says of the account."""

    def make(true: Any) -> Any:
        def events_of(row: Any, reading: Any) -> Any:
            return () if row.account is not None and row.order is None else true(row, reading)

        return events_of

    plant.replace(beacon, "events_of", make)
