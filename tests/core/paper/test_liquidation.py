from paper_venue import ACCOUNT, Venue, kinds, steps

from dragoman.models import AccountEvent, OrderOrigin
from dragoman.paper.settings import AccountSettings


def leveraged():
    venue = Venue(accounts=(AccountSettings(account_id=ACCOUNT, cash=1000),), depth_levels=1)
    venue.tick("0.9999", "1.0001", "PAIR", size=100_000)
    venue.market("BUY", 40_000, symbol="PAIR")
    return venue


def alerts(events):
    return [
        str(event.kind)
        for event in events
        if isinstance(event, AccountEvent) and event.kind != "UPDATED"
    ]


def test_owner_is_warned_once_before_the_call():
    venue = leveraged()

    assert ["MARGIN_WARNING"] == alerts(venue.tick("0.9859", "0.9861", "PAIR"))
    assert [] == alerts(venue.tick("0.9860", "0.9862", "PAIR"))


def test_margin_call_cancels_risk_and_closes_positions_in_the_venues_name():
    venue = leveraged()
    venue.limit("BUY", 100, "0.9000", symbol="PAIR")
    venue.limit("SELL", 100, "1.2000", symbol="PAIR")

    events = venue.tick("0.9839", "0.9841", "PAIR", size=100_000)

    assert ["MARGIN_CALL"] == alerts(events)
    assert ("CANCELED", "o2") == steps(events)[0]
    assert "OPEN" == venue.order("o3").status
    assert OrderOrigin.LIQUIDATION is venue.order("liquidation-1").origin
    assert 0 == venue.position("PAIR")


def test_position_without_liquidity_is_closed_by_one_order_that_goes_on():
    venue = leveraged()
    venue.tick("0.9839", "0.9841", "PAIR", size=10_000)
    venue.tick("0.9838", "0.9840", "PAIR", size=10_000)

    names = [order.client_order_id for order in venue.engine.orders(ACCOUNT)]
    assert ["o1", "liquidation-1"] == names
    assert 20_000 == venue.position("PAIR")


def test_position_can_be_liquidated_by_force():
    venue = leveraged()

    events = venue.engine.liquidate(ACCOUNT)

    assert ["MARGIN_CALL"] == alerts(events)
    assert ["ACCEPTED", "FILL"] == kinds(events)
    assert 0 == venue.position("PAIR")
