"""The checker itself: a good run passes, and each invariant broken by hand is found."""

import ast
import copy
import sys
from pathlib import Path

import pytest

from dragoman_conformance.simulation import checker, conduct, evidence, truth
from dragoman_conformance.simulation.checker import check

AT_NS = 1_767_796_200_000_000_000


def accepted(venue_id, client_id, *, mark=5, origin="api", closes=False, **terms):
    order = {
        "venue_id": venue_id,
        "client_id": client_id,
        "symbol": "AAPL",
        "side": "buy",
        "quantity": "3",
        "price": "99.50",
        **terms,
    }
    facts = {"mark": mark, "origin": origin, "closes": closes}
    return {"row": "accepted", "at_ns": AT_NS, **facts, "order": order}


def fill(fill_id, venue_id, quantity):
    return {
        "row": "fill",
        "at_ns": AT_NS,
        "fill_id": fill_id,
        "venue_id": venue_id,
        "quantity": quantity,
        "price": "99.50",
        "time_ns": str(AT_NS),
    }


def ended(venue_id, state):
    return {"row": "ended", "at_ns": AT_NS, "venue_id": venue_id, "state": state}


def request(at_ns):
    return {"row": "request", "at_ns": at_ns, "method": "GET", "path": "/fills", "status": 200}


def told(sequence, kind, status, filled="0", *, of="a", venue_id="h1", by=None):
    return {
        "row": "event",
        "reader": "reader",
        "sequence": sequence,
        "kind": kind,
        "status": status,
        "filled": filled,
        "client_id": of,
        "venue_id": venue_id,
        "quantity": "3",
        "price": "99.50",
        "fill": by,
    }


def told_fill(fill_id, quantity):
    facts = {"quantity": quantity, "price": "99.50", "time_ns": str(AT_NS)}
    return {"fill_id": fill_id, **facts}


def last(status, filled, *, of="a", venue_id="h1"):
    return {**told(0, "", status, filled, of=of, venue_id=venue_id), "row": "order"}


def good_ledger():
    return [
        {"row": "opened", "at_ns": AT_NS, "rate_limit": 3, "rate_window_ns": 1_000_000_000},
        accepted("h1", "a"),
        fill("x1", "h1", "1.0"),
        fill("x2", "h1", "2.0"),
        ended("h1", "filled"),
        accepted("h2", "b", mark=20),
        ended("h2", "canceled"),
        request(AT_NS),
        request(AT_NS + 1),
        request(AT_NS + 2),
        request(AT_NS + 1_000_000_001),
    ]


def good_client():
    return [
        {"row": "intent", "client_id": "a"},
        told(1, "SUBMITTED", "PENDING", venue_id=None),
        told(2, "ACCEPTED", "OPEN"),
        {"row": "health", "state": "DOWN", "previous": "LIVE", "causes": ["cut"], "process": 1},
        {"row": "health", "state": "LIVE", "previous": "DOWN", "causes": [], "process": 1},
        {"row": "connection", "state": "DISCONNECTED", "cause": "cut"},
        told(3, "FILL", "PARTIALLY_FILLED", "1.0", by=told_fill("x1", "1.0")),
        {"row": "sequence", "reader": "reader", "sequence": 4},
        told(5, "FILL", "FILLED", "3.0", by=told_fill("x2", "2.0")),
        {"row": "intent", "client_id": "b"},
        told(6, "ACCEPTED", "OPEN", of="b", venue_id="h2"),
        told(7, "CANCELED", "CANCELED", of="b", venue_id="h2"),
        {"row": "sent", "name": "POST /orders", "health": "DEGRADED"},
        {"row": "halt", "mark": 30},
        last("FILLED", "3.0"),
        last("CANCELED", "0", of="b", venue_id="h2"),
        {"row": "position", "symbol": "AAPL", "quantity": "3.0"},
        {"row": "end", "is_live": False, "is_halted": True, "health": "HALTED"},
        {"row": "left", "tasks": []},
    ]


def broken(change):
    """Return what the checker finds once `change` has been made to a good run."""
    ledger, client = good_ledger(), good_client()
    change(ledger, client)
    return {breach.invariant for breach in check(ledger, client)}


def row(rows, kind, place=0):
    return [one for one in rows if one["row"] == kind][place]


def drop(rows, kind, place=0):
    rows.remove(row(rows, kind, place))


def test_a_good_run_breaks_nothing():
    assert [] == check(good_ledger(), good_client())


def test_nothing_at_all_breaks_nothing():
    assert [] == check([], [])


def sent_twice(ledger, client):
    del client
    ledger.append(accepted("h3", "a"))


def invented(ledger, client):
    del ledger
    client.insert(0, {"row": "intent", "client_id": "c"})
    client.insert(-3, last("OPEN", "0", of="c", venue_id=None))


def own_order_lost(ledger, client):
    ledger.append(accepted("h3", "c"))
    del client


def external_order_lost(ledger, client):
    ledger.append(accepted("h3", None, origin="external"))
    del client


def reported_dead_while_it_lives(ledger, client):
    del client
    ledger.remove(row(ledger, "ended", 1))


def ended_otherwise(ledger, client):
    del client
    row(ledger, "ended", 1)["state"] = "expired"


def rejected_though_it_was_taken(ledger, client):
    del ledger
    client.append(told(8, "REJECTED", "REJECTED", of="b", venue_id=None))


def fill_told_twice(ledger, client):
    del ledger
    client.insert(9, told(6, "FILL", "FILLED", "3.0", by=told_fill("x2", "2.0")))
    for one in client[10:]:
        if "sequence" in one and one["row"] == "event":
            one["sequence"] += 1


def fill_never_told(ledger, client):
    del ledger
    row(client, "event", 2)["fill"] = None


def fill_invented(ledger, client):
    del ledger
    row(client, "event", 1)["fill"] = told_fill("x9", "1")


def sum_is_wrong(ledger, client):
    del ledger
    row(client, "order")["filled"] = "2.0"


def filled_fell(ledger, client):
    del ledger
    row(client, "event", 3)["filled"] = "0.5"


def left_a_terminal_status(ledger, client):
    del ledger
    client.insert(12, told(8, "ACCEPTED", "OPEN", of="b", venue_id="h2"))


def sequence_skipped(ledger, client):
    del ledger
    row(client, "sequence")["sequence"] = 5


def sequence_started_anew(ledger, client):
    del ledger
    client.insert(12, told(1, "ACCEPTED", "CANCELED", of="b", venue_id="h2"))


def still_unknown(ledger, client):
    del ledger
    client.insert(-3, last("UNKNOWN", "0", of="c", venue_id=None))


def intent_forgotten(ledger, client):
    del ledger
    client.insert(0, {"row": "intent", "client_id": "b"})
    drop(client, "order", 1)


def position_is_wrong(ledger, client):
    del ledger
    row(client, "position")["quantity"] = "2.0"


def position_unknown(ledger, client):
    del ledger
    drop(client, "position")


def position_invented(ledger, client):
    del ledger
    client.append({"row": "position", "symbol": "MSFT", "quantity": "1"})


def sent_while_blind(ledger, client):
    del ledger
    client.append({"row": "sent", "name": "POST /orders", "health": "STALE"})


def sent_while_halted(ledger, client):
    row(ledger, "accepted", 1)["mark"] = 31
    del client


def task_left(ledger, client):
    del ledger
    row(client, "left")["tasks"] = ["a reader"]


def task_failed(ledger, client):
    del ledger
    client.append({"row": "failed", "task": "a reader", "error": "KeyError"})


def silent_disconnect(ledger, client):
    del ledger
    row(client, "connection")["cause"] = None


def silent_trouble(ledger, client):
    del ledger
    row(client, "health")["causes"] = []


def health_jumped(ledger, client):
    del ledger
    row(client, "health", 1)["previous"] = "STALE"


def too_many_requests(ledger, client):
    del client
    ledger.insert(-1, request(AT_NS + 999_999_999))


def price_changed(ledger, client):
    del ledger
    row(client, "event", 2)["fill"]["price"] = "99.5"


def time_changed(ledger, client):
    del ledger
    row(client, "event", 2)["fill"]["time_ns"] = str(AT_NS // 1000)


def terms_changed(ledger, client):
    del ledger
    row(client, "order")["quantity"] = "3.0"


def never_well_again(ledger, client):
    del ledger
    row(client, "end").update(is_halted=False, health="DOWN cut")


def end_never_learned(ledger, client):
    del ledger
    row(client, "order", 1)["status"] = "OPEN"
    client.remove(row(client, "event", 5))


@pytest.mark.parametrize(
    ("invariant", "change"),
    [
        ("I-1", sent_twice),
        ("I-1", invented),
        ("I-2", own_order_lost),
        ("I-2", external_order_lost),
        ("I-3", reported_dead_while_it_lives),
        ("I-3", ended_otherwise),
        ("I-3", rejected_though_it_was_taken),
        ("I-4", fill_told_twice),
        ("I-4", fill_never_told),
        ("I-4", fill_invented),
        ("I-4", sum_is_wrong),
        ("I-5", filled_fell),
        ("I-5", left_a_terminal_status),
        ("I-5", sequence_skipped),
        ("I-5", sequence_started_anew),
        ("I-6", still_unknown),
        ("I-6", intent_forgotten),
        ("I-7", position_is_wrong),
        ("I-7", position_unknown),
        ("I-7", position_invented),
        ("I-8", sent_while_blind),
        ("I-9", sent_while_halted),
        ("I-10", task_left),
        ("I-10", task_failed),
        ("I-11", silent_disconnect),
        ("I-11", silent_trouble),
        ("I-11", health_jumped),
        ("I-12", too_many_requests),
        ("I-13", price_changed),
        ("I-13", time_changed),
        ("I-13", terms_changed),
        ("I-16", never_well_again),
        ("I-16", end_never_learned),
    ],
)
def test_a_broken_invariant_is_found(invariant, change):
    assert invariant in broken(change)


@pytest.mark.parametrize(
    "change",
    [fill_told_twice, filled_fell, position_is_wrong, sent_while_halted, health_jumped],
)
def test_only_what_is_broken_is_found(change):
    assert 1 == len(broken(change))


def test_orders_sent_after_a_resume_break_nothing():
    def resume(ledger, client):
        row(ledger, "accepted", 1)["mark"] = 41
        client.append({"row": "resume", "mark": 40})

    assert set() == broken(resume)


def test_what_only_closes_may_be_sent_while_halted():
    def close(ledger, client):
        del client
        row(ledger, "accepted", 1).update(mark=31, closes=True)

    assert set() == broken(close)


def test_an_order_that_is_filled_after_its_cancel_may_be_told_as_both():
    def late(ledger, client):
        ledger.insert(7, fill("x3", "h2", "3"))
        client.insert(12, told(8, "FILL", "FILLED", "3", of="b", venue_id="h2"))
        client[12]["fill"] = told_fill("x3", "3")
        row(client, "order", 1).update(status="FILLED", filled="3")
        row(client, "position")["quantity"] = "6.0"

    assert set() == broken(late)


def test_a_run_that_was_cut_off_is_judged_by_what_can_be_known():
    ledger, client = good_ledger(), good_client()
    cut_off = [one for one in client if one["row"] not in {"end", "order", "position"}]

    assert [] == check(ledger, cut_off[:6])


def test_a_breach_says_which_invariant_who_and_what():
    ledger, client = good_ledger(), good_client()
    sent_twice(ledger, client)

    assert "I-1 a: 2 orders at the venue: h1, h3" == str(check(ledger, client)[0])


def test_the_checker_leaves_the_rows_as_they_are():
    ledger, client = good_ledger(), good_client()
    before = copy.deepcopy((ledger, client))

    check(ledger, client)

    assert before == (ledger, client)


@pytest.mark.parametrize("module", [checker, conduct, evidence, truth])
def test_the_checker_stands_on_the_standard_library_alone(module):
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = [node.module] if node.module else [one.name for one in node.names]
            assert not node.level or set(names) <= {"conduct", "evidence", "truth"}
            found |= set() if node.level else {(node.module or "").partition(".")[0]}

    assert found <= set(sys.stdlib_module_names) | {"__future__"}


def test_an_id_that_was_never_sent_may_live_anew():
    def again(ledger, client):
        del ledger
        client[2:2] = [
            told(2, "REJECTED", "REJECTED", venue_id=None),
            told(3, "SUBMITTED", "PENDING", venue_id=None),
        ]
        for one in client[4:]:
            if one.get("sequence"):
                one["sequence"] += 2

    assert set() == broken(again)


@pytest.mark.parametrize(("is_before", "lost"), [(True, set()), (False, {"I-2", "I-4"})])
def test_what_others_ended_is_history_only_if_nobody_was_connected_yet(is_before, lost):
    connected = {"row": "note", "at_ns": AT_NS, "what": "client connected"}
    life = [
        accepted("h9", None, origin="external"),
        fill("x9", "h9", "3"),
        ended("h9", "filled"),
    ]

    def add(ledger, client):
        del client
        ledger[:0] = [*life, connected] if is_before else [connected, *life]

    assert lost == broken(add) & {"I-2", "I-4"}
