"""The pool: subjects that print, block, die or can't be loaded, in processes of their own."""

import pytest

from dragoman.errors import ConfigurationError
from dragoman_conformance.pool import Pool
from dragoman_conformance.scenario import all_scenarios
from dragoman_conformance.verdicts import Ending

SUBJECTS = """
import os, sys, time

from dragoman_conformance.references.subjects import WHARF
from dragoman_conformance.selftest.mutant import Plant


def planted(**members):
    ground = Plant(WHARF)
    ground.adapter(lambda base: type("Odd", (base,), members))
    with ground.grown() as subject:
        return subject


async def block(self):
    time.sleep(600)


async def die(self):
    print("the last words", file=sys.stderr)
    os._exit(7)


class Talkative:
    def __get__(self, adapter, owner):
        print("to standard output", flush=True)
        os.write(1, b"{}\\n")
        sys.stdin.read()
        return WHARF_CAPABILITIES


from dragoman_conformance.references.wharf.capabilities import CAPABILITIES as WHARF_CAPABILITIES

SOUND = WHARF
BLOCKING = planted(open=block)
DYING = planted(open=die)
TALKATIVE = planted(capabilities=Talkative())
NO_SUBJECT = "no subject"
"""
BROKEN = "raise RuntimeError('half written')"


@pytest.fixture(autouse=True)
def _subjects(tmp_path, monkeypatch):
    (tmp_path / "odd_subjects.py").write_text(SUBJECTS)
    (tmp_path / "half_written.py").write_text(BROKEN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


@pytest.fixture(scope="module")
def scenarios():
    """A few scenarios that begin by opening the adapter."""
    return tuple(one for one in all_scenarios() if one.is_smoke)[:4]


async def played(subject, scenarios, **options):
    told = []
    async with Pool(f"odd_subjects:{subject}", **options) as pool:
        return await pool.play(scenarios, told.append), told


async def test_results_come_sorted_and_are_the_same_whoever_played_them(scenarios):
    together, told = await played("SOUND", scenarios[::-1], workers=2)
    alone, _ = await played("SOUND", scenarios, workers=1)

    assert sorted(one.name for one in scenarios) == [one.scenario for one in together]
    assert sorted(told, key=lambda one: one.scenario) == list(together)
    assert alone == together


async def test_what_an_adapter_prints_or_reads_spoils_nothing(scenarios):
    results, _ = await played("TALKATIVE", scenarios[:1])

    assert [Ending.COMPLETE] == [one.ending for one in results]


async def test_a_subject_that_blocks_is_killed_and_after_three_times_played_no_more(scenarios):
    results, _ = await played("BLOCKING", scenarios[:4], deadline_s=1.0, workers=1)

    assert [Ending.HUNG] * 4 == [one.ending for one in results]
    assert [one.proves for one in scenarios[:4]] == [one.proves for one in results]
    told = [one.message.partition(":")[0] for one in results]
    assert ["not done within 1 s of wall time"] * 3 + ["not played"] == told


async def test_a_subject_that_dies_fails_what_it_was_at_and_the_next_one_is_played(scenarios):
    results, _ = await played("DYING", scenarios[:2], workers=1)

    assert [Ending.RAISED] * 2 == [one.ending for one in results]
    assert all(
        "the process ended while it was played: the last words" in one.message for one in results
    )


async def test_the_facts_are_those_of_the_subject():
    async with Pool("odd_subjects:SOUND") as pool:
        facts = await pool.facts()

    assert ("wharf", "wharf") == (facts.name, facts.provider)
    assert "orders.limit" in facts.declared
    assert facts.is_simulated_venue


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("odd_subjects:NO_SUBJECT", "is no dragoman_conformance.Subject"),
        ("half_written:SUBJECT", "half written"),
        ("nobody", "no subject 'nobody'. Installed:"),
    ],
    ids=["no-subject", "raises", "no-name"],
)
async def test_a_subject_that_can_not_be_loaded_is_a_wrong_declaration(name, told):
    async with Pool(name) as pool:
        with pytest.raises(ConfigurationError) as raised:
            await pool.facts()

    assert told in str(raised.value)
