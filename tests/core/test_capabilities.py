"""Capabilities: declared means offered, not declared means not."""

from itertools import product

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.capabilities import (
    Capabilities,
    ExitPart,
    OrderCell,
    OrderFeature,
    Source,
    order_cells,
)
from dragoman.models import (
    AssetClass,
    Contingency,
    Instrument,
    InstrumentKind,
    OrderType,
    Support,
    TimeInForce,
)
from dragoman.models.serde import to_plain

SOURCE = Source("Order types", "2026-01-31")


def declare(*cells, **others):
    return Capabilities(protocol="mock", source=SOURCE, orders=cells, **others)


def cell(kind, order_type, time_in_force, support=Support.NATIVE):
    return OrderCell(kind=kind, order_type=order_type, time_in_force=time_in_force, support=support)


CELLS = st.builds(
    cell,
    st.sampled_from(InstrumentKind),
    st.sampled_from(OrderType),
    st.sampled_from(TimeInForce),
    st.sampled_from(Support),
)


@given(st.lists(CELLS, max_size=30))
def test_a_cell_has_the_support_last_declared_and_none_else(cells):
    capabilities = declare(*cells)
    declared = {(each.kind, each.order_type, each.time_in_force): each.support for each in cells}

    found = {
        key: capabilities.order_support(*key)
        for key in product(InstrumentKind, OrderType, TimeInForce)
    }

    assert found == {key: declared.get(key, Support.NONE) for key in found}


@given(st.lists(CELLS, max_size=30), st.sampled_from(InstrumentKind), st.sampled_from(OrderType))
def test_times_in_force_are_those_of_supported_cells(cells, kind, order_type):
    capabilities = declare(*cells)

    times = capabilities.times_in_force(kind, order_type)

    assert len(times) == len(set(times))
    for time_in_force in TimeInForce:
        is_offered = capabilities.order_support(kind, order_type, time_in_force) is not Support.NONE
        assert is_offered is (time_in_force in times)


def test_cells_fill_a_block_in_order():
    kinds = iter([InstrumentKind.SPOT, InstrumentKind.CFD])

    cells = order_cells(
        kinds, iter([OrderType.LIMIT]), iter([TimeInForce.DAY, TimeInForce.GTC]), Support.EMULATED
    )

    assert [
        ("SPOT", "LIMIT", "DAY", "EMULATED"),
        ("SPOT", "LIMIT", "GTC", "EMULATED"),
        ("CFD", "LIMIT", "DAY", "EMULATED"),
        ("CFD", "LIMIT", "GTC", "EMULATED"),
    ] == [attrs.astuple(each) for each in cells]


@pytest.mark.parametrize(
    ("field", "lookup", "member"),
    [
        ("features", "feature", OrderFeature.POST_ONLY),
        ("exits", "exit", ExitPart.TRAILING),
        ("lists", "list", Contingency.OCO),
    ],
)
def test_a_part_is_offered_as_declared(field, lookup, member):
    bare, declared = declare(), declare(**{field: {member: Support.EMULATED}})

    assert Support.NONE is getattr(bare, lookup)(member)
    assert Support.EMULATED is getattr(declared, lookup)(member)


def test_a_declaration_does_not_change_with_the_dict_it_came_from():
    features = {OrderFeature.TAG: Support.NATIVE}
    capabilities = declare(features=features)

    features[OrderFeature.TAG] = Support.NONE

    assert Support.NATIVE is capabilities.feature(OrderFeature.TAG)
    with pytest.raises(TypeError):
        capabilities.features[OrderFeature.TAG] = Support.NONE


def test_a_changed_copy_is_indexed_anew():
    spot = cell(InstrumentKind.SPOT, OrderType.LIMIT, TimeInForce.DAY)

    evolved = attrs.evolve(declare(), orders=(spot,))

    key = (InstrumentKind.SPOT, OrderType.LIMIT, TimeInForce.DAY)
    assert Support.NATIVE is evolved.order_support(*key)
    assert declare(spot) == evolved


def test_a_declaration_is_shown_as_plain_data():
    capabilities = declare(
        cell(InstrumentKind.SPOT, OrderType.LIMIT, TimeInForce.DAY),
        features={OrderFeature.TAG: Support.NATIVE},
        venue_options=frozenset({"b", "a"}),
    )

    plain = to_plain(capabilities)

    assert {"TAG": "NATIVE"} == plain["features"]
    assert ["a", "b"] == plain["venue_options"]
    assert {"document": "Order types", "checked_on": "2026-01-31"} == plain["source"]
    assert [
        {"kind": "SPOT", "order_type": "LIMIT", "time_in_force": "DAY", "support": "NATIVE"}
    ] == plain["orders"]


@pytest.mark.parametrize(
    ("takes", "meant"),
    [
        pytest.param(None, TimeInForce.DAY, id="says-nothing"),
        pytest.param(set(), TimeInForce.DAY, id="takes-none-that-is-known"),
        pytest.param({TimeInForce.GTC, TimeInForce.DAY}, TimeInForce.DAY, id="takes-the-default"),
        pytest.param({TimeInForce.IOC, TimeInForce.GTC}, TimeInForce.GTC, id="takes-gtc"),
        pytest.param({TimeInForce.IOC, TimeInForce.FOK}, TimeInForce.FOK, id="takes-others"),
    ],
)
def test_no_time_in_force_means_what_the_instrument_takes(takes, meant):
    instrument = Instrument(
        symbol="X",
        asset_class=AssetClass.CRYPTO,
        kind=InstrumentKind.SPOT,
        quote="USD",
        settlement="USD",
        provider="mock",
        received_at_ns=0,
        times_in_force=None if takes is None else frozenset(takes),
    )

    assert meant is declare().default_time(instrument)
