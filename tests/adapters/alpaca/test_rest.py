"""Alpaca's REST interfaces: what is asked, how pages are followed, and what an answer proves."""

import asyncio

import pytest

from dragoman.errors import (
    AuthenticationError,
    CircuitOpenError,
    ConflictError,
    DecodeError,
    NotFoundError,
    OrderRejectedError,
    Outcome,
    OutcomeUnknownError,
    PermissionDeniedError,
    ProtocolError,
    RateLimitedError,
    RejectReason,
    UnknownReason,
    UnsupportedError,
    VenueUnavailableError,
)
from dragoman.models import Adjustment, Timeframe, Window
from dragoman.times import MILLISECOND_NS, SECOND_NS, format_time, parse_time
from dragoman.transport.memory import LostAfterSendError
from dragoman_alpaca.rest import AlpacaRest
from dragoman_alpaca.rest.words import (
    adjustment_word,
    history_feed,
    latest_feed,
    timeframe_word,
)

from .rest_venue import CALL, KEY, SECRET, RestVenue, problem, reply
from .trading_rows import order_content

BAR = {"t": "2022-02-01T05:00:00Z", "o": 174, "h": 174.84, "l": 172.31, "c": 174.61, "v": 859}
QUOTE = {"t": "2022-03-18T14:02:43.6Z", "ap": 161.11, "as": 13, "bp": 161.1, "bs": 2}
START_NS = parse_time("2026-01-02T00:00:00Z")


@pytest.fixture
def venue():
    return RestVenue()


@pytest.fixture
async def rest(venue):
    transport = venue.transport()
    yield AlpacaRest(venue.context(), transport, "us")
    await transport.aclose()


def orders(count, start_ns=START_NS, step_ns=SECOND_NS):
    """Return rows of orders, each submitted a step after the one before."""
    return [
        order_content(
            id=f"v{number}",
            client_order_id=f"c{number}",
            submitted_at=format_time(start_ns + number * step_ns),
        )
        for number in range(count)
    ]


def listing(rows, limit=500):
    """Answer as Alpaca lists orders: after an instant that is excluded, oldest first."""

    def answer(heard):
        after_ns = parse_time(heard.asked.get("after", "1970-01-01T00:00:00Z"))
        found = [row for row in rows if parse_time(row["submitted_at"]) > after_ns]
        return found[: min(limit, int(heard.asked["limit"]))]

    return answer


async def listed(rest, **bounds):
    return [seen.row.id async for page in rest.trading.orders(**bounds) for seen in page]


async def rows_of(pages):
    return [seen.row async for page in pages for seen in page]


async def test_every_request_carries_both_keys_as_headers(venue, rest):
    await rest.trading.account()
    await rest.market.crypto_latest_quotes([])
    await rest.trading.asset("AAPL")

    assert [(KEY, SECRET)] * 2 == [
        (one.headers["apca-api-key-id"], one.headers["apca-api-secret-key"]) for one in venue.heard
    ]


async def test_a_pair_is_one_segment_of_a_path(venue, rest):
    seen = await rest.trading.asset("BTC/USD")

    assert "BTC/USD" == seen.row.symbol
    assert ["/v2/assets/BTC%2FUSD"] == [one.path for one in venue.heard]


async def test_trading_and_market_data_are_asked_at_their_own_hosts(venue, rest):
    venue.on("GET", "/v2/stocks/quotes/latest", {"quotes": {"AAPL": QUOTE}})

    await rest.trading.account()
    await rest.market.stock_latest_quotes(["AAPL"], feed="iex")

    assert ["alpaca.test", "data.alpaca.test"] == [one.host for one in venue.heard]


async def test_rows_keep_their_bytes_only_where_they_are_asked_for(venue, rest):
    venue.on("GET", "/v2/positions", [{"symbol": "AAPL", "qty": "5"}])
    kept = AlpacaRest(venue.context(keep_raw=True), venue.transport(), "us")

    (with_bytes,) = await kept.trading.positions()
    (without,) = await rest.trading.positions()

    assert b'{"symbol": "AAPL", "qty": "5"}' == with_bytes.raw
    assert None is without.raw
    assert with_bytes.row == without.row


async def test_an_order_is_sent_once_however_its_answer_is_lost(venue, rest):
    venue.on("POST", "/v2/orders", LostAfterSendError(UnknownReason.TIMEOUT))

    with pytest.raises(OutcomeUnknownError) as raised:
        await rest.trading.submit({"symbol": "AAPL"}, "a")

    assert UnknownReason.TIMEOUT is raised.value.reason
    assert 1 == len(venue.heard)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("verb", ["submit", "replace"])
async def test_a_server_error_never_sends_a_command_twice(venue, rest, status, verb):
    venue.on("POST", "/v2/orders", reply({"message": "gateway timeout"}, status))
    venue.on("PATCH", "/v2/orders/v", reply({"message": "gateway timeout"}, status))
    calls = {
        "submit": lambda: rest.trading.submit({}, "a"),
        "replace": lambda: rest.trading.replace("v", {}, "a~1"),
    }

    with pytest.raises(OutcomeUnknownError):
        await calls[verb]()

    assert 1 == len(venue.heard)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(reply(["no order"]), id="no-order"),
        pytest.param(reply(), id="empty"),
        pytest.param(reply({"status": "new"}), id="no-id"),
        pytest.param(reply(order_content(client_order_id="other")), id="another-order"),
    ],
)
async def test_an_answer_to_an_order_that_makes_no_sense_proves_nothing(venue, rest, answer):
    venue.on("POST", "/v2/orders", answer)

    with pytest.raises(OutcomeUnknownError) as raised:
        await rest.trading.submit({"symbol": "AAPL"}, "a")

    assert (UnknownReason.BAD_RESPONSE, Outcome.UNKNOWN) == (
        raised.value.reason,
        raised.value.outcome,
    )


async def test_an_answer_to_a_replace_about_another_order_proves_nothing(venue, rest):
    venue.on("PATCH", "/v2/orders/v1", order_content(id="v9", client_order_id="x", replaces="v8"))

    with pytest.raises(OutcomeUnknownError):
        await rest.trading.replace("v1", {}, "a~1")


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({"id": "v2", "client_order_id": "a~1", "replaces": "v1"}, id="by-token"),
        pytest.param({"id": "v2", "client_order_id": "new", "replaces": "v1"}, id="by-old-id"),
        pytest.param({"id": "v1", "client_order_id": "a"}, id="the-old-one-itself"),
    ],
)
async def test_the_answer_to_a_replace_is_known_by_token_or_by_what_it_replaces(venue, rest, row):
    venue.on("PATCH", "/v2/orders/v1", order_content(**row))

    assert row["id"] == (await rest.trading.replace("v1", {}, "a~1")).row.id


async def test_a_cancel_is_asked_again_after_a_server_error(venue, rest):
    venue.on("DELETE", "/v2/orders/v1", reply({}, 503), reply(status=204))

    canceling = rest.trading.cancel("v1")
    await _with_time(venue, canceling)

    assert ["DELETE", "DELETE"] == [one.method for one in venue.heard]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(
            problem(422, 42210000, 'order is already in "filled" state'),
            ConflictError,
            id="already-in-filled-state",
        ),
        pytest.param(problem(404, 40410000, "order not found"), NotFoundError, id="not-found"),
    ],
)
async def test_a_cancel_that_is_refused_says_why(venue, rest, answer, error):
    venue.on("DELETE", "/v2/orders/v1", answer)

    with pytest.raises(error) as raised:
        await rest.trading.cancel("v1")

    assert Outcome.REJECTED is raised.value.outcome


async def test_a_refusal_names_the_venues_code_and_request(venue, rest):
    answer = problem(403, 40310000, "insufficient buying power", buying_power="0")
    headers = {"x-request-id": "7f1c"}
    venue.on("POST", "/v2/orders", _with_headers(answer, headers))

    with pytest.raises(OrderRejectedError) as raised:
        await rest.trading.submit({"symbol": "AAPL"}, "a")

    assert (RejectReason.INSUFFICIENT_FUNDS, "40310000", "7f1c", "alpaca-paper") == (
        raised.value.reason,
        raised.value.code,
        raised.value.request_id,
        raised.value.provider,
    )


async def test_keys_that_are_refused_are_an_authentication_error(venue, rest):
    venue.on("GET", "/v2/account", problem(401, 40110000, "request is not authorized"))

    with pytest.raises(AuthenticationError):
        await rest.trading.account()


async def test_canceling_all_tells_what_became_of_each(venue, rest):
    rows = [
        {"id": "v1", "status": 200},
        {"id": "v2", "status": 404, "body": {"code": 40410000, "message": "order not found"}},
        {"id": "v3", "status": 500},
        {"id": "v4"},
    ]
    venue.on("DELETE", "/v2/orders", reply(rows, 207))

    found = await rest.trading.cancel_all()

    assert [
        ("v1", type(None)),
        ("v2", NotFoundError),
        ("v3", OutcomeUnknownError),
        ("v4", OutcomeUnknownError),
    ] == [(name, type(error)) for name, error in found]


async def test_canceling_all_with_a_senseless_answer_proves_nothing(venue, rest):
    venue.on("DELETE", "/v2/orders", reply({"status": "ok"}, 207))

    with pytest.raises(OutcomeUnknownError):
        await rest.trading.cancel_all()


async def test_orders_are_always_asked_for_with_their_legs(venue, rest):
    venue.on("GET", "/v2/orders", [])
    venue.on("GET", "/v2/orders/v1", order_content(id="v1"))

    await rest.trading.open_orders()
    await rest.trading.order("v1")

    assert ["true", "true"] == [one.asked["nested"] for one in venue.heard]
    assert ("open", "asc", "500") == tuple(
        venue.heard[0].asked[name] for name in ("status", "direction", "limit")
    )


async def test_orders_of_many_pages_come_whole_in_order_and_once(venue, rest):
    rows = orders(1203)
    venue.on("GET", "/v2/orders", listing(rows))

    assert [row["id"] for row in rows] == await listed(rest)
    assert 3 == len(venue.heard)


async def test_orders_of_one_instant_are_not_lost_between_pages(venue, rest):
    """The 490th to the 519th are submitted at the same time, across the end of the first page."""
    rows = orders(490) + orders(30, START_NS + 490 * SECOND_NS, 0)
    for number, row in enumerate(rows):
        row["id"] = f"v{number}"
    venue.on("GET", "/v2/orders", listing(rows))

    assert [row["id"] for row in rows] == await listed(rest)


async def test_an_order_shown_again_by_a_venue_that_reads_times_coarsely_is_told_once(venue, rest):
    rows = orders(700, step_ns=MILLISECOND_NS)

    def answer(heard):
        after_ns = parse_time(heard.asked.get("after", "1970-01-01T00:00:00Z"))
        after_ns -= after_ns % SECOND_NS
        return [row for row in rows if parse_time(row["submitted_at"]) >= after_ns][:500]

    venue.on("GET", "/v2/orders", answer)
    more = orders(300, START_NS + 10 * SECOND_NS)
    rows = [row | {"id": f"w{number}"} for number, row in enumerate(rows[:450] + more)]

    assert [row["id"] for row in rows] == await listed(rest)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(orders(500, step_ns=0), id="all-of-one-instant"),
        pytest.param(
            [row | {"submitted_at": None, "created_at": None} for row in orders(500)],
            id="without-a-time",
        ),
    ],
)
async def test_pages_that_can_not_be_told_apart_are_an_error(venue, rest, rows):
    venue.on("GET", "/v2/orders", rows)

    with pytest.raises(ProtocolError):
        await listed(rest)


async def test_a_page_whose_legs_fill_it_is_not_taken_for_the_last(venue, rest):
    """Where the venue counts legs, 250 parents with a leg each are a full page."""
    rows = [row | {"legs": [order_content(id=f"leg-{row['id']}")]} for row in orders(260)]
    venue.on("GET", "/v2/orders", listing(rows, limit=250))

    assert [row["id"] for row in rows] == await listed(rest)


async def test_the_bounds_of_a_listing_are_instants_that_are_excluded(venue, rest):
    venue.on("GET", "/v2/orders", [])

    await listed(rest, after_ns=START_NS, until_ns=START_NS + 1, symbols=["AAPL"])

    assert {
        "status": "all",
        "after": "2026-01-02T00:00:00.000000000Z",
        "until": "2026-01-02T00:00:00.000000001Z",
        "symbols": "AAPL",
    } == {name: venue.heard[0].asked[name] for name in ("status", "after", "until", "symbols")}


async def test_activities_are_followed_by_the_id_of_the_last(venue, rest):
    rows = [{"id": f"20260102::{number}", "activity_type": "FILL"} for number in range(205)]

    def answer(heard):
        token = heard.asked.get("page_token")
        first = 0 if token is None else 1 + [row["id"] for row in rows].index(token)
        return rows[first : first + 100]

    venue.on("GET", "/v2/account/activities", answer)

    found = [seen.row.id async for seen in rest.trading.activities(kinds=["FILL"])]

    assert [row["id"] for row in rows] == found
    assert [None, "20260102::99", "20260102::199"] == [
        one.asked.get("page_token") for one in venue.heard
    ]
    assert {"asc"} == {one.asked["direction"] for one in venue.heard}


async def test_activities_are_bounded_by_whole_seconds_that_hold_the_window(venue, rest):
    venue.on("GET", "/v2/account/activities", [])

    bounds = {"after_ns": START_NS + 1, "until_ns": START_NS + 1}
    assert [] == [row async for row in rest.trading.activities(category="trade_activity", **bounds)]

    asked = venue.heard[0].asked
    assert ("2026-01-02T00:00:00Z", "2026-01-02T00:00:01Z", "trade_activity") == (
        asked["after"],
        asked["until"],
        asked["category"],
    )


async def test_activities_that_lead_in_a_circle_are_an_error(venue, rest):
    page = [{"id": str(number), "activity_type": "FILL"} for number in range(100)]
    venue.on("GET", "/v2/account/activities", page)

    with pytest.raises(ProtocolError, match="same page"):
        _ = [row async for row in rest.trading.activities()]


async def test_option_contracts_are_followed_by_token_up_to_what_is_wanted(venue, rest):
    rows = [CALL | {"symbol": f"O{number}"} for number in range(4)]
    venue.on(
        "GET",
        "/v2/options/contracts",
        {"option_contracts": rows[:2], "next_page_token": "more"},
        {"option_contracts": rows[2:], "next_page_token": None},
    )

    every = await rest.trading.contracts("AAPL", first="2025-01-01", last="2026-01-01")
    assert ["O0", "O1", "O2", "O3"] == [seen.row.symbol for seen in every]
    assert [None, "more"] == [one.asked.get("page_token") for one in venue.heard]


async def test_history_follows_tokens_only_and_never_a_short_page(venue, rest):
    venue.on(
        "GET",
        "/v2/stocks/bars",
        {"bars": {"AAPL": [BAR]}, "next_page_token": "one"},
        {"bars": {}, "next_page_token": "two"},
        {"bars": {"AAPL": None}, "next_page_token": "three"},
        {"bars": {"AAPL": [BAR]}, "next_page_token": None},
    )
    words = {"timeframe": "1Day", "adjustment": "raw", "feed": "iex"}

    found = await rows_of(rest.market.stock_bars("AAPL", Window(), **words))

    assert 2 == len(found)
    assert [None, "one", "two", "three"] == [one.asked.get("page_token") for one in venue.heard]


async def test_history_that_leads_in_a_circle_is_an_error(venue, rest):
    venue.on("GET", "/v2/stocks/trades", {"trades": {}, "next_page_token": "again"})

    with pytest.raises(ProtocolError, match="same page"):
        await rows_of(rest.market.stock_trades("AAPL", Window(), feed="iex"))


@pytest.mark.parametrize(
    ("window", "asked"),
    [
        pytest.param(
            Window(), {"start": "1970-01-01T00:00:00Z", "end": None, "limit": "10000"}, id="all"
        ),
        pytest.param(
            Window(start_ns=START_NS, end_ns=START_NS + SECOND_NS, limit=7),
            {
                "start": "2026-01-02T00:00:00.000000000Z",
                "end": "2026-01-02T00:00:00.999999999Z",
                "limit": "7",
            },
            id="an-end-that-is-excluded",
        ),
    ],
)
async def test_a_window_is_asked_for_exactly(venue, rest, window, asked):
    venue.on("GET", "/v1beta3/crypto/us/trades", {"trades": {}, "next_page_token": None})

    await rows_of(rest.market.crypto_trades("BTC/USD", window))

    assert asked == {name: venue.heard[0].asked.get(name) for name in asked}
    assert ("BTC/USD", "asc") == tuple(venue.heard[0].asked[name] for name in ("symbols", "sort"))


async def test_an_empty_window_asks_nothing(venue, rest):
    window = Window(start_ns=START_NS, end_ns=START_NS)

    assert [] == await rows_of(rest.market.crypto_trades("BTC/USD", window))
    assert [] == venue.heard


async def test_the_latest_of_many_symbols_is_asked_for_in_parts(venue, rest):
    names = [f"S{number}" for number in range(205)]

    def answer(heard):
        return {"quotes": dict.fromkeys(heard.asked["symbols"].split(","), QUOTE)}

    venue.on("GET", "/v2/stocks/quotes/latest", answer)

    found = await rest.market.stock_latest_quotes(names, feed="iex")

    assert names == list(found)
    assert [100, 100, 5] == [len(one.asked["symbols"].split(",")) for one in venue.heard]


async def test_symbols_without_data_are_left_out(venue, rest):
    venue.on("GET", "/v2/stocks/snapshots", {"AAPL": {"latestQuote": QUOTE}, "NONE": None})

    assert ["AAPL"] == list(await rest.market.stock_snapshots(["AAPL", "NONE"], feed="iex"))


async def test_an_option_chain_comes_whole(venue, rest):
    first = {"AAPL250620C00100000": {"latestQuote": QUOTE}}
    second = {"AAPL250620P00100000": {"latestQuote": QUOTE}}
    venue.on(
        "GET",
        "/v1beta1/options/snapshots/AAPL",
        {"snapshots": first, "next_page_token": "more"},
        {"snapshots": second, "next_page_token": None},
    )

    assert [*first, *second] == list(await rest.market.option_chain("AAPL", "2025-06-20"))
    assert {"2025-06-20"} == {one.asked["expiration_date"] for one in venue.heard}


async def test_recent_data_that_the_plan_leaves_out_is_a_matter_of_permission(venue, rest):
    message = "subscription does not permit querying recent SIP data"
    venue.on("GET", "/v2/stocks/quotes", reply({"message": message}, 403))

    with pytest.raises(PermissionDeniedError, match="recent SIP"):
        await rows_of(rest.market.stock_quotes("AAPL", Window(), feed="sip"))


async def test_data_that_makes_no_sense_is_a_decode_error(venue, rest):
    venue.on("GET", "/v2/stocks/trades", {"trades": [1], "next_page_token": None})

    with pytest.raises(DecodeError):
        await rows_of(rest.market.stock_trades("AAPL", Window(), feed="iex"))


async def test_what_is_left_of_a_quota_is_kept_to(venue, rest):
    """The venue says that nothing is left for a minute, which is longer than a read may wait."""
    reset_s = venue.clock.now_ns() // SECOND_NS + 60
    left = reply({"quotes": {}}, x_ratelimit_remaining=0, x_ratelimit_reset=reset_s)
    venue.on("GET", "/v2/stocks/quotes/latest", left)
    await rest.market.stock_latest_quotes(["AAPL"], feed="iex")

    with pytest.raises(RateLimitedError) as raised:
        await _with_time(venue, rest.market.stock_latest_quotes(["AAPL"], feed="iex"))
    await rest.trading.account()

    assert Outcome.NOT_SENT is raised.value.outcome
    assert ["/v2/stocks/quotes/latest", "/v2/account"] == [one.path for one in venue.heard]


async def test_too_many_requests_says_when_the_quota_begins_anew(venue, rest):
    reset_s = venue.clock.now_ns() // SECOND_NS + 9
    content = {"code": 42910000, "message": "too many requests"}
    venue.on("POST", "/v2/orders", reply(content, 429, x_ratelimit_reset=reset_s))

    with pytest.raises(RateLimitedError) as raised:
        await rest.trading.submit({}, "a")

    assert (9, Outcome.REJECTED) == (raised.value.retry_after, raised.value.outcome)
    assert 1 == len(venue.heard)


async def test_market_data_that_is_down_keeps_no_order_from_going_out(venue, rest):
    venue.on("GET", "/v2/stocks/quotes/latest", reply({}, 503))
    venue.on("POST", "/v2/orders", order_content(client_order_id="a"))
    for error in (VenueUnavailableError, VenueUnavailableError, CircuitOpenError):
        with pytest.raises(error):
            await _with_time(venue, rest.market.stock_latest_quotes(["AAPL"], feed="iex"))

    assert "a" == (await rest.trading.submit({}, "a")).row.client_order_id


@pytest.mark.parametrize(
    ("method", "path", "host"),
    [
        ("GET", "/v2/account/configurations", "alpaca.test"),
        ("PATCH", "/v2/account/configurations", "alpaca.test"),
        ("DELETE", "/v2/positions/AAPL", "alpaca.test"),
        ("GET", "/v2/stocks/meta/exchanges", "data.alpaca.test"),
        ("GET", "/v1beta1/news", "data.alpaca.test"),
    ],
)
async def test_a_request_by_hand_goes_to_the_host_of_its_path(venue, rest, method, path, host):
    venue.on(method, path, {"fine": True})
    body = {"no_shorting": True} if method == "PATCH" else None

    response = await rest.request(method, path, {"a": "b"}, body)

    assert (200, b'{"fine": true}') == (response.status, response.body)
    assert [(method, host, {"a": "b"}, body)] == [
        (one.method, one.host, one.asked, one.body) for one in venue.heard
    ]


@pytest.mark.parametrize("status", [400, 403, 404, 422, 429, 500])
async def test_a_request_by_hand_is_answered_whatever_the_status(venue, rest, status):
    venue.on("GET", "/v2/account", reply({"message": "no"}, status))

    response = await rest.request("GET", "/v2/account", {}, None)

    assert (status, b'{"message": "no"}') == (response.status, response.body)
    assert 1 == len(venue.heard)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("1m", "1Min"),
        ("59m", "59Min"),
        ("60m", "1Hour"),
        ("180s", "3Min"),
        ("3600s", "1Hour"),
        ("23h", "23Hour"),
        ("1d", "1Day"),
        ("1w", "1Week"),
        ("12M", "12Month"),
    ],
)
def test_a_timeframe_is_written_in_the_venues_words(text, word):
    assert word == timeframe_word(Timeframe.parse(text))


@pytest.mark.parametrize("text", ["1s", "90s", "61m", "1440m", "24h", "2d", "7d", "2w", "5M"])
def test_a_timeframe_without_bars_is_refused(text):
    with pytest.raises(UnsupportedError, match=text):
        timeframe_word(Timeframe.parse(text))


def test_every_adjustment_has_a_word():
    assert ["raw", "split", "dividend", "all"] == [adjustment_word(one) for one in Adjustment]


@pytest.mark.parametrize(
    ("feed", "word"),
    [("iex", "iex"), ("sip", "sip"), ("delayed_sip", "sip"), ("boats", "boats"), ("otc", "otc")],
)
def test_a_feed_has_a_history(feed, word):
    assert word == history_feed(feed)


@pytest.mark.parametrize("feed", ["overnight", "test"])
def test_a_feed_without_a_history_is_refused(feed):
    with pytest.raises(UnsupportedError, match=feed):
        history_feed(feed)


def test_the_feed_for_tests_is_for_streams_only():
    assert "overnight" == latest_feed("overnight")
    with pytest.raises(UnsupportedError):
        latest_feed("test")


def _with_headers(response, headers):
    return type(response)(status=response.status, headers=headers, body=response.body)


async def _with_time(venue, call):
    """Make a call, and let time pass while it waits."""
    task = asyncio.ensure_future(call)
    for _ in range(100):
        if task.done():
            break
        await venue.clock.advance(seconds=1)
    return await task
