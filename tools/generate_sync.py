"""Write the synchronous surface from the asynchronous one: `generate_sync.py [--check]`.

Reads what users know of a connection, never imports it, and writes its twin for threads: the same
names, parameters, types and documentation, less what only an event loop has. A docstring that
still speaks of one is refused, so that nobody forgets to give it words. `--check` writes nothing
and fails if a committed file differs.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import sync_wording as wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

CORE: Final = Path(__file__).parents[1] / "core" / "dragoman"

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
_WIDTH: Final = 100
_STEP: Final = "    "


class Source:
    """A module of the asynchronous surface."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = (CORE / f"{name}.py").read_text("utf-8")
        self.tree = ast.parse(self.text)
        self.homes: dict[str, str] = {}
        self.constants: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom):
                home = f"dragoman.{node.module}" if node.level else str(node.module)
                self.homes |= {alias.name: home for alias in node.names}
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self.homes[node.targets[0].id] = f"dragoman.{name}"
                self.constants[node.targets[0].id] = self.code(node.value)

    def code(self, node: ast.AST) -> str:
        """Return a node's own text, on one line."""
        return " ".join((ast.get_source_segment(self.text, node) or "").split())

    def annotation(self, node: ast.expr | None) -> str:
        """Return a type as the twin has it."""
        if node is None:
            raise ValueError(f"{self.name}: a public function lacks a type")
        text = self.code(node)
        for pattern, replacement in wording.TYPES.items():
            text = re.sub(pattern, replacement, text)
        return text

    def default(self, node: ast.expr) -> str:
        """Return a default, a constant of the module by its value."""
        text = self.code(node)
        return self.constants.get(text, text)

    def find(self, name: str) -> ast.ClassDef | _Function:
        """Return a class or a function of the module."""
        for node in self.tree.body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == name:
                return node
        raise ValueError(f"{self.name} has no {name}")

    def members(self, name: str) -> Iterator[_Function]:
        """Yield the public methods and properties of a class."""
        for node in self.find(name).body:
            if isinstance(node, _Function) and not node.name.startswith("_"):
                yield node


class Call(NamedTuple):
    """A call, or a signature, to lay out: what stands before the parenthesis, and what in it."""

    head: str
    arguments: Sequence[str | Call]

    def __str__(self) -> str:
        return f"{self.head}({', '.join(map(str, self.arguments))})"

    def lines(self, indent: str, prefix: str = "", suffix: str = "") -> list[str]:
        """Lay it out as the formatter would."""
        inside = indent + _STEP
        flat = f"{indent}{prefix}{self}{suffix}"
        if len(flat) <= _WIDTH:
            return [flat]
        within = f"{inside}{', '.join(map(str, self.arguments))}"
        if len(within) <= _WIDTH:
            body = [within]
        elif len(self.arguments) == 1 and isinstance(self.arguments[0], Call):
            body = self.arguments[0].lines(inside)
        else:
            body = [f"{inside}{argument}," for argument in self.arguments]
        return [f"{indent}{prefix}{self.head}(", *body, f"{indent}){suffix}"]


def parameters(source: Source, function: _Function, changed: Mapping[str, str]) -> list[str]:
    """Return the parameters of a function as the twin has them; some `changed` by name."""
    spec = function.args
    ordered = [*spec.posonlyargs, *spec.args]
    defaults: list[ast.expr | None] = [None] * (len(ordered) - len(spec.defaults))
    found: list[str] = []
    for argument, default in zip(ordered, [*defaults, *spec.defaults], strict=True):
        found.append(changed.get(argument.arg) or _parameter(source, argument, default))
        if spec.posonlyargs and argument is spec.posonlyargs[-1]:
            found.append("/")
    if spec.kwonlyargs:
        found.append("*")
    for argument, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
        found.append(_parameter(source, argument, default))
    return [*found, f"**{_parameter(source, spec.kwarg, None)}"] if spec.kwarg else found


def _parameter(source: Source, argument: ast.arg, default: ast.expr | None) -> str:
    if argument.arg == "self":
        return "self"
    text = f"{argument.arg}: {source.annotation(argument.annotation)}"
    return text if default is None else f"{text} = {source.default(default)}"


def passed_on(function: _Function) -> list[str]:
    """Return the arguments that hand every parameter on."""
    spec = function.args
    positional = [one.arg for one in (*spec.posonlyargs, *spec.args) if one.arg != "self"]
    named = [f"{one.arg}={one.arg}" for one in spec.kwonlyargs]
    return [*positional, *named, *([f"**{spec.kwarg.arg}"] if spec.kwarg else [])]


def documented(text: str | None, indent: str) -> list[str]:
    """Lay a docstring out anew, in words for threads.

    Raises:
        ValueError: There is none, or it still speaks of an event loop.
    """
    if text is None:
        raise ValueError("a public name has no docstring")
    lines: list[str] = []
    for block in text.split("\n\n"):
        for inset, hang, paragraph in _paragraphs(block):
            lines += textwrap.wrap(
                reworded(paragraph),
                _WIDTH,
                initial_indent=indent + inset + ("" if lines else '"""'),
                subsequent_indent=indent + hang,
                break_long_words=False,
                break_on_hyphens=False,
            )
        lines.append("")
    lines.pop()
    if len(lines) == 1 and len(lines[0]) + len('"""') <= _WIDTH:
        return [f'{lines[0]}"""']
    return [*lines, f'{indent}"""']


def _paragraphs(block: str) -> Iterator[tuple[str, str, str]]:
    """Yield a block as one paragraph, or as a heading and its entries, each with its indents."""
    lines = block.strip("\n").splitlines()
    if re.fullmatch(r"[A-Z][a-z]+:", lines[0]) is None:
        yield "", "", " ".join(line.strip() for line in lines)
        return
    yield "", "", lines[0]
    entries: list[list[str]] = []
    for line in lines[1:]:
        if not line.startswith(_STEP * 2):
            entries.append([])
        entries[-1].append(line.strip())
    for entry in entries:
        yield _STEP, _STEP * 2, " ".join(entry)


def reworded(text: str) -> str:
    """Put a paragraph in words for threads."""
    for old, new in wording.WORDS.items():
        text = text.replace(old, new)
    if wording.LOOP_TALK.search(text):
        raise ValueError(f"give this words for threads: {text}")
    return text


def member(source: Source, function: _Function, *, is_reader: bool) -> list[str]:
    """Return the twin of a method or a property."""
    is_property = [ast.unparse(node) for node in function.decorator_list] == ["property"]
    signature = Call(f"def {function.name}", parameters(source, function, {}))
    result = source.annotation(function.returns)
    lines = ["    @property"] if is_property else []
    lines += signature.lines(_STEP, suffix=f" -> {result}:")
    lines += documented(ast.get_docstring(function), _STEP * 2)
    if is_property:
        return [*lines, f"        return self._here().{function.name}"]
    prefix = "" if result == "None" else "return "
    return [*lines, *_passing(function, result, is_reader=is_reader).lines(_STEP * 2, prefix)]


def _passing(function: _Function, result: str, *, is_reader: bool) -> Call:
    name, arguments = function.name, passed_on(function)
    if isinstance(function, ast.AsyncFunctionDef):
        verb = "read" if is_reader or name in wording.READS_OF_BROKER else "command"
    elif result.startswith("SyncIterator["):
        verb = "iterate"
    else:
        return Call(f"self._here().{name}", arguments)
    work = Call(f"lambda: self._broker.{name}", arguments) if arguments else f"self._broker.{name}"
    return Call(f"self._loop.{verb}", [work])


def special(source: Source, function: _Function) -> list[str]:
    """Return the twin of a method that is more than a call of the other."""
    result = source.annotation(function.returns)
    signature = Call(f"def {function.name}", parameters(source, function, {}))
    if function.name != "close":
        lines = signature.lines(_STEP, suffix=f" -> {result}:")
        lines += documented(ast.get_docstring(function), _STEP * 2)
        return [*lines, *wording.BODIES[function.name].splitlines()]
    whole = {"position": "position: Position | str | Whole = Whole.CONNECTION"}
    either = Call("def close", parameters(source, function, whole))
    doc = (ast.get_docstring(function) or "").split("\n\n", 1)[1]
    return [
        *("    @overload", "    def close(self) -> None: ...", ""),
        *("    @overload", *signature.lines(_STEP, suffix=f" -> {result}: ..."), ""),
        *either.lines(_STEP, suffix=f" -> {result} | None:"),
        *documented(f"{wording.CLOSE_WORDS}\n{doc}", _STEP * 2),
        *wording.BODIES["close"].splitlines(),
    ]


def reads_module() -> str:
    """Return the text of the reading half."""
    source = Source("reads")
    lines = ["class SyncBrokerReads:", *documented(_doc(source, "BrokerReads"), _STEP)]
    lines += wording.READS_OPENING.splitlines()
    for function in source.members("BrokerReads"):
        lines += ["", *member(source, function, is_reader=True)]
    lines += wording.READS_CLOSING.splitlines()
    title = "What a synchronous connection reads: one call is one network read."
    return module(source, title, "SyncBrokerReads", lines)


def controls_module() -> str:
    """Return the text of the steering half."""
    source = Source("controls")
    lines = ["class SyncBrokerControls(SyncBrokerReads):"]
    lines += documented(_doc(source, "BrokerControls"), _STEP)
    for function in source.members("BrokerControls"):
        lines += ["", *member(source, function, is_reader=False)]
    title = "What a synchronous connection is steered by: halts, settings, raw requests."
    return module(source, title, "SyncBrokerControls", lines)


def broker_module() -> str:
    """Return the text of the broker."""
    source = Source("broker")
    lines = ["@final", "class SyncBroker(SyncBrokerControls):"]
    lines += [*documented(_doc(source, "Broker"), _STEP), *wording.BROKER_OPENING.splitlines()]
    for function in source.members("Broker"):
        if function.name not in wording.BODIES:
            lines += ["", *member(source, function, is_reader=False)]
        elif wording.BODIES[function.name]:
            lines += ["", *special(source, function)]
    title = "The synchronous broker: every method of `Broker`, for threads."
    return module(source, title, "SyncBroker", lines)


def connect_module() -> str:
    """Return the text of the way to connect."""
    source = Source("connection")
    function = source.find("connect")
    if not isinstance(function, ast.FunctionDef):
        raise TypeError("connect is no function")
    signature = Call("def connect_sync", parameters(source, function, {}))
    lines = signature.lines("", suffix=f" -> {source.annotation(function.returns)}:")
    lines += documented(ast.get_docstring(function), _STEP)
    lines += Call("connect", passed_on(function)).lines(_STEP, "connection = ")
    title = "Connecting to a provider by name, without an event loop of one's own."
    return module(source, title, "connect_sync", [*lines, *wording.CONNECT.splitlines()])


def _doc(source: Source, name: str) -> str | None:
    return ast.get_docstring(source.find(name))


def module(source: Source, title: str, public: str, lines: Sequence[str]) -> str:
    """Return a whole module: its head, the imports that its body needs, its body."""
    body = "\n".join(lines) + "\n"
    homes = {**source.homes, **wording.HOMES}
    needed, hinted = _names(ast.parse(body))
    found = homes.keys() - {public}
    runtime = _imports(needed & found | {"TYPE_CHECKING"}, homes)
    hints = _imports((hinted - needed) & found, homes)
    checking = ["if TYPE_CHECKING:", *[f"{_STEP}{line}".rstrip() for line in hints]]
    head = [
        f'"""{title}"""',
        "",
        f"# Written by tools/generate_sync.py from {source.name}.py: change that, run the tool.",
        *("", "from __future__ import annotations", "", *runtime),
        *("", *checking, "", f'__all__ = ["{public}"]', "", ""),
    ]
    return "\n".join(head) + "\n" + body


def _names(tree: ast.Module) -> tuple[set[str], set[str]]:
    """Return the names that code needs to run, and those that only its types need."""
    hints: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, _Function) and node.returns is not None:
            hints.append(node.returns)
        elif isinstance(node, ast.arg) and node.annotation is not None:
            hints.append(node.annotation)
    hint_names = [name for hint in hints for name in ast.walk(hint) if isinstance(name, ast.Name)]
    in_hints = set(map(id, hint_names))
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    needed = {name.id for name in names if id(name) not in in_hints}
    hinted = {name.id for name in hint_names}
    from_typing = {name for name in hinted if wording.HOMES.get(name) == "typing"}
    return needed | from_typing, hinted


def _imports(names: Iterable[str], homes: Mapping[str, str]) -> list[str]:
    """Return sorted import lines, a blank one between what is whose."""
    by_home: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        by_home[homes[name]].append(name)
    groups: defaultdict[int, list[str]] = defaultdict(list)
    for home in sorted(by_home):
        kind = 2 if home.startswith(".") else 1 if home.startswith("dragoman") else 0
        found = sorted(
            by_home[home], key=lambda name: (not name.isupper(), name[0].islower(), name)
        )
        line = f"from {home} import {', '.join(found)}"
        if len(line) + len(_STEP) > _WIDTH:
            groups[kind] += [f"from {home} import (", *[f"{_STEP}{name}," for name in found], ")"]
        else:
            groups[kind].append(line)
    return "\n\n".join("\n".join(groups[kind]) for kind in sorted(groups)).splitlines()


MODULES: Final = {
    "reads.py": reads_module,
    "controls.py": controls_module,
    "broker.py": broker_module,
    "connecting.py": connect_module,
}


def main(arguments: list[str]) -> int:
    """Write the modules, or with `--check` compare; return 1 if one was not as it should be."""
    stale: list[str] = []
    for name, make in MODULES.items():
        path, text = CORE / "sync" / name, make()
        if not path.exists() or path.read_text("utf-8") != text:
            stale.append(name)
            if "--check" not in arguments:
                path.write_text(text, "utf-8")
    print(f"{'stale' if '--check' in arguments else 'written'}: {', '.join(stale) or 'none'}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
