import pytest

from dragoman.credentials import Credentials
from dragoman.errors import MissingCredentialsError
from dragoman.transport.draft import RequestDraft
from dragoman.transport.endpoint import Auth, Endpoint
from dragoman.transport.signatures import HmacSha256, base64_text
from dragoman.transport.signing import KeyHeaders, QuerySigner, Unsigned
from dragoman.transport.urls import encode_query

PUBLISHED = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
SECRETS = {"api_key": "canary", "api_secret": PUBLISHED}
ORDER = (
    ("side", "BUY"),
    ("type", "LIMIT"),
    ("timeInForce", "GTC"),
    ("quantity", "1"),
    ("price", "0.1"),
)
NOW_NS = 1_499_827_319_559_999_999


def draft(auth=Auth.SIGNED, **parts):
    endpoint = Endpoint(name="submit", method="POST", path="/order", auth=auth)
    return RequestDraft(
        **{"endpoint": endpoint, "method": "POST", "base": "https://x", "path": "/order"} | parts
    )


def signer(secrets=SECRETS, **terms):
    credentials = Credentials(secrets)
    parts = {
        "keys": KeyHeaders(credentials, {"X-MBX-APIKEY": "api_key"}),
        "signature": HmacSha256(credentials),
        "now_ns": lambda: NOW_NS,
        "receive_window_ms": 5000,
    }
    return QuerySigner(**parts | terms)


@pytest.mark.parametrize(
    ("symbol", "proof"),
    [
        ("LTCBTC", "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"),
        ("１２３４５６", "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3"),  # noqa: RUF001
    ],
)
def test_the_query_is_signed_as_the_venue_publishes(symbol, proof):
    signed = signer().sign(draft(query=(("symbol", symbol), *ORDER)))

    assert (
        ("symbol", symbol),
        *ORDER,
        ("recvWindow", "5000"),
        ("timestamp", "1499827319559"),
        ("signature", proof),
    ) == signed.query


def test_query_and_body_are_signed_with_nothing_in_between():
    seen = []

    class Recorder:
        def sign(self, payload):
            seen.append(payload)
            return b"\x01"

    signed = signer(signature=Recorder(), receive_window_ms=None).sign(
        draft(query=(("a", "x y"),), body=b"b=2")
    )

    assert [b"a=x%20y&timestamp=1499827319559b=2"] == seen
    assert "a=x%20y&timestamp=1499827319559&signature=01" == encode_query(signed.query)
    assert b"b=2" == signed.body


def test_each_attempt_is_dated_anew():
    times = iter([1_000_000, 2_000_000])
    fresh = signer(now_ns=lambda: next(times))

    queries = [dict(fresh.sign(draft()).query) for _ in range(2)]

    assert ["1", "2"] == [query["timestamp"] for query in queries]
    assert queries[0]["signature"] != queries[1]["signature"]


def test_the_spelling_of_the_signature_is_a_choice():
    signed = signer(encode=base64_text).sign(draft())

    assert signed.query[-1][1].endswith("=")


def test_a_key_endpoint_gets_the_key_and_no_signature():
    signed = signer().sign(draft(Auth.KEY, query=(("a", "1"),)))

    assert (("X-MBX-APIKEY", "canary"),) == signed.headers
    assert (("a", "1"),) == signed.query


def test_an_open_endpoint_gets_nothing_and_needs_no_credentials():
    plain = draft(Auth.NONE, query=(("a", "1"),))

    assert plain is signer({}).sign(plain)
    assert plain is Unsigned().sign(plain)


def test_headers_that_are_there_already_stay_first():
    signed = signer().sign(draft(headers=(("X-A", "1"),)))

    assert (("X-A", "1"), ("X-MBX-APIKEY", "canary")) == signed.headers


def test_a_missing_key_is_named():
    with pytest.raises(MissingCredentialsError, match="'api_key'"):
        signer({"api_secret": "x"}).sign(draft())


async def test_signing_with_keys_needs_no_preparation():
    plain = draft()

    for one in (signer(), signer().keys, Unsigned()):
        assert await one.prepare(plain) is None


def test_neither_signer_nor_signed_draft_shows_a_secret():
    signing = signer()
    signed = signing.sign(draft())

    shown = repr(signing) + repr(signed) + str(signed) + f"{signing}"

    assert not [text for text in (*SECRETS.values(), signed.query[-1][1]) if text in shown]
