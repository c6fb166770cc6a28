"""The command that speaks a foreign protocol over a provider, until it is told to end."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import attrs
from cyclopts import Parameter

from dragoman.adapter import Environment
from dragoman.errors import ConfigurationError

from .connection_options import ConnectionOptions, provider_name
from .exit_codes import ExitCode
from .shell import Shell, ShellParameter

if TYPE_CHECKING:
    from collections.abc import Generator

    from dragoman.dialects import AccessKey, Dialect, SimpleHost

__all__ = ["serve"]

_DEFAULT = ConnectionOptions()
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


async def serve(
    *,
    dialect: Annotated[str, Parameter(help="The protocol to speak, such as alpaca.")],
    port: Annotated[int, Parameter(help="The port of 127.0.0.1; 0 takes a free one.")] = 8081,
    access: Annotated[
        Path | None,
        Parameter(
            metavar="FILE", help="Keys that clients must show; else those of DRAGOMAN_SERVE_KEYS."
        ),
    ] = None,
    yes: Annotated[
        bool,
        Parameter(
            negative="", show_default=False, help="Do not ask before trading with real money."
        ),
    ] = False,
    options: ConnectionOptions = _DEFAULT,
    shell: ShellParameter,
) -> int:
    """Serve a provider to programs that speak another protocol, until Ctrl-C or SIGTERM.

    Only programs on this machine can reach it. Without keys any credential that is not empty will
    do; with keys, clients show them where their protocol has its own. Real money is served with
    keys only.

    The mock venue is the one that is kept; until this ends, other commands look at a copy of it.
    """
    from .serve_keys import client_keys  # noqa: PLC0415 - loads the library of the server

    spoken = shell.find_registry().find_dialect(dialect).make_dialect()
    serving = _Serving(
        dialect=spoken, port=port, keys=client_keys(access), yes=yes, options=options, shell=shell
    )
    serving.check_money()
    with _told_to_end() as end:
        try:
            async with AsyncExitStack() as stack:
                serving.tell(await serving.open(stack))
                await end.wait()
        except asyncio.CancelledError:
            if not end.was_told or end.is_awaited:
                raise  # by somebody else, or told once more while it ends
            shell.note("dragoman: interrupted before it served")
            return ExitCode.INTERRUPTED
    return ExitCode.DONE


@attrs.frozen(kw_only=True)
class _Serving:
    """What is served to whom, and how that is told."""

    dialect: Dialect
    port: int
    keys: tuple[AccessKey, ...] | None
    yes: bool
    options: ConnectionOptions
    shell: Shell

    def check_money(self) -> None:
        """Refuse to serve real money to just anybody, and where nobody can confirm it.

        Raises:
            ConfigurationError: There are no keys (NOT_SENT).
            RequestError: There is no terminal to ask on and no `--yes` (NOT_SENT).
        """
        options = self.options
        name = provider_name(options.provider, options.profile)
        environment = self.shell.find_registry().find(name)[1].environment
        if environment is Environment.LIVE and self.keys is None:
            raise ConfigurationError(
                f"{name} trades with real money, which is served with keys only: set "
                "DRAGOMAN_SERVE_KEYS, or name a file with --access"
            )
        self.shell.check_can_confirm(environment, yes=self.yes)

    async def open(self, stack: AsyncExitStack) -> SimpleHost:
        """Connect every account that a key names, then listen; `stack` closes it all."""
        from dragoman.dialects import SimpleHost  # noqa: PLC0415 - loads the library of the server

        accounts = [key.account_id for key in self.keys or () if key.account_id is not None]
        options = self.options
        if options.account is None and accounts:
            options = attrs.evolve(options, account=accounts[0])
        broker = await stack.enter_async_context(options.connect(self.shell.find_registry()))
        self.shell.confirm(broker, f"serve it as {self.dialect.name}", yes=self.yes)
        brokers = [broker]
        for account_id in dict.fromkeys(accounts):
            if account_id != broker.account_id:
                brokers.append(await broker.for_account(account_id))
                stack.push_async_callback(brokers[-1].aclose)
        host = SimpleHost(brokers, self.dialect, port=self.port, keys=self.keys)
        return await stack.enter_async_context(host)

    def tell(self, host: SimpleHost) -> None:
        """Say where it is served and how to point a client there."""
        shell = self.shell
        broker = host.brokers[0]
        hints = self.dialect.hints(host.url)
        if self.options.json:
            facts = {"dialect": self.dialect.name, "url": host.url, "pid": os.getpid()}
            needed = {"needs_key": self.keys is not None, "hints": list(hints)}
            shell.answer_json(broker, {**facts, **needed})
        else:
            origin = f"{broker.provider} ({broker.environment}), account {broker.account_id}"
            shell.line(f"serving {self.dialect.name} at {host.url} over {origin}")
            for hint in hints:
                shell.line(f"  {hint}")
            some = "a key of yours" if self.keys is not None else "any key that is not empty"
            shell.line(f"  clients show {some}; Ctrl-C ends it")
        shell.out.file.flush()


class _End:
    """The signals that end a process: first they end the start, later the wait."""

    def __init__(self) -> None:
        self.was_told = False
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._event = asyncio.Event()
        self.is_awaited = False

    async def wait(self) -> None:
        """Return when a signal came."""
        self.is_awaited = True
        await self._event.wait()

    def tell(self) -> None:
        """Take note of a signal; called by its handler, between any two steps of the process."""
        self.was_told = True
        self._loop.call_soon_threadsafe(self._act)

    def _act(self) -> None:
        if self.is_awaited:
            self._event.set()
        elif self._task is not None:
            self._task.cancel()


@contextmanager
def _told_to_end() -> Generator[_End]:
    """Turn the first signal into a regular end; the next one is as rude as it ever was."""
    end = _End()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def handle(number: int, frame: object) -> None:  # noqa: ARG001 - of the signature
        restore()
        end.tell()

    for number in _SIGNALS:
        signal.signal(number, handle)
    try:
        yield end
    finally:
        restore()
