"""The page's files keep the page's own rules: nothing inline, nothing from elsewhere, no markup."""

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from dragoman_gateway.page.files import INDEX, load_files

FILES = {file.name: file.body.decode() for file in load_files()}
SCRIPTS = sorted(name for name in FILES if name.endswith(".js"))
STYLES = sorted(name for name in FILES if name.endswith(".css"))
HAS_TEXT_ON = [
    ("ink", "page"),
    ("ink", "card"),
    ("ink", "hover"),
    ("soft", "page"),
    ("soft", "card"),
    ("soft", "hover"),
    ("gain", "card"),
    ("loss", "card"),
    ("buy", "hover"),
    ("sell", "hover"),
    ("bid", "card"),
    ("ask", "card"),
    ("card", "bid"),
    ("card", "ask"),
    ("good-ink", "good"),
    ("warn-ink", "warn"),
    ("bad-ink", "bad"),
    ("quiet-ink", "quiet"),
    ("stop-ink", "stop"),
]


class Document(HTMLParser):
    """Every element of a document, as its name and attributes, and the text in scripts."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.scripts = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        if self.elements and self.elements[-1][0] in {"script", "style"}:
            self.scripts += data.strip()

    def values(self, *names):
        return [found[name] for _, found in self.elements for name in names if name in found]


@pytest.fixture(scope="module")
def document():
    return Document(FILES[INDEX])


def palettes():
    """The colors by name, of the light page and of the dark one."""
    light, dark = re.findall(r":root \{(.*?)\}", FILES["page.css"], re.DOTALL)
    first = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light))
    return {"light": first, "dark": first | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", dark))}


def brightness(color):
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    low, high = sorted((brightness(one), brightness(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_document_has_no_script_style_or_handler_of_its_own(document):
    named = {name for _, attributes in document.elements for name in attributes}

    assert "" == document.scripts
    assert set() == {name for name in named if name.startswith("on")} | (
        named & {"style", "srcdoc"}
    )
    assert [] == [tag for tag, _ in document.elements if tag in {"style", "base", "iframe"}]


def test_the_document_loads_its_own_files_and_all_of_its_addresses_are_relative(document):
    loaded = [name for name in document.values("src", "href") if not name.startswith("#")]

    assert loaded
    assert [] == [name for name in loaded if name.removeprefix("page/") not in FILES]


def test_every_script_is_a_module_of_the_page(document):
    scripts = [attributes for tag, attributes in document.elements if tag == "script"]
    imported = {
        name for script in SCRIPTS for name in re.findall(r'from "\./([\w.]+)"', FILES[script])
    }

    assert [{"type": "module", "src": "page/page.js"}] == scripts
    assert set(SCRIPTS) == imported | {"page.js"}


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_names_no_other_place(name):
    named = set(re.findall(r"(?:https?:|wss?:)?//[\w.]+[^\s\"']*", FILES[name]))

    assert set() == {place for place in named if "//www.w3.org/2000/svg" not in place}


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize(
    "sink",
    [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "DOMParser",
        "createContextualFragment",
        "eval(",
        "new Function",
        "import(",
        "localStorage",
        "document.cookie",
        "parseFloat",
    ],
)
def test_a_script_never_turns_text_into_anything_else(name, sink):
    assert sink not in FILES[name]


@pytest.mark.parametrize("name", STYLES)
def test_a_style_loads_nothing(name):
    assert [] == re.findall(r"@import|url\(|expression\(", FILES[name])


def test_only_the_chart_makes_numbers_of_amounts():
    assert ["chart.js"] == [name for name in SCRIPTS if re.search(r"\bNumber\(", FILES[name])]


def test_every_id_is_given_once_and_every_label_and_list_has_its_own(document):
    ids = document.values("id")
    wanted = " ".join(document.values("for", "list", "aria-labelledby")).split()

    assert [] == [one for one, next_one in pairwise(sorted(ids)) if one == next_one]
    assert set() == set(wanted) - set(ids)


def test_every_part_that_a_script_asks_for_is_in_the_document(document):
    asked = {
        name for script in SCRIPTS for name in re.findall(r'part\("([\w-]+)"\)', FILES[script])
    }

    assert {"halt-cancel"} == asked - set(document.values("id"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), HAS_TEXT_ON)
def test_text_can_be_read_on_its_ground(scheme, ink, ground):
    colors = palettes()[scheme]

    assert contrast(colors[ink], colors[ground]) >= 4.5


def test_alarms_are_announced_at_once_and_changes_of_the_connection_when_there_is_time(document):
    live = {
        attributes["id"]: (attributes["role"], attributes.get("aria-live"))
        for _, attributes in document.elements
        if attributes.get("id") in {"alarms", "announcer"}
    }

    assert {"alarms": ("log", "assertive"), "announcer": ("status", None)} == live


def test_a_key_is_typed_into_a_field_that_hides_it_and_is_not_kept_by_the_browser(document):
    fields = [one for _, one in document.elements if one.get("type") == "password"]

    assert [("key-text", "off")] == [(one["id"], one["autocomplete"]) for one in fields]
