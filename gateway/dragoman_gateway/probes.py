"""The questions that whoever runs a gateway asks it: is it alive, is it ready, how is it doing."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from dragoman import __version__

from .measures import PIP_LINE

if TYPE_CHECKING:
    from dragoman.dialects.guard import Guard

    from .lookout import BrokerSight, Lookout
    from .measures import Measures

__all__ = ["Probes"]


class Probes:
    """`/livez`, `/readyz`, `/health` and `/metrics`. They need no key and name no account.

    Args:
        lookout: What is known of the brokers.
        guard: Knows whether the gateway is closing.
        measures: What `/metrics` tells.
    """

    def __init__(self, lookout: Lookout, guard: Guard, measures: Measures) -> None:
        self._lookout = lookout
        self._guard = guard
        self._measures = measures

    def add(self, app: web.Application) -> None:
        """Add the routes; what answers there already goes on to."""
        app.router.add_get("/livez", self.livez)
        app.router.add_get("/readyz", self.readyz)
        app.router.add_get("/health", self.health)
        app.router.add_get("/metrics", self.metrics)

    async def livez(self, _: web.Request) -> web.Response:
        """Say that the loop turns."""
        return web.json_response({"status": "ok"})

    async def readyz(self, _: web.Request) -> web.Response:
        """Say whether to send clients here: 503 while it closes, or a broker is out of step."""
        problems = [
            {"provider": one.broker.provider, "state": str(one.state), "causes": list(one.causes)}
            for one in self._lookout.sights
            if not one.is_ready
        ]
        is_draining = self._guard.is_draining
        is_ready = not problems and not is_draining
        facts = {
            "ready": is_ready,
            "draining": is_draining,
            "providers": list(self._lookout.providers),
            "problems": problems,
        }
        status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
        return web.json_response(facts, status=status)

    async def health(self, _: web.Request) -> web.Response:
        """Tell how every provider is doing; always 200."""
        sights = self._lookout.sights
        is_well = all(one.is_connected and not one.stale_symbols for one in sights)
        facts = {
            "status": "connected" if is_well else "degraded",
            "version": __version__,
            "draining": self._guard.is_draining,
            "providers": [_told(one) for one in sights],
        }
        return web.json_response(facts)

    async def metrics(self, _: web.Request) -> web.Response:
        """Tell the numbers; 501 where none are kept."""
        rendered = self._measures.render()
        if rendered is None:
            return web.Response(status=HTTPStatus.NOT_IMPLEMENTED, text=f"{PIP_LINE}\n")
        body, content_type = rendered
        return web.Response(body=body, headers={"Content-Type": content_type})


def _told(sight: BrokerSight) -> dict[str, object]:
    return {
        "provider": sight.broker.provider,
        "environment": str(sight.broker.environment),
        "connected": sight.is_connected,
        "state": str(sight.state),
        "causes": list(sight.causes),
        "stale_symbols": list(sight.stale_symbols),
    }
