"""Account, positions, assets and times by the official client, and what it is refused clearly."""

import uuid
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from alpaca.trading import enums, models, requests
from tests.shared.rig import eventually

from dragoman.paper.settings import Hours

BUY, SELL = enums.OrderSide.BUY, enums.OrderSide.SELL
GTC = enums.TimeInForce.GTC
NOON = datetime.fromisoformat("2026-01-07T12:00:00+00:00")


async def buy(official, symbol="AAPL", qty=10, side=BUY):
    """Trade at the market; returns once the position is known."""
    before = held(official, symbol)
    await official.submit(
        requests.MarketOrderRequest(symbol=symbol, qty=qty, side=side, time_in_force=GTC)
    )
    await eventually(lambda: before != held(official, symbol))


def held(official, symbol):
    positions = official.rig.served.state.positions
    return sum(one.quantity for one in positions if one.symbol == symbol)


async def test_the_account_has_its_numbers(official):
    await buy(official)

    account = await official.ask(lambda client: client.get_account())

    told = await official.rig.served.fetch_account()
    assert isinstance(account, models.TradeAccount)
    assert enums.AccountStatus.ACTIVE is account.status
    assert (False, "USD") == (account.trading_blocked, account.currency)
    assert told.equity == Decimal(account.equity)
    assert told.buying_power == Decimal(account.buying_power)
    assert Decimal(1000) == Decimal(account.long_market_value)


async def test_configurations_are_read_and_what_can_not_be_set_is_refused(official):
    found = await official.ask(lambda client: client.get_account_configurations())

    assert isinstance(found, models.AccountConfiguration)
    same = await official.ask(lambda client: client.set_account_configurations(found))
    assert found == same
    other = found.model_copy(update={"no_shorting": not found.no_shorting})
    refusal = await official.refused(lambda client: client.set_account_configurations(other))
    assert 422 == refusal[0]


async def test_positions_have_their_prices(official):
    await buy(official)
    await buy(official, "BTC/USD", 0.5)

    found = await official.ask(lambda client: client.get_all_positions())
    one = await official.ask(lambda client: client.get_open_position("AAPL"))

    assert {"AAPL", "BTCUSD"} == {position.symbol for position in found}
    assert isinstance(one, models.Position)
    assert ("10", "101", enums.PositionSide.LONG) == (one.qty, one.avg_entry_price, one.side)
    assert (Decimal(1000), Decimal(-10)) == (Decimal(one.market_value), Decimal(one.unrealized_pl))
    by_id = await official.ask(lambda client: client.get_open_position(one.asset_id))
    assert one.symbol == by_id.symbol


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        (None, "0"),
        (requests.ClosePositionRequest(qty="4"), "6"),
        (requests.ClosePositionRequest(percentage="50"), "5"),
    ],
    ids=["whole", "quantity", "percentage"],
)
async def test_a_position_is_closed_whole_or_in_part(official, asked, left):
    await buy(official)

    order = await official.ask(lambda client: client.close_position("AAPL", asked))

    assert isinstance(order, models.Order)
    assert SELL is order.side
    await eventually(lambda: Decimal(left) == held(official, "AAPL"))


async def test_a_pair_is_closed_by_its_other_spelling(official):
    await buy(official, "BTC/USD", 0.5)

    await official.ask(lambda client: client.close_position("BTCUSD"))

    await eventually(lambda: 0 == held(official, "BTC/USD"))


async def test_all_positions_are_closed_and_orders_canceled(official):
    await buy(official)
    await buy(official, "MSFT", side=SELL)
    resting = await official.submit(
        requests.LimitOrderRequest(
            symbol="AAPL", qty=1, side=BUY, limit_price=90, time_in_force=GTC
        )
    )

    answers = await official.ask(lambda client: client.close_all_positions(cancel_orders=True))

    assert {"AAPL", "MSFT"} == {answer.symbol for answer in answers}
    assert {200} == {answer.status for answer in answers}
    await official.becomes("CANCELED", resting)
    await eventually(lambda: held(official, "AAPL") == held(official, "MSFT") == 0)
    assert [] == await official.ask(lambda client: client.get_all_positions())


async def test_what_is_not_held_is_not_found(official):
    found = await official.refused(lambda client: client.get_open_position("AAPL"))

    assert (404, 40410000) == found[:2]


async def test_assets_are_listed_by_class(official):
    everything = await official.ask(lambda client: client.get_all_assets())
    pairs = requests.GetAssetsRequest(asset_class=enums.AssetClass.CRYPTO)
    crypto = await official.ask(lambda client: client.get_all_assets(pairs))

    assert {"AAPL", "MSFT"} <= {asset.symbol for asset in everything}
    assert {enums.AssetClass.CRYPTO} == {asset.asset_class for asset in crypto}
    assert "BTC/USD" in {asset.symbol for asset in crypto}


async def test_an_asset_is_found_by_symbol_and_by_id(official):
    share = await official.ask(lambda client: client.get_asset("AAPL"))
    pair = await official.ask(lambda client: client.get_asset("BTC/USD"))

    again = await official.ask(lambda client: client.get_asset(share.id))
    slashless = await official.ask(lambda client: client.get_asset("BTCUSD"))
    assert isinstance(share, models.Asset)
    assert (share, pair) == (again, slashless)
    assert (True, enums.AssetStatus.ACTIVE) == (share.tradable, share.status)


async def test_an_asset_that_is_none_is_not_found(official):
    assert 404 == (await official.refused(lambda client: client.get_asset("NOPE")))[0]


async def test_option_contracts_are_listed_and_found(official):
    coming = {"underlying_symbols": ["AAPL"], "expiration_date_lte": date(2026, 12, 31)}
    every = requests.GetOptionContractsRequest(**coming)
    answer = await official.ask(lambda client: client.get_option_contracts(every))

    assert answer.option_contracts
    first = answer.option_contracts[0]
    by_symbol = await official.ask(lambda client: client.get_option_contract(first.symbol))
    assert isinstance(first, models.OptionContract)
    assert ("AAPL", "100") == (first.underlying_symbol, first.size)
    assert first == by_symbol
    calls = requests.GetOptionContractsRequest(type=enums.ContractType.CALL, **coming)
    found = await official.ask(lambda client: client.get_option_contracts(calls))
    assert {enums.ContractType.CALL} == {one.type for one in found.option_contracts}


async def test_the_clock_tells_the_venues_time(official):
    clock = await official.ask(lambda client: client.get_clock())

    assert isinstance(clock, models.Clock)
    assert NOON <= clock.timestamp < NOON + timedelta(days=1)


async def test_the_calendar_has_the_days_asked_for(open_official):
    official = await open_official(hours=Hours.REAL)
    week = requests.GetCalendarRequest(start=date(2026, 1, 5), end=date(2026, 1, 9))

    days = await official.ask(lambda client: client.get_calendar(week))

    assert [5, 6, 7, 8, 9] == [day.date.day for day in days]
    assert {("09:30", "16:00")} == {(f"{day.open:%H:%M}", f"{day.close:%H:%M}") for day in days}
    assert isinstance(days[0], models.Calendar)


async def test_portfolio_history_is_a_series(official):
    await buy(official)

    asked = requests.GetPortfolioHistoryRequest(period="1D", timeframe="1Min")
    told = await official.rig.served.fetch_account()
    found = await official.ask(lambda client: client.get_portfolio_history(asked))

    assert isinstance(found, models.PortfolioHistory)
    assert len(found.timestamp) == len(found.equity) == len(found.profit_loss)
    assert told.equity == Decimal(str(found.equity[-1]))


async def test_raw_answers_are_plain(open_official):
    official = await open_official(raw_data=True)

    account = await official.ask(lambda client: client.get_account())
    clock = await official.ask(lambda client: client.get_clock())

    assert ("USD", "ACTIVE") == (account["currency"], account["status"])
    assert {"timestamp", "is_open", "next_open", "next_close"} <= set(clock)


@pytest.mark.parametrize(
    "question",
    [
        lambda client: client.get_watchlists(),
        lambda client: client.get_watchlist_by_id(uuid.UUID(int=1)),
        lambda client: client.create_watchlist(
            requests.CreateWatchlistRequest(name="mine", symbols=["AAPL"])
        ),
        lambda client: client.update_watchlist_by_id(
            uuid.UUID(int=1), requests.UpdateWatchlistRequest(name="mine")
        ),
        lambda client: client.add_asset_to_watchlist_by_id(uuid.UUID(int=1), "AAPL"),
        lambda client: client.remove_asset_from_watchlist_by_id(uuid.UUID(int=1), "AAPL"),
        lambda client: client.delete_watchlist_by_id(uuid.UUID(int=1)),
        lambda client: client.get_corporate_announcements(
            requests.GetCorporateAnnouncementsRequest(
                ca_types=[enums.CorporateActionType.DIVIDEND],
                since=date(2026, 1, 1),
                until=date(2026, 1, 2),
            )
        ),
        lambda client: client.get_corporate_announcement_by_id(uuid.UUID(int=1)),
        lambda client: client.exercise_options_position("AAPL260116C00190000"),
    ],
    ids=[
        "get_watchlists",
        "get_watchlist_by_id",
        "create_watchlist",
        "update_watchlist_by_id",
        "add_asset_to_watchlist_by_id",
        "remove_asset_from_watchlist_by_id",
        "delete_watchlist_by_id",
        "get_corporate_announcements",
        "get_corporate_announcement_by_id",
        "exercise_options_position",
    ],
)
@pytest.mark.filterwarnings("ignore:get_corporate_announcement:DeprecationWarning")
async def test_what_is_not_offered_is_refused_in_words(official, question):
    status, code, message = await official.refused(question)

    assert (404, 40410000) == (status, code)
    assert message.endswith("not offered")
