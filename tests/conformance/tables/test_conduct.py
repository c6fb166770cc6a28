"""Rows of calls: what is wrong with one is the table's fault, never the adapter's."""

import pytest

from dragoman.errors import ConfigurationError
from dragoman_conformance.tables import CallRow, check_row


@pytest.mark.parametrize(
    ("call", "given", "told"),
    [
        ("fetch_acounts", {}, "no call 'fetch_acounts'"),
        ("_private", {}, "no call '_private'"),
        ("fetch_quotes", {"symbol_list": ["A"]}, "no call takes an argument 'symbol_list'"),
        ("fetch_bars", {"adjustment": "SPLITS"}, "adjustment"),
        ("submit", {"request": {"symbol": "A"}}, "request"),
    ],
    ids=["misspelled", "private", "argument", "value", "half-an-order"],
)
def test_a_row_that_no_adapter_could_play_is_refused(call, given, told):
    with pytest.raises(ConfigurationError, match=told):
        check_row(CallRow(name="a row", call=call, given=given, tells=[]))


def test_a_row_of_any_port_is_sound():
    calls = {
        "fetch_accounts": {},
        "submit_list": {"requests": [], "contingency": "OCO"},
        "fetch_chain": {"underlying": "AAPL"},
        "request": {"method": "GET", "path": "/v1", "body": {"a": 1}},
        "stream": {"subscription": {"orders": True}},
    }

    for call, given in calls.items():
        check_row(CallRow(name="a row", call=call, given=given, tells=[]))
