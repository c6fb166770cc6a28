"""The adapter over a scripted Alpaca: session, settings, and the way to what it does not know."""

import attrs
import pytest

from dragoman.errors import (
    AuthenticationError,
    ClosedError,
    ConfigurationError,
    NotFoundError,
    Outcome,
)
from dragoman.models import (
    OrderRequest,
    Side,
    Window,
)
from dragoman_alpaca import AlpacaAdapter

from .rest_venue import problem
from .trading_rows import ACCOUNT, order_content

LOW = OrderRequest.limit("AAPL", Side.BUY, 2, "150", client_order_id="a", account_id=ACCOUNT)
FILL = {
    "id": "20220202135509981::2d7be4ff-d1f3-43e9-856a-0f5cf5c5088e",
    "activity_type": "FILL",
    "transaction_time": "2022-02-02T18:55:09.981482Z",
    "type": "fill",
    "price": "174.78",
    "qty": "2",
    "side": "buy",
    "symbol": "AAPL",
    "leaves_qty": "0",
    "order_id": "v1",
    "cum_qty": "2",
    "order_status": "filled",
}


def taken(heard):
    """Answer an order as Alpaca does: with what was asked, and an id of its own."""
    return order_content(id="v1", **heard.body)


async def submitted(venue, alpaca):
    venue.on("POST", "/v2/orders", taken)
    return await alpaca.submit(LOW)


async def every(rows):
    return [row async for row in rows]


async def test_opening_learns_the_account_and_how_pairs_are_spelled(venue, alpaca):
    venue.on("GET", "/v2/positions", [{"symbol": "BTCUSD", "qty": "0.5", "side": "long"}])

    (account,) = await alpaca.fetch_accounts()
    (position,) = await alpaca.fetch_positions(ACCOUNT)

    assert (ACCOUNT, True) == (account.account_id, account.is_simulated)
    assert ("BTC/USD", "BTC/USD") == (position.symbol, position.position_id)


async def test_opening_with_keys_that_are_refused_fails(venue):
    venue.on("GET", "/v2/account", problem(401, 40110000, "request is not authorized"))
    adapter = AlpacaAdapter(venue.context())

    with pytest.raises(AuthenticationError):
        await adapter.open()
    await adapter.aclose()


async def test_making_an_adapter_asks_nothing(venue):
    adapter = AlpacaAdapter(venue.context())

    assert [] == venue.heard
    await adapter.aclose()


@pytest.mark.parametrize("name", ["feed", "crypto_feed", "encoding"])
def test_an_option_that_is_no_word_of_alpacas_is_refused(venue, name):
    with pytest.raises(ConfigurationError, match=f"option {name}"):
        AlpacaAdapter(venue.context(options={name: "nonsense"}))


async def test_the_session_ends_with_the_last_adapter_of_an_account(venue):
    unbound = AlpacaAdapter(venue.context())
    await unbound.open()
    first = unbound.for_account(ACCOUNT)
    second = unbound.for_account(ACCOUNT)
    assert first is first.for_account(ACCOUNT)

    await first.aclose()
    await first.aclose()
    assert ACCOUNT == (await second.fetch_account(ACCOUNT)).account_id

    await second.aclose()
    with pytest.raises(ClosedError):
        await second.fetch_account(ACCOUNT)


async def test_an_adapter_without_an_account_ends_the_session_that_it_made(venue):
    unbound = AlpacaAdapter(venue.context())
    bound = unbound.for_account(ACCOUNT)

    await unbound.aclose()

    with pytest.raises(ClosedError):
        await bound.fetch_account(ACCOUNT)
    await bound.aclose()


async def test_another_account_is_neither_read_nor_traded(venue, alpaca):
    heard = len(venue.heard)

    for call in (
        lambda: alpaca.submit(attrs.evolve(LOW, account_id="other")),
        lambda: alpaca.fetch_positions("other"),
        lambda: alpaca.fetch_open_orders("other"),
        lambda: alpaca.fetch_order("other", venue_order_id="v1"),
        lambda: alpaca.cancel_all("other"),
    ):
        with pytest.raises(NotFoundError) as raised:
            await call()
        assert Outcome.NOT_SENT is raised.value.outcome
    assert heard == len(venue.heard)
    with pytest.raises(NotFoundError):
        await alpaca.fetch_account("other")


async def test_models_carry_the_venues_bytes_if_they_are_kept(venue):
    adapter = AlpacaAdapter(venue.context(account_id=ACCOUNT, keep_raw=True))
    await adapter.open()
    order = await submitted(venue, adapter)
    venue.on("GET", "/v2/account/activities", [FILL])
    (fill,) = await every(adapter.fetch_fills(ACCOUNT, Window()))
    (account,) = await adapter.fetch_accounts()
    await adapter.aclose()

    assert b'"client_order_id": "a"' in order.raw
    assert b'"transaction_time"' in fill.raw
    assert b'"account_number"' in account.raw


async def test_a_raw_request_is_answered_whatever_the_status(venue, alpaca):
    venue.on("PATCH", "/v2/account/configurations", problem(422, 42210000, "no", more="x"))

    answer = await alpaca.request("PATCH", "/v2/account/configurations", body={"a": 1})

    assert (422, True) == (answer.status, '"more": "x"' in answer.text)
