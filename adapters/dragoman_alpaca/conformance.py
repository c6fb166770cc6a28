"""What this folder tells the test kit: its simulator, and where its evidence is.

The only file of the folder that may know the kit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import attrs

from dragoman.errors import ConfigurationError

from .spec import PROTOCOL

__all__ = ["SUBJECT", "Subject"]

_HERE: Final = Path(__file__).parent


@attrs.frozen(kw_only=True)
class Subject:
    """A protocol under test.

    `dialect` names the protocol that `dragoman serve` speaks to be a venue of its own: what runs
    against it shows that both faces agree, and nothing about the venue. `here` is the protocol's
    own folder.
    """

    protocol: str
    providers: tuple[str, ...]
    dialect: str | None
    here: Path = _HERE

    def evidence(self) -> Path:
        """Return the folder of recorded and documented payloads: in the wheel, or the checkout.

        Raises:
            ConfigurationError: Neither is there.
        """
        places = (self.here / "evidence", self.here.parents[1] / "cassettes" / self.protocol)
        for place in places:
            if place.is_dir():
                return place
        raise ConfigurationError(f"the evidence of {self.protocol} was not installed with it")


SUBJECT: Final = Subject(
    protocol=PROTOCOL.name,
    providers=tuple([provider.name for provider in PROTOCOL.providers]),
    dialect=None if PROTOCOL.dialect is None else PROTOCOL.name,
)
"""Alpaca, as the entry point `dragoman.subjects` names it."""
