"""What is remembered of orders that came out of each other."""

from dragoman_alpaca.mapping.lineage import Lineage

from .trading_rows import D


def known(*rows, most=100):
    """Know rows: of each the id, what it replaces, its revision and what it has filled."""
    lineage = Lineage(most)
    for venue_id, replaces, revision, filled in rows:
        lineage.put(venue_id, replaces, name=f"of {venue_id}", revision=revision, filled=D(filled))
    return lineage


def facts(lineage, venue_id):
    place = lineage.place_of(venue_id)
    return place.name, place.revision, place.before


def test_what_replaces_another_is_the_next_revision_of_its_intent():
    lineage = known(("v1", None, 0, 0), ("v2", "v1", 1, 0), ("v3", "v2", 0, 0))

    assert ("of v1", 2, D(0)) == facts(lineage, "v3")


def test_a_revision_that_was_skipped_stays_so():
    lineage = known(("v1", None, 0, 0), ("v3", "v1", 2, 0), ("v4", "v3", 0, 0))

    assert [2, 3] == [facts(lineage, venue_id)[1] for venue_id in ("v3", "v4")]


def test_what_all_earlier_orders_have_filled_counts():
    lineage = known(("v1", None, 0, 2), ("v2", "v1", 1, 1), ("v3", "v2", 2, 0))

    assert ("of v1", 2, D(3)) == facts(lineage, "v3")


def test_a_fill_that_is_told_late_counts_for_every_later_order():
    lineage = known(("v1", None, 0, 0), ("v2", "v1", 1, 1), ("v3", "v2", 2, 0))
    lineage.put("v1", None, name="", revision=0, filled=D(2))

    assert [D(0), D(2), D(3)] == [facts(lineage, one)[2] for one in ("v1", "v2", "v3")]


def test_what_has_filled_never_falls():
    lineage = known(("v1", None, 0, 2), ("v1", None, 0, 1), ("v2", "v1", 1, 0))

    assert D(2) == facts(lineage, "v2")[2]


def test_an_order_whose_past_was_never_seen_has_no_place():
    lineage = known(("v2", "v1", 1, 0))

    assert [None, None, None] == [lineage.place_of(one) for one in ("v1", "v2", None)]


def test_the_oldest_are_forgotten_first():
    lineage = known(*[(f"v{number}", None, 0, 0) for number in range(4)], most=2)

    assert [False, False, True, True] == [
        lineage.place_of(f"v{number}") is not None for number in range(4)
    ]


class TestRefusal:
    def test_is_told_once_whichever_word_comes_first(self):
        lineage = Lineage()

        assert [True, False, True, False] == [
            lineage.is_news("v1", word) for word in ("one", "other", "other", "one")
        ]

    def test_by_one_word_only_is_told_each_time(self):
        lineage = Lineage()

        assert [True, True] == [lineage.is_news("v1", "one") for _ in range(2)]

    def test_after_another_replace_was_asked_for_is_news(self):
        lineage = Lineage()
        lineage.is_news("v1", "one")
        lineage.asked("v1")

        assert lineage.is_news("v1", "other")

    def test_of_another_order_is_news(self):
        lineage = Lineage(most=1)

        assert [True, True, True] == [lineage.is_news(one, "one") for one in ("v1", "v2", "v3")]
