"""Each convenience constructor makes the request that its name says."""

import pytest

from dragoman.models import Exit, Offset, OrderRequest, OrderType, PriceSource, Side


def make(order_type=OrderType.MARKET, **fields):
    given = {"symbol": "A", "side": Side.BUY, "order_type": order_type, "quantity": 1}
    return OrderRequest(**given | fields)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (OrderRequest.market("A", Side.BUY, 1), make()),
        (
            OrderRequest.market("A", Side.SELL, notional="5"),
            make(side=Side.SELL, quantity=None, notional=5),
        ),
        (
            OrderRequest.limit("A", Side.BUY, 1, "2.50", post_only=True),
            make(OrderType.LIMIT, limit_price="2.50", post_only=True),
        ),
        (
            OrderRequest.stop("A", Side.BUY, 1, 2, trigger=PriceSource.BID),
            make(OrderType.STOP, stop_price=2, trigger=PriceSource.BID),
        ),
        (
            OrderRequest.stop_limit("A", Side.BUY, 1, stop_price=2, limit_price=3),
            make(OrderType.STOP_LIMIT, stop_price=2, limit_price=3),
        ),
        (
            OrderRequest.market_if_touched("A", Side.BUY, 1, 2),
            make(OrderType.MARKET_IF_TOUCHED, stop_price=2),
        ),
        (
            OrderRequest.limit_if_touched("A", Side.BUY, 1, stop_price=2, limit_price=3),
            make(OrderType.LIMIT_IF_TOUCHED, stop_price=2, limit_price=3),
        ),
        (
            OrderRequest.trailing_stop("A", Side.BUY, 1, Offset.ticks(5), activation_price=9),
            make(
                OrderType.TRAILING_STOP,
                trailing=Offset.ticks(5),
                activation_price=9,
            ),
        ),
        (
            OrderRequest.trailing_stop(
                "A", Side.BUY, 1, Offset.ticks(5), limit_offset=Offset.ticks(1)
            ),
            make(
                OrderType.TRAILING_STOP_LIMIT,
                trailing=Offset.ticks(5),
                limit_offset=Offset.ticks(1),
            ),
        ),
        (
            OrderRequest.bracket("A", Side.BUY, 1, stop_loss="9", take_profit=11, tag="t"),
            make(
                stop_loss=Exit(price=9),
                take_profit=Exit(price=11),
                tag="t",
            ),
        ),
        (
            OrderRequest.bracket(
                "A",
                Side.SELL,
                1,
                limit_price=10,
                stop_loss=Exit(trailing=Offset.percent(2)),
                take_profit=Exit(offset=Offset.price(1)),
            ),
            make(
                OrderType.LIMIT,
                side=Side.SELL,
                limit_price=10,
                stop_loss=Exit(trailing=Offset.percent(2)),
                take_profit=Exit(offset=Offset.price(1)),
            ),
        ),
    ],
    ids=[
        "market",
        "market by notional",
        "limit",
        "stop",
        "stop limit",
        "market if touched",
        "limit if touched",
        "trailing stop",
        "trailing stop limit",
        "bracket",
        "limit bracket",
    ],
)
def test_a_constructor_makes_its_type(request_, expected):
    assert expected == request_


def test_scale_is_kept():
    assert ("1.500", "2.00") == tuple(
        str(getattr(OrderRequest.limit("A", Side.BUY, "1.500", "2.00"), name))
        for name in ("quantity", "limit_price")
    )
