"""Foreign ids: unique, durable, never given twice, wherever they are kept."""

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dragoman.dialects import Identity, MemoryIdentities, identity_file
from dragoman.dialects.identity_file import IdentityFile, identity_path
from dragoman.errors import InvalidValueError, JournalUnavailableError

ROOT = Path(__file__).parents[3]


def open_file(folder, dialect="toy", account_id="one"):
    return IdentityFile(identity_path(folder, "fake", account_id), folder, dialect)


@pytest.fixture(params=["memory", "file"])
def identities(request, tmp_path):
    found = MemoryIdentities() if request.param == "memory" else open_file(tmp_path)
    yield found
    if request.param == "file":
        found.close()


def test_what_was_put_is_found_both_ways(identities):
    put = identities.put("order", "7", "c1", {"note": "é"})

    assert Identity(kind="order", foreign_id="7", key="c1", attributes={"note": "é"}) == put
    assert put == identities.get("order", "7")
    assert put == identities.find("order", "c1")


def test_what_was_not_put_is_not_there(identities):
    identities.put("order", "7", "c1")

    assert None is identities.get("order", "8")
    assert None is identities.get("trade", "7")
    assert None is identities.find("order", "7")
    assert [] == list(identities.all("trade"))


def test_an_id_stands_for_one_key_for_ever(identities):
    identities.put("order", "7", "c1")

    with pytest.raises(InvalidValueError, match="stands for nothing else"):
        identities.put("order", "7", "c2")
    assert "c1" == identities.get("order", "7").key
    assert None is identities.find("order", "c2")


def test_the_same_again_adds_to_its_attributes(identities):
    identities.put("order", "7", "c1", {"a": "1", "b": "1"})
    identities.put("order", "7", "c1", {"b": "2", "c": "3"})
    identities.put("order", "7", "c1")

    assert {"a": "1", "b": "2", "c": "3"} == identities.get("order", "7").attributes
    assert 1 == len(list(identities.all("order")))


def test_a_key_may_have_several_and_the_newest_is_found(identities):
    identities.put("order", "7", "c1")
    identities.put("order", "8", "c1")
    identities.put("order", "7", "c1", {"late": "yes"})

    assert "8" == identities.find("order", "c1").foreign_id
    assert "c1" == identities.get("order", "7").key


def test_numbers_rise_by_one_and_a_key_keeps_its_own(identities):
    numbers = [identities.allocate("order", f"c{n}").foreign_id for n in (1, 2, 1, 3)]
    apart = identities.allocate("trade", "c1", first=1000, attributes={"a": "1"})
    again = identities.allocate("trade", "c1", first=1000, attributes={"b": "2"})

    assert ["1", "2", "1", "3"] == numbers
    assert ("1000", {"a": "1"}) == (apart.foreign_id, apart.attributes)
    assert ("1000", {"a": "1", "b": "2"}) == (again.foreign_id, again.attributes)


def test_all_of_a_kind_come_in_the_order_they_were_put(identities):
    for number in range(1203):
        identities.put("order", f"id-{number}", "c1")
    identities.put("order", "id-5", "c1", {"late": "yes"})

    expected = [f"id-{number}" for number in range(1203)]
    assert expected == [one.foreign_id for one in identities.all("order")]


@pytest.mark.parametrize(
    ("kind", "foreign_id", "key", "attributes"),
    [
        ("", "7", "c1", None),
        ("k" * 65, "7", "c1", None),
        ("order", "", "c1", None),
        ("order", "7" * 513, "c1", None),
        ("order", "7", "", None),
        ("order", "7", "c" * 513, None),
        ("order", "7", "c1", {"a": "x" * 17_000}),
    ],
    ids=["no kind", "long kind", "no id", "long id", "no key", "long key", "large attributes"],
)
def test_texts_that_are_empty_or_too_long_are_refused(
    identities, kind, foreign_id, key, attributes
):
    with pytest.raises(InvalidValueError):
        identities.put(kind, foreign_id, key, attributes)

    assert None is identities.get(kind, foreign_id)


def test_a_refused_allocation_uses_up_no_number(identities):
    with pytest.raises(InvalidValueError):
        identities.allocate("order", "")

    assert "1" == identities.allocate("order", "c1").foreign_id


def test_ids_outlive_the_file_being_closed(tmp_path):
    first = open_file(tmp_path)
    first.put("order", "7", "c1", {"a": "1"})
    first.allocate("trade", "t1")
    first.close()
    first.close()

    second = open_file(tmp_path)
    assert {"a": "1"} == second.get("order", "7").attributes
    assert "2" == second.allocate("trade", "t2").foreign_id
    second.close()


def test_dialects_and_accounts_are_apart(tmp_path):
    files = [open_file(tmp_path), open_file(tmp_path, "other"), open_file(tmp_path, "toy", "two")]
    for number, file in enumerate(files):
        file.put("order", "7", f"c{number}")

    assert ["c0", "c1", "c2"] == [file.get("order", "7").key for file in files]
    assert ["1"] * 3 == [file.allocate("trade", "t").foreign_id for file in files]
    for file in files:
        file.close()


def test_two_that_share_a_file_never_give_one_number_twice(tmp_path):
    script = """
import sys
from pathlib import Path
from dragoman.dialects.identity_file import IdentityFile, identity_path
folder = Path(sys.argv[1])
file = IdentityFile(identity_path(folder, "fake", "one"), folder, "toy")
for n in range(200):
    print(file.allocate("order", f"{sys.argv[2]}-{n}").foreign_id)
file.close()
"""
    running = [
        subprocess.Popen(  # noqa: S603 - this interpreter
            [sys.executable, "-c", script, str(tmp_path), name], stdout=subprocess.PIPE, text=True
        )
        for name in "ab"
    ]
    given = [number for one in running for number in one.communicate(timeout=90)[0].split()]

    assert [str(n) for n in range(1, 401)] == sorted(given, key=int)


@pytest.mark.skipif(os.name == "nt", reason="modes of files")
def test_the_file_is_its_owners_alone_and_links_are_not_followed(tmp_path):
    file = open_file(tmp_path)
    file.put("order", "7", "c1")
    path = identity_path(tmp_path, "fake", "one")

    modes = {stat.S_IMODE(one.stat().st_mode) for one in path.parent.glob("one.identities*")}
    assert {0o600} == modes
    assert 0o700 == stat.S_IMODE(path.parent.stat().st_mode)
    file.close()

    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"")
    identity_path(tmp_path, "fake", "two").symlink_to(elsewhere)
    with pytest.raises(JournalUnavailableError):
        open_file(tmp_path, account_id="two")


def test_a_link_to_nowhere_makes_no_file_there(tmp_path):
    path = identity_path(tmp_path, "fake", "one")
    path.parent.mkdir(parents=True)
    path.symlink_to(tmp_path / "nowhere")

    with pytest.raises(JournalUnavailableError):
        open_file(tmp_path)

    assert not (tmp_path / "nowhere").exists()


def test_a_step_of_one_process_is_never_within_that_of_another(tmp_path, monkeypatch):
    monkeypatch.setattr(identity_file, "_BUSY_S", 0.01)
    one, other = open_file(tmp_path), open_file(tmp_path)

    with one._writing(), pytest.raises(JournalUnavailableError):
        other.allocate("order", "c1")

    assert "1" == other.allocate("order", "c2").foreign_id
    one.close()
    other.close()


@pytest.mark.parametrize("damage", ["not a database", "another application", "a newer format"])
def test_a_file_that_is_not_ours_is_refused_and_kept(tmp_path, damage):
    path = identity_path(tmp_path, "fake", "one")
    path.parent.mkdir(parents=True)
    if damage == "not a database":
        path.write_bytes(b"not a database, and long enough to be looked at" * 100)
    else:
        with sqlite3.connect(path) as connection:
            pragma = "application_id = 7" if damage == "another application" else "user_version = 2"
            connection.execute(f"PRAGMA {pragma}")
        connection.close()
    before = path.read_bytes()

    with pytest.raises(JournalUnavailableError, match=r"one\.identities"):
        open_file(tmp_path)
    if damage == "not a database":
        assert before == path.read_bytes()


@pytest.mark.parametrize("damage", ["", "{", "[]", "[" * 100_000], ids=["", "cut", "list", "deep"])
def test_a_damaged_row_is_told_as_such(tmp_path, damage):
    path = identity_path(tmp_path, "fake", "one")
    identities = open_file(tmp_path)
    identities.put("order", "7", "c1")
    other = sqlite3.connect(path)
    other.execute("UPDATE identities SET attributes = ?", (damage,))
    other.commit()
    other.close()

    with pytest.raises(JournalUnavailableError, match="damaged"):
        identities.get("order", "7")
    with pytest.raises(JournalUnavailableError, match="damaged"):
        list(identities.all("order"))
    identities.close()


def test_a_closed_file_says_so(tmp_path):
    file = open_file(tmp_path)
    file.close()

    with pytest.raises(JournalUnavailableError):
        file.put("order", "7", "c1")
