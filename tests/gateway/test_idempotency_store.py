"""What has been answered to whom, in a file and in memory: one contract."""

import os
import sqlite3
import stat

import pytest

from dragoman.errors import JournalUnavailableError
from dragoman.times import DAY_NS
from dragoman_gateway.idempotency_store import Answer, AnswerFile, AnswerMemory, Record

PRINT, OTHER = b"p" * 32, b"o" * 32
ANSWER = Answer(status=201, headers=(("Content-Type", "text/plain"), ("X", "a")), body=b"\x00done")
BEGUN = Record(fingerprint=PRINT)
NEW = Record(fingerprint=PRINT, is_new=True)
SECRET = "canary-of-the-store"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "orders" / "mock" / "paper-1.answers"


@pytest.fixture
def open_file(path, tmp_path):
    opened = []

    def open_file(now_ns=0, **settings):
        opened.append(AnswerFile(path, tmp_path, now_ns=now_ns, **settings))
        return opened[-1]

    yield open_file
    for file in opened:
        file.close()


@pytest.fixture(params=["file", "memory"])
def make(request, open_file):
    return open_file if request.param == "file" else AnswerMemory


def test_what_is_begun_once_is_known_from_then_on(make):
    store = make()

    assert NEW == store.begin("s", "k", PRINT, 0)
    assert BEGUN == store.begin("s", "k", PRINT, 1)


def test_an_answer_is_told_again_as_it_was(make):
    store = make()
    store.begin("s", "k", PRINT, 0)
    store.settle("s", "k", ANSWER)

    assert Record(fingerprint=PRINT, answer=ANSWER) == store.begin("s", "k", OTHER, 1)


def test_nobody_finds_the_row_of_another_scope(make):
    store = make()
    store.begin("s", "k", PRINT, 0)
    store.settle("s", "k", ANSWER)

    assert NEW == store.begin("t", "k", PRINT, 1)
    assert NEW == store.begin("", "sk", PRINT, 1)


def test_a_day_later_a_key_is_new_again(make):
    store = make()
    store.begin("s", "k", PRINT, 5)
    store.settle("s", "k", ANSWER)

    assert ANSWER == store.begin("s", "k", PRINT, DAY_NS + 4).answer
    assert NEW == store.begin("s", "k", PRINT, DAY_NS + 5)


def test_one_scope_that_has_too_many_rows_takes_none_from_another(make):
    store = make(most=10)
    store.begin("quiet", "k", PRINT, 0)
    for number in range(3000):
        store.begin("loud", str(number), PRINT, 1)

    assert NEW == store.begin("loud", "0", PRINT, 2)
    assert BEGUN == store.begin("loud", "2999", PRINT, 2)
    assert BEGUN == store.begin("quiet", "k", PRINT, 2)


def test_an_answer_to_what_was_pruned_is_let_go(make):
    store = make()

    store.settle("s", "k", ANSWER)

    assert NEW == store.begin("s", "k", PRINT, 0)


def test_digests_tell_texts_apart_wherever_they_are_cut(make):
    store = make()

    assert store.digest("ab", "c") != store.digest("a", "bc")
    assert store.digest("\ud800") == store.digest("\ud800")


def test_a_file_is_found_as_it_was_left(open_file):
    first = open_file()
    first.begin("s", "answered", PRINT, 0)
    first.settle("s", "answered", ANSWER)
    first.begin("s", "begun", PRINT, 0)
    salt = first.salt
    first.close()

    second = open_file(now_ns=1)

    assert salt == second.salt
    assert ANSWER == second.begin("s", "answered", PRINT, 1).answer
    assert BEGUN == second.begin("s", "begun", PRINT, 1)


def test_what_is_too_old_is_deleted_when_a_file_is_opened(open_file, path):
    first = open_file()
    first.begin("s", "old", PRINT, 0)
    first.begin("s", "young", PRINT, 10)
    first.close()
    open_file(now_ns=DAY_NS + 5).close()

    with sqlite3.connect(path) as connection:
        left = connection.execute("SELECT count(*) FROM answers").fetchone()
    connection.close()

    assert (1,) == left


def test_two_memories_have_nothing_in_common():
    assert AnswerMemory().digest("s") != AnswerMemory().digest("s")


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_a_file_is_for_its_owner_and_holds_no_key_of_a_client(open_file, path):
    before = os.umask(0)
    try:
        store = open_file()
        store.begin(SECRET, SECRET, PRINT, 0)
    finally:
        os.umask(before)

    files = [file for file in path.parent.iterdir() if file.name.startswith(path.name)]
    assert {0o600} == {stat.S_IMODE(file.stat().st_mode) for file in files}
    assert 3 == len(files)
    assert not any(SECRET.encode() in file.read_bytes() for file in files)


def test_a_file_of_another_kind_is_refused_and_left(open_file, path):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database at all" * 100)

    with pytest.raises(JournalUnavailableError, match=r"paper-1\.answers"):
        open_file()
    assert path.read_bytes().startswith(b"no database")


def test_a_file_of_another_version_is_refused(open_file, path):
    open_file().close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()

    with pytest.raises(JournalUnavailableError, match="format 1"):
        open_file()


def test_a_link_is_not_followed(open_file, path, tmp_path):
    path.parent.mkdir(parents=True)
    path.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(JournalUnavailableError):
        open_file()
    assert not (tmp_path / "elsewhere").exists()


def test_a_damaged_answer_is_not_told(open_file, path):
    store = open_file()
    store.begin("s", "k", PRINT, 0)
    store.settle("s", "k", ANSWER)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE answers SET headers = 'x'")
    connection.close()

    with pytest.raises(JournalUnavailableError, match="damaged"):
        store.begin("s", "k", PRINT, 1)
