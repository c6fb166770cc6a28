"""A headless Chromium, driven over its own protocol; whatever it complains about is kept."""

import asyncio
import base64
import itertools
import json
import shutil
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
WITHIN_S = 30
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
_KEYS = {"Enter": (13, "\r"), "Tab": (9, "")}
_UNTIL = """new Promise((done) => {
  const look = () => { const found = (%s); if (found) done(found); else setTimeout(look, 20); };
  look();
})"""


class Tab:
    """One page of the browser."""

    def __init__(self, socket):
        self._socket = socket
        self._ids = itertools.count(1)
        self._waiting = {}
        self._loaded = asyncio.Event()
        self.complaints = []
        """Errors of scripts, of the console, and of the page's security policy."""
        self.requests = []
        """The address of everything that the page asked for."""

    async def read(self):
        async for message in self._socket:
            frame = json.loads(message.data)
            if "id" in frame:
                self._waiting.pop(frame["id"]).set_result(frame)
            else:
                self._note(frame["method"], frame["params"])

    async def call(self, method, **arguments):
        number = next(self._ids)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        answer = self._waiting[number]
        await self._socket.send_json({"id": number, "method": method, "params": arguments})
        async with asyncio.timeout(WITHIN_S):
            frame = await answer
        assert "error" not in frame, frame["error"]
        return frame["result"]

    async def open(self, url):
        """Go to a page, and wait until it is loaded and its scripts have run."""
        self._loaded.clear()
        await self.call("Page.navigate", url=url)
        async with asyncio.timeout(WITHIN_S):
            await self._loaded.wait()

    async def evaluate(self, expression):
        """Return what an expression comes to in the page; a promise is waited for."""
        result = await self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    async def until(self, expression):
        """Wait until an expression is true in the page, and return what it came to."""
        return await self.evaluate(_UNTIL % expression)

    async def text(self, selector):
        return await self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText")

    async def press(self, selector):
        """Click in the middle of an element, as a hand would."""
        found = f"document.querySelector({json.dumps(selector)})"
        place = await self.evaluate(
            f"(({found}).scrollIntoView({{block: 'center'}}), "
            f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])"
            f"(({found}).getBoundingClientRect()))"
        )
        for kind in ("mousePressed", "mouseReleased"):
            x, y = place
            await self.call(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1
            )

    async def type(self, text):
        await self.call("Input.insertText", text=text)

    async def key(self, name):
        """Press a key: Enter, or Tab."""
        code, text = _KEYS[name]
        facts = {"key": name, "code": name, "windowsVirtualKeyCode": code}
        await self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **facts)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **facts)

    async def resize(self, width, height, *, is_mobile=False):
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=is_mobile,
        )

    async def prefer(self, scheme):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        await self.call("Emulation.setEmulatedMedia", features=[feature])

    async def picture(self, path):
        taken = await self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(taken["data"]))

    def _note(self, method, facts):
        if method == "Runtime.exceptionThrown":
            self.complaints.append(facts["exceptionDetails"])
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append([one.get("value") for one in facts["args"]])
        elif method == "Log.entryAdded":
            self.complaints.append(facts["entry"]["text"])
        elif method == "Page.loadEventFired":
            self._loaded.set()
        elif method == "Network.requestWillBeSent":
            self.requests.append(facts["request"]["url"])
        elif method == "Network.webSocketCreated":
            self.requests.append(facts["url"])


@asynccontextmanager
async def browsing(folder):
    """Start a browser whose profile lies in `folder`, and yield a tab of it."""
    assert CHROMIUM is not None, "there is no Chromium to look with"
    process = await asyncio.create_subprocess_exec(
        CHROMIUM,
        *_FLAGS,
        f"--user-data-dir={folder}/profile",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=folder,
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            address = await _address(Path(folder) / "profile" / "DevToolsActivePort")
        async with aiohttp.ClientSession() as session, _attached(session, address) as tab:
            yield tab
            await tab.call("Browser.close")
    finally:
        if process.returncode is None:
            try:
                async with asyncio.timeout(10):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


async def _address(file):
    """Return where the browser listens, once it has written that down."""
    while not file.exists() or "\n" not in file.read_text():  # noqa: ASYNC110 - tells nobody
        await asyncio.sleep(0.02)
    return f"http://127.0.0.1:{file.read_text().split()[0]}"


@asynccontextmanager
async def _attached(session, address):
    async with session.get(f"{address}/json/list") as answer:
        pages = [one for one in await answer.json() if one["type"] == "page"]
    async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
        tab = Tab(socket)
        reader = asyncio.get_running_loop().create_task(tab.read())
        try:
            for domain in ("Page", "Runtime", "Log", "Network"):
                await tab.call(f"{domain}.enable")
            yield tab
        finally:
            reader.cancel()
            await asyncio.wait([reader])
