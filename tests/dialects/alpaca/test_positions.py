"""Positions of brokers that hedge, that do not say all, and whose answers are lost."""

import attrs
import pytest
from tests.broker.fake_adapter import FakeVenue, position
from tests.dialects.alpaca.trading_rig import served

from dragoman import OrderRejectedError, OutcomeUnknownError, RejectReason
from dragoman.capabilities import ReadFeature
from dragoman.models import LedgerEntry, LedgerKind, Money
from dragoman.times import SECOND_NS
from dragoman_alpaca.dialect import positions

LOST = OutcomeUnknownError("the answer was lost")


@pytest.fixture
def venue():
    return FakeVenue()


@pytest.fixture
async def client(venue):
    async with venue.connect() as broker, served(broker) as client:
        yield client


def held(quantity, symbol="AAPL", price="100", **more):
    more = {"average_entry_price": None if price is None else positions.Decimal(price), **more}
    return attrs.evolve(position(quantity, symbol), **more)


async def test_positions_of_one_symbol_are_netted(client, venue):
    venue.positions = (
        held(10, position_id="a", price="100"),
        held(-4, position_id="b", price="110"),
    )

    (row,) = await client.get("/v2/positions")

    assert ("6", "long", "560") == (row["qty"], row["side"], row["cost_basis"])
    found = await client.refused("DELETE", "/v2/positions/AAPL")
    assert (422, "several positions are held in this symbol; close all positions") == (
        found[0],
        found[2],
    )


async def test_positions_that_make_up_for_each_other_are_none(client, venue):
    venue.positions = (held(4, position_id="a"), held(-4, position_id="b"))

    assert [] == await client.get("/v2/positions")


async def test_what_the_broker_does_not_say_is_null(client, venue):
    venue.positions = (held(10, price=None, mark_price=None),)

    (row,) = await client.get("/v2/positions")

    named = ("avg_entry_price", "market_value", "cost_basis", "unrealized_pl", "current_price")
    assert 5 * [None] == [row[name] for name in named]
    account = await client.get("/v2/account")
    assert (None, None) == (account["long_market_value"], account["position_market_value"])


async def test_all_positions_are_closed_each_with_its_own_fate(client, venue):
    venue.positions = (held(10, "AAPL"), held(5, "MSFT"))
    answers = {
        "AAPL": OrderRejectedError("no", reason=RejectReason.NOT_TRADABLE),
        "MSFT": LOST,
    }
    venue.script("submit", *2 * [lambda request: answers[request.symbol]])

    status, rows = await client.ask("DELETE", "/v2/positions")

    assert 207 == status
    assert [
        ("AAPL", 422, "asset is not tradable"),
        ("MSFT", 500, "the order may have been placed"),
    ] == sorted(
        (row["symbol"], row["status"], row["body"]["message"].partition(",")[0]) for row in rows
    )


class SameId:
    """What the host draws for a request that is repeated under one idempotency key."""

    def next_id(self):
        return "drawn"


async def test_a_close_of_all_that_is_repeated_closes_each_position_once(venue):
    venue.positions = (held(10, "AAPL"), held(5, "MSFT"))
    async with venue.connect() as broker, served(broker, ids=SameId()) as client:
        await client.ask("DELETE", "/v2/positions")
        venue.positions = (held(5, "MSFT"),)

        status, _ = await client.ask("DELETE", "/v2/positions")

    assert (207, 2) == (status, venue.calls.count("submit"))


async def test_a_close_of_unknown_fate_is_no_status_that_clients_repeat(client, venue):
    venue.positions = (held(10),)
    await client.broker.reconcile()
    venue.script("submit", LOST)

    status, code, _ = await client.refused("DELETE", "/v2/positions/AAPL")

    assert (500, 50010000) == (status, code)


async def test_what_moved_without_an_execution_is_told_by_its_kind(venue, monkeypatch):
    kinds = {
        LedgerKind.DEPOSIT: "CSD",
        LedgerKind.WITHDRAWAL: "CSW",
        LedgerKind.FEE: "FEE",
        LedgerKind.DIVIDEND: "DIV",
        LedgerKind.INTEREST: "INT",
        LedgerKind.SPLIT: "SPLIT",
        LedgerKind.ASSIGNMENT: "OPASN",
        LedgerKind.EXPIRY: "OPEXP",
        LedgerKind.TRANSFER: "JNLC",
        LedgerKind.OTHER: "JNLC",
    }

    async def entries(*_):
        for number, kind in enumerate(kinds):
            yield LedgerEntry(
                entry_id=f"e{number}",
                account_id="one",
                kind=kind,
                venue_time_ns=venue.clock.now_ns() + number * SECOND_NS,
                provider="fake",
                received_at_ns=0,
                amount=Money(positions.Decimal("-1.50"), "USD"),
                symbol="AAPL",
            )

    venue.capabilities = attrs.evolve(venue.capabilities, reads=frozenset({ReadFeature.LEDGER}))
    async with venue.connect() as broker, served(broker) as client:
        monkeypatch.setattr(broker._adapter, "fetch_ledger", entries)
        rows = await client.get("/v2/account/activities", direction="asc")
        paid = await client.get("/v2/account/activities", activity_types="TRANS")

    assert [*kinds.values()] == [row["activity_type"] for row in rows]
    assert {("-1.5", "USD", "AAPL", "executed")} == {
        tuple(row[name] for name in ("net_amount", "currency", "symbol", "status")) for row in rows
    }
    assert ["CSW", "CSD"] == [row["activity_type"] for row in paid]
    assert len(rows) == len({row["id"] for row in rows})
