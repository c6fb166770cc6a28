"""Ids in the protocol's form: the same in every process, and in the order of events."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman_alpaca.dialect.identity import AccountIds, asset_id, child_id, event_id

UUID = "e6fe16f3-64a4-4921-8928-cadf02f92f98"


def test_an_account_that_has_a_uuid_goes_by_it():
    assert UUID == AccountIds("alpaca-paper", UUID).account


def test_any_other_account_goes_by_a_uuid_of_its_own():
    ids = [AccountIds(*names).account for names in (("a", "1"), ("a", "2"), ("b", "1"))]

    assert 3 == len(set(ids))
    assert ids[0] == AccountIds("a", "1").account == str(uuid.UUID(ids[0]))


def test_each_revision_has_an_id_of_its_own_that_another_account_does_not_share():
    one, other = AccountIds("mock", "1"), AccountIds("mock", "2")

    ids = [one.order("x", 0), one.order("x", 1), one.order("y", 0), other.order("x", 0)]

    assert 4 == len(set(ids))
    assert ids[:2] == [AccountIds("mock", "1").order("x", revision) for revision in (0, 1)]


def test_executions_and_entries_of_one_name_differ():
    ids = AccountIds("mock", "1")

    assert ids.execution("7") != ids.entry("7")


def test_an_asset_has_one_id_everywhere():
    assert asset_id("AAPL") == asset_id("AAPL") != asset_id("aapl")


@pytest.mark.parametrize(
    ("limit", "stop"),
    [("x", "x-sl"), ("y" * 125, "y" * 125 + "-sl"), ("é", "é-sl")],
    ids=["short", "as long as can be", "any text"],
)
def test_the_stop_of_an_oco_is_named_after_its_limit(limit, stop):
    assert stop == child_id(limit)


def test_the_name_of_a_stop_is_never_too_long_for_an_id():
    names = {child_id("z" * 128), child_id("z" * 127), child_id("z" * 126)}

    assert 3 == len(names)
    assert all(len(name) <= 128 for name in names)


ULID = st.tuples(st.integers(0, (1 << 48) - 1), st.integers(0, 1 << 60), st.integers(0, 7))


@given(ULID, ULID)
def test_ids_of_events_sort_as_time_sequence_and_part_do(one, other):
    texts = [event_id(ms * 1_000_000, sequence, part) for ms, sequence, part in (one, other)]

    assert (one < other) == (texts[0] < texts[1])
    assert [26, 26] == [len(text) for text in texts]


def test_an_event_before_1970_has_an_id_too():
    assert 26 == len(event_id(-1, 5, 0))
