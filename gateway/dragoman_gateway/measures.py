"""Where the gateway's numbers go: to Prometheus if its client is installed, else nowhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from dragoman.errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dragoman.dialects.guard import Guard
    from dragoman.models import Event

    from .host import GatewayHost
    from .lookout import Lookout

__all__ = ["PIP_LINE", "Measures", "NoMeasures", "make_measures"]

PIP_LINE: Final = "metrics need the client of Prometheus: pip install 'dragoman[prometheus]'"


class Measures(ABC):
    """Takes note of what happens. Nothing that a client sent, no symbol, no id becomes a label."""

    @abstractmethod
    def note_request(self, route: str, method: str, status: int, took_s: float) -> None:
        """Note an answered request, by the pattern of its path."""

    @abstractmethod
    def note_event(self, provider: str, event: Event) -> None:
        """Note an event of a broker."""

    @abstractmethod
    def note_replay(self) -> None:
        """Note that a repeated request was answered with what the first one was."""

    @abstractmethod
    def count(self, event: str, labels: Mapping[str, str]) -> None:
        """Count something that a dialect tells of."""

    @abstractmethod
    def watch(self, guard: Guard, hosts: Collection[GatewayHost], lookout: Lookout) -> None:
        """Learn where to look when somebody asks; called once."""

    @abstractmethod
    def render(self) -> tuple[bytes, str] | None:
        """Return everything in Prometheus' text form and its content type; None if none is kept."""


class NoMeasures(Measures):
    """Forgets everything."""

    def note_request(self, route: str, method: str, status: int, took_s: float) -> None:
        """Do nothing."""

    def note_event(self, provider: str, event: Event) -> None:
        """Do nothing."""

    def note_replay(self) -> None:
        """Do nothing."""

    def count(self, event: str, labels: Mapping[str, str]) -> None:
        """Do nothing."""

    def watch(self, guard: Guard, hosts: Collection[GatewayHost], lookout: Lookout) -> None:
        """Do nothing."""

    def render(self) -> tuple[bytes, str] | None:
        """Return None."""
        return None


def make_measures(*, is_wanted: bool | None) -> Measures:
    """Return where numbers go; None wants them where Prometheus' client is installed.

    Raises:
        MissingDependencyError: They are wanted, and it is not (NOT_SENT).
    """
    if is_wanted is False:
        return NoMeasures()
    try:
        from .metrics import PrometheusMeasures  # noqa: PLC0415 - an optional package
    except ImportError as error:
        if is_wanted:
            raise MissingDependencyError(PIP_LINE) from error
        return NoMeasures()
    return PrometheusMeasures()
