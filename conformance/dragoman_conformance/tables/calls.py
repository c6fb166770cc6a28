"""Tables of calls: strict TOML, so that a misspelled key is an error and no silent gap."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs
import cattrs

from dragoman.errors import ConfigurationError

from ..verdicts import Basis
from .sessions import WireSession

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CallRow", "CallTable", "WireExchange", "load_calls"]

Kind = TypeVar("Kind")

_PROVENANCES: Final = tuple(
    basis.value for basis in (Basis.DERIVED, Basis.DOCUMENTED, Basis.SANDBOX, Basis.LIVE)
)
"""A table of calls is what the venue itself says: other people's clients prove nothing of it."""


@attrs.frozen(kw_only=True)
class WireExchange:
    """One exchange on the wire: what must be sent, and what is answered.

    `path` is compared as sent, without the query. `query` and `headers` are compared where they are
    given: the query as a whole, of the headers those that are named, of which a text in angle
    brackets, such as "<api_key>", only asks that they are there. `body` likewise: JSON by value
    with its numbers as they are written, a form as a multiset. `repeats` lets it be asked any
    number of times, or never.
    """

    method: str = "GET"
    path: str = ""
    query: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None
    body: str | None = None
    status: int = 200
    answer_headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    answer: str = ""
    repeats: bool = False


@attrs.frozen(kw_only=True)
class CallRow:
    """One call of an adapter, and everything that is known of it.

    `call` is a method of the ports; `given` are its arguments as plain data. `tells` is the part of
    its answer that matters, as plain data; a list for a call that yields. The call "stream" opens
    `sessions` by its `subscription`, and tells the events of the kinds that are due. `fails` are
    the facts of the error it must raise: `type`, and any of `outcome`, `reason`, `code`,
    `retry_after`. `at` is the instant, RFC 3339, that the clock shows; `source` is the place in the
    document.
    """

    name: str
    call: str
    given: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    exchanges: tuple[WireExchange, ...] = ()
    sessions: tuple[WireSession, ...] = ()
    tells: Any = None
    fails: Mapping[str, Any] | None = None
    at: str | None = None
    source: str = ""
    provenance: str | None = None


@attrs.frozen(kw_only=True)
class CallTable:
    """One file of calls.

    `standing` are exchanges that any row may make besides its own, such as reading the catalogue.
    `provenance` and `source` hold for every row that says nothing else.
    """

    provenance: str
    source: str
    read: str
    standing: tuple[WireExchange, ...] = ()
    rows: tuple[CallRow, ...] = ()

    def basis_of(self, row: CallRow) -> Basis:
        """Return what a row proves something by."""
        return Basis(row.provenance or self.provenance)


def load_calls(folder: Path) -> tuple[tuple[str, CallTable], ...]:
    """Return every table of calls of a `tables` folder with its file's name, by name.

    Raises:
        ConfigurationError: A file is no such table; the message names file and place.
    """
    found = sorted(folder.glob("*.toml")) if folder.is_dir() else []
    return tuple([(path.name, _load(path)) for path in found])


def _load(path: Path) -> CallTable:
    try:
        plain = tomllib.loads(path.read_text(encoding="utf-8"))
        table = _READER.structure(plain, CallTable)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: {error}") from None
    except cattrs.BaseValidationError as error:
        told = "; ".join(cattrs.transform_error(error))
        raise ConfigurationError(f"{path}: {told}") from None
    names = [row.name for row in table.rows]
    wrong = [
        f"row {row.name!r} must have either tells or fails"
        for row in table.rows
        if (row.tells is None) == (row.fails is None)
    ]
    wrong += [f"two rows are called {name!r}" for name in set(names) if names.count(name) > 1]
    provenances = {table.provenance, *(row.provenance or table.provenance for row in table.rows)}
    wrong += [f"no such provenance: {one!r}" for one in sorted(provenances - {*_PROVENANCES})]
    if wrong:
        raise ConfigurationError(f"{path}: {'; '.join(sorted(wrong))}")
    return table


_READER: Final = cattrs.Converter(forbid_extra_keys=True)
_READER.register_structure_hook(str, lambda value, _: _text(value))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text is expected, found {value!r}")
    return value
