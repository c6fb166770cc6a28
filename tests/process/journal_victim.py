"""Writers of a journal that die, or run out of space. A script; each act is a fork of it.

`journal_victim.py <folder> kill <first> <last>` dies at that statement of a fixed play, once for
each number; `journal_victim.py <folder> starve` comes back alive and says what happened as JSON.
"""

import json
import os
import resource
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.journalled import accepted, canceled, opened, request, submitted

from dragoman.errors import JournalUnavailableError


def play(journal, heard):
    """Send three orders and let them end; each number is heard by somebody as soon as it is out."""
    for name in ("n0", "n1", "n2"):
        numbered = journal.begin([request(name)], [submitted(name)])
        os.write(heard, f"intent {name}\n".encode())
        for event in (accepted(name, venue_id=name), canceled(name, venue_id=name)):
            numbered += journal.append([event])
            os.write(heard, f"event {numbered[-1].sequence}\n".encode())


def die_at(folder, statement):
    journal = opened(folder)
    heard = os.open(folder / "heard", os.O_CREAT | os.O_WRONLY, 0o600)
    seen = [0]

    def count(_):
        seen[0] += 1
        if seen[0] == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    journal._connection.set_trace_callback(count)
    play(journal, heard)
    os.write(heard, b"end\n")
    os.kill(os.getpid(), signal.SIGKILL)


def starve(folder):
    journal = opened(folder)
    journal.append([submitted("before")])
    path = next(folder.glob("journals/*/*-wal"))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, hard))
    for number in range(5):
        journal.append([accepted(f"meanwhile{number}")])
    facts = {"trouble": journal.trouble is not None, "handed_out": journal.last_sequence}
    try:
        journal.begin([request("late")], [submitted("late")])
    except JournalUnavailableError:
        facts["refused"] = True
    if (folder / "die").exists():
        os.write(1, json.dumps(facts).encode())
        os.kill(os.getpid(), signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    journal.flush()
    facts["recovered"] = journal.trouble is None
    journal.close()
    os.write(1, json.dumps(facts).encode())


def main():
    folder, act = Path(sys.argv[1]), sys.argv[2]
    if act == "starve":
        starve(folder)
        return
    for statement in range(int(sys.argv[3]), int(sys.argv[4]) + 1):
        own = folder / str(statement)
        own.mkdir()
        child = os.fork()
        if child == 0:
            die_at(own, statement)
        os.waitpid(child, 0)


main()
