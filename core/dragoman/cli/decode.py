"""The command that says what the library makes of a venue's payload."""

from __future__ import annotations

import json as json_module
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from dragoman.decoding import (
    MOST_PAYLOAD_BYTES,
    UNSAID,
    Decoded,
    PayloadContext,
    Payloads,
    decode_payload,
    to_document,
)
from dragoman.errors import DecodeError, Violation
from dragoman.models.values import Timeframe
from dragoman.times import parse_time

from .exit_codes import ExitCode
from .output import Sheet, json_text
from .shell import Shell, ShellParameter

if TYPE_CHECKING:
    from collections.abc import Generator

    from dragoman.decoding import PayloadKind
    from dragoman.models.serde import Plain

__all__ = ["decode"]

_INDENT: Final = 2
_OF_EVERY_RECORD: Final = logging.makeLogRecord({}).__dict__.keys() | {"message", "taskName"}


def decode(
    protocol: Annotated[
        str, Parameter(help="Whose payload it is: a protocol or provider, such as alpaca.")
    ],
    /,
    *,
    kind: Annotated[str | None, Parameter(help="What it is; else it is detected.")] = None,
    kinds: Annotated[
        bool, Parameter(negative="", show_default=False, help="List the kinds and read nothing.")
    ] = False,
    symbol: Annotated[str, Parameter(help="For rows that do not say their symbol.")] = UNSAID,
    account: Annotated[str, Parameter(help="For rows that do not say their account.")] = UNSAID,
    timeframe: Annotated[
        str | None, Parameter(help="For bars that do not say how long they are, such as 1d.")
    ] = None,
    status: Annotated[int | None, Parameter(help="The HTTP status it came with.")] = None,
    received_at: Annotated[
        str | None,
        Parameter(metavar="TIME", help="When it was received, as 2026-01-31T14:30:00Z; else now."),
    ] = None,
    json: Annotated[
        bool, Parameter(negative="", show_default=False, help="Tell errors and kinds as JSON too.")
    ] = False,
    shell: ShellParameter,
) -> int:
    """Say what the library makes of one payload, read from standard input.

    The payload is the body of a response or of a request, or a frame of a stream. The answer is
    JSON: a list of models and events, each with its class under "type"; or one error, as the
    library would raise it. It needs no keys and no network.

    Exit codes: 0 decoded, 1 an error (the venue refuses, or it can't be read), 2 it looks like no
    kind, or like several: they are listed, --kind chooses.
    """
    spoken = shell.find_registry().find_protocol(protocol)
    payloads = spoken.load_payloads()
    if kinds:
        _list(shell, payloads, as_json=json)
        return ExitCode.DONE
    if kind is not None:
        payloads.find(kind)
    context = PayloadContext(
        provider=protocol,
        received_at_ns=shell.clock.now_ns() if received_at is None else _instant(received_at),
        account_id=account,
        symbol=symbol,
        timeframe=None if timeframe is None else Timeframe.parse(timeframe),
        status=status,
    )
    decoded = _decoded(payloads, shell, context, kind)
    if decoded.kind is None and decoded.error is None:
        _tell_candidates(shell, spoken.title, decoded.candidates, as_json=json)
        return ExitCode.NOT_SENT
    if decoded.kind is not None:
        shell.note(_about(decoded.kind))
    _answer(shell, to_document(decoded))
    return ExitCode.DONE if decoded.error is None else ExitCode.REJECTED


def _instant(text: str) -> int:
    return parse_time(text, "--received-at")


def _decoded(
    payloads: Payloads, shell: Shell, context: PayloadContext, kind: str | None
) -> Decoded:
    data = shell.read_bytes(MOST_PAYLOAD_BYTES)
    if len(data) > MOST_PAYLOAD_BYTES:
        size = Violation("payload", f"more than {MOST_PAYLOAD_BYTES} bytes", "less")
        return Decoded(error=DecodeError.of("the payload is too long", [size]))
    with _log_told(shell):
        return decode_payload(payloads, data, context, kind)


class _LogNotes(logging.Handler):
    """Tells what is logged, with its facts, beside the answer."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(logging.WARNING)
        self._shell = shell

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        facts = {name: vars(record)[name] for name in vars(record).keys() - _OF_EVERY_RECORD}
        told = ", ".join(f"{name} {facts[name]!r}" for name in sorted(facts))
        self._shell.note(f"note: {record.getMessage()}{told and f': {told}'}")


@contextmanager
def _log_told(shell: Shell) -> Generator[None]:
    """Tell what the library logs meanwhile, such as a word that has no meaning here."""
    notes = _LogNotes(shell)
    logging.getLogger().addHandler(notes)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(notes)


def _list(shell: Shell, payloads: Payloads, *, as_json: bool) -> None:
    rows = [(kind.name, kind.title) for kind in payloads.kinds]
    if as_json:
        shell.line(json_text({"kinds": [{"name": name, "title": title} for name, title in rows]}))
    else:
        shell.sheet(Sheet.of("KIND PAYLOAD", rows))


def _about(kind: PayloadKind) -> str:
    return f"read as {kind.name}" if kind.note is None else f"read as {kind.name}: {kind.note}"


def _tell_candidates(
    shell: Shell, title: str, candidates: tuple[PayloadKind, ...], *, as_json: bool
) -> None:
    names = [kind.name for kind in candidates]
    if names:
        message = f"this may be any of these: {', '.join(names)}"
        step = "choose one with --kind KIND"
    else:
        message = f"this looks like nothing that is known of {title}"
        step = "--kinds lists what is known, --kind KIND chooses"
    if as_json:
        facts = {"type": "UnknownKind", "message": message, "candidates": names}
        told = {**facts, "exit_code": int(ExitCode.NOT_SENT), "next_step": step}
        shell.note(json_module.dumps({"error": told}))
    else:
        shell.note(f"dragoman: {message}. Next: {step}")


def _answer(shell: Shell, document: Plain) -> None:
    """Write one line, or what people can read on a terminal."""
    indent = _INDENT if shell.out.is_terminal else None
    for line in json_module.dumps(document, indent=indent).splitlines():
        shell.line(line)
