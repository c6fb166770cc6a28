"""Short ways to plant a bug: in what a function tells, a method does, or a file says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import attrs

from dragoman.registry import Registry

from ..looks import source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dragoman.registry import Protocol

    from .mutant import Plant

__all__ = ["around", "declares", "offers", "retells", "rewrites", "says_in_its_source"]


def rewrites(plant: Plant, place: object, name: str, change: Callable[..., Any]) -> None:
    """Pass what a function returns, with its arguments behind it, through `change`."""

    def make(true: Callable[..., Any]) -> Callable[..., Any]:
        def changed(*args: object, **named: object) -> object:
            return change(true(*args, **named), *args, **named)

        return changed

    plant.replace(place, name, make)


def retells(
    plant: Plant, place: object, name: str, change: Callable[[Any], dict[str, Any]]
) -> None:
    """Let a function that reads a model tell some of its fields otherwise."""

    def changed(told: Any, *_: object, **__: object) -> object:  # noqa: ANN401 - any model
        return attrs.evolve(told, **change(told))

    rewrites(plant, place, name, changed)


def around(plant: Plant, place: object, name: str, act: Callable[..., Any]) -> None:
    """Replace a coroutine method by `act(true, self, *args, **named)`."""

    def make(true: Callable[..., Any]) -> Callable[..., Any]:
        async def changed(self: object, *args: object, **named: object) -> object:
            return await act(true, self, *args, **named)

        return changed

    plant.replace(place, name, make)


def declares(plant: Plant, place: object, **changes: object) -> None:
    """Let an adapter's module declare other capabilities than it has."""
    plant.replace(place, "CAPABILITIES", lambda true: attrs.evolve(true, **changes))


def offers(plant: Plant, **changes: object) -> None:
    """Let the protocol offer its provider otherwise: other endpoints, credentials, options."""
    subject = plant.subject
    true, own = subject.protocol, subject.declared
    others = [one for one in subject.protocols.protocols if one.name != true.name]
    terms = cast("dict[str, Any]", changes)  # `attrs.evolve` takes what the class takes
    provider = attrs.evolve(own, **terms)
    changed: Protocol = attrs.evolve(true, providers=(provider,))
    plant.declare(registry=Registry([*others, changed]))


def says_in_its_source(plant: Plant, text: str) -> None:
    """Let one more file stand in the adapter's package, as the kit reads it."""

    def with_one_more(files: Mapping[str, str], _: str) -> Mapping[str, str]:
        return {**files, "careless.py": text}

    rewrites(plant, source, "texts_of", with_one_more)
