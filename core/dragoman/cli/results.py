"""What a command that trades answers with; always under the name of provider and environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .exit_codes import ExitCode
from .output import Sheet
from .problems import worst
from .wording import money, order_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.broker import Broker
    from dragoman.models import CommandResult, Order
    from dragoman.ports import Preview

    from .shell import Shell

__all__ = ["show_order", "show_preview", "show_results"]


def show_order(shell: Shell, broker: Broker, order: Order, *, as_json: bool) -> None:
    """Write an order as it stands."""
    if as_json:
        shell.answer_json(broker, {"order": order})
        return
    shell.heading(broker)
    shell.line(order_line(order))
    venue_id = f", venue id {order.venue_order_id}" if order.venue_order_id else ""
    shell.line(f"id {order.client_order_id}{venue_id}")


def show_results(
    shell: Shell, broker: Broker, results: Sequence[CommandResult], *, as_json: bool
) -> ExitCode:
    """Write what became of each order; returns the exit code of what matters most."""
    if as_json:
        shell.answer_json(broker, {"results": results})
    else:
        shell.heading(broker)
        rows = [(one.client_order_id, *_outcome(one)) for one in results]
        shell.sheet(Sheet.of("ID STATUS ORDER", rows, empty="nothing to do"))
    return worst([one.error for one in results if one.error is not None])


def show_preview(shell: Shell, broker: Broker, found: Preview, *, as_json: bool) -> ExitCode:
    """Write what stands in the way of an order that was not sent."""
    if as_json:
        shell.answer_json(broker, {"preview": found, "is_acceptable": found.is_acceptable})
    else:
        shell.heading(broker)
        shell.line(f"not sent; {'acceptable' if found.is_acceptable else 'not acceptable'}")
        for violation in found.violations:
            shell.line(f"{violation}")
        if found.reject_reason is not None:
            shell.line(f"the venue would refuse it: {found.reject_reason}")
        if found.margin is not None:
            shell.line(f"margin {money(found.margin)}, commission {money(found.commission)}")
        for warning in found.warnings:
            shell.line(f"note: {warning}")
    if found.violations:
        return ExitCode.NOT_SENT
    return ExitCode.DONE if found.is_acceptable else ExitCode.REJECTED


def _outcome(result: CommandResult) -> tuple[str, str]:
    if result.error is not None:
        return str(result.error.outcome or "failed"), result.error.message
    if result.order is not None:
        return str(result.order.status), order_line(result.order)
    return "done", ""
