"""Bugs that many calls at once show."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import attrs

from dragoman.transport.tokens import TokenSource

from ...references.wharf.adapter import WharfAdapter
from ...references.wharf.rest import WharfRest
from ..grafts import around
from ..mutant import mutant

if TYPE_CHECKING:
    from ..mutant import Plant


@mutant("M56", of="ferry", kills=("CON-030",))
def renews_its_token_for_each_call(plant: Plant) -> None:
    """Lets every call renew a token that has run out, each for itself."""

    def alone(_: Any) -> Any:
        async def fresh(self: Any) -> Any:
            held = self._held
            if held is None or not self._is_good(held, self._ahead_of(held.token)):
                await self._attempt()
            return self._held.token.secret

        return fresh

    plant.replace(TokenSource, "fresh", alone)


@mutant("M57", of="wharf", kills=("CON-020",))
def matches_answers_by_their_order(plant: Plant) -> None:
    """Gives the answers to those who ask in the order in which they asked."""
    waiting: list[asyncio.Future[Any]] = []

    async def in_turn(true: Any, self: WharfRest, *args: Any) -> Any:
        mine: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        waiting.append(mine)
        try:
            answer = await true(self, *args)
        except BaseException:
            waiting.remove(mine)
            raise
        waiting.pop(0).set_result(answer)
        return await mine

    around(plant, WharfRest, "order_by_client_id", in_turn)


@mutant("M350", of="wharf", kills=("CON-010",))
def keeps_what_is_asked_for_in_one_place(plant: Plant) -> None:
    """Keeps the name that is looked up in the client, where the next call puts its own."""

    async def shared(true: Any, self: Any, account_id: str, token: str) -> Any:
        self.wanted = token
        await asyncio.sleep(0)  # noqa: TID251 - the bug is that others run now
        return await true(self, account_id, self.wanted)

    around(plant, WharfRest, "order_by_client_id", shared)


@mutant("M351", of="wharf", kills=("CON-040",))
def keeps_what_is_sent_in_one_place(plant: Plant) -> None:
    """Keeps the body of an order in the client, where the next order puts its own price."""

    async def shared(true: Any, self: Any, body: Any) -> Any:
        self.draft = {**body}
        await asyncio.sleep(0)  # noqa: TID251 - the bug is that others run now
        return await true(self, {**body, "limit_price": self.draft.get("limit_price")})

    around(plant, WharfRest, "submit", shared)


@mutant("M58", of="wharf", kills=("CON-050",))
def leaks_a_place_for_each_call_that_is_given_up(plant: Plant) -> None:
    """Lets a call that is canceled keep its place among the hundred there are."""
    places: dict[int, asyncio.Semaphore] = {}

    async def placed(true: Any, self: WharfRest) -> Any:
        place = places.setdefault(id(self), asyncio.Semaphore(100))
        await place.acquire()
        answer = await true(self)
        place.release()
        return answer

    around(plant, WharfRest, "accounts", placed)


@mutant("M62", of="wharf", kills=("CON-060",))
def keeps_state_of_its_module(plant: Plant) -> None:
    """Keeps accounts in its module, for whoever asks next."""
    known: list[Any] = []

    async def cached(true: Any, self: WharfRest) -> Any:
        if not known:
            known.append(await true(self))
        return known[0]

    around(plant, WharfRest, "accounts", cached)


@mutant("M352", of="wharf", kills=("CON-070",))
def sends_an_order_in_two_halves(plant: Plant) -> None:
    """Sends an order twice, under two names."""

    async def twice(true: Any, self: WharfAdapter, request: Any) -> Any:
        other = attrs.evolve(request, client_order_id=f"{request.client_order_id}b")
        await true(self, other)
        return await true(self, request)

    around(plant, WharfAdapter, "submit", twice)
