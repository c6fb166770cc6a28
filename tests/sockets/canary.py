"""Finding a secret wherever it shows: in texts, in objects that can be reached, in files."""

import base64
import contextlib
import io
import pickle
import traceback
from collections import deque
from collections.abc import Iterable, Mapping
from types import ModuleType
from urllib.parse import quote

import attrs
from rich.console import Console
from rich.traceback import Traceback

PLAIN = (str, bytes, int, float, bool, type(None))
MOST = 20_000


def forms(secret):
    """Return every form of a secret that would give it away."""
    raw = secret.encode()
    found = {raw, raw.hex().encode(), quote(secret, safe="").encode(), raw[:8], raw[-8:]}
    for shift in range(3):  # wherever it stands in what was encoded, two of three bytes show
        packed = base64.b64encode(b"." * shift + raw)
        found.add(packed[4 if shift else 0 : -4])
    return found


def leaks(secret, text):
    """Return the forms of a secret that a text or some bytes hold."""
    data = text if isinstance(text, bytes) else text.encode(errors="surrogatepass")
    return sorted(form.decode() for form in forms(secret) if form in data)


def renderings(thing):
    """Yield every text and all bytes that an object gives of itself."""
    yield repr(thing)
    yield str(thing)
    yield f"{thing}"
    if hasattr(thing, "__dict__"):
        yield repr(vars(thing))
    if attrs.has(type(thing)):
        yield repr(attrs.asdict(thing, recurse=True))
    with contextlib.suppress(Exception):  # what can't be pickled can't leak so
        yield pickle.dumps(thing)


def reachable(roots):
    """Yield every object reached from `roots` through public attributes and collections."""
    seen, queue = {}, deque(roots)
    while queue and len(seen) < MOST:
        thing = queue.popleft()
        if id(thing) in seen or isinstance(thing, (*PLAIN, type, ModuleType)):
            continue
        seen[id(thing)] = thing
        yield thing
        queue.extend(_parts(thing))


def _parts(thing):
    if isinstance(thing, Mapping):
        return [*thing.keys(), *thing.values()]
    if isinstance(thing, (tuple, list, set, frozenset, deque)):
        return [*thing]
    if isinstance(thing, Iterable) and not type(thing).__module__.startswith("dragoman"):
        return []
    return [
        value
        for name in dir(thing)
        if not name.startswith("_") and not callable(value := getattr(thing, name, None))
    ]


def tellings(error):
    """Yield every way in which an error and what led to it can be shown."""
    yield from renderings(error)
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    yield "".join(told.format())
    console = Console(file=io.StringIO(), width=300)
    console.print(
        Traceback.from_exception(
            type(error), error, error.__traceback__, show_locals=True, locals_max_string=None
        )
    )
    yield console.file.getvalue()
    for other in (error.__cause__, error.__context__):
        if other is not None:
            yield from tellings(other)
