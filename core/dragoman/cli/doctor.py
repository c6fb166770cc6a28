"""The command that checks the set-up; it names credentials and their source, never shows one."""

from __future__ import annotations

import os
from typing import Annotated

import attrs
from cyclopts import Parameter

from dragoman.config import config_path, state_path
from dragoman.errors import DragomanError
from dragoman.models.serde import to_plain

from .checkup import (
    Finding,
    check_clock,
    check_configuration,
    check_credentials,
    check_packages,
    check_providers,
    check_state_folder,
)
from .connection_options import ConnectionOptions, provider_name
from .exit_codes import ExitCode
from .output import Sheet, json_text
from .problems import problem_of
from .shell import Shell, ShellParameter

__all__ = ["doctor"]


_DEFAULT = ConnectionOptions()
_MILLISECOND_NS = 1_000_000


async def doctor(
    name: Annotated[str | None, Parameter(metavar="PROVIDER", help="As --provider.")] = None,
    /,
    *,
    options: ConnectionOptions = _DEFAULT,
    shell: ShellParameter,
) -> int:
    """Check the installation, the configuration and, if a provider is named, its connection."""
    if name is not None:
        options = attrs.evolve(options, provider=name)
    findings = [*check_packages()]
    code = ExitCode.DONE
    try:
        registry = shell.find_registry()
    except DragomanError as error:
        findings.append(Finding.broken("protocols", error.message))
    else:
        findings += check_providers(registry)
        findings += check_configuration(config_path())
        findings += check_credentials(registry, _named(options), options.profile)
    findings.append(check_clock(shell.clock))
    findings.append(check_state_folder(state_path(options.state_dir)))
    if any(finding.is_broken for finding in findings):
        code = ExitCode.CONFIGURATION
    if _named(options) is not None:
        finding, found_code = await _connected(options, shell)
        findings.append(finding)
        code = code or found_code
    _show(findings, options, shell)
    return code


def _named(options: ConnectionOptions) -> str | None:
    """Return the provider that was asked for, if one was."""
    is_named = options.provider or options.profile or os.environ.get("DRAGOMAN_PROVIDER")
    try:
        return provider_name(options.provider, options.profile) if is_named else None
    except DragomanError:
        return options.provider


async def _connected(options: ConnectionOptions, shell: Shell) -> tuple[Finding, ExitCode]:
    try:
        async with options.connect(shell.find_registry(), read_only=True) as broker:
            start_ns = shell.clock.monotonic_ns()
            account = await broker.fetch_account()
            took_ms = (shell.clock.monotonic_ns() - start_ns) / _MILLISECOND_NS
    except DragomanError as error:
        return Finding.broken("connection", error.message), problem_of(error).exit_code
    who = f"{broker.provider} ({broker.environment}), account {account.account_id}"
    return Finding.ok("connection", f"{who}: a round trip took {took_ms:.1f} ms"), ExitCode.DONE


def _show(findings: list[Finding], options: ConnectionOptions, shell: Shell) -> None:
    is_sound = not any(finding.is_broken for finding in findings)
    if options.json:
        shell.line(json_text({"is_sound": is_sound, "findings": to_plain(findings)}))
        return
    rows = [(finding.state, finding.subject, finding.detail) for finding in findings]
    shell.sheet(Sheet.of("STATE SUBJECT DETAIL", rows))
    shell.line("all is well" if is_sound else "something is broken: see the lines that say so")
