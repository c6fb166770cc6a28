import json

import pytest
from cyclopts import CycloptsError

from dragoman import errors
from dragoman.cli.exit_codes import ExitCode
from dragoman.cli.problems import StillOpenError, problem_of, worst
from dragoman.errors import DragomanError, Outcome, RejectReason


def every_class():
    return [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, DragomanError)
    ]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.OrderRejectedError, 1),
        (errors.ConflictError, 1),
        (errors.NotFoundError, 1),
        (errors.InvalidOrderError, 2),
        (errors.UnsupportedError, 2),
        (errors.UnknownInstrumentError, 2),
        (errors.LimitExceededError, 2),
        (errors.ConfigurationError, 3),
        (errors.UnknownProviderError, 3),
        (errors.MissingCredentialsError, 3),
        (errors.MissingDependencyError, 3),
        (errors.AuthenticationError, 3),
        (errors.PermissionDeniedError, 3),
        (errors.OutcomeUnknownError, 4),
        (errors.ConnectFailedError, 5),
        (errors.VenueUnavailableError, 5),
        (errors.RateLimitedError, 5),
        (errors.DecodeError, 5),
        (errors.ReconcilingError, 5),
        (errors.HaltedError, 6),
    ],
)
def test_exit_code_follows_the_class(kind, code):
    assert code == problem_of(kind("no")).exit_code


@pytest.mark.parametrize("kind", every_class())
def test_unknown_outcome_always_exits_4(kind):
    error = kind("no")
    error.outcome = Outcome.UNKNOWN

    found = problem_of(error)

    assert ExitCode.UNKNOWN == found.exit_code
    assert "never send it again" in found.next_step


@pytest.mark.parametrize("kind", every_class())
def test_every_error_is_one_line_with_a_next_step(kind):
    line = problem_of(kind("first\nsecond\x1b[31m")).line

    assert line.isprintable()
    assert "first" in line
    assert line.partition(". Next: ")[2]


def test_what_was_never_sent_is_not_called_refused_by_the_venue():
    error = errors.NotFoundError("no such order", outcome=Outcome.NOT_SENT)

    assert ExitCode.NOT_SENT == problem_of(error).exit_code


def test_reason_of_a_rejection_is_told():
    error = errors.OrderRejectedError("refused", reason=RejectReason.MARKET_CLOSED)

    assert "refused (MARKET_CLOSED)" in problem_of(error).line


def test_json_of_a_problem_has_every_fact():
    error = errors.OutcomeUnknownError("lost", client_order_id="a1", provider="mock", code="E7")

    told = json.loads(problem_of(error).json)["error"]

    assert "OutcomeUnknownError" == told["type"]
    assert ("UNKNOWN", "a1", "mock", "E7") == (
        told["outcome"],
        told["client_order_id"],
        told["provider"],
        told["code"],
    )
    assert 4 == told["exit_code"]


def test_words_of_the_library_become_words_of_the_command_line():
    error = errors.ConfigurationError("choose one with account_id=; toy has: a, b")

    assert "choose one with --account; toy has: a, b" in problem_of(error).line


def test_wrong_usage_names_the_help_of_the_command():
    found = problem_of(CycloptsError(msg="Unknown option"), "buy")

    assert (ExitCode.NOT_SENT, True) == (found.exit_code, "`dragoman buy --help`" in found.line)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StillOpenError("open"), ExitCode.STILL_OPEN),
        (PermissionError("no"), ExitCode.CONFIGURATION),
        (ZeroDivisionError("oops"), ExitCode.BUG),
    ],
)
def test_other_errors_have_codes_of_their_own(error, code):
    assert code == problem_of(error).exit_code


def test_unknown_fate_outweighs_every_other_result():
    found = [errors.OrderRejectedError("no"), errors.OutcomeUnknownError("?"), errors.BusyError("")]

    assert (ExitCode.UNKNOWN, ExitCode.DONE) == (worst(found), worst([]))
