"""Thousands of runs, each of which the library has much to say about."""

import logging

import pytest


@pytest.fixture(autouse=True)
def _says_nothing():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
