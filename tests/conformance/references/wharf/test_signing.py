"""What shows wharf who sent a request: golden signatures, times and nonces."""

import hashlib
import hmac

import pytest

from dragoman.credentials import Credentials
from dragoman.transport.draft import RequestDraft
from dragoman_conformance.references.wharf.dialect.gate import signature_fault
from dragoman_conformance.references.wharf.rest import HISTORY, SUBMIT, TIME
from dragoman_conformance.references.wharf.signing import Nonces, WharfSigner, payload_of, target_of

AT_NS = 1_767_796_200_123_456_789
CREDENTIALS = Credentials({"key": "captain", "secret": "sealing wax of tests"})


@pytest.fixture
def signer():
    return WharfSigner(CREDENTIALS, lambda: AT_NS, Nonces(), check_time=nothing)


async def nothing():
    """Leave the time as it is."""


def draft(endpoint, **more):
    facts = {"base": "http://127.0.0.1:8790", "path": endpoint.path, "method": endpoint.method}
    return RequestDraft(endpoint=endpoint, **{**facts, **more})


def test_what_is_signed_is_what_is_sent(signer):
    asked = draft(HISTORY, query=(("symbol", "BTC/USD"), ("account", "é")))

    headers = dict(signer.sign(asked).headers)

    text = (
        "GET\n/v1/orders/history?symbol=BTC%2FUSD&account=%C3%A9\n1767796200123\n"
        f"{AT_NS}\n{hashlib.sha256(b'').hexdigest()}"
    )
    due = hmac.digest(b"sealing wax of tests", text.encode(), hashlib.sha256).hex()
    assert {
        "Wharf-Key": "captain",
        "Wharf-Timestamp": "1767796200123",
        "Wharf-Nonce": str(AT_NS),
        "Wharf-Signature": due,
    } == headers


def test_the_body_is_signed_byte_by_byte(signer):
    one, other = (
        dict(signer.sign(draft(SUBMIT, body=body)).headers)["Wharf-Signature"]
        for body in (b'{"a":1}', b'{"a": 1}')
    )

    assert one != other


def test_a_request_that_is_open_to_all_shows_the_key_alone(signer):
    assert (("Wharf-Key", "captain"),) == signer.sign(draft(TIME)).headers


def test_every_nonce_is_above_the_one_before():
    nonces = Nonces()

    found = [nonces.next(at_ns) for at_ns in (5, 5, 3, 9, 7)]
    nonces.learn(100)

    assert [5, 6, 7, 9, 10, 101] == [*found, nonces.next(11)]


def test_whoever_uses_one_key_takes_nonces_from_one_place():
    first = Nonces.of("a")

    assert first is Nonces.of("a")
    assert first is not Nonces.of("b")


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("ws://127.0.0.1:8790/v1/stream", "/v1/stream"),
        ("http://127.0.0.1/base/v1/x?a=%2F", "/base/v1/x?a=%2F"),
        ("http://127.0.0.1", "/"),
    ],
)
def test_the_target_is_path_and_query_as_they_stand(url, target):
    assert target == target_of(url)


def test_each_part_is_signed():
    parts = ("GET", "/v1/x", "1", "2", b"")
    others = ("PUT", "/v1/y", "3", "4", b"{}")
    found = {payload_of(*parts)}
    found |= {payload_of(*parts[:place], others[place], *parts[place + 1 :]) for place in range(5)}

    assert 6 == len(found)


def test_a_witness_finds_what_was_changed_on_the_way(signer):
    headers = dict(signer.proof("POST", "/v1/orders", b"{}"))
    shown = {name.upper(): text for name, text in headers.items()}
    known = {"key": "captain", "secret": "sealing wax of tests"}

    assert signature_fault("POST", "/v1/orders", shown, b"{}", known) is None
    assert signature_fault("POST", "/v1/orders", shown, b"{ }", known) is not None
    assert signature_fault("POST", "/v1/order", shown, b"{}", known) is not None
    assert signature_fault("POST", "/v1/orders", shown, b"{}", {**known, "key": "x"}) is not None


def test_no_secret_is_shown_by_a_signer(signer):
    assert "wax" not in repr(signer)
    assert "wax" not in repr(signer.sign(draft(SUBMIT)))
