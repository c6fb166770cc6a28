"""Recording a scenario: what is kept can be played again, and what must not be kept is not."""

import attrs
import pytest

from dragoman.errors import ConfigurationError, MissingCredentialsError
from dragoman_alpaca.conformance import SUBJECT as ALPACA
from dragoman_conformance.recording import record, recordable, with_credentials
from dragoman_conformance.references.subjects import WHARF
from dragoman_conformance.runner import play_one
from dragoman_conformance.subject import Hosts
from dragoman_conformance.verdicts import Ending
from dragoman_conformance.wire.recorder import RecordingError

RESTS = "field.an_order_rests_is_found_and_canceled"


@pytest.fixture(autouse=True)
def _is_no_ci(monkeypatch):
    monkeypatch.delenv("CI", raising=False)


def scenario(name=RESTS):
    (found,) = recordable([name])
    return found


def test_what_is_recorded_is_played_again_without_a_simulator(tmp_path):
    files = record(WHARF, scenario(), tmp_path, is_simulated=True)

    alone = attrs.evolve(WHARF, simulator=None, evidence=tmp_path)
    result = play_one(alone, scenario())
    assert [f"{RESTS}.yaml", f"{RESTS}.1.jsonl"] == [file.name for file in files]
    assert (Ending.COMPLETE, "") == (result.ending, result.message)
    assert [] == [check for check in result.checks if not check.held]


def test_no_credential_is_kept(tmp_path):
    files = record(WHARF, scenario(), tmp_path, is_simulated=True)

    text = "".join(file.read_text() for file in files)
    assert [] == [name for name, value in WHARF.canaries().items() if value in text]


def test_what_does_not_hold_is_not_kept(tmp_path):
    async def fails(play):
        play.check("FLD-020", held=False, why="1 expected, 2 found")

    wrong = attrs.evolve(scenario(), act=fails)
    with pytest.raises(RecordingError, match="does not hold: FLD-020: 1 expected, 2 found"):
        record(WHARF, wrong, tmp_path, is_simulated=True)

    assert [] == list(tmp_path.iterdir())


def test_nothing_is_recorded_in_a_run_of_ci(tmp_path, monkeypatch):
    monkeypatch.setenv("CI", "true")

    with pytest.raises(ConfigurationError, match="nothing is recorded in a CI's run"):
        record(WHARF, scenario(), tmp_path, is_simulated=True)


def test_a_subject_without_a_sandbox_can_not_be_recorded_there(tmp_path):
    subject = attrs.evolve(WHARF, hosts=Hosts())

    with pytest.raises(ConfigurationError, match="names no hosts of a sandbox"):
        record(subject, scenario(), tmp_path, is_simulated=False)


def test_scenarios_are_named_by_themselves_or_by_what_they_prove():
    assert [RESTS] == [one.name for one in recordable(["FLD-020"])]
    assert RESTS in [one.name for one in recordable([])]


@pytest.mark.parametrize("name", ["ORD-AMB-020", "nothing"])
def test_what_needs_a_market_of_the_kits_own_can_not_be_recorded(name):
    with pytest.raises(ConfigurationError, match="can't be recorded; what can: field"):
        recordable([name])


def test_credentials_come_from_the_variables_of_the_provider():
    variables = {"APCA_API_KEY_ID": "PK1", "APCA_API_SECRET_KEY": "s"}

    subject = with_credentials(ALPACA, variables)

    assert {"PK1", "s"} == set(subject.credentials.values())


def test_a_credential_that_is_missing_is_named_with_its_variables():
    with pytest.raises(MissingCredentialsError, match="set APCA_API_SECRET_KEY"):
        with_credentials(ALPACA, {"APCA_API_KEY_ID": "PK1"})
