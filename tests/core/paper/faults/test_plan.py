"""Plans of scripted faults: their line, what they refuse, and when they strike."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import InvalidValueError
from dragoman.paper.faults.kinds import arguments_of, scope_of
from dragoman.paper.faults.plan import AtTime, Fault, FaultKind, FaultPlan, OnCall, OnEvent
from dragoman.paper.faults.script import FaultScript
from dragoman.paper.faults.triggers import CALLS, EVENTS, parse_trigger

SECOND = 1_000_000_000
texts = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=["Cs"]),
    min_size=1,
    max_size=20,
)
numbers = st.one_of(st.none(), st.integers(1, 10**6))
calls = st.builds(
    OnCall, st.sampled_from(sorted(CALLS)), numbers, st.none() | texts, st.none() | texts
)
events = st.builds(
    OnEvent, st.sampled_from(sorted(EVENTS)), numbers, st.none() | texts, st.none() | texts
)
instants = st.one_of(
    st.builds(AtTime, at_ns=st.integers(0, 10**18)),
    st.builds(AtTime, after_s=st.decimals(0, 10**6, allow_nan=False, places=3)),
)
VALUES = {
    "seconds": st.decimals(0, 1000, places=3).map(str),
    "retry_after": st.integers(0, 100).map(str),
    "applied": st.sampled_from(["true", "false"]),
    "reason": st.sampled_from(["OTHER", "INSUFFICIENT_FUNDS"]),
    "copies": st.integers(1, 9).map(str),
    "window": st.integers(2, 50).map(str),
    "symbol": texts,
    "fill_id": texts,
    "side": st.sampled_from(["BUY", "SELL"]),
    "quantity": st.integers(1, 100).map(str),
    "limit_price": st.integers(1, 100).map(str),
    "percent": st.integers(-99, 300).map(str),
}


@st.composite
def faults(draw):
    kind = draw(st.sampled_from(FaultKind))
    scope = scope_of(kind)
    sources = [(OnCall, calls), (OnEvent, events), (AtTime, instants)]
    trigger = draw(st.one_of([source for cls, source in sources if cls in scope.triggers]))
    if isinstance(trigger, OnCall) and scope.commands:
        trigger = OnCall(draw(st.sampled_from(sorted(scope.commands))), trigger.nth)
    names = [name for name in arguments_of(kind) if name == "symbol" or draw(st.booleans())]
    needed = [name for name, each in arguments_of(kind).items() if each.is_required]
    arguments = {name: draw(VALUES[name]) for name in {*names, *needed}}
    return Fault(trigger, kind, arguments)


@given(st.lists(faults(), max_size=4))
def test_a_plan_reads_back_from_its_line(found):
    plan = FaultPlan(tuple(found))

    assert plan == FaultPlan.parse(str(plan))


@given(st.one_of(calls, events, instants))
def test_a_trigger_reads_back_from_its_text(trigger):
    assert trigger == parse_trigger(str(trigger))


def test_a_line_says_what_it_means():
    line = "submit[order=a-1]#2 lost_response; event.fill delay_event(seconds=2.5)"

    plan = FaultPlan.parse(line)

    assert (
        FaultPlan(
            (
                Fault(OnCall("submit", 2, client_order_id="a-1"), FaultKind.LOST_RESPONSE),
                Fault(OnEvent("fill"), FaultKind.DELAY_EVENT, {"seconds": Decimal("2.5")}),
            )
        )
        == plan
    )


def test_an_empty_line_is_an_empty_plan():
    assert FaultPlan() == FaultPlan.parse(" ; ")


def test_a_plan_is_made_of_mixed_parts():
    fault = Fault(OnCall("cancel"), FaultKind.LOST_REQUEST)

    assert FaultPlan((fault, fault, fault)) == FaultPlan.of(
        [fault, "cancel lost_request", FaultPlan.of(fault)]
    )


def test_an_argument_left_out_has_its_default():
    fault = Fault.parse("submit lost_request")

    assert Decimal(10) == fault.amount("seconds")


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("submit", "fault"),
        ("submit explode", "fault"),
        ("sbmit lost_request", "call"),
        ("event.filled drop_event", "event"),
        ("submit#0 lost_request", "trigger"),
        ("submit[price=1] lost_request", "filter"),
        ("at=yesterday halt_symbol(symbol=AAPL)", "trigger"),
        ("after=-1 halt_symbol(symbol=AAPL)", "after_s"),
        ("after=1 halt_symbol", "symbol"),
        ("event.fill lost_request", "trigger"),
        ("submit drop_event", "trigger"),
        ("submit late_fill", "trigger"),
        ("fetch_order reject", "trigger"),
        ("submit delayed_response", "seconds"),
        ("submit delayed_response(seconds=-1)", "seconds"),
        ("submit delayed_response(seconds=NaN)", "seconds"),
        ("submit reject(reason=BECAUSE)", "reason"),
        ("submit server_error(applied=maybe)", "applied"),
        ("event.fill reorder_events(window=1)", "window"),
        ("after=1 price_jump(symbol=AAPL,percent=-100)", "percent"),
        ("submit lost_response(seconds=1)", "seconds"),
        ("submit lost_request(seconds=1,seconds=2)", "argument"),
    ],
)
def test_a_fault_that_cannot_happen_is_refused_by_name(line, named):
    with pytest.raises(InvalidValueError) as caught:
        FaultPlan.parse(line)

    assert named in [violation.field for violation in caught.value.violations]


def test_a_float_argument_is_kept_as_its_text():
    assert {"seconds": "0.1"} == Fault(
        OnCall("submit"), FaultKind.DELAYED_RESPONSE, {"seconds": 0.1}
    ).arguments


def test_a_counted_fault_strikes_once():
    script = FaultScript(FaultPlan.parse("submit#2 lost_response"))

    struck = [len(script.on_call("submit")) for _ in range(4)]

    assert [0, 1, 0, 0] == struck


def test_an_uncounted_fault_strikes_every_time():
    script = FaultScript(FaultPlan.parse("submit lost_response"))

    assert [1, 1] == [len(script.on_call("submit")) for _ in range(2)]


@pytest.mark.parametrize("text", ["submit#1 explode", "nonsense"])
def test_what_is_no_fault_is_told_the_kinds(text):
    with pytest.raises(InvalidValueError) as caught:
        FaultPlan.parse(text)

    (violation,) = caught.value.violations
    assert [] == [kind for kind in FaultKind if kind.lower() not in violation.allowed]


def test_only_what_matches_is_counted():
    script = FaultScript(FaultPlan.parse("submit[symbol=AAPL]#2 lost_response"))

    struck = [
        len(script.on_call(name, "a", symbol))
        for name, symbol in [
            ("submit", "AAPL"),
            ("submit", "MSFT"),
            ("cancel", "AAPL"),
            ("submit", "AAPL"),
        ]
    ]

    assert [0, 0, 0, 1] == struck


def test_an_order_filter_matches_its_order_alone():
    script = FaultScript(FaultPlan.parse("event.fill[order=a] drop_event"))

    assert [1, 0] == [len(script.on_event("fill", name, "AAPL")) for name in ("a", "b")]


def test_faults_of_any_order_and_of_one_order_come_in_the_order_of_the_plan():
    script = FaultScript(
        FaultPlan.parse(
            "submit[order=a] lost_response; submit delayed_response(seconds=1); "
            "submit[order=a] server_error; submit[order=b] disconnect_stream(seconds=1)"
        )
    )

    kinds = [
        [fault.kind for fault in script.on_call("submit", name)] for name in ("a", "b", "c", None)
    ]

    late = FaultKind.DELAYED_RESPONSE
    assert [
        [FaultKind.LOST_RESPONSE, late, FaultKind.SERVER_ERROR],
        [late, FaultKind.DISCONNECT_STREAM],
        [late],
        [late],
    ] == kinds


def test_faults_of_one_call_come_in_the_order_of_the_plan():
    script = FaultScript(
        FaultPlan.parse("submit lost_response; submit delayed_response(seconds=1)")
    )

    kinds = [fault.kind for fault in script.on_call("submit")]

    assert [FaultKind.LOST_RESPONSE, FaultKind.DELAYED_RESPONSE] == kinds


def test_instants_count_from_the_start_and_strike_once():
    line = "after=2 halt_symbol(symbol=B); at=1970-01-01T00:00:11Z halt_symbol(symbol=A)"
    script = FaultScript(FaultPlan.parse(line))
    script.start(10 * SECOND)

    first, rest = script.due(11 * SECOND), script.next_ns()

    assert ["A"] == [fault.symbol for fault in first]
    assert 12 * SECOND == rest
    assert ["B"] == [fault.symbol for fault in script.due(20 * SECOND)]
    assert None is script.next_ns()
    assert () == script.due(30 * SECOND)


def test_no_instant_is_due_before_the_start():
    assert None is FaultScript(FaultPlan.parse("after=0 halt_symbol(symbol=A)")).next_ns()
