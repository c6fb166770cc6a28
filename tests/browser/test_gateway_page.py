"""The gateway's page in a real browser, before a server that says exactly what a test wants.

Skipped where there is no Chromium; `tox -e browser` demands one.
"""

import os
import re

import pytest
from aiohttp import web
from tests.browser.chromium import CHROMIUM, browsing
from tests.gateway.page.fake_native import (
    NOW,
    FakeNative,
    fill,
    order,
    position,
    quote,
    served,
    serving,
)

import dragoman
from dragoman import OrderRequest, OrderStatus, Side
from dragoman.dialects import AccessKey, Scope
from dragoman_gateway import make_app

HOSTILE = '<img src=x onerror="window.struck=1"><script>window.struck=2</script>\'&amp;'
SHOWS = "document.querySelector('#{part} tbody').innerText.includes({text!r})"
SECRET = "open-sesame-1001"

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and "DRAGOMAN_BROWSER" not in os.environ, reason="there is no Chromium"
)


@pytest.fixture
async def tab(tmp_path):
    async with browsing(tmp_path) as tab:
        await tab.resize(1280, 900)
        yield tab


@pytest.fixture
def fake():
    return FakeNative(
        positions=[position("AAPL", "10"), position("BTC/USD", "-0.530")],
        orders=[order("o-1"), order("o-2", status="UNKNOWN"), order("o-3", pending="CANCEL")],
        fills=[fill("f-1", price="1190.040"), fill("f-2", is_busted=True, price="7.5")],
    )


async def loaded(tab, url):
    await tab.open(f"{url}/")
    await tab.until("document.querySelector('#blotter').getAttribute('aria-busy') === 'false'")
    await tab.until("document.querySelector('#fills-count').textContent.includes('24 hours')")


async def texts(tab, selector):
    return await tab.evaluate(
        f"[...document.querySelectorAll({selector!r})].map((one) => one.textContent)"
    )


async def test_what_the_gateway_knows_is_shown_as_it_was_written(tab, fake):
    async with serving(fake) as url:
        await loaded(tab, url)

        figures = await texts(tab, "#figures dd .amount")
        positions = await texts(tab, "#positions tbody tr:not(.empty) td:nth-child(-n + 2)")
        states = await texts(tab, "#orders .status")
        prices = await texts(tab, "#fills tbody tr:not(.empty) td:nth-child(5)")

    shown = ["104250.310", "98099.60", "187049.7750", "950.1750", "-1250.050", "4500.36"]
    assert shown == figures
    assert ["AAPL", "10", "BTC/USD", "-0.530"] == positions
    assert {"open", "fate unknown", "open cancel pending"} == set(states) - {"Status"}
    assert {"1190.040", "7.5"} == set(prices)
    assert [] == tab.complaints


async def test_events_change_what_is_shown(tab, fake):
    async with serving(fake) as url:
        await loaded(tab, url)
        done = order("o-1", status="FILLED")
        await fake.tell(
            {"type": "OrderEvent", "kind": "FILL", "order": done, "fill": fill("f-9", price="3.3")},
            is_private=True,
        )
        moved = {"type": "PositionEvent", "position": position("AAPL", "0.00")}
        await fake.tell(moved, is_private=True)
        await tab.until(SHOWS.format(part="fills", text="3.3"))
        await tab.until(f"!({SHOWS.format(part='positions', text='AAPL')})")

        orders = await texts(tab, "#orders td.id")

    assert {"o-2", "o-3"} == set(orders)
    assert [] == tab.complaints


async def test_a_live_quote_moves_the_chart(tab, fake):
    async with serving(fake) as url:
        await loaded(tab, url)
        await fake.heard("subscribe", channels={"quotes": ["AAPL"]})
        await fake.tell(quote("190.00", "190.02"))
        await tab.until("document.querySelector('.chart .line.bid')?.getAttribute('d')")
        await fake.tell(quote("191.50", "191.52", received_at=NOW.replace("04.3", "14.3")))
        await tab.until("document.querySelector('.chart').textContent.includes('191.52')")

        path = await tab.evaluate("document.querySelector('.chart .line.bid').getAttribute('d')")
        tags = await texts(tab, ".chart .tag-text")
        told = await texts(tab, "#quote b")

    heights = re.findall(r"[ML]\S+ (\S+)H", path)
    assert 2 == len(set(heights))
    assert ["191.52", "191.50"] == tags
    assert ["191.50", "191.52"] == told
    assert [] == tab.complaints


async def test_another_symbol_is_chosen_in_a_table_or_typed(tab, fake):
    async with serving(fake) as url:
        await loaded(tab, url)
        await tab.press("#positions tbody tr:nth-child(2) button")
        await fake.heard("unsubscribe", channels={"quotes": ["AAPL"]})
        await fake.heard("subscribe", channels={"quotes": ["BTC/USD"]})
        await tab.press("#symbol")
        await tab.type("MSFT")
        await tab.key("Enter")
        await fake.heard("subscribe", channels={"quotes": ["MSFT"]})
        await tab.until("document.querySelector('#market-title').textContent.includes('MSFT')")

    assert [] == tab.complaints


async def test_trading_is_halted_after_the_word_is_typed_and_resumed_likewise(tab, fake):
    async with serving(fake) as url:
        await loaded(tab, url)
        await tab.press("#halt")
        asked = await tab.text("#halt-dialog")
        await tab.press("#halt-go")
        await tab.press("#halt-word")
        await tab.type("halt")
        await tab.press("#halt-cancel")
        await tab.press("#halt-go")
        await tab.until("document.querySelector('#halt-result').innerText.includes('Halted at')")
        told = await tab.text("#halt-result")
        await tab.press("#halt-leave")
        await tab.until("document.querySelector('#health').textContent === 'halted'")
        await tab.press("#resume")
        await tab.type("RESUME")
        await tab.key("Enter")
        await tab.until("document.querySelector('#halt-result').innerText.includes('sent again')")
        await tab.press("#halt-leave")
        await tab.until("!document.querySelector('#halt').hidden")

    assert "sends no order" in asked
    assert "Not proved flat" in told
    assert "o-1" in told
    cause = "on the page of the gateway"
    assert [("halt", {"cause": cause, "cancel": True}), ("resume", {})] == fake.commands
    assert [] == tab.complaints


async def test_without_the_scope_the_halt_button_says_why_it_is_off(tab, fake):
    fake.scopes = ("READ",)
    async with serving(fake) as url:
        await loaded(tab, url)
        await tab.press("#halt")

        is_off = await tab.evaluate("document.querySelector('#halt').disabled")
        why = await tab.text("#halt-why")
        is_open = await tab.evaluate("document.querySelector('#halt-dialog').open")

    assert (True, False) == (is_off, is_open)
    assert "halting needs a key with the halt scope" == why
    assert [] == fake.commands


async def test_a_key_that_only_halts_shows_nothing_and_halts(tab, fake):
    fake.scopes = ("HALT",)
    async with serving(fake) as url:
        await tab.open(f"{url}/")
        await tab.until("!document.querySelector('#halt').disabled")
        await tab.press("#halt")
        await tab.type("HALT")
        await tab.key("Enter")
        await tab.until("document.querySelector('#halt-result').innerText.includes('Halted at')")

    assert ["halt"] == [name for name, _ in fake.commands]
    assert [] == fake.frames
    assert [] == tab.complaints


async def test_hostile_text_stays_text(tab, fake):
    fake.positions = [position(HOSTILE, "10")]
    fake.orders = [order(HOSTILE, symbol=HOSTILE, status="OPEN", order_type=HOSTILE, side=HOSTILE)]
    fake.fills = [fill(HOSTILE, symbol="AB\u202eDC\u0007", liquidity=HOSTILE, price=HOSTILE)]
    fake.account |= {"currency": HOSTILE, "equity": HOSTILE}
    fake.symbols = (HOSTILE,)
    async with serving(fake) as url:
        await loaded(tab, url)
        alarm = {"type": "Alarm", "kind": HOSTILE, "cause": HOSTILE, "received_at": NOW}
        await fake.tell(alarm | {"symbol": HOSTILE})
        await fake.tell(quote(HOSTILE, HOSTILE, symbol=HOSTILE))
        health = {"type": "HealthEvent", "state": HOSTILE, "previous": "LIVE", "received_at": NOW}
        await fake.tell(health | {"causes": [HOSTILE]})
        await tab.until("document.querySelector('#causes').textContent.includes('img')")
        await tab.until("document.querySelector('#alarms').textContent.includes('img')")
        await tab.until("document.querySelector('#quote').textContent.includes('img')")

        struck = await tab.evaluate("String(window.struck)")
        elements = await tab.evaluate("document.querySelectorAll('main img, main script').length")
        symbol = await tab.text("#orders .symbol button")
        turned = await tab.text("#fills tbody .symbol button")

    assert ("undefined", 0) == (struck, elements)
    assert HOSTILE == symbol
    assert "AB\\u202eDC\\u0007" == turned
    assert [] == tab.complaints


async def test_an_alarm_is_announced_and_stays_until_it_is_put_away(tab, fake):
    async with serving(fake) as url:
        await loaded(tab, url)
        about = {"cause": "it filled after all", "client_order_id": "o-7", "received_at": NOW}
        await fake.tell({"type": "Alarm", "kind": "LATE_FILL"} | about)
        await tab.until("!document.querySelector('#alarms').hidden")
        text = await tab.text("#alarms")
        live = await tab.evaluate("document.querySelector('#alarms').getAttribute('aria-live')")
        await tab.press("#alarms button")
        await tab.until("document.querySelector('#alarms').hidden")

    assert "late fill" in text
    assert "it filled after all (o-7)" in text
    assert "assertive" == live


async def test_after_a_restart_the_page_goes_on_and_was_plainly_old_in_between(tab, fake):
    async with serving(fake) as url:
        await loaded(tab, url)
    await tab.until("document.body.hasAttribute('data-old')")
    told = await tab.text("#as-of")
    await tab.until("document.querySelector('#health').textContent === 'was live'")
    kept = await texts(tab, "#positions tbody .symbol")
    announced = await tab.text("#announcer")
    complaints = [text for text in tab.complaints if "ERR_CONNECTION_REFUSED" not in text]

    fake.sequence += 1
    late = fill("f-3", price="44.44")
    event = {"type": "OrderEvent", "kind": "FILL", "order": order("o-1"), "fill": late}
    fake.missed = [event | {"sequence": fake.sequence, "received_at": NOW}]
    fake.frames.clear()
    async with serving(fake, int(url.rpartition(":")[2])):
        resumed = await fake.heard("subscribe", since=40)
        await tab.until(SHOWS.format(part="fills", text="44.44"))
        await tab.until("document.querySelector('#as-of').textContent.startsWith('as of')")

    assert re.match(r"Old data: stale since \d\d:\d\d:\d\d", told)
    assert "what is shown is old" in announced
    assert ["AAPL", "BTC/USD"] == kept
    assert resumed["channels"]["orders"]
    assert [] == complaints


async def test_a_key_is_asked_for_kept_out_of_addresses_and_remembered_by_the_tab(tab, fake):
    fake.secret = SECRET
    async with serving(fake) as url:
        await tab.open(f"{url}/")
        await tab.until("document.querySelector('#key-dialog').open")
        await tab.type("some-other-key")
        await tab.key("Enter")
        await tab.until("document.querySelector('#key-why').textContent.includes('not known')")
        await tab.type(SECRET)
        await tab.key("Enter")
        await tab.until("document.querySelector('#blotter').getAttribute('aria-busy') === 'false'")
        is_open = await tab.evaluate("document.querySelector('#key-dialog').open")
        held = await tab.evaluate("document.querySelector('#key-text').value")
        await loaded(tab, url)
        cookies = await tab.evaluate("document.cookie + JSON.stringify(localStorage)")

    assert (False, "") == (is_open, held)
    assert "{}" == cookies
    assert [] == [address for address in tab.requests if SECRET in address]
    assert [] == [target for target in fake.targets if SECRET in target]
    assert [] == tab.complaints


async def test_the_key_is_forgotten_when_told_to(tab, fake):
    fake.secret = SECRET
    async with serving(fake) as url:
        await tab.open(f"{url}/")
        await tab.until("document.querySelector('#key-dialog').open")
        await tab.type(SECRET)
        await tab.key("Enter")
        await tab.until("document.querySelector('#link').textContent === 'live'")
        await tab.press("#key")
        await tab.press("#key-forget")
        await tab.until("document.querySelector('#key-dialog').open")

        kept = await tab.evaluate("JSON.stringify(sessionStorage)")
        await tab.until("!document.querySelector('#accounts button')")
        await tab.until("!document.querySelector('#positions .symbol button')")

    assert "{}" == kept


async def test_times_turn_from_utc_to_local_and_keep_their_seconds(tab, fake):
    fake.fills = [fill("f-1", venue_time="2026-11-20T23:30:05.123456789Z")]
    await tab.call("Emulation.setTimezoneOverride", timezoneId="Asia/Kolkata")
    async with serving(fake) as url:
        await loaded(tab, url)
        first = await tab.text("#fills tbody td.when")
        await tab.press("#zone")
        await tab.until(SHOWS.format(part="fills", text="05:00:05"))
        word = await tab.text("#zone")
        whole = await tab.evaluate("document.querySelector('#fills tbody td.when').title")

    assert first.endswith("23:30:05")
    assert "Local" == word
    assert "2026-11-20T23:30:05.123456789Z" == whole


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 768, 1280])
async def test_nothing_is_wider_than_the_window(tab, fake, width, scheme):
    fake.orders += [order("x" * 120, symbol="LONG" * 20, quantity="123456789.123456789")]
    fake.positions += [position("LONG" * 20, "-123456789.123456789")]
    await tab.resize(width, 900, is_mobile=width < 500)
    await tab.prefer(scheme)
    async with serving(fake) as url:
        await loaded(tab, url)
        await fake.tell(quote("190.00", "190.02"))

        needed = await tab.evaluate("document.documentElement.scrollWidth")

    assert needed <= width


async def test_everything_is_reached_by_the_keyboard(tab, fake):
    focused = "document.activeElement.id || document.activeElement.getAttribute('class')"
    async with serving(fake) as url:
        await loaded(tab, url)
        seen = []
        for _ in range(40):
            await tab.key("Tab")
            seen.append(await tab.evaluate(focused))

    wanted = {"skip", "zone", "key", "account-tab", "halt", "symbol"}
    assert wanted <= set(seen)


async def test_the_page_asks_nothing_of_any_other_place(tab, fake):
    async with serving(fake) as url:
        await loaded(tab, url)

    here = (f"{url}/", url.replace("http", "ws") + "/")
    assert [] == [address for address in tab.requests if not address.startswith(here)]


async def test_the_real_gateway_is_looked_at_halted_and_resumed_below_a_prefix(tab):
    scopes = frozenset({Scope.READ, Scope.HALT})
    keys = [AccessKey(key_id="desk", secret=SECRET, scopes=scopes)]
    async with dragoman.connect("mock") as broker, dragoman.connect("mock", accounts="b") as other:
        outer = web.Application()
        outer.add_subapp("/desk", make_app((broker, other), keys=keys))
        async with served(outer) as url:
            await tab.open(f"{url}/desk")
            await tab.until("document.querySelector('#key-dialog').open")
            await tab.type(SECRET)
            await tab.key("Enter")
            await tab.until("document.querySelector('#link').textContent === 'live'")
            working = OrderRequest.limit("AAPL", Side.BUY, 10, "1.00", client_order_id="working")
            await broker.submit(working)
            bought = await broker.submit(OrderRequest.market("AAPL", Side.BUY, 10))
            await broker.wait(bought, until=OrderStatus.FILLED)
            await tab.until(SHOWS.format(part="orders", text="working"))
            await tab.until(SHOWS.format(part="positions", text="AAPL"))
            await tab.until(SHOWS.format(part="fills", text="AAPL"))
            await tab.until("document.querySelector('.chart .line.bid')?.getAttribute('d')")
            names = await texts(tab, "#accounts .who")

            await tab.press("#halt")
            await tab.press("#halt-cancel")
            await tab.press("#halt-word")
            await tab.type("HALT")
            await tab.press("#halt-go")
            await tab.until("document.querySelector('#halt-result').innerText.includes('Halted')")
            was_halted = broker.is_halted, other.is_halted
            await tab.press("#halt-leave")
            await tab.until(f"!({SHOWS.format(part='orders', text='working')})")
            await tab.press("#resume")
            await tab.type("RESUME")
            await tab.press("#halt-go")
            await tab.until("document.querySelector('#halt-result').innerText.includes('again')")
            is_halted = broker.is_halted

    complaints = [text for text in tab.complaints if "ERR_CONNECTION_REFUSED" not in text]
    assert [f"{broker.account_id} · simulated", "b · simulated"] == names
    assert ((True, False), False) == (was_halted, is_halted)
    assert [] == complaints
    assert [] == [address for address in tab.requests if SECRET in address]
