"""Subjects that can neither fool the kit nor hold it up: they lie, say nothing, hang or fail."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs

from dragoman.adapter import Adapter
from dragoman.capabilities import (
    Capabilities,
    ExitPart,
    OrderFeature,
    ReadFeature,
    ReplaceRule,
    Source,
    order_cells,
)
from dragoman.models.enums import (
    Channel,
    Contingency,
    InstrumentKind,
    OrderType,
    Support,
    TimeInForce,
)

from ..references.subjects import WHARF
from .mutant import Plant

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from ..subject import Subject

__all__ = ["ODD", "odd_subject"]

Class = TypeVar("Class", bound=type[Adapter])

_PORTS: Final = tuple(sorted(Adapter.__abstractmethods__ - {"capabilities", "for_account"}))


def _nothing() -> Capabilities:
    return Capabilities(protocol="wharf", source=Source("nothing", "2026-01-07"), orders=())


def _everything() -> Capabilities:
    kinds = [kind for kind in InstrumentKind if kind is not InstrumentKind.UNKNOWN]
    types = [kind for kind in OrderType if kind is not OrderType.UNKNOWN]
    times = [time for time in TimeInForce if time is not TimeInForce.UNKNOWN]
    return Capabilities(
        protocol="wharf",
        source=Source("everything", "2026-01-07"),
        orders=order_cells(kinds, types, times),
        features=dict.fromkeys(OrderFeature, Support.NATIVE),
        exits=dict.fromkeys(ExitPart, Support.NATIVE),
        lists=dict.fromkeys(Contingency, Support.NATIVE),
        reads=frozenset(ReadFeature),
        streams=frozenset(Channel),
        replace=ReplaceRule(fields=frozenset({"quantity", "limit_price", "stop_price"})),
    )


def _raises(error: Exception) -> Callable[..., Any]:
    def call(self: Adapter, *args: object, **kwargs: object) -> object:
        del self, args, kwargs
        raise error

    return call


def _hangs(name: str) -> Callable[..., Any]:
    if name == "stream":

        @contextlib.asynccontextmanager
        async def stream(self: Adapter, *args: object) -> AsyncGenerator[object]:
            del self, args
            yield await asyncio.get_running_loop().create_future()

        return stream

    async def call(self: Adapter, *args: object, **kwargs: object) -> object:
        del self, args, kwargs
        return await asyncio.get_running_loop().create_future()

    return call


def _made(members: dict[str, object]) -> Callable[[type[Adapter]], type[Adapter]]:
    return lambda base: type("OddAdapter", (base,), members)


async def _closes(self: Adapter) -> None:
    """End nothing, since nothing was begun."""
    del self


def _lying() -> dict[str, object]:
    calls = {name: _raises(NotImplementedError("later")) for name in _PORTS}
    return {**calls, "capabilities": property(lambda _: _everything()), "aclose": _closes}


ODD: Final[dict[str, dict[str, object]]] = {
    "lying": _lying(),
    "empty": {"capabilities": property(lambda _: _nothing())},
    "hanging": {**{name: _hangs(name) for name in _PORTS}, "aclose": _closes},
    "raising": {**{name: _raises(RuntimeError("no")) for name in _PORTS}, "aclose": _closes},
}
"""What each odd adapter does instead of what it should."""


@contextlib.contextmanager
def odd_subject(name: str) -> Generator[Subject]:
    """Give one of the odd subjects, for as long as the block lasts."""
    ground = Plant(attrs.evolve(WHARF, name=name))
    ground.adapter(_made(ODD[name]))
    with ground.grown() as subject:
        yield subject
