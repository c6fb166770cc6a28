"""Errors: what the caller does next, and what the venue knows."""

import copy
import inspect
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman import errors
from dragoman.errors import DragomanError, InvalidValueError, Outcome, Violation

OUTCOMES = {
    "DragomanError": None,
    "ConfigurationError": Outcome.NOT_SENT,
    "UnknownProviderError": Outcome.NOT_SENT,
    "MissingCredentialsError": Outcome.NOT_SENT,
    "MissingDependencyError": Outcome.NOT_SENT,
    "RequestError": Outcome.NOT_SENT,
    "UnsupportedError": Outcome.NOT_SENT,
    "InvalidValueError": Outcome.NOT_SENT,
    "InvalidOrderError": Outcome.NOT_SENT,
    "UnknownInstrumentError": Outcome.NOT_SENT,
    "AmbiguousInstrumentError": Outcome.NOT_SENT,
    "DuplicateOrderError": Outcome.NOT_SENT,
    "LimitExceededError": Outcome.NOT_SENT,
    "TransportError": None,
    "ConnectFailedError": Outcome.NOT_SENT,
    "OutcomeUnknownError": Outcome.UNKNOWN,
    "StreamLostError": None,
    "CircuitOpenError": Outcome.NOT_SENT,
    "VenueError": Outcome.REJECTED,
    "AuthenticationError": Outcome.REJECTED,
    "PermissionDeniedError": Outcome.REJECTED,
    "OrderRejectedError": Outcome.REJECTED,
    "NotFoundError": Outcome.REJECTED,
    "ConflictError": Outcome.REJECTED,
    "BusyError": None,
    "RateLimitedError": None,
    "VenueUnavailableError": None,
    "WaitTimeoutError": None,
    "ProtocolError": None,
    "DecodeError": None,
    "UnmappedValueError": None,
    "SequenceGapError": None,
    "LifecycleError": Outcome.NOT_SENT,
    "NotConnectedError": Outcome.NOT_SENT,
    "ClosedError": Outcome.NOT_SENT,
    "HaltedError": Outcome.NOT_SENT,
    "ReconcilingError": Outcome.NOT_SENT,
    "JournalUnavailableError": Outcome.NOT_SENT,
    "AccountLockedError": Outcome.NOT_SENT,
}
PARENTS = {
    "InvalidOrderError": ("InvalidValueError", "RequestError"),
    "UnknownProviderError": ("ConfigurationError",),
    "OutcomeUnknownError": ("TransportError",),
    "OrderRejectedError": ("VenueError",),
    "RateLimitedError": ("BusyError",),
    "DecodeError": ("ProtocolError",),
    "HaltedError": ("LifecycleError",),
}


def pickled(error):
    return pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes


def error_classes():
    exported = {name: getattr(errors, name) for name in errors.__all__}
    return {
        name: each
        for name, each in exported.items()
        if inspect.isclass(each) and issubclass(each, DragomanError)
    }


def test_the_table_of_outcomes_is_complete():
    assert set(OUTCOMES) == set(error_classes())


@pytest.mark.parametrize(("name", "outcome"), OUTCOMES.items(), ids=OUTCOMES)
def test_a_class_says_what_the_venue_knows(name, outcome):
    error = getattr(errors, name)("message")

    assert outcome is error.outcome
    assert ("message", "message") == (error.message, str(error))


@pytest.mark.parametrize(("name", "parents"), PARENTS.items(), ids=PARENTS)
def test_a_class_stands_under_the_next_step(name, parents):
    ancestors = {each.__name__ for each in getattr(errors, name).__mro__}

    assert {*parents, "DragomanError"} <= ancestors


def test_a_value_out_of_its_domain_is_a_value_error():
    assert issubclass(InvalidValueError, ValueError)


def test_the_outcome_belongs_to_the_instance():
    error = errors.RateLimitedError("slow down", outcome=Outcome.REJECTED, retry_after=1.5)

    assert (Outcome.REJECTED, 1.5) == (error.outcome, error.retry_after)
    assert errors.RateLimitedError("slow down").outcome is None


def test_a_class_may_be_raised_after_bytes_were_written():
    error = errors.ConnectFailedError("reset", outcome=Outcome.UNKNOWN)

    assert Outcome.UNKNOWN is error.outcome


def test_the_venue_s_facts_are_kept_verbatim():
    error = errors.VenueError("no", provider="mock", code="-2010", request_id="r-1")

    assert ("mock", "-2010", "r-1", None) == (
        error.provider,
        error.code,
        error.request_id,
        error.retry_after,
    )


def test_an_unknown_outcome_names_its_order_and_reason():
    error = errors.OutcomeUnknownError(
        "timeout", reason=errors.UnknownReason.TIMEOUT, client_order_id="a", code="504"
    )

    assert ("TIMEOUT", "a", "504") == (error.reason, error.client_order_id, error.code)


def test_a_rejection_names_its_order_and_reason():
    error = errors.OrderRejectedError(
        "no", reason=errors.RejectReason.MARKET_CLOSED, client_order_id="a", provider="mock"
    )

    assert ("MARKET_CLOSED", "a", "mock") == (error.reason, error.client_order_id, error.provider)


@pytest.mark.parametrize("name", OUTCOMES)
def test_every_error_may_carry_every_fact(name):
    facts = {
        "provider": "mock",
        "code": "-2010",
        "request_id": "r-1",
        "outcome": Outcome.UNKNOWN,
        "retry_after": 1.5,
    }

    error = getattr(errors, name)("message", **facts)

    assert facts == {fact: getattr(error, fact) for fact in facts}


@pytest.mark.parametrize("name", OUTCOMES)
def test_no_error_takes_a_fact_it_does_not_know(name):
    with pytest.raises(TypeError, match=r"provder"):
        getattr(errors, name)("message", provder="mock")


@pytest.mark.parametrize("kind", [InvalidValueError, errors.DecodeError])
def test_violations_stand_in_the_message(kind):
    found = [Violation.of("quantity", 0, "above 0"), Violation.of("side", None, "BUY")]

    error = kind.of("OrderRequest", found)

    assert tuple(found) == error.violations
    assert (
        "OrderRequest: quantity: found 0; allowed: above 0; side: found None; allowed: BUY"
    ) == str(error)


@pytest.mark.parametrize("name", OUTCOMES)
@pytest.mark.parametrize("transfer", [copy.copy, copy.deepcopy, pickled])
def test_an_error_survives_a_process_boundary(name, transfer):
    error = getattr(errors, name)("message", provider="mock")

    again = transfer(error)

    assert type(error) is type(again)
    assert vars(error) == vars(again)


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        ("a", "'a'"),
        ("a\r\nb\x00", r"'a\r\nb\x00'"),
        ("x" * 81, "'" + "x" * 80 + "'... (81 long)"),
        (b"\x00", r"b'\x00'"),
        (None, "None"),
        (1.5, "1.5"),
        (10**5000, "an integer of 16610 bits"),
        (["x" * 100], "['" + "x" * 78 + "..."),
    ],
    ids=["text", "control", "long", "bytes", "none", "float", "huge", "list"],
)
def test_what_was_found_is_shown_shortly_and_escaped(found, shown):
    assert shown == Violation.of("field", found, "").found


def test_an_object_that_prints_control_characters_is_escaped():
    class Sly:
        def __str__(self):
            return "a\nERROR forged"

    assert r"'a\nERROR forged'" == Violation.of("field", Sly(), "").found


@given(st.text() | st.binary() | st.integers() | st.lists(st.text()))
def test_what_was_found_fits_one_line(found):
    shown = Violation.of("field", found, "").found

    assert shown.isprintable()
    assert len(shown) < 500
