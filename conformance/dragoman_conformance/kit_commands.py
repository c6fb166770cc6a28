"""The commands of the kit for its own matters: what it asks and keeps, how reports differ."""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import attrs
from cyclopts import App, Parameter

from dragoman.cli.output import Sheet
from dragoman.cli.shell import Shell, ShellParameter
from dragoman.errors import ConfigurationError, RequestError

from .catalogue import EDITION, catalogue
from .catalogue import edition as edition_ids
from .cli import answered, check_packages
from .levels import ExitCode
from .report.badge import badge as draw_badge
from .report.comparison import changes
from .report.folder import is_folder, read_column, write_page, write_text
from .report.markdown import catalogue_page

if TYPE_CHECKING:
    from .catalogue import Requirement
    from .report.comparison import Change
    from .wire.redaction import RedactionPolicy

__all__ = ["kit"]

_HELP: Final = """What the kit asks, what it keeps, and how reports differ."""

kit: Final = App(name="kit", help=_HELP, help_format="plaintext")


@kit.command(name="list")
async def list_requirements(
    *,
    edition: Annotated[str, Parameter(help="Whose requirements are scored.")] = EDITION,
    md: Annotated[bool, Parameter(negative="", show_default=False, help="As Markdown.")] = False,
    shell: ShellParameter,
) -> int:
    """List every requirement."""
    return await answered(_list(edition, shell, is_markdown=md), shell)


@kit.command
async def explain(
    requirement: Annotated[str, Parameter(metavar="ID", help="Such as ORD-AMB-020.")],
    /,
    *,
    shell: ShellParameter,
) -> int:
    """Say what a requirement asks, what looks at it, and which planted bugs it catches."""
    return await answered(_explain(requirement, shell), shell)


@kit.command
async def diff(
    before: Annotated[Path, Parameter(help="A report.json, or the folder it is in.")],
    after: Annotated[Path, Parameter(help="Likewise.")],
    /,
    *others: Annotated[Path, Parameter(help="More of them, for --merge.")],
    merge: Annotated[
        Path | None, Parameter(metavar="FILE", help="Also write them side by side, as HTML.")
    ] = None,
    shell: ShellParameter,
) -> int:
    """Say what differs between two reports; the exit code is 1 if anything got worse."""
    return await answered(_diff((before, after, *others), merge, shell), shell)


@kit.command
async def badge(
    report: Annotated[Path, Parameter(help="A report.json, or the folder it is in.")],
    /,
    *,
    out: Annotated[Path | None, Parameter(metavar="FILE", help="Else it is written out.")] = None,
    shell: ShellParameter,
) -> int:
    """Draw the level in a report as an SVG badge."""
    return await answered(_badge(report, out, shell), shell)


@kit.command
async def scrub(
    folder: Annotated[Path, Parameter(help="A folder of cassettes, transcripts and tables.")],
    /,
    *,
    subject: Annotated[
        str | None, Parameter(metavar="NAME", help="Whose evidence it is, for its secrets.")
    ] = None,
    check: Annotated[
        bool, Parameter(negative="", show_default=False, help="Only look, change nothing.")
    ] = False,
    shell: ShellParameter,
) -> int:
    """Redact recordings anew, and say what is left that must not be kept; then the code is 1.

    Credentials that the environment holds for the subject's provider are searched by value.
    """
    return await answered(_scrub(folder, subject, shell, is_look=check), shell)


@kit.command
def record(
    name: Annotated[str, Parameter(help="A subject, as `dragoman conform` takes it.")],
    /,
    *scenarios: Annotated[
        str, Parameter(metavar="SCENARIO", help="By name or requirement; else all there are.")
    ],
    folder: Annotated[
        Path | None,
        Parameter(name=["--in"], metavar="DIR", help="Else the folder of the subject's evidence."),
    ] = None,
    simulated: Annotated[
        bool,
        Parameter(negative="", show_default=False, help="Over the simulator: proves nothing."),
    ] = False,
    yes: Annotated[
        bool, Parameter(negative="", show_default=False, help="Do not ask first.")
    ] = False,
    shell: ShellParameter,
) -> int:
    """Play scenarios on the venue's sandbox and keep what passes, redacted, as evidence.

    Orders are sent there, with credentials from the provider's environment variables. What does
    not hold, or would tell a secret, is not kept. Nothing is recorded where CI is set.
    """
    wanted = _Wanted(name=name, scenarios=scenarios, folder=folder, is_simulated=simulated)
    return asyncio.run(answered(_record(wanted, shell, is_sure=yes), shell))


@attrs.frozen(kw_only=True)
class _Wanted:
    """What is to be recorded, and where it is kept."""

    name: str
    scenarios: tuple[str, ...]
    folder: Path | None
    is_simulated: bool


async def _record(wanted: _Wanted, shell: Shell, *, is_sure: bool) -> int:
    check_packages()
    from .recording import record as record_one  # noqa: PLC0415 - needs an extra
    from .recording import recordable, with_credentials  # noqa: PLC0415 - as above
    from .subject import find_subject  # noqa: PLC0415 - as above

    subject = find_subject(wanted.name)
    chosen = recordable(wanted.scenarios)
    folder = wanted.folder or subject.evidence
    if folder is None:
        raise ConfigurationError(f"{subject.name} has no folder of evidence; name one with --in")
    if not wanted.is_simulated:
        subject = with_credentials(subject, os.environ)
        _confirm(shell, subject.hosts.sandbox.values(), is_sure=is_sure)
    for scenario in chosen:
        made = functools.partial(
            record_one, subject, scenario, folder, is_simulated=wanted.is_simulated
        )
        # Each has a loop of its own, which can't run inside this one.
        for path in await asyncio.to_thread(made):
            shell.line(str(path))
    return ExitCode.CONFORMANT


def _confirm(shell: Shell, hosts: Iterable[str], *, is_sure: bool) -> None:
    """Ask before orders are sent anywhere.

    Raises:
        RequestError: The answer was no, or nobody is there to ask.
    """
    if is_sure:
        return
    if not shell.can_ask:
        raise RequestError("this sends orders to a sandbox, and nobody can be asked; add --yes")
    shell.note(f"This sends orders to {', '.join(sorted(set(hosts)))}. Go on? [y/N]")
    if shell.read_line().strip().lower() not in {"y", "yes"}:
        raise RequestError("it was not confirmed")


async def _scrub(folder: Path, name: str | None, shell: Shell, *, is_look: bool) -> int:
    check_packages()
    from .wire.scrubbing import scrub as scrub_folder  # noqa: PLC0415 - needs an extra

    if not is_folder(folder):
        raise ConfigurationError(f"there is no folder {folder}")
    found = scrub_folder(folder, _policy(folder, name), check=is_look)
    for leftover in found.leftovers:
        shell.line(str(leftover))
    for path in found.rewritten:
        shell.line(f"{path}: redacted anew")
    shell.line(f"{found.files} files, {len(found.leftovers)} leftovers")
    return ExitCode.NOT_CONFORMANT if found.leftovers else ExitCode.CONFORMANT


def _policy(folder: Path, name: str | None) -> RedactionPolicy:
    """Return what is redacted: for a subject its own, else what goes for everybody."""
    from .recording import credentials_in, policy_of  # noqa: PLC0415 - needs an extra
    from .subject import find_subject  # noqa: PLC0415 - as above
    from .wire.redaction import RedactionPolicy  # noqa: PLC0415 - as above

    if name is None:
        return RedactionPolicy(salt=folder.resolve().name)
    subject = find_subject(name)
    return policy_of(subject, credentials_in(subject, os.environ))


async def _list(edition: str, shell: Shell, *, is_markdown: bool) -> int:
    scored = edition_ids(edition)
    if is_markdown:
        for line in catalogue_page(catalogue(), scored, edition).splitlines():
            shell.line(line)
        return ExitCode.CONFORMANT
    rows = [
        (one.id, one.keyword, one.level, "yes" if one.id in scored else "no", one.text)
        for one in catalogue().requirements
    ]
    shell.sheet(Sheet.of("ID KEYWORD LEVEL SCORED TEXT", rows))
    return ExitCode.CONFORMANT


async def _explain(name: str, shell: Shell) -> int:
    known = catalogue()
    if name.upper() not in known:
        near = [one.id for one in known.requirements if one.id.startswith(name.upper())]
        hint = f"; there are {', '.join(near)}" if near else "; `dragoman kit list` lists them"
        raise ConfigurationError(f"there is no requirement {name!r}{hint}")
    for line in _explanation(known[name.upper()]):
        shell.line(line)
    return ExitCode.CONFORMANT


def _explanation(requirement: Requirement) -> list[str]:
    from .scenario import all_scenarios  # noqa: PLC0415 - the suites are heavy

    suite = next(one for one in catalogue().suites if one.prefix == requirement.suite)
    is_scored = requirement.id in edition_ids()
    lines = [
        f"{requirement.id}  {requirement.keyword}, {requirement.level}",
        requirement.text,
        "",
        f"suite      {suite.prefix}: {suite.title}",
        f"since      {requirement.since}",
        f"scored     {'yes' if is_scored else 'no'}, by edition {EDITION}",
        f"waivable   {'by known.toml' if requirement.is_waivable else 'never'}",
        f"needs      {'bytes on a wire' if requirement.needs_wire else 'nothing'}",
        "looked at by",
    ]
    for scenario in all_scenarios():
        if requirement.id in scenario.proves:
            told = (scenario.act.__doc__ or "").strip().partition("\n")[0]
            lines.append(f"  {scenario.name}: {told}" if told else f"  {scenario.name}")
    return lines


async def _diff(places: tuple[Path, ...], merge: Path | None, shell: Shell) -> int:
    columns = [read_column(place) for place in places]
    if merge is not None:
        write_page(merge, columns)
    found = changes(columns[0].report, columns[1].report)
    rows = [_row(change) for change in found]
    shell.sheet(Sheet.of("WHAT BEFORE AFTER NOW", rows, empty="nothing differs"))
    worse = any(change.is_worse for change in found)
    return ExitCode.NOT_CONFORMANT if worse else ExitCode.CONFORMANT


def _row(change: Change) -> tuple[str, str, str, str]:
    now = f"worse: {change.message}" if change.is_worse and change.message else ""
    if change.is_worse and not now:
        now = "worse"
    return change.what, change.before or "-", change.after or "-", now


async def _badge(place: Path, out: Path | None, shell: Shell) -> int:
    svg = draw_badge(read_column(place).report)
    if out is None:
        for line in svg.splitlines():
            shell.line(line)
    else:
        write_text(out, svg)
    return ExitCode.CONFORMANT
