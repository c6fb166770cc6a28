"""Plans: a line of text and back, and what is no plan."""

import pytest

from dragoman_conformance.simulation.plan import (
    Action,
    Fault,
    FaultKind,
    Plan,
    PlanError,
    Trigger,
    Verb,
)
from dragoman_conformance.simulation.workload import generate


def test_a_plan_comes_back_from_its_line():
    plan = Plan(
        seed=17,
        fills="FULL",
        lag=500,
        late=50,
        unique=False,
        actions=(Action(1000, Verb.SUBMIT, ("buy", "AAPL", "3", "99.50", "a")),),
        faults=(Fault(Trigger.TIME, 4000, FaultKind.CLOCK_STEP, -90_000),),
    )

    line = str(plan)

    assert plan == Plan.parse(line)
    assert "\n" not in line


@pytest.mark.parametrize("seed", range(200))
def test_every_generated_plan_comes_back_from_its_line(seed):
    plan = generate(seed)

    assert plan == Plan.parse(str(plan))
    assert plan == generate(seed)


def test_seeds_give_different_plans():
    assert 200 == len({str(generate(seed)).partition(" ")[2] for seed in range(200)})


def test_every_kind_of_fault_is_generated_but_those_that_break_the_venues_word():
    kinds = {fault.kind for seed in range(3_000) for fault in generate(seed).faults}

    assert {FaultKind.UNAUTHORIZED} == set(FaultKind) - kinds


def test_parts_may_be_left_out():
    assert Plan(seed=3) == Plan.parse("seed=3")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "fills=FULL",
        "seed=x",
        "seed=1 fills=SOME",
        "seed=1 weather=bad",
        "seed=1 actions=now:submit",
        "seed=1 actions=5:dance",
        "seed=1 faults=submit:reset_after",
        "seed=1 faults=submit#1:smile",
        "seed=1 faults=somewhere#1:reset_after",
        "seed=1 faults=submit#1:status:many",
    ],
)
def test_what_is_no_plan_is_refused(line):
    with pytest.raises(PlanError, match=r"^no (plan|action|fault)"):
        Plan.parse(line)


@pytest.mark.parametrize(
    ("text", "lasts_ms"),
    [
        ("time#1:mute:20000", 20_000),
        ("time#1:clock_step:-5000", 0),
        ("submit#1:throttled:5", 5_000),
        ("open#2:refuse_opens:3", 90_000),
        ("submit#1:reset_after", 0),
    ],
)
def test_a_fault_says_how_long_it_lasts(text, lasts_ms):
    assert lasts_ms == Fault.parse(text).lasts_ms
