"""Policy r1: what may be kept of a recording, and in which words.

Headers are dropped unless they are known to tell nothing. Secrets go by value, in every form that
is known; what the venue gave out while it was recorded (tokens, listen keys) goes by the name of
its field. Account numbers become pseudonyms, signatures `<SIG>`. Then everything is searched again,
also within what is encoded, for secrets and for what merely looks like one: a find ends the saving,
and nothing is written.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import DragomanError

from .cassette import write_cassette
from .evidence import EvidenceError, Fields
from .exact_json import read_json, write_json
from .field_values import FieldValues, mask_fields
from .pseudonyms import pseudonym
from .secret_forms import SIGNATURE, forms_of
from .shapes import suspects
from .transcript import write_transcript
from .unwrapping import views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from .cassette import Cassette, Headers, Interaction
    from .transcript import Transcript, TranscriptEvent

__all__ = [
    "POLICY",
    "Allowance",
    "LeakError",
    "Leftover",
    "RedactionPolicy",
    "Redactor",
    "read_allowances",
]

POLICY: Final = "r1"
"""What the files name that are redacted like this."""

_REQUEST_HEADERS: Final = frozenset({"accept", "content-type"})
_RESPONSE_HEADERS: Final = frozenset(
    {
        "content-type",
        "date",
        "etag",
        "location",
        "request-id",
        "retry-after",
        "x-request-id",
    }
)
_RESPONSE_BEGINNINGS: Final = ("x-ratelimit-", "ratelimit-", "x-mbx-used-weight")
_GIVEN_OUT: Final = (
    "access_token",
    "accesstoken",
    "api_key",
    "apikey",
    "api_secret",
    "id_token",
    "key_id",
    "listen_key",
    "listenkey",
    "passphrase",
    "password",
    "refresh_token",
    "secret",
    "secret_key",
    "session_id",
    "session_token",
    "token",
)
_SHORTEST_SECRET: Final = 6
_SHORTEST_PSEUDONYM: Final = 4
_USER_INFO: Final = re.compile(r"(?<=://)[^/@\s\"]+@")


class LeakError(DragomanError):
    """Something that must not be kept was found in what was to be kept; nothing was written."""


@attrs.frozen(kw_only=True)
class Allowance:
    """Something that looks like a secret and is none: a pattern of the whole text, and why."""

    pattern: str
    reason: str = attrs.field(validator=attrs.validators.min_len(1))

    def __attrs_post_init__(self) -> None:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"no pattern: {self.pattern!r}: {error}") from None

    def covers(self, text: str) -> bool:
        """Tell whether a text is allowed."""
        return re.fullmatch(self.pattern, text) is not None


def read_allowances(path: Path) -> tuple[Allowance, ...]:
    """Read what a folder of evidence allows: a TOML file of `[[allowed]]`, `pattern` and `reason`.

    Raises:
        EvidenceError: The file can't be read, or says anything that is not known here.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise EvidenceError(f"{path}: can't be read: {error}") from None
    fields = Fields(raw, str(path))
    found: list[Allowance] = []
    for place, one in fields.items("allowed"):
        members = Fields(one, place)
        pattern, reason = members.need("pattern", str), members.need("reason", str)
        members.close()
        try:
            found.append(Allowance(pattern=pattern, reason=reason))
        except ValueError as error:
            raise EvidenceError(f"{place}: {error}") from None
    fields.close()
    return tuple(found)


@attrs.frozen(kw_only=True)
class Leftover:
    """Something found that should not be there; its value is never told, only how long it is."""

    place: str
    what: str
    length: int

    def __str__(self) -> str:
        return f"{self.place}: {self.what} ({self.length} characters)"


@attrs.frozen(kw_only=True)
class RedactionPolicy:
    """What a subject adds to policy r1.

    `secrets` are its credentials by name; `pseudonyms` names of fields whose values become others
    of the same form, `known_pseudonyms` such values that are known before; `signatures` names of
    fields that sign; `given_out` names of fields by which the venue gives out secrets of its own,
    besides the usual ones. Names of fields count in any case. `headers` of responses are kept
    besides the usual ones. `salt` keeps the pseudonyms of two subjects apart.
    """

    salt: str
    secrets: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    pseudonyms: tuple[str, ...] = ()
    known_pseudonyms: tuple[str, ...] = attrs.field(default=(), repr=False)
    signatures: tuple[str, ...] = ("signature",)
    given_out: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    allowances: tuple[Allowance, ...] = ()


class Redactor:
    """Applies a policy to what belongs together: one recording, or a folder of them.

    What it learns from one file (a token, an account number) it replaces in all; let it learn from
    every file before it redacts the first.
    """

    def __init__(self, policy: RedactionPolicy) -> None:
        self._policy = policy
        self._secrets: dict[str, str] = dict(policy.secrets)
        self._pseudonyms: dict[str, str] = {}
        self._given_out = FieldValues((*_GIVEN_OUT, *policy.given_out))
        self._accounts = FieldValues(policy.pseudonyms)
        self._forms = forms_of(self._secrets)
        for value in policy.known_pseudonyms:
            self._learn_pseudonym(value)

    def learn(self, texts: Iterable[bytes]) -> None:
        """Take in what was said, to know what the venue gave out and which accounts it named."""
        for text in texts:
            for name, value in self._given_out.find(text):
                is_new = value not in self._secrets.values() and "<" not in value
                if len(value) >= _SHORTEST_SECRET and is_new:
                    self._secrets[self._free_name(name)] = value
            for _, value in self._accounts.find(text):
                self._learn_pseudonym(value)
        self._forms = forms_of(self._secrets)

    def learn_from(
        self, cassettes: Iterable[Cassette], transcripts: Iterable[Transcript] = ()
    ) -> None:
        """Take in what whole files say."""
        for cassette in cassettes:
            for one in cassette.interactions:
                uri = one.request.uri.encode()
                self.learn((uri, one.request.body, one.response.body))
        for transcript in transcripts:
            self.learn([transcript.path.encode(), *[one.payload for one in transcript.events]])

    def redact_cassette(self, cassette: Cassette) -> Cassette:
        """Return a cassette of which everything may be kept.

        Raises:
            LeakError: Something would still be told.
        """
        made = attrs.evolve(
            cassette,
            metadata=attrs.evolve(cassette.metadata, redaction=POLICY),
            interactions=tuple([self._interaction(one) for one in cassette.interactions]),
        )
        self._claim(self.leftovers_of_cassette(made))
        self._claim(self._value_leftovers(write_cassette(made), cassette.place, 0))
        return made

    def redact_transcript(self, transcript: Transcript) -> Transcript:
        """Return a transcript of which everything may be kept.

        Raises:
            LeakError: Something would still be told.
        """
        made = attrs.evolve(
            transcript,
            path=self.redact_text(transcript.path),
            metadata=attrs.evolve(transcript.metadata, redaction=POLICY),
            events=tuple([self._event(one) for one in transcript.events]),
        )
        self._claim(self.leftovers_of_transcript(made))
        self._claim(self._value_leftovers(write_transcript(made), transcript.place, 0))
        return made

    def redact_text(self, text: str) -> str:
        """Return a text with every secret, account and signature in it replaced."""
        text = _USER_INFO.sub("", text)
        for value, mark in self._forms:
            text = text.replace(value, mark)
        text = mask_fields(text, self._policy.signatures, SIGNATURE)
        for value, other in self._pseudonyms.items():
            bounds = rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])"
            text = re.sub(bounds, other, text)
        return text

    def leftovers_of_cassette(self, cassette: Cassette) -> tuple[Leftover, ...]:
        """Return what a cassette tells that it must not."""
        found: list[Leftover] = []
        for at, one in enumerate(cassette.interactions):
            place = f"{cassette.place}.interactions[{at}]"
            request, response = one.request, one.response
            found += self.leftovers(request.uri, f"{place}.request.uri")
            found += self.leftovers(_text(request.body), f"{place}.request.body")
            found += self.leftovers(_text(response.body), f"{place}.response.body")
            found += self.leftovers(response.reason, f"{place}.response.status")
            for side, headers in (("request", request.headers), ("response", response.headers)):
                found += self._header_leftovers(headers, f"{place}.{side}.headers", side)
        return tuple(found)

    def leftovers_of_transcript(self, transcript: Transcript) -> tuple[Leftover, ...]:
        """Return what a transcript tells that it must not."""
        found = list(self.leftovers(transcript.path, transcript.place))
        for event in transcript.events:
            place = f"{transcript.place}:{event.line}"
            found += self.leftovers(_text(event.payload), place)
            found += self.leftovers(event.reason, place)
        return tuple(found)

    def leftovers(self, text: str, place: str) -> tuple[Leftover, ...]:
        """Return what a text tells that it must not: secrets by value, and the shape of others."""
        shaped = [
            Leftover(place=place, what=one.shape, length=len(one.text))
            for one in suspects(text)
            if not any(allowance.covers(one.text) for allowance in self._policy.allowances)
        ]
        return (*self._value_leftovers(text, place), *shaped)

    def _value_leftovers(self, text: str, place: str, depth: int = 2) -> tuple[Leftover, ...]:
        found: dict[str, Leftover] = {}
        for view in views(text, depth):
            folded = view.casefold()
            for name, value in self._secrets.items():
                if value.casefold() in folded:
                    what = f"the secret {name}"
                    found[name] = Leftover(place=place, what=what, length=len(value))
        return tuple(found.values())

    def _interaction(self, one: Interaction) -> Interaction:
        request = attrs.evolve(
            one.request,
            uri=self.redact_text(one.request.uri),
            headers=self._headers(one.request.headers, self._is_kept_of_request),
            body=self._bytes(one.request.body),
        )
        response = attrs.evolve(
            one.response,
            reason=self.redact_text(one.response.reason),
            headers=self._headers(one.response.headers, self._is_kept_of_response),
            body=self._bytes(one.response.body),
        )
        return attrs.evolve(one, request=request, response=response)

    def _event(self, event: TranscriptEvent) -> TranscriptEvent:
        reason = self.redact_text(event.reason)
        if event.has_tree:
            tree = read_json(self.redact_text(write_json(event.tree)))
            return attrs.evolve(event, tree=tree, reason=reason)
        data = None if event.data is None else self.redact_text(event.data)
        raw = None if event.raw is None else self._bytes(event.raw)
        return attrs.evolve(event, data=data, raw=raw, reason=reason)

    def _bytes(self, data: bytes) -> bytes:
        try:
            return self.redact_text(data.decode()).encode()
        except UnicodeDecodeError:
            return self.redact_text(data.decode("latin-1")).encode("latin-1")

    def _headers(self, headers: Headers, is_kept: Callable[[str], bool]) -> Headers:
        return tuple([(name, self.redact_text(value)) for name, value in headers if is_kept(name)])

    def _header_leftovers(self, headers: Headers, place: str, side: str) -> Sequence[Leftover]:
        is_kept = self._is_kept_of_request if side == "request" else self._is_kept_of_response
        found: list[Leftover] = []
        for name, value in headers:
            if not is_kept(name):
                found.append(Leftover(place=place, what=f"the header {name}", length=len(value)))
            found += self.leftovers(value, f"{place}.{name}")
        return found

    def _is_kept_of_request(self, name: str) -> bool:
        return name.lower() in _REQUEST_HEADERS

    def _is_kept_of_response(self, name: str) -> bool:
        lower = name.lower()
        declared = {one.lower() for one in self._policy.headers}
        return lower in _RESPONSE_HEADERS | declared or lower.startswith(_RESPONSE_BEGINNINGS)

    def _learn_pseudonym(self, value: str) -> None:
        is_known = value in self._pseudonyms or value in self._pseudonyms.values()
        if len(value) >= _SHORTEST_PSEUDONYM and not is_known:
            self._pseudonyms[value] = pseudonym(value, self._policy.salt)

    def _free_name(self, name: str) -> str:
        number = 2
        free = name
        while free in self._secrets:
            free = f"{name}_{number}"
            number += 1
        return free

    def _claim(self, leftovers: Sequence[Leftover]) -> None:
        if leftovers:
            shown = "; ".join([str(one) for one in leftovers])
            raise LeakError(f"not kept, because it would tell {shown}")


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
