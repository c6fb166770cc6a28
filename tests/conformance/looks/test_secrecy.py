"""A secret is noticed wherever it shows, and only there."""

import base64

from dragoman.credentials import Credentials
from dragoman_conformance.looks.secrecy import (
    errors_showing,
    forms_of,
    frames_showing,
    reached,
    showing,
)

TEXT = "KITCANARY/with+signs"
FORMS = forms_of([TEXT])


class Teller:
    __module__ = "made_up.teller"

    def __init__(self, inner):
        self.inner = inner

    def __repr__(self):
        return f"<Teller {self.inner}>"


def raised(error):
    try:
        raise error
    except type(error) as caught:
        return caught


def test_a_secret_shows_in_every_form():
    pair = base64.b64encode(TEXT.encode()).decode()

    for text in (TEXT, "KITCANARY%2Fwith%2Bsigns", pair, TEXT.encode().hex()):
        assert "repr" == showing([f"a {text} b"], FORMS)


def test_credentials_do_not_show():
    assert not showing(Credentials({"key": TEXT}), FORMS)


def test_objects_are_reached_through_fields_slots_and_collections():
    inner = Teller("end")

    found = [one for _, one in reached({"a": [Teller((inner,))]}, packages=["made_up"])]

    assert inner in found


def test_objects_of_other_packages_are_passed_through():
    assert [] == list(reached([Credentials({"key": TEXT})], packages=["made_up"]))


def test_an_error_shows_what_its_cause_shows():
    error = ValueError("nothing to see")
    error.__cause__ = KeyError(TEXT)

    assert any("KeyError" in place for place in errors_showing(error, FORMS))


def test_an_error_shows_its_notes():
    error = ValueError("nothing to see")
    error.add_note(TEXT)

    assert list(errors_showing(error, FORMS))


def test_an_error_without_the_secret_shows_nothing():
    assert [] == list(errors_showing(raised(ValueError("nothing to see")), FORMS))


def test_local_variables_of_frames_are_looked_at():
    def fail():
        kept = TEXT
        raise ValueError(len(kept))

    try:
        fail()
    except ValueError as error:
        found = list(frames_showing(error, FORMS))

    assert ["kept"] == [place.partition(" ")[0] for place in found if place.endswith("fail")]
