"""What a scripted Alpaca lists of orders, fills and the ledger, told once each."""

from decimal import Decimal

from dragoman.models import (
    OrderStatus,
    PendingAction,
    Window,
)
from dragoman.times import parse_time

from .trading_rows import ACCOUNT, order_content

D = Decimal
FILL = {
    "id": "20220202135509981::2d7be4ff-d1f3-43e9-856a-0f5cf5c5088e",
    "activity_type": "FILL",
    "transaction_time": "2022-02-02T18:55:09.981482Z",
    "type": "fill",
    "price": "174.78",
    "qty": "2",
    "side": "buy",
    "symbol": "AAPL",
    "leaves_qty": "0",
    "order_id": "v1",
    "cum_qty": "2",
    "order_status": "filled",
}


async def every(rows):
    return [row async for row in rows]


def chain(*filled, **newest):
    """Return the rows of an order that was replaced as often as need be."""
    last = len(filled)
    rows = [
        order_content(
            id=f"v{number}",
            client_order_id=f"a~{number}" if number else "a",
            status="replaced",
            replaces=f"v{number - 1}" if number else None,
            replaced_by=f"v{number + 1}",
            filled_qty=quantity,
            filled_avg_price=None if quantity == "0" else "150",
            qty="2",
        )
        for number, quantity in enumerate(filled)
    ]
    usual = {
        "id": f"v{last}",
        "client_order_id": f"a~{last}",
        "replaces": f"v{last - 1}",
        "qty": "2",
    }
    return [*rows, order_content(**(usual | newest))]


async def test_open_orders_show_each_intent_once(venue, alpaca):
    """One order is about to be replaced, one was, and had filled in part before."""
    rows = chain("1", qty="1", symbol="AAPL")
    venue.orders(*rows)
    venue.on(
        "GET",
        "/v2/orders",
        [
            order_content(id="w0", client_order_id="b", status="pending_replace"),
            order_content(id="w1", client_order_id="b~1", replaces="w0", status="pending_new"),
            rows[-1],
        ],
    )

    found = await alpaca.fetch_open_orders(ACCOUNT)

    assert [
        ("b", 0, ("w0",), PendingAction.REPLACE, D(2), D(0)),
        ("a", 1, ("v0", "v1"), None, D(2), D(1)),
    ] == [
        (
            one.client_order_id,
            one.revision,
            one.venue_order_ids,
            one.pending,
            one.quantity,
            one.filled_quantity,
        )
        for one in found
    ]


async def test_open_orders_of_a_symbol_leave_out_the_others(venue, alpaca):
    rows = [
        order_content(id="v1", client_order_id="c1"),
        order_content(id="v2", client_order_id="c2", symbol="BTCUSD", asset_class="crypto"),
    ]
    venue.on("GET", "/v2/orders", rows)

    assert ["c2"] == [
        one.client_order_id for one in await alpaca.fetch_open_orders(ACCOUNT, "BTC/USD")
    ]


async def test_history_tells_an_intent_once_at_the_time_of_its_first_order(venue, alpaca):
    first, second, last = chain("0", "0")
    times = ("2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z")
    for row, at in zip((first, second, last), times, strict=True):
        row.update(created_at=at, submitted_at=at)
    other = order_content(
        id="w", client_order_id="w", created_at=times[1], submitted_at=times[1], status="canceled"
    )
    venue.orders(first, second, last, other)

    def listed(heard):
        bounds = parse_time(heard.asked["after"]), parse_time(heard.asked["until"])
        rows = [first, second, other, last]
        return [row for row in rows if bounds[0] < parse_time(row["submitted_at"]) < bounds[1]]

    venue.on("GET", "/v2/orders", listed)
    found = {}
    for name, start, end in (("first", times[0], times[1]), ("second", times[1], times[2])):
        window = Window(start_ns=parse_time(start), end_ns=parse_time(end))
        orders = await every(alpaca.fetch_orders(ACCOUNT, window))
        found[name] = [(one.client_order_id, one.revision, one.status) for one in orders]

    assert {
        "first": [("a", 2, OrderStatus.OPEN)],
        "second": [("w", 0, OrderStatus.CANCELED)],
    } == found


async def test_history_ends_with_as_many_as_are_wanted(venue, alpaca):
    rows = [order_content(id=f"v{number}", client_order_id=f"c{number}") for number in range(5)]
    venue.on("GET", "/v2/orders", rows)

    found = await every(alpaca.fetch_orders(ACCOUNT, Window(limit=2), "AAPL"))

    assert ["c0", "c1"] == [one.client_order_id for one in found]
    assert "AAPL" == venue.requests("/v2/orders")[0].asked["symbols"]


async def test_pairs_are_picked_out_of_history_here(venue, alpaca):
    """Alpaca's filter wants them spelled another way than its orders are."""
    rows = [
        order_content(id="v1", client_order_id="c1"),
        order_content(id="v2", client_order_id="c2", symbol="BTC/USD", asset_class="crypto"),
    ]
    venue.on("GET", "/v2/orders", rows)

    found = await every(alpaca.fetch_orders(ACCOUNT, Window(), "BTC/USD"))

    assert ["c2"] == [one.client_order_id for one in found]
    assert None is venue.requests("/v2/orders")[0].asked.get("symbols")


async def test_fills_of_a_window_are_half_open(venue, alpaca):
    at_ns = parse_time(FILL["transaction_time"])
    venue.on("GET", "/v2/account/activities", [FILL])
    windows = {
        "from it on": Window(start_ns=at_ns, end_ns=at_ns + 1),
        "before it": Window(end_ns=at_ns),
        "after it": Window(start_ns=at_ns + 1),
    }

    found = {name: await every(alpaca.fetch_fills(ACCOUNT, one)) for name, one in windows.items()}

    assert {"from it on": 1, "before it": 0, "after it": 0} == {
        name: len(fills) for name, fills in found.items()
    }
    (fill,) = found["from it on"]
    assert ("v1", D(2), D("174.78"), at_ns) == (
        fill.venue_order_id,
        fill.quantity,
        fill.price,
        fill.venue_time_ns,
    )
    assert {"FILL"} == {
        one.asked["activity_types"] for one in venue.requests("/v2/account/activities")
    }


async def test_the_ledger_is_told_oldest_first_and_by_kind(venue, alpaca):
    rows = [
        {
            "id": "2::b",
            "activity_type": "DIV",
            "date": "2026-01-05",
            "net_amount": "1.02",
            "symbol": "AAPL",
        },
        {"id": "3::c", "activity_type": "FEE", "date": "2026-01-02", "net_amount": "-0.01"},
    ]
    venue.on("GET", "/v2/account/activities", rows)

    found = await every(alpaca.fetch_ledger(ACCOUNT, Window()))
    fees = await every(alpaca.fetch_ledger(ACCOUNT, Window(), [found[0].kind]))

    assert [D("-0.01"), D("1.02")] == [one.amount.amount for one in found]
    assert [D("-0.01")] == [one.amount.amount for one in fees]
