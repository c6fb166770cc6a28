"""Secrets that never show: the objects credentials travel in from configuration to a signer."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Credentials", "Secret"]

_MASK: Final = "<secret>"


class Secret:
    """One secret text.

    It prints, formats and logs as a fixed mask and can't be pickled; `reveal()` gives the text.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself. Call it where it is used, and keep no copy."""
        return self._text

    def __repr__(self) -> str:
        return _MASK

    def __format__(self, spec: str) -> str:
        return format(_MASK, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._bytes(), other._bytes())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> NoReturn:
        message = "a secret can't be pickled"
        raise TypeError(message)

    def __getstate__(self) -> NoReturn:
        message = "a secret has no state to show"
        raise TypeError(message)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def _bytes(self) -> bytes:
        return self._text.encode(errors="surrogatepass")


class Credentials:
    """The named secrets of one connection, in no order. Shows the names, never a text.

    `credentials["api_key"]` is the text; a name that was not given raises `KeyError`.
    """

    __slots__ = ("_secrets",)

    def __init__(self, secrets: Mapping[str, str | Secret] | None = None) -> None:
        self._secrets = {
            name: text if isinstance(text, Secret) else Secret(text)
            for name, text in (secrets or {}).items()
        }

    @property
    def names(self) -> tuple[str, ...]:
        """The names that are set, sorted."""
        return tuple(sorted(self._secrets))

    def __getitem__(self, name: str) -> str:
        return self._secrets[name].reveal()

    def __contains__(self, name: object) -> bool:
        return name in self._secrets

    def __repr__(self) -> str:
        return f"Credentials({', '.join(self.names)})"

    def __reduce__(self) -> NoReturn:
        message = "credentials can't be pickled"
        raise TypeError(message)

    def __getstate__(self) -> NoReturn:
        message = "credentials have no state to show"
        raise TypeError(message)

    def __copy__(self) -> Credentials:
        return self

    def __deepcopy__(self, memo: object) -> Credentials:
        return self
