"""What is declared, as names and as a fingerprint."""

import attrs

from dragoman.capabilities import (
    Capabilities,
    ExitPart,
    ReadFeature,
    ReplaceRule,
    Source,
    order_cells,
)
from dragoman.models.enums import Channel, InstrumentKind, OrderType, Support, TimeInForce
from dragoman_conformance.declared import capability_digest, declared_names

NOTHING = Capabilities(protocol="acme", source=Source("a page", "2026-01-07"), orders=())
SOME = attrs.evolve(
    NOTHING,
    orders=order_cells(
        [InstrumentKind.SPOT], [OrderType.LIMIT], [TimeInForce.GTC, TimeInForce.IOC]
    ),
    exits={ExitPart.STOP_LOSS: Support.NATIVE, ExitPart.TRAILING: Support.NONE},
    reads=frozenset({ReadFeature.ACCOUNT, ReadFeature.ORDER_HISTORY}),
    streams=frozenset({Channel.ORDERS}),
    replace=ReplaceRule(fields=frozenset({"quantity"})),
)


def test_every_declaration_has_its_name():
    expected = (
        "account.read",
        "exit.stop_loss",
        "kind.spot",
        "order_history.read",
        "orders.cancel",
        "orders.limit",
        "orders.replace",
        "stream.orders",
        "time.gtc",
        "time.ioc",
    )
    assert expected == declared_names(SOME)


def test_who_declares_nothing_has_no_names():
    assert () == declared_names(NOTHING)


def test_a_cell_that_is_not_supported_is_not_declared():
    none = order_cells([InstrumentKind.SPOT], [OrderType.LIMIT], [TimeInForce.GTC], Support.NONE)

    assert () == declared_names(attrs.evolve(NOTHING, orders=none))


def test_equal_declarations_have_equal_digests_in_whatever_order_they_are_written():
    other = attrs.evolve(SOME, orders=tuple(reversed(SOME.orders)))

    assert capability_digest(SOME) == capability_digest(other)


def test_any_change_of_a_declaration_changes_its_digest():
    changed = attrs.evolve(SOME, max_open_orders=7)

    assert capability_digest(SOME) != capability_digest(changed)
