"""The page: one file that stands alone, in which nothing that was found becomes markup."""

from html.parser import HTMLParser

from tests.conformance.made_reports import all_played, column_of, played

from dragoman_conformance.report.folder import read_column, write_folder, write_page
from dragoman_conformance.report.html import page

VOID = frozenset({"br", "input", "meta"})
EVIL = "<script>alert('1')</script> & \"quotes\""


class Outline(HTMLParser):
    """Reads a page strictly: what is opened is closed, in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.texts, self.ids, self.links = [], [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        facts = dict(attrs)
        self.tags.append((tag, facts))
        if "id" in facts:
            self.ids.append(facts["id"])
        if "href" in facts:
            self.links.append(facts["href"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert tag == self.open.pop()

    def handle_data(self, data):
        self.texts.append(data)

    def named(self, tag):
        return [facts for name, facts in self.tags if name == tag]


def results(**facts):
    failed = played("ACC-010", why=EVIL, exchanges=(f"GET /{EVIL}", "second"))
    return all_played(ACC_010=failed, **facts)


def test_the_page_is_well_formed_and_needs_nothing_from_elsewhere():
    outline = Outline(page([column_of(results()), column_of(all_played())]))

    assert [] == outline.open
    assert [] == outline.named("script") + outline.named("link") + outline.named("img")
    assert all(link.startswith("#") for link in outline.links)
    assert len(outline.ids) == len(set(outline.ids))
    (policy,) = [one for one in outline.named("meta") if "http-equiv" in one]
    assert "default-src 'none'; style-src 'unsafe-inline'" == policy["content"]


def test_what_was_found_is_text_and_no_markup():
    text = page([column_of(results())])

    assert "<script" not in text
    assert EVIL in "".join(Outline(text).texts)


def test_every_cell_opens_and_leads_to_the_exchanges_of_its_scenario():
    outline = Outline(page([column_of(results())]))

    assert len(outline.named("summary")) >= len(all_played())
    (link,) = [one for one in outline.links if one.startswith("#x")]
    assert "#x0-suite.acc_010" == link
    assert link[1:] in outline.ids


def test_subjects_stand_side_by_side_with_their_words():
    text = page([column_of(results()), column_of(all_played())])

    row = text.partition('id="r-ACC-010"')[2].partition("</tr>")[0]
    assert ["FAIL", "PASS"] == [
        part.partition("<")[0] for part in row.split('<span class="full">')[1:]
    ]


def test_a_row_in_which_all_is_green_can_be_hidden():
    text = page([column_of(results())])

    assert '<tr role="row" class="green" id="r-ACC-020">' in text
    assert '<tr role="row" id="r-ACC-010">' in text


def test_a_requirement_that_only_one_subject_was_asked_leaves_a_dash():
    part = column_of([played("REC-010")], selection="-k REC-010")

    row = page([column_of(all_played()), part]).partition('id="r-ACC-010"')[2]
    assert '<td role="cell"><span class="soft">' in row.partition("</tr>")[0]


def test_many_and_long_exchanges_are_cut_and_the_last_ones_kept():
    texts = (*[f"number {n}" for n in range(80)], "x" * 5000)

    green = page([column_of([played("ACC-010", exchanges=texts)])])
    red = page([column_of([played("ACC-010", exchanges=texts, why="no")])])
    assert "69 exchanges before these stand in exchanges.json" in green
    assert "41 exchanges before these stand in exchanges.json" in red
    assert ("number 79" in green, "number 68" in green) == (True, False)
    assert "… 4400 more characters" in green
    assert "… 3500 more characters" in red


def test_a_folder_is_read_back_as_it_was_written(tmp_path):
    column = column_of(results())

    write_folder(tmp_path / "acme", column.report, column.exchanges)
    write_page(tmp_path / "report.html", [column])

    assert column == read_column(tmp_path / "acme")
    assert column == read_column(tmp_path / "acme" / "report.json")
    names = sorted(file.name for file in (tmp_path / "acme").iterdir())
    expected = ["badge.svg", "exchanges.json", "junit.xml", "report.json", "summary.md"]
    assert expected == names
