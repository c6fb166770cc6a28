"""Everything that Alpaca and its clients send, as a table: what `dragoman decode alpaca` knows.

Each row names the function of this folder that a connection uses for the same bytes.
"""

from __future__ import annotations

from typing import Final

from dragoman.decoding import Payloads

from .documents import read_document
from .frames import FRAMES
from .market import MARKET
from .problems import PROBLEMS
from .requests import REQUESTS
from .trading import TRADING
from .unmapped import UNMAPPED

__all__ = ["PAYLOADS"]

PAYLOADS: Final = Payloads(
    kinds=(*TRADING, *PROBLEMS, *REQUESTS, *MARKET, *FRAMES, *UNMAPPED), read=read_document
)
"""Every body and frame, by what is in it."""
