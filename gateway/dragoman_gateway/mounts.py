"""What is served where: one dialect, at one place of an application, over some of its brokers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.broker import Broker
from dragoman.dialects import Dialect
from dragoman.errors import ConfigurationError
from dragoman.registry import installed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Mount", "mounts_of"]

_PREFIX: Final = re.compile(r"/|(?:/[A-Za-z0-9._~-]+)+\Z")
_DOTS: Final = frozenset({".", ".."})
NATIVE: Final = "/native"


def _brokers(found: Broker | Sequence[Broker] | None) -> tuple[Broker, ...] | None:
    if found is None:
        return None
    return (found,) if isinstance(found, Broker) else tuple(found)


def _dialect(found: Dialect | str) -> Dialect:
    return installed().find_dialect(found).make_dialect() if isinstance(found, str) else found


@attrs.frozen(kw_only=True)
class Mount:
    """One dialect at a path: "/" is the root of the application, else such as "/alpaca".

    `brokers` are those it is served over, the default one first; None is all of the application's.

    Raises:
        ConfigurationError: No such dialect is installed, or the prefix is no plain path (NOT_SENT).
    """

    dialect: Dialect = attrs.field(converter=_dialect)
    prefix: str = "/"
    brokers: tuple[Broker, ...] | None = attrs.field(default=None, converter=_brokers)

    def __attrs_post_init__(self) -> None:
        """Refuse what can't be a place, or would serve nothing."""
        if not _PREFIX.fullmatch(self.prefix) or _DOTS & set(self.prefix.split("/")):
            raise ConfigurationError(
                f'a prefix is "/" or a plain path such as "/{self.dialect.name}", '
                f"found {self.prefix!r}"
            )
        if self.brokers == ():
            raise ConfigurationError(f"dialect {self.dialect.name!r} is given no broker to serve")

    @property
    def name(self) -> str:
        """What tells it from the others of an application, such as "alpaca@/v1"."""
        return f"{self.dialect.name}@{self.prefix}"


def mounts_of(dialects: Iterable[Mount | Dialect | str]) -> tuple[Mount, ...]:
    """Return where everything is served: a single dialect at the root, several by their names.

    Raises:
        ConfigurationError: Two are served at one place, or a dialect instance twice (NOT_SENT).
    """
    given = tuple(dialects)
    plain = [one for one in given if not isinstance(one, Mount)]
    mounts = tuple(_mount(one, is_single=len(plain) == 1) for one in given)
    for index, mount in enumerate(mounts):
        _check(mount, mounts[:index])
    return mounts


def _mount(found: Mount | Dialect | str, *, is_single: bool) -> Mount:
    if isinstance(found, Mount):
        return found
    dialect = _dialect(found)
    return Mount(dialect=dialect, prefix="/" if is_single else f"/{dialect.name}")


def _check(mount: Mount, others: tuple[Mount, ...]) -> None:
    for other in others:
        if mount.prefix == other.prefix:
            both = f"{other.dialect.name!r} and {mount.dialect.name!r}"
            raise ConfigurationError(f"{both} are both served at {mount.prefix!r}: take two places")
        if mount.dialect is other.dialect:
            raise ConfigurationError(
                f"dialect {mount.dialect.name!r} is mounted twice: make one instance for each place"
            )
