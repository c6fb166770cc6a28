"""Events: what goes with what."""

import attrs
import pytest
from hypothesis import given, settings
from tests.effort import effort
from tests.strategies import MODELS, order_events

from dragoman.errors import InvalidValueError
from dragoman.models import EventSource, OrderEvent, OrderEventKind
from dragoman.models.serde.shape import event_classes

PRIVATE = {"OrderEvent", "PositionEvent", "AccountEvent", "LedgerEvent", "ProtectionEvent"}
WITH_FILL = {OrderEventKind.FILL, OrderEventKind.FILL_BUSTED}


@settings(max_examples=effort(50))
@given(order_events())
def test_a_fill_goes_with_fill_and_bust_alone(event):
    assert (event.kind in WITH_FILL) is (event.fill is not None)


@settings(max_examples=effort(50))
@given(order_events())
def test_any_other_pairing_is_refused(event):
    kinds = [
        kind for kind in OrderEventKind if (kind in WITH_FILL) is not (event.kind in WITH_FILL)
    ]

    for kind in kinds:
        with pytest.raises(InvalidValueError, match=r"fill: found .*; allowed: a fill exactly for"):
            attrs.evolve(event, kind=kind)


@pytest.mark.parametrize("name", sorted(PRIVATE))
def test_a_private_event_has_the_header_of_its_lane(name):
    fields = attrs.fields_dict(event_classes()[name])

    assert {
        "account_id",
        "sequence",
        "source",
        "event_id",
        "venue_time_ns",
        "received_at_ns",
    } <= set(fields)
    assert 0 == fields["sequence"].default


@pytest.mark.parametrize("name", sorted(event_classes()))
def test_every_event_says_when_it_was_received(name):
    assert "received_at_ns" in attrs.fields_dict(event_classes()[name])


def test_protection_is_told_by_this_library():
    fields = attrs.fields_dict(event_classes()["ProtectionEvent"])

    assert EventSource.LOCAL is fields["source"].default
    assert EventSource.STREAM is attrs.fields_dict(OrderEvent)["source"].default


def test_every_event_class_has_a_strategy():
    assert {*event_classes().values()} <= set(MODELS)
