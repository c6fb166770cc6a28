"""An order of a list may go by a name of the venue's own: that is no proof that it is absent."""

import attrs
import pytest

from dragoman import (
    AlarmKind,
    Broker,
    Contingency,
    OrderRequest,
    OrderStatus,
    OutcomeUnknownError,
    RejectReason,
    UnknownReason,
)

from .alarms import Ear
from .fake_adapter import SELL, FakeVenue

TARGET = OrderRequest.limit("AAPL", SELL, 10, "120", client_order_id="target")
STOP = OrderRequest.stop("AAPL", SELL, 10, "80", client_order_id="stop")
LOST = OutcomeUnknownError("reset", reason=UnknownReason.CONNECTION_LOST)
SETTINGS = {"reconcile_every_s": 1e6, "timeout_s": 5}


async def lose(venue: FakeVenue, broker: Broker, parent: str) -> None:
    """Send a list whose answer is lost, and of which the venue shows a leg of a parent."""
    venue.shown["target"] = venue.order_of(TARGET, 1)
    leg = venue.order_of(STOP, 2, client_order_id="renamed", parent_client_order_id=parent)
    venue.shown["renamed"] = leg
    venue.script("submit_list", LOST)
    await broker.submit_list([TARGET, STOP], Contingency.OCO, timeout_s=0.1)
    await venue.clock.advance(seconds=20)


async def test_a_leg_with_its_terms_keeps_an_order_of_a_list_from_being_called_absent() -> None:
    venue = FakeVenue()
    async with venue.connect(**SETTINGS) as broker:
        ear = Ear(broker)
        await lose(venue, broker, "target")

        found = [broker.state.order(name) for name in ("target", "stop")]

    assert [OrderStatus.OPEN, OrderStatus.UNKNOWN] == [one and one.status for one in found]
    assert (AlarmKind.OUTCOME_UNRESOLVED, "stop") in ear.heard()
    assert 1 == venue.calls.count("submit_list")


@pytest.mark.parametrize("parent", ["somebody", None], ids=["a-stranger's-leg", "no-leg"])
async def test_an_order_of_somebody_else_proves_nothing_either_way(parent: str | None) -> None:
    venue = FakeVenue()
    async with venue.connect(**SETTINGS) as broker:
        await lose(venue, broker, parent)

        order = broker.state.order("stop")

    assert order is not None
    assert RejectReason.NEVER_ARRIVED is order.reject_reason


async def test_a_leg_that_its_parent_asked_for_is_no_other_order() -> None:
    venue = FakeVenue()
    entry = OrderRequest.bracket(
        "AAPL", SELL.opposite, 10, stop_loss="80", take_profit="120", client_order_id="entry"
    )
    async with venue.connect(**SETTINGS) as broker:
        await broker.submit(entry)
        leg = venue.order_of(STOP, 2, client_order_id="entry-sl", parent_client_order_id="entry")
        venue.shown["entry-sl"] = attrs.evolve(leg, status=OrderStatus.HELD)
        venue.script("submit", LOST)
        with pytest.raises(OutcomeUnknownError):
            await broker.submit(STOP, timeout_s=0.1)
        await venue.clock.advance(seconds=20)

        order = broker.state.order("stop")

    assert order is not None
    assert RejectReason.NEVER_ARRIVED is order.reject_reason
