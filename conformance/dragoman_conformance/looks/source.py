"""What the source of an adapter says, without running it."""

from __future__ import annotations

import ast
import functools
import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..subject import Subject

__all__ = [
    "adapter_package",
    "calls",
    "calls_on_import",
    "clear_text",
    "floats_of_amounts",
    "imports",
    "texts_of",
]

_KIT: Final = __name__.partition(".")[0]
_REACHING: Final = frozenset(
    {
        "asyncio.run",
        "asyncio.open_connection",
        "asyncio.get_event_loop",
        "socket.create_connection",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "urllib.request.urlopen",
        "urlopen",
        "requests.get",
        "requests.post",
        "requests.request",
        "httpx.get",
        "httpx.post",
        "aiohttp.ClientSession",
        "aiohttp.request",
        "subprocess.run",
        "subprocess.Popen",
        "os.system",
    }
)
_SPAN: Final = re.compile(r"second|_s\b|time|delay|latency|wait|after|_ns\b", re.IGNORECASE)
_LOOKED_AT: Final = (ast.Call, ast.Import, ast.ImportFrom, ast.keyword, ast.Assign, ast.Attribute)
_UNVERIFIED: Final = frozenset({"ssl", "verify", "verify_ssl", "check_hostname", "ssl_verify"})


def adapter_package(subject: Subject) -> str:
    """Return the package that the adapter's own source is in: its top one.

    What is shipped within the kit is looked at by itself, not with the kit around it.
    """
    module = subject.protocol.adapter.partition(":")[0]
    top = module.partition(".")[0]
    return top if top != _KIT else module.rpartition(".")[0]


def texts_of(package: str) -> Mapping[str, str]:
    """Return the source of every module of a package, by its path within it."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return {}
    if not spec.submodule_search_locations:
        return {Path(spec.origin).name: Path(spec.origin).read_text(encoding="utf-8")}
    found: dict[str, str] = {}
    for place in spec.submodule_search_locations:
        root = Path(place)
        for file in sorted(root.rglob("*.py")):
            found[str(file.relative_to(root))] = file.read_text(encoding="utf-8")
    return found


@functools.lru_cache(maxsize=1024)
def _parsed(text: str) -> tuple[ast.Module, tuple[ast.AST, ...], Mapping[str, str]]:
    """Return the tree of a module, the nodes of it that are looked at, and its imported names."""
    tree = ast.parse(text)
    nodes = tuple([one for one in ast.walk(tree) if isinstance(one, _LOOKED_AT)])
    return tree, nodes, _names(nodes)


def _modules(package: str) -> Iterator[tuple[str, tuple[ast.AST, ...], Mapping[str, str]]]:
    for file, text in texts_of(package).items():
        _, nodes, names = _parsed(text)
        yield file, nodes, names


def calls(package: str) -> Iterator[tuple[str, str]]:
    """Yield every call by its full name, as the module's imports spell it out, and where it is."""
    for file, nodes, names in _modules(package):
        for node in nodes:
            if isinstance(node, ast.Call):
                yield _called(node, names), f"{file}:{node.lineno}"


def floats_of_amounts(package: str) -> Iterator[str]:
    """Yield where `float()` is called on, or for, what is by its name no span of time."""
    for file, nodes, names in _modules(package):
        given = [one for one in nodes if isinstance(one, ast.keyword)]
        spans = {id(one.value) for one in given if _SPAN.search(one.arg or "")}
        for node in nodes:
            if isinstance(node, ast.Call) and _called(node, names) == "float":
                text = " ".join(ast.unparse(one) for one in node.args)
                if id(node) not in spans and not _SPAN.search(text):
                    yield f"{file}:{node.lineno}"


def imports(package: str) -> Iterator[tuple[str, str]]:
    """Yield the top-level package of every absolute import, and where it is."""
    for file, nodes, _ in _modules(package):
        for node in nodes:
            if isinstance(node, ast.Import):
                for one in node.names:
                    yield one.name.partition(".")[0], f"{file}:{node.lineno}"
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0], f"{file}:{node.lineno}"


def calls_on_import(package: str) -> Iterator[str]:
    """Yield every call that reaches out of the process while a module is imported."""
    for file, text in texts_of(package).items():
        tree, _, names = _parsed(text)
        for node in _at_import(tree):
            if isinstance(node, ast.Call) and _called(node, names) in _REACHING:
                yield f"{_called(node, names)} at {file}:{node.lineno}"


def clear_text(package: str) -> Iterator[str]:
    """Yield every place that turns the checking of certificates off."""
    for file, nodes, names in _modules(package):
        for node in nodes:
            where = f"{file}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.keyword) and node.arg in _UNVERIFIED and _is_no(node.value):
                yield f"{node.arg}=False at {file}:{node.value.lineno}"
            elif isinstance(node, ast.Assign) and _is_no(node.value):
                targets = [one.attr for one in node.targets if isinstance(one, ast.Attribute)]
                if _UNVERIFIED.intersection(targets):
                    yield f"{targets[0]} = False at {where}"
            elif isinstance(node, ast.Attribute) and node.attr == "CERT_NONE":
                yield f"CERT_NONE at {where}"
            elif isinstance(node, ast.Call) and "unverified" in _called(node, names):
                yield f"{_called(node, names)} at {where}"


def _is_no(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and (node.value is False or node.value == 0)


def _at_import(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the nodes that run when a module is imported: those in no function."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [
            one
            for one in ast.iter_child_nodes(node)
            if not isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        ]


def _names(nodes: Iterable[ast.AST]) -> dict[str, str]:
    """Return what each imported name stands for."""
    found: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for one in node.names:
                found[one.asname or one.name.partition(".")[0]] = (
                    one.name if one.asname else one.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            for one in node.names:
                found[one.asname or one.name] = f"{node.module}.{one.name}"
    return found


def _called(node: ast.Call, names: Mapping[str, str]) -> str:
    parts: list[str] = []
    target: ast.expr = node.func
    while isinstance(target, ast.Attribute):
        parts.append(target.attr)
        target = target.value
    if isinstance(target, ast.Name):
        parts.append(names.get(target.id, target.id))
    return ".".join(reversed(parts))
