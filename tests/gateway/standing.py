"""A gateway on a real port of this machine, over venues in the test's hands."""

from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import attrs
from tests.core.dialects.toy import HELD, HeldVenue, ToyDialect

import dragoman
from dragoman import Registry
from dragoman.dialects import AccessKey, HostLimits, Scope
from dragoman.dialects.listening import Listener
from dragoman_gateway import make_app

CAPTAIN = AccessKey(key_id="captain", secret="key-of-the-captain")
LOOKOUT = AccessKey(key_id="lookout", secret="key-of-the-lookout", scopes=frozenset({Scope.READ}))


class OtherToy(ToyDialect):
    """The same dialect by another name, which answers in other words."""

    name = "other"

    def refuse(self, status, message):
        answer = super().refuse(status, message)
        answer.text = answer.text.replace("toy", "other")
        return answer


class TokenToy(ToyDialect):
    """Shows its key as most protocols do."""

    async def access(self, request, scope):
        found = await self.host.authenticate(*self.credentials(request))
        found.require(scope)
        return found


def shown(key):
    """Return the headers by which the toy shows a key."""
    return {"X-Key": key.key_id, "X-Secret": key.secret.reveal()}


def bearer(secret):
    return {"Authorization": f"Bearer {secret}"}


@asynccontextmanager
async def brokers(*names):
    """Connect one broker for each "provider:account"."""
    async with AsyncExitStack() as stack:
        found = []
        for name in names:
            provider, _, account_id = name.partition(":")
            spec = attrs.evolve(
                HELD,
                name=provider,
                providers=(attrs.evolve(HELD.providers[0], name=provider),),
            )
            connection = dragoman.connect(
                provider, registry=Registry([spec]), clock=HeldVenue(), account_id=account_id
            )
            found.append(await stack.enter_async_context(connection))
        yield tuple(found)


@asynccontextmanager
async def listening(app, limits=None):
    """Serve an application; gives a client of it."""
    listener = Listener(app, ("127.0.0.1", 0), limits or HostLimits())
    await listener.open()
    try:
        async with aiohttp.ClientSession(listener.url) as client:
            yield client
    finally:
        await listener.close()


@asynccontextmanager
async def gateway(served, dialects=(), *, limits=None, **settings):
    """Serve a gateway without the native protocol and the page, unless they are asked for."""
    settings = {"native": False, "page": False, "limits": limits, **settings}
    async with listening(make_app(served, dialects, **settings), limits) as client:
        yield client
