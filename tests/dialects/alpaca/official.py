"""The official client over the dialect over the mock, with nothing changed but its URL."""

import asyncio
from contextlib import asynccontextmanager, closing

from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.stream import TradingStream
from tests.shared.rig import LONGEST_S, eventually

from dragoman_conformance.chaos import FrameFault, FrameToxic

KEY = "captain"
SECRET = "key-of-tests"


class Official:
    """Asks by the official client, which blocks: each question in a thread of its own."""

    def __init__(self, rig, **settings):
        self.rig = rig
        self.settings = settings
        self.address = f"127.0.0.1:{rig.proxy.port}"

    async def ask(self, question):
        """Return the answer of `question(client)`."""

        def asking():
            url = f"http://{self.address}"
            client = TradingClient(KEY, SECRET, url_override=url, **self.settings)
            client._retry_wait = 0  # repeats as ever, without the pauses
            with closing(client._session):
                return question(client)

        async with asyncio.timeout(LONGEST_S):
            return await asyncio.to_thread(asking)

    async def submit(self, request):
        return await self.ask(lambda client: client.submit_order(request))

    async def order(self, order):
        return await self.ask(lambda client: client.get_order_by_id(order.id))

    async def becomes(self, status, order):
        """Wait until an order has a status, whatever id it has by then; returns it."""
        name = order.client_order_id

        def is_so():
            known = self.rig.served.state.order(name)
            return known is not None and status == str(known.status)

        await eventually(is_so)
        return await self.order(order)

    async def refused(self, question):
        """Return what the client says of a refusal: status, code, message."""
        try:
            await self.ask(question)
        except APIError as error:
            return error.status_code, error.code, error.message
        raise AssertionError

    @asynccontextmanager
    async def updates(self, **settings):
        """Listen by the official stream client, which runs a loop of its own in a thread."""
        stream = TradingStream(KEY, SECRET, url_override=f"ws://{self.address}/stream", **settings)
        heard = []

        async def hear(update):
            heard.append(update)

        stream.subscribe_trade_updates(hear)
        answers = self.rig.proxy.add(
            FrameToxic(fault=FrameFault.DROP, text=b'"listening"', times=0)  # counts, drops none
        )
        listening = asyncio.create_task(asyncio.to_thread(stream.run))
        try:
            await eventually(lambda: answers.seen)
            yield heard
        finally:
            async with asyncio.timeout(LONGEST_S):
                await asyncio.to_thread(stream.stop)
                self.rig.proxy.reset_streams()  # or it would wait some seconds for a frame
                await listening
