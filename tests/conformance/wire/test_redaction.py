"""Redaction: what goes, what stays, and that nothing gets past it in any form."""

import base64
import json
from urllib.parse import quote

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman_conformance.verdicts import Basis
from dragoman_conformance.wire.cassette import (
    AskedRequest,
    Cassette,
    CassetteMetadata,
    Interaction,
    ToldResponse,
    write_cassette,
)
from dragoman_conformance.wire.pseudonyms import pseudonym
from dragoman_conformance.wire.redaction import (
    Allowance,
    LeakError,
    RedactionPolicy,
    Redactor,
)
from dragoman_conformance.wire.shapes import suspects
from dragoman_conformance.wire.transcript import parse_transcript, write_transcript
from dragoman_conformance.wire.unwrapping import views

SECRETS = {"api_key": "Kx-key/of+tests", "api_secret": "Zq secret&of:tests="}
METADATA = CassetteMetadata(provenance=Basis.SIMULATED, redaction=None)
JSON = (("Content-Type", "application/json"),)
HEAD = json.dumps(
    {"v": 1, "kind": "ws", "path": "/s", "provenance": "documented", "protocol": "a", "read": "x"}
)


def tape(told=b"{}", *, uri="https://a.example/x", body=b"", asked=JSON, headers=JSON):
    one = Interaction(
        request=AskedRequest(method="POST", uri=uri, headers=asked, body=body),
        response=ToldResponse(status=200, reason="OK", headers=headers, body=told),
    )
    return Cassette(metadata=METADATA, interactions=(one,), place="a.yaml")


def redactor(**facts):
    return Redactor(RedactionPolicy(**{"salt": "acme", "secrets": SECRETS, **facts}))


def redacted(cassette, **facts):
    made = redactor(**facts)
    made.learn_from([cassette])
    return made.redact_cassette(cassette).interactions[0]


def test_only_harmless_headers_stay():
    asked = (("Content-Type", "a/b"), ("Authorization", "x"), ("X-New", "y"), ("Cookie", "z"))
    told = (("Date", "d"), ("X-RateLimit-Left", "1"), ("Set-Cookie", "s"), ("X-Own", "o"))

    found = redacted(tape(asked=asked, headers=told), headers=("x-own",))

    assert (("Content-Type", "a/b"),) == found.request.headers
    assert (("Date", "d"), ("X-RateLimit-Left", "1"), ("X-Own", "o")) == found.response.headers


WEB_TOKEN = ".".join(("eyJhbGciOiJIUzI1NiJ9", *("eyJzdWIiOiIxMjM0In0", "c2lnbmF0dXJl")))


def test_secrets_become_their_names_and_the_rest_stays_to_the_byte():
    body = b'{"k":  "Kx-key/of+tests", "q": 1.10, "s":"\\u00e9"}'
    uri = f"https://{'u' + ':p'}@a.example/x?k={quote(SECRETS['api_secret'], safe='')}&z=1"

    found = redacted(tape(body, uri=uri))

    assert b'{"k":  "<API_KEY>", "q": 1.10, "s":"\\u00e9"}' == found.response.body
    assert "https://a.example/x?k=<API_SECRET:url>&z=1" == found.request.uri


def test_signatures_are_masked_wherever_they_stand():
    uri, body = "https://a.example/x?a=1&Signature=abc", b'{"sign" : "d\\"ef", "b": 1.10}'

    found = redacted(tape(uri=uri, body=body), signatures=("signature", "sign"))

    assert "https://a.example/x?a=1&Signature=<SIG>" == found.request.uri
    assert b'{"sign" : "<SIG>", "b": 1.10}' == found.request.body


def test_what_the_venue_gave_out_is_masked_wherever_it_is_used():
    login = tape(b'{"access_token":"abcdefgh-12","expires_in":3600}').interactions[0]
    use = tape(uri="https://a.example/x/abcdefgh-12?listenKey=QWERTYUIOP").interactions[0]
    again = tape(b'{"access_token":"zyxwvu-987"}').interactions[0]
    cassette = attrs.evolve(tape(), interactions=(login, use, again))
    made = redactor()
    made.learn_from([cassette])

    first, second, third = made.redact_cassette(cassette).interactions
    assert b'{"access_token":"<ACCESS_TOKEN>","expires_in":3600}' == first.response.body
    assert "https://a.example/x/<ACCESS_TOKEN>?listenKey=<LISTENKEY>" == second.request.uri
    assert b'{"access_token":"<ACCESS_TOKEN_2>"}' == third.response.body


def test_accounts_get_pseudonyms_that_hold_together():
    body = b'{"account_id":"A-1234567","login":987654,"total":"987654.5"}'
    found = redacted(
        tape(body, uri="https://a.example/A-1234567/x"), pseudonyms=("Account_ID", "login")
    )

    made = json.loads(found.response.body)
    assert "A-1234567" != made["account_id"]
    assert f"https://a.example/{made['account_id']}/x" == found.request.uri
    assert (True, 6, "987654.5") == (
        made["login"] != 987654,
        len(str(made["login"])),
        made["total"],
    ) or made["total"].endswith(".5")


def test_a_number_that_holds_an_account_number_stays():
    found = redacted(tape(b'{"account_id":"12345","n":"9123456"}'), pseudonyms=("account_id",))

    assert b'"n":"9123456"' in found.response.body


def test_a_transcript_is_redacted_alike():
    text = f"""{HEAD}
{{"d":">","op":"text","json":{{"key":"Kx-key/of+tests","n":1.10}}}}
{{"d":"<","op":"bin","bin":"{base64.b64encode(b"Kx-key/of+tests").decode()}"}}
{{"d":"<","op":"text","data":"{{\\"listen_key\\":\\"abcdefgh\\"}}"}}
{{"d":"<","op":"text","data":"abcdefgh"}}"""
    transcript = parse_transcript(text, "a.ndjson")
    made = redactor()
    made.learn_from([], [transcript])

    written = write_transcript(made.redact_transcript(transcript))
    assert '"json": {"key":"<API_KEY>","n":1.10}' in written
    assert base64.b64encode(b"<API_KEY>").decode() in written
    assert 2 == written.count("<LISTEN_KEY>")


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        (f'{{"t":"{WEB_TOKEN}"}}', "a JWT"),
        ("Bearer abcdefgh.1234", "a bearer token"),
        (f"-----BEGIN {'PRIVATE'} KEY-----", "a private key"),
        ("0123456789abcdef0123456789abcdef", "long hexadecimal"),
        ("Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5", "a random token"),
        ("aB3/dE5+gH7/jK9lM1nO3pQ5/sT7uV9wX1yZ", "a random token"),
        ("jane.doe@broker.example", "an e-mail address"),
        ("203.0.113.7", "an IP address"),
        ("GB82WEST12345698765432", "an IBAN"),
        ("+44 20 7946 0958", "a phone number"),
    ],
)
def test_what_looks_like_a_secret_ends_the_saving(text, shape):
    with pytest.raises(LeakError, match=rf"interactions\[0\]\.response\.body: .*{shape}") as told:
        redacted(tape(json.dumps({"note": text}).encode()))

    assert text not in str(told.value)


@pytest.mark.parametrize(
    "text",
    [
        "904837e3-3b76-47ec-b432-046db621571b",
        "AAPL240419P00140000",
        "2022-05-27T10:18:00.014137774336Z",
        "/v2/stocks/AAPL/quotes/latest?feed=sip&Limit=1000",
        "https://data.alpaca.markets/v1beta1/options/quotes/latest",
        "127.0.0.1",
        "1.2.3.999",
        "getMultiTradesStocks-example-1",
        "MultiTradesResponse/multiTradesResponse-with-multiple-symbols-1",
        "1234567890123456789012345678901234567890",
        "insufficient_buying_power_for_This_order_1",
        "<API_KEY:base64> <SIG>",
        "1.10E+23 +00:00 100000.10000000000000001",
    ],
)
def test_what_every_venue_says_does_not(text):
    assert [] == list(suspects(text))


def test_what_is_allowed_with_a_reason_stays():
    token = "QUFQTHxNfDIwMjItMDEtMDNU"
    allowance = Allowance(pattern="[A-Za-z0-9]{24}=*", reason="a page token of the venue")

    assert token in write_cassette(
        attrs.evolve(
            tape(), interactions=(redacted(tape(token.encode()), allowances=(allowance,)),)
        )
    )
    with pytest.raises(ValueError, match="reason"):
        Allowance(pattern="x", reason="")


FORMS = {
    "raw": lambda text: text,
    "json": lambda text: json.dumps(text)[1:-1],
    "slashed": lambda text: text.replace("/", "\\/"),
    "escaped": lambda text: "".join(f"\\u{ord(one):04x}" for one in text),
    "url": lambda text: quote(text, safe=""),
    "url-twice": lambda text: quote(quote(text, safe=""), safe=""),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64-within": lambda text: base64.b64encode(f"x{text}yz".encode()).decode(),
    "base64-url": lambda text: base64.urlsafe_b64encode(f"ab{text}".encode()).decode(),
    "basic": lambda text: base64.b64encode(f"{SECRETS['api_key']}:{text}".encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "hex-upper": lambda text: text.encode().hex().upper(),
    "reversed": lambda text: text[::-1],
    "upper": str.upper,
    "json-in-json": lambda text: json.dumps(json.dumps({"a": text}))[1:-1],
    "base64-in-url": lambda text: quote(base64.b64encode(text.encode()).decode(), safe=""),
}
secrets = st.text(
    st.sampled_from("abcdefghijkmnpqrstuvwxyzABCDEFGHIJK23456789+/=-_:&~ é"),
    min_size=8,
    max_size=40,
).filter(lambda text: len(set(text)) > 4 and text == text.strip())
names = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,12}", fullmatch=True)


def places(name, form):
    """Return cassettes that tell a form of the secret in every place where one can stand."""
    value = "é" + form + "-"
    as_header = quote(form, safe="!#$%&'()*+,-./:;<=>?@[]_~ ")
    yield tape(asked=((name, as_header),))
    yield tape(headers=((f"X-{name}", as_header), ("Retry-After", as_header)))
    yield tape(json.dumps({name: value, "n": [value]}).encode())
    yield tape(f'{{"{name}": "{form}"}}'.encode())
    yield tape(value.encode(), body=f"{name}={quote(form, safe='')}&a=1".encode())
    yield tape(value.encode("latin-1", "replace"))
    yield tape(uri=f"https://a.example/{quote(form, safe='')}/x?{name}={quote(form, safe='')}")


@given(names, st.sampled_from(sorted(FORMS)), secrets)
def test_no_form_of_a_secret_ever_gets_to_a_file(name, form, secret):
    policy = RedactionPolicy(salt="acme", secrets={**SECRETS, "other": secret})
    formed = FORMS[form](secret)
    for cassette in places(name, formed):
        made = Redactor(policy)
        made.learn_from([cassette])
        try:
            told = write_cassette(made.redact_cassette(cassette))
        except LeakError as error:
            told = str(error)
        assert not [view for view in views(told) if secret.casefold() in view.casefold()]
        assert formed not in told


@given(secrets)
def test_no_secret_stands_in_what_a_policy_shows(secret):
    made = RedactionPolicy(salt="acme", secrets={"other": secret}, known_pseudonyms=(secret,))

    assert secret not in repr(made)


@given(st.from_regex(r"[A-Z]{0,2}[0-9a-z-]{4,12}", fullmatch=True), st.sampled_from(["a", "b"]))
def test_a_pseudonym_has_the_form_of_the_value(value, salt):
    made = pseudonym(value, salt)

    def form(text):
        return [(one.isdigit(), one.islower(), one.isupper()) for one in text]

    assert form(value) == form(made)
    assert made == pseudonym(value, salt)
    assert ("0" == value[0]) == ("0" == made[0]) or value[0] == "0"


def test_pseudonyms_of_one_form_are_never_the_same():
    values = [f"{number:05d}" for number in range(10_000, 20_000)]

    made = {pseudonym(value, "acme") for value in values}

    assert (len(values), True) == (len(made), all(one[0] != "0" for one in made))
    assert pseudonym("12345", "acme") != pseudonym("12345", "other")


def test_a_uuid_stays_one_of_its_version():
    made = pseudonym("904837e3-3b76-47ec-b432-046db621571b", "acme")

    assert ("4", "b") == (made[14], made[19])
    assert set(made) <= set("0123456789abcdef-")
