"""The command that shows it all: account, quotes, a bracket order's life, the sum at the end."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from dragoman.connection import connect
from dragoman.errors import DragomanError
from dragoman.ids import SeededIds
from dragoman.times import ManualClock

from .demo_lines import LineStage, RecordStage, closing_lines
from .demo_screen import ScreenStage
from .demo_story import Story, take_down
from .exit_codes import ExitCode
from .shell import Shell, ShellParameter

if TYPE_CHECKING:
    from dragoman.broker import Broker

    from .demo_story import Stage

__all__ = ["demo"]

_PROVIDER: Final = "mock"
_SEED: Final = 5
_LONGEST_TAKE_DOWN_S: Final = 0.5

_FLAG = Parameter(negative="", show_default=False)


async def demo(
    *,
    seed: Annotated[int, Parameter(help="Another seed tells another story.")] = _SEED,
    quick: Annotated[bool, _FLAG, Parameter(help="Without pauses.")] = False,
    json: Annotated[bool, _FLAG, Parameter(help="Answer with JSON, at the end.")] = False,
    shell: ShellParameter,
) -> int:
    """Watch a bracket order live its whole life at a simulated market; ends by itself.

    Nothing is kept, nothing real is touched: the venue is made for the demo and gone after it.
    """
    clock = ManualClock()
    connection = connect(
        _PROVIDER,
        clock=clock,
        ids=SeededIds("demo"),
        registry=shell.find_registry(),
        seed=str(seed),
    )
    async with connection as broker:
        try:
            if json:
                await _record(shell, broker, clock)
            elif shell.is_live:
                await _screen(shell, broker, clock, is_paced=not quick)
            else:
                await _lines(shell, broker, clock, is_paced=not quick)
        except asyncio.CancelledError:
            await _leave_nothing(shell, broker, clock)
            raise
    return ExitCode.DONE


async def _record(shell: Shell, broker: Broker, clock: ManualClock) -> None:
    stage = RecordStage()
    story = Story(broker, clock, shell.clock, stage, is_paced=False)
    found = await story.tell()
    facts = {
        "events": stage.events,
        "reconciliation": found,
        "cash_change": found.cash_change,
        "is_reconciled": found.is_reconciled,
    }
    shell.answer_json(broker, facts)


async def _screen(shell: Shell, broker: Broker, clock: ManualClock, *, is_paced: bool) -> None:
    with ScreenStage(shell.out, f"dragoman demo: {_where(broker)}") as stage:
        found = await _story(shell, broker, clock, stage, is_paced=is_paced).tell()
        stage.close(closing_lines(found), found)


async def _lines(shell: Shell, broker: Broker, clock: ManualClock, *, is_paced: bool) -> None:
    shell.line(f"dragoman demo: {_where(broker)}")
    stage = LineStage(shell)
    found = await _story(shell, broker, clock, stage, is_paced=is_paced).tell()
    for line in closing_lines(found):
        shell.line(line)


def _story(
    shell: Shell, broker: Broker, clock: ManualClock, stage: Stage, *, is_paced: bool
) -> Story:
    return Story(broker, clock, shell.clock, stage, is_paced=is_paced)


def _where(broker: Broker) -> str:
    return f"{broker.provider} ({broker.environment}), account {broker.account_id}"


async def _leave_nothing(shell: Shell, broker: Broker, clock: ManualClock) -> None:
    """Take down what is open when the story is interrupted; the venue ends with it in any case."""
    with suppress(DragomanError, TimeoutError):
        async with asyncio.timeout(_LONGEST_TAKE_DOWN_S):
            orders, positions = await take_down(broker, clock)
        shell.note(f"dragoman: canceled {orders} orders, closed {positions} positions")
