"""One asset that makes no sense hides none of the others."""

import logging

import pytest
from tests.adapters.alpaca.rest_venue import AAPL, ACCOUNT, BTC, RestVenue

from dragoman_alpaca import AlpacaAdapter

ODD = {
    "no symbol": {"id": "x", "class": "us_equity"},
    "blank symbol": AAPL | {"symbol": ""},
    "symbol that is a part": AAPL | {"symbol": {"of": "what"}},
    "no object": 7,
    "null": None,
}


@pytest.fixture(params=ODD.values(), ids=ODD)
def venue(request):
    venue = RestVenue()
    rows = {"crypto": [request.param, BTC], "us_equity": [AAPL, request.param]}
    venue.on("GET", "/v2/assets", lambda heard: rows[heard.asked["asset_class"]])
    return venue


async def test_all_others_are_listed(venue, caplog):
    caplog.set_level(logging.CRITICAL, "dragoman_alpaca")
    adapter = AlpacaAdapter(venue.context(account_id=ACCOUNT))
    await adapter.open()

    found = await adapter.load_instruments()
    await adapter.aclose()

    assert ["AAPL", "BTC/USD"] == [one.symbol for one in found]
