"""The ports' own behavior: what an adapter gets without writing it."""

import inspect
from decimal import Decimal

import pytest
from tests.strategies import MODELS

from dragoman import ports
from dragoman.adapter import Adapter, AdapterContext, Environment
from dragoman.errors import ConflictError, RejectReason, UnsupportedError, Violation
from dragoman.models import Order, OrderStatus, OrderType, Position, PositionEffect, Side


def order(client_order_id):
    return Order(
        client_order_id=client_order_id,
        account_id="1",
        symbol="AAPL",
        side=Side.BUY,
        order_type=OrderType.MARKET,
        status=OrderStatus.OPEN,
        provider="mock",
        received_at_ns=0,
    )


def position(quantity):
    return Position(
        position_id="AAPL",
        account_id="1",
        symbol="AAPL",
        quantity=Decimal(quantity),
        provider="mock",
        received_at_ns=0,
    )


async def refuse(*_, **__):
    raise NotImplementedError


def implement(*bases, **methods):
    names = frozenset().union(*(base.__abstractmethods__ for base in bases))
    return type("Fake", bases, dict.fromkeys(names, refuse) | methods)


class TestOrderPort:
    async def test_cancel_all_tells_what_became_of_each_order(self):
        async def fetch_open_orders(self, account_id, symbol=None):
            return order("a"), order(f"{account_id}-{symbol}"), order("c")

        async def cancel(self, order):
            if order.client_order_id == "a":
                message = "filled"
                raise ConflictError(message)
            return order

        fake = implement(ports.OrderPort, fetch_open_orders=fetch_open_orders, cancel=cancel)()
        results = await fake.cancel_all("1", "AAPL")

        assert ["a", "1-AAPL", "c"] == [each.client_order_id for each in results]
        assert [None, order("1-AAPL"), order("c")] == [each.order for each in results]
        assert ["filled", "None", "None"] == [str(each.error) for each in results]

    async def test_an_error_that_is_not_ours_is_not_a_result(self):
        async def fetch_open_orders(self, account_id, symbol=None):
            return (order("a"),)

        fake = implement(ports.OrderPort, fetch_open_orders=fetch_open_orders)()

        with pytest.raises(NotImplementedError):
            await fake.cancel_all("1")

    def test_each_revision_has_a_token_of_its_own(self):
        fake = implement(ports.OrderPort)()

        tokens = [fake.wire_client_id("a", revision) for revision in range(3)]

        assert ["a", "a.1", "a.2"] == tokens


class TestPositionPort:
    @pytest.mark.parametrize(
        ("held", "asked", "side", "quantity"),
        [
            ("5.50", None, "SELL", "5.50"),
            ("-3", None, "BUY", "3"),
            ("5", Decimal("2.0"), "SELL", "2.0"),
        ],
    )
    async def test_closing_is_a_market_order_the_other_way(self, held, asked, side, quantity):
        sent = []

        async def submit(self, request):
            sent.append(request)
            return order("a")

        fake = implement(ports.OrderPort, ports.PositionPort, submit=submit)()
        closed = await fake.close(position(held), asked)

        (request,) = sent
        assert order("a") == closed
        assert (side, quantity) == (request.side, str(request.quantity))
        assert (OrderType.MARKET, PositionEffect.CLOSE) == (
            request.order_type,
            request.position_effect,
        )
        assert ("AAPL", "1", "AAPL") == (request.symbol, request.account_id, request.position_id)

    async def test_without_orders_there_is_nothing_to_close_with(self):
        fake = implement(ports.PositionPort)()

        with pytest.raises(UnsupportedError, match=r"no orders to close"):
            await fake.close(position("1"))


async def test_acknowledging_does_nothing_where_no_venue_is_paced():
    fake = implement(ports.EventPort)()

    assert await fake.acknowledge(["a"]) is None


@pytest.mark.parametrize(
    ("preview", "expected"),
    [
        (ports.Preview(), True),
        (ports.Preview(warnings=("thin book",)), True),
        (ports.Preview(violations=(Violation("quantity", "0", "> 0"),)), False),
        (ports.Preview(reject_reason=RejectReason.INSUFFICIENT_FUNDS), False),
    ],
    ids=["clear", "warned", "violated", "refused"],
)
def test_a_preview_is_acceptable_unless_something_stands_in_the_way(preview, expected):
    assert expected is preview.is_acceptable


def test_an_adapter_must_implement_every_abstract_method():
    with pytest.raises(TypeError, match=r"abstract"):
        Adapter(AdapterContext(provider="mock", environment=Environment.SIMULATED))


def test_an_adapter_keeps_the_context_it_is_given():
    context = AdapterContext(provider="mock", environment=Environment.SIMULATED)

    adapter = implement(Adapter)(context)

    assert context is adapter.context


def test_every_port_says_what_it_does():
    classes = [each for each in vars(ports).values() if inspect.isclass(each)]
    methods = [
        method
        for each in classes
        if each.__module__ == ports.__name__
        for name, method in vars(each).items()
        if inspect.isfunction(method) and not name.startswith("_")
    ]

    assert [] == [method.__qualname__ for method in methods if not method.__doc__]
    assert 30 < len(methods)


def test_an_idea_and_an_option_quote_are_models_too():
    assert {ports.Idea, ports.OptionQuote, ports.Preview} <= set(MODELS)
