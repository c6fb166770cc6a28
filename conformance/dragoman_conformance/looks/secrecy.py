"""Whether a secret shows: in the text of any object that can be reached, or of any error."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..subject import Subject

__all__ = ["errors_showing", "forms_of", "frames_showing", "reached", "secrets_of", "showing"]

_MOST_OBJECTS: Final = 20_000
_MOST_ITEMS: Final = 1_000
_ATOMS: Final = (str, bytes, bytearray, int, float, complex, bool, type(None), type)
_SHORTEST: Final = 8


def secrets_of(subject: Subject) -> tuple[str, ...]:
    """Return the credentials of a subject that may not be shown, but for those very short."""
    fields = {one.name for one in subject.declared.credentials if one.is_secret}
    known = subject.canaries()
    return tuple(
        [text for name, text in known.items() if name in fields and len(text) >= _SHORTEST]
    )


def forms_of(secrets: Iterable[str]) -> tuple[str, ...]:
    """Return the texts that give a secret away.

    That is most of it from its begin or to its end, and the whole of it encoded for a URL, in
    base64 and in hex.
    """
    found: list[str] = []
    for secret in secrets:
        data = secret.encode()
        encoded = base64.b64encode(data).decode().rstrip("=")
        part = max(_SHORTEST, len(secret) * 3 // 4)
        found += [secret[:part], secret[-part:], quote(secret, safe=""), encoded[:-1], data.hex()]
    return tuple(dict.fromkeys(found))


def showing(value: object, forms: Iterable[str]) -> str:
    """Return by which of its texts an object shows a secret; empty if by none."""
    for name, text_of in (("repr", repr), ("str", str), ("format", format)):
        try:
            text = text_of(value)
        except Exception:  # noqa: BLE001, S112 - an object without a text shows nothing
            continue
        if any(form in text for form in forms):
            return name
    return ""


def reached(*roots: object, packages: Iterable[str]) -> Iterator[tuple[str, object]]:
    """Yield every object of some packages that leads from the roots, by the way to it, once."""
    wanted = tuple(packages)
    waiting: list[tuple[str, object]] = [(type(one).__name__, one) for one in roots]
    seen: set[int] = set()
    while waiting and len(seen) < _MOST_OBJECTS:
        place, value = waiting.pop()
        if isinstance(value, _ATOMS) or id(value) in seen:
            continue
        seen.add(id(value))
        is_ours = type(value).__module__.partition(".")[0] in wanted
        if is_ours:
            yield place, value
        waiting += [(f"{place}.{name}", one) for name, one in _within(value, is_ours=is_ours)]


def _within(value: object, *, is_ours: bool) -> Iterator[tuple[str, object]]:
    owner, kinds = value, type(value).__mro__
    fields = cast("dict[str, object]", getattr(value, "__dict__", {}))
    if isinstance(value, Mapping):
        for name, one in list(cast("Mapping[object, object]", value).items())[:_MOST_ITEMS]:
            yield f"[{name!r:.40}]", one
    elif isinstance(value, (tuple, list, AbstractSet)):
        for number, one in enumerate(list(cast("Iterable[object]", value))[:_MOST_ITEMS]):
            yield f"[{number}]", one
    if not is_ours:
        return
    yield from list(fields.items())
    for kind in kinds:
        slots = cast("str | Iterable[str]", kind.__dict__.get("__slots__", ()))
        for name in (slots,) if isinstance(slots, str) else slots:
            if not name.startswith("__") and hasattr(owner, name):
                yield name, getattr(owner, name)


def errors_showing(error: BaseException, forms: Iterable[str]) -> Iterator[str]:
    """Yield where an error, or one it came from, shows a secret."""
    known = tuple(forms)
    for one in _chain(error):
        what = type(one).__name__
        by = showing(one, known)
        if by:
            yield f"{by} of {what}"
        facts = [*one.args, *getattr(one, "__notes__", ()), *vars(one).values()]
        if any(form in repr(fact) for fact in facts for form in known):
            yield f"a fact of {what}"
    text = "".join(traceback.format_exception(error))
    if any(form in text for form in known):
        yield f"the traceback of {type(error).__name__}"


def frames_showing(error: BaseException, forms: Iterable[str]) -> Iterator[str]:
    """Yield the local variables that show a secret, of the frames that an error passed."""
    known = tuple(forms)
    for one in _chain(error):
        for frame, _ in traceback.walk_tb(one.__traceback__):
            if _is_the_kits(frame.f_globals.get("__name__", "")):
                continue
            for name, value in frame.f_locals.items():
                if any(form in _text(value) for form in known):
                    yield f"{name} in {frame.f_code.co_qualname}"


def _text(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - an object without a text shows nothing
        return ""


def _is_the_kits(module: str) -> bool:
    """Tell whether a module is the kit's, and neither an adapter nor a bug in one."""
    parts = module.split(".")
    is_kit = parts[0] == __name__.partition(".")[0]
    return is_kit and not {"references", "mutants"}.intersection(parts)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += cast("BaseExceptionGroup[BaseException]", one).exceptions
