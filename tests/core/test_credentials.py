"""A secret never shows, in any form, whatever is done to the object that holds it."""

import base64
import copy
import io
import json
import logging
import pickle
import pprint
import reprlib
import traceback
import urllib.parse
from string import Template

import attrs
import pytest

from dragoman.adapter import AdapterContext, Environment
from dragoman.credentials import Credentials, Secret
from dragoman.errors import Violation

CANARY = "k9Zt+Qw/7Xe=Lr2Vb8Nc4Mj6Hg1Fd3Sa5Po0Iu!?"
FORMS = (
    CANARY,
    CANARY[:8],
    CANARY[-8:],
    base64.b64encode(CANARY.encode()).decode(),
    CANARY.encode().hex(),
    urllib.parse.quote(CANARY, safe=""),
)


@attrs.frozen
class Holder:
    name: str
    secret: object


def context():
    credentials = Credentials({"api_secret": CANARY})
    return AdapterContext(
        provider="mock", environment=Environment.SIMULATED, credentials=credentials
    )


HOLDERS = {
    "secret": lambda: Secret(CANARY),
    "credentials": lambda: Credentials({"api_secret": CANARY, "api_key": Secret(CANARY)}),
    "context": context,
    "list": lambda: [Secret(CANARY)],
    "dict": lambda: {"a": Secret(CANARY)},
    "attrs": lambda: Holder("a", Secret(CANARY)),
}


def logged(holder):
    stream = io.StringIO()
    record = logging.LogRecord("a", logging.INFO, "p", 1, "%s %r", (holder, holder), None)
    handler = logging.StreamHandler(stream)
    handler.handle(record)
    return stream.getvalue()


def raised(holder):
    with pytest.raises(HoldsSecretError) as caught:
        fail(holder)
    found = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    return "".join(found.format())


class HoldsSecretError(Exception):
    pass


def fail(holder):
    raise HoldsSecretError(holder)


def asdict(holder):
    return repr(attrs.asdict(holder) if attrs.has(type(holder)) else holder)


SHOWS = {
    "repr": repr,
    "str": str,
    "format": lambda holder: format(holder, ""),
    "f-string": lambda holder: f"{holder} {holder!r} {holder!s} {holder!a}",
    "percent": lambda holder: "%s %r" % (holder, holder),  # noqa: UP031 - one more way to print
    "template": lambda holder: Template("$a").substitute(a=holder),
    "pprint": pprint.pformat,
    "reprlib": reprlib.repr,
    "json": lambda holder: json.dumps(holder, default=repr),
    "asdict": asdict,
    "log": logged,
    "traceback with locals": raised,
    "violation": lambda holder: str(Violation.of("key", holder, "a key")),
    "copy": lambda holder: repr(copy.copy(holder)),
}


@pytest.mark.parametrize("show", SHOWS)
@pytest.mark.parametrize("holder", HOLDERS)
def test_a_secret_never_shows(holder, show):
    shown = SHOWS[show](HOLDERS[holder]())

    assert [] == [form for form in FORMS if form in shown]
    assert shown


@pytest.mark.parametrize("holder", sorted({*HOLDERS} - {"context"}))
def test_a_deep_copy_shows_as_little(holder):
    shown = repr(copy.deepcopy(HOLDERS[holder]()))

    assert [] == [form for form in FORMS if form in shown]
    assert "<secret>" in shown or "Credentials(" in shown


@pytest.mark.parametrize(
    "make", [HOLDERS["secret"], HOLDERS["credentials"]], ids=["secret", "credentials"]
)
def test_there_is_no_state_to_take(make):
    with pytest.raises(TypeError, match=r"vars"):
        vars(make())
    with pytest.raises(TypeError, match=r"no state"):
        make().__getstate__()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("holder", HOLDERS)
def test_a_secret_can_not_be_pickled(holder, protocol):
    with pytest.raises(TypeError, match=r"can't be pickled|cannot pickle"):
        pickle.dumps(HOLDERS[holder](), protocol)


@pytest.mark.parametrize(("spec", "text"), [("", "<secret>"), (">10", "  <secret>"), (".3", "<se")])
def test_a_format_shapes_the_mask_alone(spec, text):
    assert text == format(Secret(CANARY), spec)


def test_a_secret_is_revealed_on_request():
    assert CANARY == Secret(CANARY).reveal()
    assert CANARY == Credentials({"key": CANARY})["key"]


def test_secrets_are_equal_by_text():
    assert Secret("a") == Secret("a")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert Secret("é\ud800") == Secret("é\ud800")


def test_a_copy_is_the_secret_itself():
    secret, credentials = Secret("a"), Credentials({"a": "b"})

    assert copy.copy(secret) is secret is copy.deepcopy(secret)
    assert copy.copy(credentials) is credentials is copy.deepcopy(credentials)


def test_credentials_show_their_names_sorted():
    credentials = Credentials({"b": "1", "a": Secret("2")})

    assert ("a", "b") == credentials.names
    assert "Credentials(a, b)" == repr(credentials)


def test_a_name_that_was_not_given_is_missing():
    credentials = Credentials()

    assert "key" not in credentials
    assert "key" in Credentials({"key": "a"})
    with pytest.raises(KeyError, match=r"key"):
        credentials["key"]
