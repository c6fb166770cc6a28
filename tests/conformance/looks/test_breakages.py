"""The faults of exchanges, as data."""

import pytest

from dragoman_conformance.chaos import HttpFault
from dragoman_conformance.looks.breakages import EXCHANGE_BREAKAGES
from dragoman_conformance.looks.routes import Route

ROUTE = Route(method="PUT", path="/orders/7")
APART = {"W01", "W22", "W23", "W24", "W25", "W26", "W27", "W28", "W29", "W30"}


def test_every_fault_of_exchanges_is_there():
    numbers = {one.number for one in EXCHANGE_BREAKAGES}

    assert {f"W{number:02d}" for number in range(1, 31)} - APART == numbers


@pytest.mark.parametrize("breakage", EXCHANGE_BREAKAGES, ids=lambda one: one.title)
def test_each_strikes_its_route_once(breakage):
    toxic = breakage.make(ROUTE, ["AAPL"])

    assert ("PUT", "/orders/7", 1) == (toxic.method, toxic.path, toxic.times)


def test_words_of_symbols_stay():
    (breakage,) = [one for one in EXCHANGE_BREAKAGES if one.number == "W17"]
    toxic = breakage.make(ROUTE, ["AAPL"])

    assert HttpFault.CHANGE is toxic.fault
    assert b'{"s":"AAPL","t":"kit_unheard_of"}' == toxic.changed(b'{"s":"AAPL","t":"new"}')
