"""A table of a TOML file, read key by key; what nobody asks for is refused by name."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, NoReturn, TypeVar, cast

from dragoman.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

__all__ = ["Table", "meant"]

Kind = TypeVar("Kind")


def meant(word: str, known: tuple[str, ...] | list[str]) -> str:
    """Return the end of a sentence about an unknown word: what may have been meant, or all."""
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(known))}"


class Table:
    """One table, and where it stands; leaving its context refuses the keys nobody asked for.

    Its messages name files and keys, never a value.
    """

    def __init__(self, source: str, key: str, data: object) -> None:
        self._source = source
        self._key = key
        if not isinstance(data, dict):
            self.refuse("", f"must be a table, found {type(data).__name__}")
        self._data = cast("Mapping[str, object]", data)
        self._asked: dict[str, None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            return
        for name in self._data:
            if name not in self._asked:
                self.refuse(name, f"is unknown; {meant(name, list(self._asked))}")

    def __contains__(self, name: str) -> bool:
        return name in self._data

    @property
    def names(self) -> tuple[str, ...]:
        """Every key there is; asking for them makes each known."""
        self._asked.update(dict.fromkeys(self._data))
        return tuple(self._data)

    def text(self, name: str) -> str | None:
        """Return a text that is not empty."""
        found = self._one(name, str, "a text")
        if found is not None and not found.strip():
            self.refuse(name, "is empty")
        return found

    def flag(self, name: str) -> bool | None:
        """Return true or false."""
        return self._one(name, bool, "true or false")

    def whole(self, name: str) -> int | None:
        """Return a whole number."""
        return self._one(name, int, "a whole number")

    def seconds(self, name: str) -> float | None:
        """Return a number."""
        found = self._one(name, (int, float), "a number")
        return None if found is None else float(found)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts; none if it is not there."""
        found = self._list(name)
        if not all(isinstance(each, str) and each for each in found):
            self.refuse(name, "must be a list of texts")
        return tuple(str(each) for each in found)

    def tables(self, name: str) -> tuple[Table, ...]:
        """Return the tables of a list; none if it is not there."""
        return tuple(
            Table(self._source, f"{self._path(name)}[{number}]", each)
            for number, each in enumerate(self._list(name), start=1)
        )

    def table(self, name: str) -> Table:
        """Return the table within this one; an empty one if it is not there."""
        self._asked[name] = None
        return Table(self._source, self._path(name), self._data.get(name, {}))

    def text_map(self, name: str) -> dict[str, str]:
        """Return a table of texts."""
        with self.table(name) as table:
            found = {each: table.text(each) for each in table.names}
        return {each: text for each, text in found.items() if text is not None}

    def anything(self, name: str) -> dict[str, object]:
        """Return a table that somebody else reads."""
        table = self.table(name)
        return {each: table.raw(each) for each in table.names}

    def raw(self, name: str) -> object:
        """Return what stands there, as it is; None if nothing does."""
        self._asked[name] = None
        return self._data.get(name)

    def refuse(self, name: str, problem: str) -> NoReturn:
        """Say what is wrong with a key.

        Raises:
            ConfigurationError: Always (NOT_SENT).
        """
        raise ConfigurationError(f"{self._source}: {self._path(name) or 'it'} {problem}")

    def _list(self, name: str) -> list[object]:
        found = cast("list[object] | None", self._one(name, list, "a list"))
        return found or []

    def _one(self, name: str, kind: type[Kind] | tuple[type[Kind], ...], words: str) -> Kind | None:
        found = self.raw(name)
        if found is None:
            return None
        if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
            self.refuse(name, f"must be {words}, found {type(found).__name__}")
        return found

    def _path(self, name: str) -> str:
        return ".".join(part for part in (self._key, name) if part)
