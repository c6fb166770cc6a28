"""Every instant is stored once and shown as the datetime people read."""

from datetime import UTC, datetime

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import MODELS

from dragoman import models, ports
from dragoman.models import Gap, Quote
from dragoman.models.instants import InstantView, OptionalInstantView

DURATIONS = {"gap_ns", "naked_for_ns"}
FIELDS = [
    pytest.param(kind, field, id=f"{kind.__name__}-{field.name}")
    for kind in MODELS
    for field in attrs.fields(kind)
    if field.name.endswith("_ns") and field.name not in DURATIONS
]
INSTANT_NS = 1_767_796_200_123_456_789


@pytest.mark.parametrize(("kind", "field"), FIELDS)
def test_every_instant_has_a_view_of_its_kind(kind, field):
    attrs.resolve_types(kind)

    view = vars(kind)[field.name.removesuffix("_ns")]

    is_optional = attrs.fields_dict(kind)[field.name].type == int | None
    assert isinstance(view, OptionalInstantView if is_optional else InstantView)


def test_instants_are_all_there():
    assert 40 < len(FIELDS)


@given(st.data())
def test_a_view_is_the_instant_as_an_aware_datetime(data):
    quote = data.draw(MODELS[Quote])

    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    microseconds = quote.received_at_ns // 1000
    assert microseconds == (quote.received_at - epoch) // (datetime.resolution)
    assert (quote.venue_time is None) is (quote.venue_time_ns is None)


def test_a_view_is_cut_to_microseconds():
    gap = Gap(channel=models.Channel.QUOTES, received_at_ns=INSTANT_NS)

    assert datetime(2026, 1, 7, 14, 30, 0, 123456, tzinfo=UTC) == gap.received_at


def test_a_view_on_the_class_is_itself():
    assert isinstance(Quote.received_at, InstantView)
    assert isinstance(Quote.venue_time, OptionalInstantView)


def test_a_view_is_no_field_and_can_not_be_set():
    gap = Gap(channel=models.Channel.QUOTES, received_at_ns=0)

    assert "received_at" not in attrs.fields_dict(Gap)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        gap.received_at = datetime.now(UTC)  # any datetime will do


@pytest.mark.parametrize("name", sorted(DURATIONS))
def test_a_duration_is_not_shown_as_an_instant(name):
    kinds = [kind for kind in MODELS if name in attrs.fields_dict(kind)]

    assert kinds
    assert [] == [kind for kind in kinds if hasattr(kind, name.removesuffix("_ns"))]


def test_models_of_the_ports_have_views_too():
    assert isinstance(vars(ports.Idea)["updated_at"], InstantView)
