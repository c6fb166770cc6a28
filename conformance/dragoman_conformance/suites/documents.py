"""What the venue's documents say: calls as they stand there, and payloads as they are meant."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast

from ..scenario import Need, scenario
from ..tables import check_row, difference_of, load_calls, load_meanings, make_call, meaning_of
from ..verdicts import Basis

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..play import Play
    from ..stage.loop import StageLoop
    from ..subject import Subject
    from ..tables import CallRow, CallTable, Meaning

_STREAM: Final = "stream"
_OF_THE_VENUE: Final = frozenset({Basis.DOCUMENTED, Basis.SANDBOX, Basis.LIVE})


def _calls(
    subject: Subject, *, answered: bool, as_shown: bool
) -> tuple[tuple[str, CallTable, CallRow], ...]:
    """Return rows of the subject's tables of calls, each with its file's name and its table.

    Args:
        subject: Whose evidence it is.
        answered: Whether calls that are answered are wanted, or those that are refused.
        as_shown: Whether rows that stand in the documents, or those derived from them.
    """
    return tuple(
        [
            (name, table, row)
            for name, table, row in _rows(subject)
            if row.call != _STREAM
            and (row.fails is None) is answered
            and (table.basis_of(row) is not Basis.DERIVED) is as_shown
        ]
    )


def _sessions(subject: Subject) -> tuple[tuple[str, CallTable, CallRow], ...]:
    """Return the rows that open a stream, likewise."""
    return tuple([one for one in _rows(subject) if one[2].call == _STREAM])


def _rows(subject: Subject) -> Iterator[tuple[str, CallTable, CallRow]]:
    """Yield every row of the subject's tables of calls, once it is seen to be sound."""
    if subject.evidence is not None:
        for name, table in load_calls(subject.evidence / "tables"):
            for row in table.rows:
                check_row(row)
                yield name, table, row


def _meanings(subject: Subject, *, are_of_the_venue: bool) -> tuple[Meaning, ...]:
    """Return the subject's documented payloads that do, or do not, come from the venue itself."""
    rows = () if subject.evidence is None else load_meanings(subject.evidence)
    return tuple([row for row in rows if (row.basis in _OF_THE_VENUE) is are_of_the_venue])


@scenario(
    "DOC-010",
    "DOC-020",
    needs=(Need.WIRE,),
    fits=lambda subject: bool(_calls(subject, answered=True, as_shown=True)),
)
async def calls_are_made_and_answered_as_documented(play: Play) -> None:
    """Each call that the documents show to the letter is made on an adapter of its own."""
    await _make_all(play, _calls(play.subject, answered=True, as_shown=True), "DOC-020")


@scenario(
    "DOC-010",
    "DOC-020",
    needs=(Need.WIRE,),
    fits=lambda subject: bool(_calls(subject, answered=True, as_shown=False)),
)
async def calls_are_made_and_answered_by_the_schema(play: Play) -> None:
    """Likewise each call that the documents describe, with values of the table's own."""
    await _make_all(play, _calls(play.subject, answered=True, as_shown=False), "DOC-020")


@scenario(
    "DOC-010",
    "DOC-030",
    needs=(Need.WIRE,),
    fits=lambda subject: bool(_calls(subject, answered=False, as_shown=True)),
)
async def refusals_mean_what_is_documented(play: Play) -> None:
    """Each refusal that the documents show is met with a call of its own."""
    await _make_all(play, _calls(play.subject, answered=False, as_shown=True), "DOC-030")


@scenario(
    "DOC-010",
    "DOC-030",
    needs=(Need.WIRE,),
    fits=lambda subject: bool(_calls(subject, answered=False, as_shown=False)),
)
async def refusals_mean_what_the_schema_says(play: Play) -> None:
    """Likewise each refusal that the documents describe."""
    await _make_all(play, _calls(play.subject, answered=False, as_shown=False), "DOC-030")


@scenario(
    "DOC-040",
    needs=(Need.WIRE,),
    fits=lambda subject: bool(_meanings(subject, are_of_the_venue=True)),
)
async def payloads_of_the_venue_mean_what_the_tables_say(play: Play) -> None:
    """Each payload that the venue documents is read as the table has it, and as nothing else."""
    _read_all(play, _meanings(play.subject, are_of_the_venue=True))


@scenario(
    "DOC-040",
    needs=(Need.WIRE,),
    fits=lambda subject: bool(_meanings(subject, are_of_the_venue=False)),
)
async def payloads_of_others_mean_what_the_tables_say(play: Play) -> None:
    """Likewise those that were derived, or that other people's clients are tested with."""
    _read_all(play, _meanings(play.subject, are_of_the_venue=False))


@scenario("DOC-050", needs=(Need.WIRE,), fits=lambda subject: bool(_sessions(subject)))
async def streams_are_held_as_documented(play: Play) -> None:
    """Each documented session is held with an adapter of its own."""
    for name, table, row in _sessions(play.subject):
        found = await make_call(play.subject, table, row, _loop())
        play.rests_on(table.basis_of(row))
        wrong = (*found.sent, *found.told)
        play.check("DOC-050", not wrong, f"{name}, {row.name}: {'; '.join(wrong)}")


async def _make_all(
    play: Play, calls: Sequence[tuple[str, CallTable, CallRow]], requirement: str
) -> None:
    for name, table, row in calls:
        found = await make_call(play.subject, table, row, _loop())
        play.rests_on(table.basis_of(row))
        play.check("DOC-010", not found.sent, f"{name}, {row.name}: {'; '.join(found.sent)}")
        play.check(requirement, not found.told, f"{name}, {row.name}: {'; '.join(found.told)}")


def _read_all(play: Play, rows: Sequence[Meaning]) -> None:
    for row in rows:
        play.rests_on(row.basis)
        kind, tells = meaning_of(play.subject, row)
        if row.kind is not None:
            play.equal("DOC-040", row.kind, kind, f"{row.place}: the kind of payload")
        difference = difference_of(row.tells, tells)
        play.check("DOC-040", difference is None, f"{row.place}: {difference}")


def _loop() -> StageLoop:
    return cast("StageLoop", asyncio.get_running_loop())
