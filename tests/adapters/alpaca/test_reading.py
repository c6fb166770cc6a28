"""The memories that rows are read with: symbols, legs, and words nobody knows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.adapters.alpaca.trading_rows import leg_content, order_row, reading

from dragoman.times import parse_time
from dragoman_alpaca.mapping.names import intent_of, token_of
from dragoman_alpaca.mapping.reading import LegNames, Strangers, SymbolBook
from dragoman_alpaca.mapping.words import new_york_time, time_of

ids = st.from_regex(r"(?!.*~\d+\Z)[!-~]{1,120}", fullmatch=True)


class TestSymbolBook:
    def test_knows_a_symbol_and_its_other_spellings(self):
        book = SymbolBook()
        book.learn("BTC/USD", ["BTCUSD", "some-uuid"])

        assert ["BTC/USD"] * 3 == [
            book.symbol_of(one) for one in ("BTC/USD", "BTCUSD", "some-uuid")
        ]

    def test_returns_what_it_never_learned_as_it_is(self):
        book = SymbolBook()

        assert ("ETHUSD", False) == (book.symbol_of("ETHUSD"), book.knows("ETHUSD"))

    @pytest.mark.parametrize("is_first", [True, False], ids=["symbol-first", "alias-first"])
    def test_never_takes_a_symbol_for_an_alias(self, is_first):
        book = SymbolBook()
        for symbol, aliases in sorted([("ABC", []), ("A/BC", ["ABC"])], reverse=not is_first):
            book.learn(symbol, aliases)

        assert "ABC" == book.symbol_of("ABC")


class TestLegNames:
    def nested(self, name, leg_id):
        legs = [leg_content("stop", id=leg_id)]
        return order_row(client_order_id=name, order_class="oto", legs=legs)

    def test_forgets_the_oldest_first(self):
        names = LegNames(most=2)
        for number in range(3):
            names.learn(self.nested(f"entry-{number}", f"leg-{number}"))

        assert [None, ("entry-1-sl", "entry-1"), ("entry-2-sl", "entry-2")] == [
            names.name_of(f"leg-{number}") for number in range(3)
        ]

    def test_forgets_the_oldest_expectation_first(self):
        names = LegNames(most=1)
        names.expect("a", {"sl": "x"})
        names.expect("b", {"sl": "y"})

        assert (None, "b") == (names.parent_of("x"), names.parent_of("y"))

    def test_of_an_entry_that_was_replaced_is_the_intents(self):
        names = LegNames()
        row = self.nested("a~2", "leg")
        row.replaces = "v1"
        names.learn(row)

        assert ("a-sl", "a") == names.name_of("leg")

    def test_has_no_name_for_what_is_no_exit(self):
        names = LegNames()
        names.learn(order_row(order_class="oto", legs=[leg_content("market", id="leg")]))

        assert None is names.name_of("leg")

    def test_expects_nothing_where_nothing_was_named(self):
        names = LegNames()
        names.expect("a", {})
        names.learn(self.nested("a", "leg"))

        assert ("a-sl", "a") == names.name_of("leg")


def test_a_word_is_reported_once_and_only_so_many(caplog):
    strangers = Strangers(most=2)
    for word in ("a", "a", "b", "c"):
        strangers.report("field", word)

    assert ["a", "b"] == [record.word for record in caplog.records]


def test_readings_of_one_session_share_their_memories():
    first = reading()
    second = first.at(5)

    assert (5, first.symbols, first.legs, first.strangers) == (
        second.received_at_ns,
        second.symbols,
        second.legs,
        second.strangers,
    )


@given(ids, st.integers(0, 999_999))
def test_a_token_names_its_intent_and_revision(client_order_id, revision):
    assert (client_order_id, revision) == intent_of(token_of(client_order_id, revision))


@pytest.mark.parametrize("token", ["a~0", "a~01", "a~", "~1", "a~x", "a~1234567"])
def test_what_no_revision_is_called_is_an_id(token):
    assert (token, 0) == intent_of(token)


@pytest.mark.parametrize(
    "text",
    [
        "2023-12-12T22:31:24Z",
        "2023-12-12T22:31:24.1Z",
        "2023-12-12T22:31:24.66846443Z",
        "2023-12-12T22:31:24.668464435Z",
        "2022-04-19T13:45:04.981350886-04:00",
        "2022-04-19T13:45:04+05:30",
    ],
)
def test_time_is_exact_whatever_its_fraction_and_offset(text):
    assert parse_time(text) == time_of(text)


@pytest.mark.parametrize(
    "text", [None, "", "0001-01-01T00:00:00Z", "2023-12-12", "soon", "2023-12-12T22:31:24"]
)
def test_what_is_no_time_is_none(text):
    assert None is time_of(text)


@pytest.mark.parametrize(
    ("day", "clock", "time"),
    [
        ("2025-01-02", "09:30", "2025-01-02T09:30:00-05:00"),
        ("2025-07-02", "0400", "2025-07-02T04:00:00-04:00"),
        ("2025-07-02", "20", "2025-07-02T20:00:00-04:00"),
    ],
)
def test_time_of_day_in_new_york(day, clock, time):
    assert parse_time(time) == new_york_time(day, clock)
