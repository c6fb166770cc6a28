"""The venue of the kit: what it takes, refuses, hides and does by itself."""

import json
from decimal import Decimal

import pytest

from dragoman_conformance.harbor.messages import Request
from dragoman_conformance.harbor.settings import FillStyle, HarborSettings
from dragoman_conformance.harbor.venue import HarborVenue

SECOND_NS = 1_000_000_000


class Pier:
    """A venue whose time a test moves by hand."""

    def __init__(self, seed=0, **settings):
        self.now_ns = 1_000 * SECOND_NS
        self.due = []
        usual = {"fills": FillStyle.NONE, "reject_share": 0.0, "cancel_delay_ns": (0, 0)}
        self.venue = HarborVenue(
            HarborSettings(**{**usual, **settings}),
            now_ns=lambda: self.now_ns,
            schedule=self._schedule,
            seed=seed,
        )

    def _schedule(self, delay_ns, action):
        self.due.append((self.now_ns + delay_ns, len(self.due), action))

    def advance(self, seconds):
        until_ns = self.now_ns + int(seconds * SECOND_NS)
        while ready := sorted(one for one in self.due if one[0] <= until_ns):
            self.due.remove(ready[0])
            self.now_ns = max(self.now_ns, ready[0][0])
            ready[0][2]()
        self.now_ns = until_ns

    def ask(self, method, target, content=None, **more):
        headers = more.pop("headers", {"Harbor-Key": "captain"})
        body = b"" if content is None else json.dumps(content).encode()
        reply = self.venue.handle(Request.of(method, target, headers=headers, body=body, **more))
        return reply.status, json.loads(reply.body)

    def place(self, client_id="a", **terms):
        usual = {
            "account": "A1",
            "client_id": client_id,
            "symbol": "AAPL",
            "side": "buy",
            "type": "limit",
            "quantity": "3",
            "price": "99.50",
        }
        return self.ask("POST", "/orders", {**usual, **terms})

    def ledger(self, kind):
        return self.venue.ledger.of(kind)


@pytest.fixture
def pier():
    return Pier()


def test_an_order_is_taken_and_shown_as_it_was_sent(pier):
    status, order = pier.place(quantity="3.10")

    assert 201 == status
    assert ("3.10", "99.50", "open", "h1") == tuple(
        order[name] for name in ("quantity", "price", "state", "venue_id")
    )
    assert (200, order) == pier.ask("GET", "/orders/h1")
    assert (200, order) == pier.ask("GET", "/orders/by-client-id/a")
    assert ["api"] == [row["origin"] for row in pier.ledger("accepted")]


@pytest.mark.parametrize(
    ("terms", "status", "code"),
    [
        ({"account": "B"}, 422, "unknown-account"),
        ({"symbol": "X"}, 422, "unknown-symbol"),
        ({"side": "up"}, 422, "bad-order"),
        ({"type": "stop"}, 422, "bad-order"),
        ({"quantity": "0"}, 422, "bad-quantity"),
        ({"quantity": "NaN"}, 422, "bad-quantity"),
        ({"quantity": None}, 422, "bad-quantity"),
        ({"price": "-1"}, 422, "bad-price"),
        ({"reduce_only": True}, 422, "would-increase"),
    ],
)
def test_a_wrong_order_is_refused_by_a_code_and_leaves_nothing(pier, terms, status, code):
    found, problem = pier.place(**terms)

    assert (status, code) == (found, problem["code"])
    assert [] == pier.venue.orders()
    assert [code] == [row["code"] for row in pier.ledger("refused")]


def test_a_known_client_id_is_refused_where_ids_are_unique(pier):
    pier.place()

    status, problem = pier.place()

    assert (409, "duplicate-client-id") == (status, problem["code"])
    assert 1 == len(pier.venue.orders())


def test_a_known_client_id_makes_a_second_order_where_ids_are_not_unique():
    pier = Pier(has_unique_ids=False)

    assert (201, 201) == (pier.place()[0], pier.place()[0])
    assert 2 == len(pier.ledger("accepted"))


def test_the_mark_of_the_first_byte_is_in_the_ledger(pier):
    pier.ask(
        "POST",
        "/orders",
        {
            "account": "A1",
            "client_id": "a",
            "symbol": "AAPL",
            "side": "buy",
            "type": "market",
            "quantity": "1",
        },
        mark=17,
    )

    assert 17 == pier.ledger("accepted")[0]["mark"]


def test_an_order_is_hidden_from_lookups_and_lists_but_not_from_commands():
    pier = Pier(visibility_delay_ns=SECOND_NS)
    pier.place()

    assert 404 == pier.ask("GET", "/orders/by-client-id/a")[0]
    assert [] == pier.ask("GET", "/orders/open?account=A1")[1]["rows"]
    pier.advance(1)
    assert 200 == pier.ask("GET", "/orders/by-client-id/a")[0]
    assert 1 == len(pier.ask("GET", "/orders/open?account=A1")[1]["rows"])


def test_a_cancel_is_taken_first_and_done_later():
    pier = Pier(cancel_delay_ns=(SECOND_NS, SECOND_NS))
    pier.place()

    status, order = pier.ask("DELETE", "/orders/by-client-id/a")
    assert (202, "open", True) == (status, order["state"], order["canceling"])
    pier.advance(1)
    assert "canceled" == pier.ask("GET", "/orders/h1")[1]["state"]
    assert (409, "order-ended") == _code(pier.ask("DELETE", "/orders/h1"))


def test_a_fill_may_come_before_the_end_of_a_cancel():
    pier = Pier(cancel_delay_ns=(SECOND_NS, SECOND_NS))
    pier.place()
    pier.ask("DELETE", "/orders/h1")

    pier.venue.fill("h1")
    pier.advance(2)

    assert ["filled"] == [row["state"] for row in pier.ledger("ended")]


def test_a_canceled_order_may_fill_once_more():
    pier = Pier(late_fill_share=1.0)
    pier.place()
    pier.ask("DELETE", "/orders/h1")

    pier.advance(30)

    assert ["canceled"] == [row["state"] for row in pier.ledger("ended")]
    assert ["3"] == [row["quantity"] for row in pier.ledger("fill")]
    assert {("A1", "AAPL"): "3"} == pier.venue.positions()


def test_a_replace_changes_terms_and_counts(pier):
    pier.place()

    status, order = pier.ask("PATCH", "/orders/h1", {"quantity": "5", "price": "98.00"})

    assert (200, "5", "98.00", 1) == (status, order["quantity"], order["price"], order["revision"])


def test_a_replace_below_what_is_filled_is_refused(pier):
    pier.place()
    pier.venue.fill("h1", "2")

    assert (422, "below-filled") == _code(pier.ask("PATCH", "/orders/h1", {"quantity": "2"}))


def test_fills_add_up_to_positions(pier):
    pier.place()
    pier.place("b", side="sell", quantity="5")

    pier.venue.fill("h1", "2")
    pier.venue.fill("h1")
    pier.venue.fill("h2")

    assert None is pier.venue.fill("h2")
    assert ["2", "1", "5"] == [row["quantity"] for row in pier.ledger("fill")]
    rows = pier.ask("GET", "/positions?account=A1")[1]
    assert [("AAPL", "-2")] == [(row["symbol"], row["quantity"]) for row in rows]


def test_an_order_that_may_only_close_is_taken_against_a_position(pier):
    pier.place()
    pier.venue.fill("h1")

    assert 201 == pier.place("b", side="sell", quantity="3", reduce_only=True)[0]
    assert 422 == pier.place("c", side="sell", quantity="4", reduce_only=True)[0]


def test_lists_come_in_pages_and_within_their_window():
    pier = Pier(page_size=2)
    for name in "abc":
        pier.place(name)
        pier.advance(1)

    first = pier.ask("GET", "/orders/open?account=A1")[1]
    second = pier.ask("GET", f"/orders/open?account=A1&cursor={first['next']}")[1]
    since_ns = 1_001 * SECOND_NS
    late = pier.ask("GET", f"/orders/history?account=A1&since_ns={since_ns}&until_ns={2**63}")[1]

    assert ["a", "b"] == [row["client_id"] for row in first["rows"]]
    assert (["c"], None) == ([row["client_id"] for row in second["rows"]], second["next"])
    assert ["b", "c"] == [row["client_id"] for row in late["rows"]]


def test_too_many_requests_are_refused_with_a_time_to_wait():
    pier = Pier(rate_limit=3)
    found = [pier.ask("GET", "/time")[0] for _ in range(4)]

    assert [200, 200, 200, 429] == found
    pier.advance(1)
    assert 200 == pier.ask("GET", "/time")[0]


def test_a_venue_in_maintenance_or_that_bans_says_when_to_come_back(pier):
    pier.venue.close_for(2 * SECOND_NS)
    closed = pier.venue.handle(Request.of("GET", "/time", headers={"harbor-key": "captain"}))
    pier.venue.ban_for(3 * SECOND_NS)
    banned = pier.venue.handle(Request.of("GET", "/time", headers={"harbor-key": "captain"}))

    assert (503, "2") == (closed.status, closed.headers["retry-after"])
    assert (418, "3") == (banned.status, banned.headers["retry-after"])
    pier.advance(3)
    assert 200 == pier.ask("GET", "/time")[0]


@pytest.mark.parametrize(
    ("method", "target", "status", "code"),
    [
        ("GET", "/nothing", 404, "unknown-path"),
        ("GET", "/orders/h9", 404, "unknown-order"),
        ("GET", "/orders/by/two/names", 404, "unknown-path"),
        ("PUT", "/orders/h1", 405, "wrong-method"),
        ("POST", "/orders", 400, "bad-json"),
        ("GET", "/fills?account=A1", 400, "bad-window"),
    ],
)
def test_what_is_not_understood_is_refused(pier, method, target, status, code):
    pier.place()

    assert (status, code) == _code(pier.ask(method, target))


def test_a_wrong_key_is_refused(pier):
    assert (401, "bad-key") == _code(pier.ask("GET", "/time", headers={}))


def _code(answer):
    return answer[0], answer[1]["code"]


class Listener:
    """A client of the stream."""

    def __init__(self, pier):
        self.heard = []
        self.stream = pier.venue.open_stream(lambda text: self.heard.append(json.loads(text)))

    def say(self, **message):
        self.stream.receive(json.dumps(message))
        return self.heard[-1]

    def subscribe(self):
        self.say(op="auth", key="captain")
        self.say(op="subscribe", account="A1", id=7)
        self.heard.clear()

    def kinds(self):
        return [one.get("what") or one["type"] for one in self.heard]


def test_a_stream_answers_auth_and_subscription(pier):
    listener = Listener(pier)

    assert {"type": "auth", "ok": True} == listener.say(op="auth", key="captain")
    assert {"type": "subscribed", "id": 7, "ok": True} == listener.say(
        op="subscribe", account="A1", id=7
    )


def test_a_stream_refuses_who_is_not_known(pier):
    listener = Listener(pier)

    assert not listener.say(op="auth", key="x")["ok"]
    assert not listener.say(op="subscribe", account="A1", id=1)["ok"]
    assert "error" == listener.say(op="sing")["type"]
    listener.stream.receive("{]")
    assert "bad-message" == listener.heard[-1]["code"]


def test_a_stream_tells_the_whole_life_of_an_order(pier):
    listener = Listener(pier)
    listener.subscribe()

    pier.place()
    pier.ask("PATCH", "/orders/h1", {"quantity": "4"})
    pier.venue.fill("h1", "1")
    pier.ask("DELETE", "/orders/h1")
    pier.advance(1)

    assert [
        "accepted",
        "replaced",
        "fill",
        "position",
        "canceling",
        "canceled",
    ] == listener.kinds()
    ids = [one["event_id"] for one in listener.heard]
    assert len(ids) == len(set(ids))


def test_a_stream_beats_every_five_seconds_until_it_is_closed(pier):
    listener = Listener(pier)

    pier.advance(11)
    assert ["heartbeat", "heartbeat"] == listener.kinds()
    listener.stream.close()
    pier.advance(20)
    assert 2 == len(listener.heard)
    assert () == pier.venue.streams


def test_an_order_placed_elsewhere_has_no_client_id(pier):
    venue_id = pier.venue.place_external("MSFT", "sell", "2", "50.00")

    order = pier.ask("GET", f"/orders/{venue_id}")[1]

    assert (None, "external") == (order["client_id"], pier.ledger("accepted")[0]["origin"])


@pytest.mark.parametrize(
    ("style", "states"),
    [
        (FillStyle.FULL, {"filled"}),
        (FillStyle.NONE, {"open"}),
        (FillStyle.PARTIAL, {"filled", "partially-filled"}),
        (FillStyle.SEEDED, {"filled", "open", "partially-filled"}),
    ],
)
def test_the_market_fills_as_it_is_told_to(style, states):
    pier = Pier(fills=style, rate_limit=1_000)
    for number in range(40):
        pier.place(f"o{number}")

    pier.advance(10)

    assert states == {order["state"] for order in pier.venue.orders()}


def test_one_seed_makes_one_market():
    def ledger(seed):
        pier = Pier(seed, fills=FillStyle.SEEDED, reject_share=0.2, late_fill_share=0.5)
        for number in range(10):
            pier.place(f"o{number}")
            pier.ask("DELETE", f"/orders/by-client-id/o{number}")
        pier.advance(60)
        return pier.venue.ledger.lines()

    assert ledger(1) == ledger(1)
    assert ledger(1) != ledger(2)


def test_the_ledger_is_numbered_and_handed_on_as_it_grows():
    rows = []
    venue = HarborVenue(now_ns=lambda: 5, schedule=lambda *_: None, copy=rows.append)
    venue.place_external("AAPL", "buy", "1", "2")

    assert rows == list(venue.ledger.rows)
    assert [1, 2] == [row["n"] for row in rows]
    assert {5} == {row["at_ns"] for row in rows}
    assert Decimal(1) == Decimal(rows[1]["order"]["quantity"])
