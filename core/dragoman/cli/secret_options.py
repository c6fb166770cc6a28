"""Secrets on a command line, refused: other users and the shell's history can read it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from dragoman.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dragoman.registry import Provider

__all__ = ["refuse_secrets"]

_WORDS: Final = "key|secret|token|password|passwd|passphrase|credential"
_FLAG: Final = re.compile(rf"--?([\w.-]*(?:{_WORDS})[\w.-]*)(?:=|\Z)", re.IGNORECASE)
_NAME: Final = re.compile(rf"[\w.-]*(?:{_WORDS})[\w.-]*\Z", re.IGNORECASE)


def refuse_secrets(arguments: Sequence[str], provider: Provider | None) -> None:
    """Refuse options that look like credentials; the message never holds the value.

    Args:
        arguments: The whole command line.
        provider: What it is for, where known: its variables are named.

    Raises:
        ConfigurationError: An option is, or looks like, a credential (NOT_SENT).
    """
    names = {field.name for field in provider.credentials} if provider else set[str]()
    for name in _option_names(arguments):
        if _NAME.match(name) or name.replace("-", "_") in names:
            message = (
                f"--{name}: credentials are not taken on the command line, "
                f"where others can read them; {_instead(provider, *arguments[:1])}"
            )
            raise ConfigurationError(message)


def _option_names(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the names of flags that look like credentials, and of every provider setting."""
    before = ""
    for argument in arguments:
        if argument == "--":
            return
        flag = _FLAG.match(argument)
        if flag:
            yield flag[1].lstrip("-")
        elif before == "--option":
            yield argument.partition("=")[0]
        elif argument.startswith("--option="):
            yield argument.removeprefix("--option=").partition("=")[0]
        before = argument


def _instead(provider: Provider | None, command: str = "") -> str:
    if command == "serve":
        return "set DRAGOMAN_SERVE_KEYS in the environment, or name a file with --access"
    variables = [
        f"{field.variables[0]} for {field.name}"
        for field in (provider.credentials if provider else ())
        if field.variables
    ]
    if variables:
        return f"set {', '.join(variables)} in the environment, or use a profile"
    if provider is not None and not provider.credentials:
        return f"{provider.name} needs none"
    return "set the provider's environment variable, which `dragoman providers` names"
