"""Tables of calls: what is wrong with one is said, with its place."""

import pytest

from dragoman.errors import ConfigurationError
from dragoman_conformance.tables import load_calls
from dragoman_conformance.verdicts import Basis

HEAD = 'provenance = "documented"\nsource = "a document"\nread = "2026-11-20"\n'
ROW = '[[rows]]\nname = "a row"\ncall = "fetch_accounts"\n'


@pytest.fixture
def load(tmp_path):
    def written(text):
        (tmp_path / "calls.toml").write_text(text)
        return load_calls(tmp_path)

    return written


def test_a_row_stands_on_what_its_table_says_unless_it_says_otherwise(load):
    ((name, table),) = load(
        f'{HEAD}{ROW}tells = []\n[[rows]]\nname = "another"\ncall = "x"\nprovenance = "derived"\n'
        'fails = { type = "NotFoundError" }\n'
    )

    assert "calls.toml" == name
    assert [Basis.DOCUMENTED, Basis.DERIVED] == [table.basis_of(row) for row in table.rows]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{HEAD}{ROW}", "either tells or fails"),
        (f'{HEAD}{ROW}tells = []\nfails = {{ type = "X" }}\n', "either tells or fails"),
        (f"{HEAD}{ROW}tells = []\n{ROW}tells = []\n", "two rows are called"),
        (f'{HEAD}{ROW}tells = []\nprovenance = "third-party"\n', "no such provenance"),
        (f"{HEAD}{ROW}tels = []\n", "tels"),
        (f"{HEAD}{ROW}tells = [\n", "calls.toml"),
        (
            f"{HEAD}{ROW}tells = []\nsessions = [{{ path = '/s', turns = ['hello'] }}]\n",
            r"sessions\[0\]",
        ),
    ],
    ids=["nothing", "both", "twice", "provenance", "misspelled", "no-toml", "nobody's-turn"],
)
def test_a_wrong_table_is_refused_with_what_is_wrong(load, text, told):
    with pytest.raises(ConfigurationError, match=told):
        load(text)


def test_a_folder_that_is_not_there_has_no_tables(tmp_path):
    assert () == load_calls(tmp_path / "nowhere")
