"""Tables of meanings: a payload of the venue, and the models that it must be read as, whole."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any, Final, cast

import attrs
import yaml

from dragoman.decoding import PayloadContext, decode_payload, to_document
from dragoman.errors import ConfigurationError
from dragoman.times import parse_time

from ..verdicts import Basis

if TYPE_CHECKING:
    from pathlib import Path

    from ..subject import Subject

__all__ = ["RECEIVED_AT", "Meaning", "difference_of", "load_meanings", "meaning_of"]

RECEIVED_AT: Final = "2026-01-07T12:00:00Z"
"""When every payload of a table is received."""
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SUFFIX: Final = ".meanings.ndjson"
_KEYS: Final = frozenset(
    {"payload", "at", "kind", "status", "tells", "provenance", "source", "frame"}
)


@attrs.frozen(kw_only=True)
class Meaning:
    """One payload and what it means.

    `place` is where it stands: the file and line of the table. `kind` is the kind of payload that
    it must be told to be by its looks. `tells` is everything that it is read as, in plain data: the
    list of models, or the error as an object. `is_frame` says that a stream of the venue tells it.
    """

    place: str
    payload: bytes = attrs.field(repr=False)
    kind: str | None
    status: int | None
    tells: Any = attrs.field(repr=False)
    basis: Basis
    is_frame: bool = False


def load_meanings(evidence: Path) -> tuple[Meaning, ...]:
    """Return every row of the tables of meanings of an evidence folder, in order.

    A row holds its `payload` as text, or says `at` which place of the evidence it stands:
    `exchanges/trading.yaml#3` is the answer of the fourth exchange, `tables/errors.ndjson#0` the
    first row after the header, `transcripts/trade_updates.ndjson#2` the third frame. What stands in
    a transcript is a frame; of any other payload its row may say `frame: true`.

    Raises:
        ConfigurationError: A row is wrong; the message names file and line.
    """
    rows: list[Meaning] = []
    for path in sorted((evidence / "tables").glob(f"*{_SUFFIX}")):
        header: dict[str, Any] = {}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            place = f"{path.name}:{number}"
            try:
                row: dict[str, Any] = json.loads(line)
                if number == 1:
                    header = row
                else:
                    rows.append(_read(row, header, place, evidence))
            except (ValueError, KeyError, TypeError, IndexError, OSError) as error:
                told = f"{path}:{number}: {type(error).__name__}: {error}"
                raise ConfigurationError(told) from None
    return tuple(rows)


def meaning_of(subject: Subject, meaning: Meaning) -> tuple[str | None, Any]:
    """Return which kind of payload it looks like, and what the subject reads it as.

    Raises:
        UnsupportedError: The subject's protocol has no table of payloads.
    """
    context = PayloadContext(
        provider=subject.declared.name,
        received_at_ns=parse_time(RECEIVED_AT),
        status=meaning.status,
    )
    decoded = decode_payload(subject.protocol.load_payloads(), meaning.payload, context)
    return None if decoded.kind is None else decoded.kind.name, to_document(decoded)


def difference_of(due: object, found: object, at: str = "$") -> str | None:
    """Return, in words, the first place where two plain values differ; None if they are equal."""
    if isinstance(due, dict) and isinstance(found, dict):
        left, right = cast("dict[str, object]", due), cast("dict[str, object]", found)
        for key in sorted({*left, *right}):
            told = difference_of(left.get(key), right.get(key), f"{at}.{key}")
            if told is not None:
                return told
        return None
    if isinstance(due, list) and isinstance(found, list):
        items, others = cast("list[object]", due), cast("list[object]", found)
        if len(items) != len(others):
            return f"{at}: {len(items)} expected, {len(others)} found"
        pairs = enumerate(zip(items, others, strict=True))
        differences = (difference_of(*pair, f"{at}[{place}]") for place, pair in pairs)
        return next((one for one in differences if one is not None), None)
    if due == found and isinstance(due, bool) is isinstance(found, bool):
        return None
    return f"{at}: {due!r} expected, {found!r} found"


def _read(row: dict[str, Any], header: dict[str, Any], place: str, evidence: Path) -> Meaning:
    if unknown := set(row) - _KEYS:
        raise ValueError(f"unknown keys {', '.join(sorted(unknown))}")
    status: int | None = row.get("status")
    if "at" in row:
        text, found = _elsewhere(evidence, row["at"])
        status = found if status is None else status
    else:
        text = row["payload"]
    return Meaning(
        place=place,
        payload=text.encode(),
        kind=row.get("kind"),
        status=status,
        tells=row["tells"],
        basis=Basis(row.get("provenance", header["provenance"])),
        is_frame=row.get("frame", False) or row.get("at", "").startswith("transcripts/"),
    )


def _elsewhere(evidence: Path, at: str) -> tuple[str, int | None]:
    name, _, number = at.partition("#")
    items = _items(evidence / name)
    return items[int(number)]


@functools.cache
def _items(path: Path) -> tuple[tuple[str, int | None], ...]:
    """Return the payloads of a file of evidence, each with its HTTP status if it has one."""
    if path.suffix == ".yaml":
        document: Any = yaml.load(path.read_text(encoding="utf-8"), _LOADER)  # noqa: S506 - a safe one
        answers = [one["response"] for one in document["interactions"]]
        return tuple([(one["body"]["string"], one["status"]["code"]) for one in answers])
    rows: list[dict[str, Any]] = [
        json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[1:]
    ]
    return tuple([(row.get("payload", row.get("data", "")), row.get("status")) for row in rows])
