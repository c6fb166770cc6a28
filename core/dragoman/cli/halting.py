"""Commands that stop trading and let it go on, for every process of this user.

Both only touch the halt's marker, so they need no connection, no keys and nobody's leave.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Final

import attrs
from cyclopts import Parameter

from dragoman.config import config_path, load_profiles, state_path
from dragoman.errors import ConfigurationError, DragomanError
from dragoman.models import OrderStatus
from dragoman.orders.halt import HaltReport, HaltSwitch, halt_marker, halt_markers

from .connection_options import ConnectionOptions, provider_name
from .exit_codes import ExitCode
from .output import json_text
from .shell import Shell, ShellParameter
from .wording import day_time

if TYPE_CHECKING:
    from pathlib import Path

    from dragoman.registry import Provider

__all__ = ["halt", "resume"]

_DEFAULT = ConnectionOptions()
_LONGEST_LOOK_S: Final = 5.0


async def halt(
    *,
    cause: Annotated[str, Parameter(help="Why; shown to whoever is refused.")] = "halted by hand",
    options: ConnectionOptions = _DEFAULT,
    shell: ShellParameter,
) -> int:
    """Stop trading: from now on no order is sent until `dragoman resume`. Cancels still go.

    Without --account, for all accounts of the provider. Open orders stay at the venue: `dragoman
    cancel --all` takes them back.
    """
    scope = _Scope.of(options, shell)
    now_ns = shell.clock.now_ns()
    HaltSwitch(scope.marker).set(cause, now_ns)
    report = HaltReport(
        halted_at_ns=now_ns, cause=cause, open_orders=(), unknown=(), open_positions=()
    )
    problem: str | None = None
    code = ExitCode.DONE
    try:
        async with asyncio.timeout(_LONGEST_LOOK_S):
            report = await _look(report, options, shell)
    except TimeoutError:
        problem = f"no answer within {_LONGEST_LOOK_S:.0f} s"
    except DragomanError as error:
        problem = error.message
        is_wrong = scope.account_id is not None and isinstance(error, ConfigurationError)
        code = ExitCode.CONFIGURATION if is_wrong else code
    _tell_halt(shell, scope, report, problem, as_json=options.json)
    return code


def resume(*, options: ConnectionOptions = _DEFAULT, shell: ShellParameter) -> int:
    """Let trading go on after a halt; without --account, for all accounts of the provider."""
    scope = _Scope.of(options, shell)
    wider = HaltSwitch(halt_marker(scope.folder, scope.provider.name))
    was_halted = bool(scope.standing()) or wider.cause is not None
    for marker in scope.standing():
        HaltSwitch(marker).clear()
    is_halted = wider.cause is not None
    if options.json:
        facts = {"is_halted": is_halted, "was_halted": was_halted}
        shell.line(json_text({**scope.origin, **facts}))
    else:
        shell.line(scope.title)
        if is_halted:
            shell.line("all accounts are halted; `dragoman resume` without an account ends it")
        else:
            shell.line("trading goes on" if was_halted else "trading was not halted")
    return ExitCode.HALTED if is_halted else ExitCode.DONE


@attrs.frozen(kw_only=True)
class _Scope:
    """Whose trading is meant; no account means all of the provider's."""

    provider: Provider
    account_id: str | None
    folder: Path

    @classmethod
    def of(cls, options: ConnectionOptions, shell: Shell) -> _Scope:
        name = provider_name(options.provider, options.profile)
        _, provider = shell.find_registry().find(name)
        account_id = options.account
        if account_id is None:
            account_id = _account_of_profile(options.profile or provider.name)
        folder = state_path(options.state_dir)
        return cls(provider=provider, account_id=account_id, folder=folder)

    @property
    def marker(self) -> Path:
        return halt_marker(self.folder, self.provider.name, self.account_id)

    @property
    def title(self) -> str:
        who = "all accounts" if self.account_id is None else f"account {self.account_id}"
        return f"{self.provider.name} ({self.provider.environment}), {who}"

    @property
    def origin(self) -> dict[str, object]:
        return {
            "provider": self.provider.name,
            "environment": self.provider.environment,
            "account_id": self.account_id,
        }

    def standing(self) -> tuple[Path, ...]:
        """Return the markers that a resume takes away."""
        if self.account_id is None:
            return halt_markers(self.folder, self.provider.name)
        return (self.marker,) if self.marker.exists() else ()


async def _look(report: HaltReport, options: ConnectionOptions, shell: Shell) -> HaltReport:
    """Return the report with what the venue says is open."""
    async with options.connect(shell.find_registry(), read_only=True) as broker:
        orders = await broker.fetch_open_orders()
        held = await broker.fetch_positions()
    doubtful = [order for order in orders if order.status is OrderStatus.UNKNOWN]
    return attrs.evolve(
        report,
        open_orders=tuple(order.client_order_id for order in orders),
        unknown=tuple(order.client_order_id for order in doubtful),
        open_positions=tuple(position.position_id for position in held),
    )


def _tell_halt(
    shell: Shell, scope: _Scope, report: HaltReport, problem: str | None, *, as_json: bool
) -> None:
    if as_json:
        facts = {"halt": report, "has_seen_orders": problem is None, "problem": problem}
        shell.line(json_text({**scope.origin, **facts}))
        return
    shell.line(scope.title)
    shell.line(f"halted at {day_time(report.halted_at_ns)}: {report.cause}")
    if problem is not None:
        shell.line(f"open orders and positions could not be read: {problem}")
        shell.line("check them at the venue")
        return
    for name, ids in (
        ("open orders", report.open_orders),
        ("of unknown fate", report.unknown),
        ("open positions", report.open_positions),
    ):
        shell.line(f"{name}: {', '.join(ids) or 'none seen'}")


def _account_of_profile(name: str) -> str | None:
    """Return the account that a profile names; a broken file never stands in a halt's way."""
    try:
        profile = load_profiles(config_path()).get(name)
    except ConfigurationError:
        return None
    return None if profile is None else profile.account_id
