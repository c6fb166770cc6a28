"""How most bugs are planted: what a function of the reference gives is twisted on its way out."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from .mutant import Plant

__all__ = ["adapter_of", "called", "looked_up", "read", "written"]


def read(
    plant: Plant, module: object, name: str, twist: Callable[[Any, Any], Mapping[str, object]]
) -> None:
    """Let a reader of rows give a model with the fields that `twist` makes of model and row."""

    def twisted(true: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def reader(row: object, reading: object) -> object:
            model = true(row, reading)
            return attrs.evolve(model, **twist(model, row))

        return reader

    plant.replace(module, name, twisted)


def written(
    plant: Plant,
    module: object,
    name: str,
    twist: Callable[[dict[str, Any], Any], Mapping[str, object]],
) -> None:
    """Let a writer of bodies write what `twist` makes of the body and of what was asked."""

    def twisted(true: Callable[[Any], dict[str, Any]]) -> Callable[[Any], Any]:
        return lambda asked: dict(twist(dict(true(asked)), asked))

    plant.replace(module, name, twisted)


def called(plant: Plant, kind: type, name: str, twist: Callable[..., Any]) -> None:
    """Let a coroutine method be `twist(true, self, *args)`, a coroutine function."""

    def twisted(true: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def method(self: object, *args: object, **kwargs: object) -> object:
            return await twist(_bound(true, self, kwargs), self, *args)

        return method

    plant.replace(kind, name, twisted)


def _bound(
    true: Callable[..., Awaitable[Any]], self: object, kwargs: Mapping[str, object]
) -> Callable[..., Awaitable[Any]]:
    async def call(*args: object) -> object:
        return await true(self, *args, **kwargs)

    return call


def looked_up(plant: Plant, module: object, name: str, changes: Mapping[Any, Any]) -> None:
    """Let a table hold other meanings."""
    plant.replace(module, name, lambda table: {**table, **changes})


def adapter_of(plant: Plant) -> type:
    """Return the class of the subject's adapter."""
    module, _, name = plant.subject.protocol.adapter.partition(":")
    found: type = getattr(importlib.import_module(module), name)
    return found
