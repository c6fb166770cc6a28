"""The kit's own look at wharf's signatures."""

import hashlib
import hmac

import pytest

from dragoman_conformance.references.wharf import signing
from dragoman_conformance.references.wharf.verify import signature_fault

CREDENTIALS = {"key": "k1", "secret": "topsecret"}
TARGET = "/v1/orders?account=a%20b&x=1"
HEADERS = {
    "wharf-key": "k1",
    "wharf-timestamp": "1767787200000",
    "wharf-nonce": "1767787200000000001",
}


def signed(target=TARGET, body=b"{}", **changes):
    headers = {**HEADERS, **changes}
    payload = signing.payload_of(
        "POST", TARGET, headers["wharf-timestamp"], headers["wharf-nonce"], b"{}"
    )
    right = hmac.new(b"topsecret", payload, hashlib.sha256).hexdigest()
    headers["wharf-signature"] = changes.get("wharf-signature", right)
    return signature_fault("POST", target, headers, body, CREDENTIALS)


def test_a_right_signature_has_no_fault():
    assert signed() is None


@pytest.mark.parametrize(
    "changes",
    [
        {"target": "/v1/orders?x=1&account=a%20b"},
        {"target": "/v1/orders?account=a b&x=1"},
        {"body": b"{ }"},
        {"wharf-signature": "00"},
        {"wharf-key": "k2"},
    ],
    ids=["order", "escape", "body", "signature", "key"],
)
def test_what_was_not_signed_is_a_fault(changes):
    assert signed(**changes) is not None


def test_an_unsigned_request_is_a_fault():
    fault = signature_fault("GET", "/v1/accounts", {}, b"", CREDENTIALS)

    assert "not signed" in fault


def test_the_time_is_open_to_all():
    assert signature_fault("GET", "/v1/time", {}, b"", CREDENTIALS) is None
