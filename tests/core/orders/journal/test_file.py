"""The file is private, known for what it is, and never begun anew in place of a damaged one."""

import os
import shutil
import sqlite3
import stat
from contextlib import closing

import pytest
from tests.journalled import accepted, file_of, numbers, opened, request, submitted

from dragoman.errors import JournalUnavailableError
from dragoman.orders.journal import journal_path


@pytest.fixture
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode_of(path):
    return stat.S_IMODE(path.lstat().st_mode)


def closed_journal(folder, events=3):
    journal = opened(folder)
    journal.append([accepted()] * events)
    journal.close()
    return file_of(folder)


def test_each_account_has_a_file_that_its_name_cannot_leave(tmp_path) -> None:
    path = journal_path(tmp_path, "../up", "a/../b")

    assert tmp_path / "journals" / "..%2Fup" / "a%2F..%2Fb.sqlite3" == path


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277], indirect=True, ids=oct)
def test_s16_files_and_folders_are_for_their_owner_alone(tmp_path, umask) -> None:
    journal = opened(tmp_path)
    journal.append([accepted()])

    path = file_of(tmp_path)
    files = {each.name: mode_of(each) for each in path.parent.iterdir()}
    journal.close()

    stem = path.name.removesuffix(".sqlite3")
    names = {path.name, f"{path.name}-wal", f"{path.name}-shm", f"{stem}.lock"}
    assert dict.fromkeys(names, 0o600) == files
    assert [0o700, 0o700] == [mode_of(path.parent), mode_of(path.parent.parent)]


def test_s16_a_file_that_others_could_read_is_made_private(tmp_path) -> None:
    path = closed_journal(tmp_path)
    path.chmod(0o644)
    path.parent.chmod(0o755)

    opened(tmp_path).close()

    assert (0o600, 0o700) == (mode_of(path), mode_of(path.parent))


@pytest.mark.parametrize("end", [".sqlite3", ".sqlite3-wal", ".sqlite3-shm", ".lock"])
def test_s16_a_symbolic_link_is_not_followed(tmp_path, end) -> None:
    path = closed_journal(tmp_path / "state")
    target = tmp_path / "elsewhere"
    target.write_bytes(b"precious")
    link = path.with_name(path.name.removesuffix(".sqlite3") + end)
    link.unlink(missing_ok=True)
    link.symlink_to(target)

    with pytest.raises(JournalUnavailableError, match="link"):
        opened(tmp_path / "state")

    assert b"precious" == target.read_bytes()


def test_s16_a_link_in_place_of_the_folder_is_not_followed(tmp_path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "journals").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(JournalUnavailableError, match="link"):
        opened(tmp_path / "state")

    assert [] == [*(tmp_path / "elsewhere").iterdir()]


def test_a_folder_that_cannot_be_made_is_said_to_be_so(tmp_path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(JournalUnavailableError, match="choose a state_dir"):
        opened(tmp_path / "file")


@pytest.mark.parametrize(
    "content", [b"", b"not a database, but long enough to be one" * 9], ids=["empty", "garbage"]
)
def test_a_damaged_file_is_refused_and_left_as_it_is(tmp_path, content) -> None:
    path = closed_journal(tmp_path)
    path.write_bytes(content)

    with pytest.raises(JournalUnavailableError, match="restore"):
        opened(tmp_path)

    assert content == path.read_bytes()


def test_a_file_cut_short_is_refused(tmp_path) -> None:
    path = closed_journal(tmp_path)
    path.write_bytes(path.read_bytes()[:4096])

    with pytest.raises(JournalUnavailableError):
        opened(tmp_path)


def test_the_database_of_another_program_is_refused(tmp_path) -> None:
    path = closed_journal(tmp_path)
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE events (sequence)")

    with pytest.raises(JournalUnavailableError, match="no journal of this library"):
        opened(tmp_path)


def test_a_file_whose_shapes_cannot_be_read_is_refused_and_given_back(tmp_path) -> None:
    path = closed_journal(tmp_path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE shapes SET text = '{' WHERE number = 1")

    for _ in range(2):
        with pytest.raises(JournalUnavailableError, match="restore the file"):
            opened(tmp_path)


def test_a_newer_format_is_refused_for_what_it_is(tmp_path) -> None:
    path = closed_journal(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")

    with pytest.raises(JournalUnavailableError, match=r"has format 2, .* reads up to 1"):
        opened(tmp_path)


def test_a_journal_that_is_gone_but_for_its_log_is_not_begun_anew(tmp_path) -> None:
    path = closed_journal(tmp_path)
    path.rename(path.with_name(f"{path.name}-wal"))

    with pytest.raises(JournalUnavailableError, match="is gone, but its log"):
        opened(tmp_path)


def test_what_a_death_in_the_making_left_is_made_again(tmp_path) -> None:
    path = file_of(tmp_path)
    path.parent.mkdir(parents=True)
    path.with_name(f"{path.name}.new").write_bytes(b"half")

    journal = opened(tmp_path)
    kept = journal.append([accepted()])
    journal.close()

    assert [1] == numbers(kept)


def _copy_of(source, folder, log):
    path = file_of(folder)
    path.parent.mkdir(parents=True)
    shutil.copy(source, path)
    path.with_name(f"{path.name}-wal").write_bytes(log)
    return folder


@pytest.fixture(scope="module")
def torn(tmp_path_factory):
    """A file whose ten orders are in its log alone, as a process that died leaves it."""
    folder = tmp_path_factory.mktemp("torn")
    journal = opened(folder)
    journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for number in range(10):
        journal.begin([request(f"n{number}")], [submitted(f"n{number}")])
    path = file_of(folder)
    log = path.with_name(f"{path.name}-wal").read_bytes()
    copy = folder / "copy"
    shutil.copy(path, copy)
    journal.close()
    return copy, log


def read_whole(folder):
    """Every order there is; each has its intent and its event, and no number is missing."""
    journal = opened(folder)
    count = journal.last_sequence
    events = journal.since(0, 100)
    intents = [journal.intent(f"n{number}") for number in range(10)]
    journal.append([accepted("later")])
    journal.close()

    assert [*range(1, count + 1)] == numbers(events)
    assert [f"n{number}" for number in range(count)] == [
        event.order.client_order_id for event in events
    ]
    wanted = [request(f"n{number}") if number < count else None for number in range(10)]
    assert wanted == intents
    return count


FRAME = 24 + 2048


def test_f43_a_log_cut_anywhere_is_a_prefix_of_what_was_committed(torn, tmp_path) -> None:
    source, log = torn
    frames = range(32, len(log) + 1, FRAME)
    cuts = sorted({0, 16, 31, *frames, *(at + part for at in frames for part in (1, 23, 24, 2000))})

    found = [
        read_whole(_copy_of(source, tmp_path / str(cut), log[:cut]))
        for cut in cuts
        if cut <= len(log)
    ]

    assert sorted(found) == found
    assert {*range(11)} == {*found}


def test_f43_a_log_damaged_anywhere_is_a_prefix_of_what_was_committed(torn, tmp_path) -> None:
    source, log = torn
    places = [at + part for at in range(32, len(log), FRAME) for part in (0, 4, 9, 17, 25, 2000)]

    found = [
        read_whole(_copy_of(source, tmp_path / str(place), _flipped(log, place)))
        for place in [3, 13, 25, *places]
    ]

    assert (0, True) == (found[0], max(found) < 10)
    assert {*range(10)} == {*found}


def _flipped(log, place):
    return log[:place] + bytes([log[place] ^ 0x55]) + log[place + 1 :]
