"""Tables of payloads: what a document looks like, and what is answered about it."""

from decimal import Decimal

import pytest

from dragoman.decoding import (
    PayloadContext,
    PayloadKind,
    Payloads,
    Shape,
    VenueSettings,
    any_of,
    decode_payload,
    each_of,
    to_document,
)
from dragoman.errors import DecodeError, NotFoundError, Outcome, RequestError
from dragoman.models import FrozenMapping, MarketStatus, Quote, TradingState
from dragoman.transport.codec import decode_any

CONTEXT = PayloadContext(provider="toy", received_at_ns=1_000_000_000)


def read_quote(data, context):
    row = decode_any(data)
    return (
        Quote(
            symbol=row.get("sym", context.symbol),
            provider=context.provider,
            received_at_ns=context.received_at_ns,
            bid_price=Decimal(row["bid"]),
        ),
    )


def refuse(data, context):
    raise NotFoundError("there is none")


def read_rows(data, context):
    return [NotFoundError("the first is gone"), *read_quote(b'{"bid": 2}', context)]


def read_halt(data, context):
    status = MarketStatus(state=TradingState.HALTED, provider="toy", received_at_ns=1)
    return [VenueSettings(values=FrozenMapping({"depth": 5})), status]


TABLE = Payloads(
    kinds=(
        PayloadKind(
            name="quote",
            title="A quote",
            likeness=Shape.of("bid", "ask", names=("sym",)),
            decode=read_quote,
        ),
        PayloadKind(name="refusal", title="A refusal", likeness=Shape.of("error"), decode=refuse),
        PayloadKind(
            name="quotes",
            title="Quotes",
            likeness=each_of(Shape.of("bid")),
            decode=read_rows,
        ),
        PayloadKind(name="asks", title="Asks", likeness=each_of(Shape.of("ask")), decode=read_rows),
        PayloadKind(name="halt", title="A halt", likeness=Shape.of("halt"), decode=read_halt),
    )
)


def answer(data, kind=None):
    return decode_payload(TABLE, data, CONTEXT, kind)


def test_a_payload_is_read_as_the_kind_it_looks_like():
    found = answer(b'{"bid": 1, "sym": "AAPL"}')

    assert ("quote", "AAPL") == (found.kind.name, found.items[0].symbol)


def test_a_kind_that_is_named_is_taken_whatever_the_payload_looks_like():
    assert "there is none" == answer(b'{"bid": 1}', "refusal").error.message


def test_a_kind_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(RequestError, match="no kind 'candle'; there are: quote, refusal") as caught:
        answer(b"{}", "candle")

    assert Outcome.NOT_SENT is caught.value.outcome


def test_what_looks_like_nothing_known_has_no_candidates():
    found = answer(b'{"foo": 1}')

    assert (None, (), None) == (found.kind, found.candidates, found.error)


def test_what_looks_like_two_kinds_alike_is_neither():
    found = answer(b"[]")

    assert (None, ["quotes", "asks"]) == (found.kind, [kind.name for kind in found.candidates])
    assert [] == to_document(found)


def test_what_the_venue_refuses_is_an_answer_with_its_provider():
    found = answer(b'{"error": 1}')

    assert ("refusal", "toy") == (found.kind.name, found.error.provider)
    assert "NotFoundError" == to_document(found)["type"]


def test_what_cannot_be_read_is_an_answer_of_no_kind():
    found = answer(b"{")

    assert (None, DecodeError) == (found.kind, type(found.error))
    assert "toy" == found.error.provider


def test_an_error_about_a_part_stands_among_the_items():
    document = to_document(answer(b'[{"bid": 2}]'))

    assert ["NotFoundError", "Quote"] == [item["type"] for item in document]
    assert "toy" == document[0]["provider"]


def test_models_and_events_are_told_by_their_class():
    settings, status = to_document(answer(b'{"halt": 1}'))

    assert {"type": "VenueSettings", "values": {"depth": 5}} == settings
    assert ("MarketStatus", "HALTED") == (status["type"], status["state"])


def test_amounts_and_times_are_told_exactly():
    (quote,) = to_document(answer(b'{"bid": "0.10000"}'))

    assert ("0.10000", "1970-01-01T00:00:01.000000000Z") == (
        quote["bid_price"],
        quote["received_at"],
    )
    assert "?" == quote["symbol"]


LOOKS = {
    "all that is known": ({"bid": 1, "sym": "A"}, 1.0),
    "half of it strange": ({"bid": 1, "mood": "A"}, 0.5),
    "without what it must have": ({"sym": "A"}, 0.0),
    "with what it must not have": ({"bid": 1, "error": 1}, 0.0),
    "with a value that is none": ({"bid": "none"}, 0.0),
    "no object": ([1], 0.0),
    "no fields": ({}, 0.0),
}


@pytest.mark.parametrize("look", LOOKS)
def test_a_shape_is_as_alike_as_its_fields_are_known(look):
    document, expected = LOOKS[look]
    shape = Shape.of(
        "bid", "ask", names=("sym",), lacks="error", where=lambda row: row.get("bid") != "none"
    )

    assert expected == shape(document)


def test_all_names_of_one_group_are_needed():
    shape = Shape.of("id side", "ticket")

    assert [0.0, 1.0, 1.0] == [shape({"id": 1}), shape({"id": 1, "side": 2}), shape({"ticket": 1})]


def test_a_document_may_look_like_either_of_several():
    likeness = any_of(Shape.of("bid"), Shape.of("ask", names=("sym",)))

    assert [1.0, 0.5, 1.0, 0.0] == [
        likeness({"bid": 1}),
        likeness({"bid": 1, "sym": "A"}),
        likeness({"ask": 1, "sym": "A"}),
        likeness([]),
    ]


LISTS = {
    "its rows": ([{"bid": 1}, {"bid": 2}], 1.0),
    "one row that is less alike": ([{"bid": 1}, {"bid": 2, "mood": 1}], 0.5),
    "one row that is none": ([{"bid": 1}, {"error": 2}], 0.0),
    "rows that are missing": ([None, {"bid": 2}], 1.0),
    "nothing": ([], 1.0),
    "no list": ({"bid": 1}, 0.0),
}


@pytest.mark.parametrize("look", LISTS)
def test_a_list_is_as_alike_as_its_least_alike_row(look):
    document, expected = LISTS[look]

    assert expected == each_of(Shape.of("bid"))(document)


def test_a_table_may_read_another_encoding():
    table = Payloads(kinds=TABLE.kinds, read=lambda data: {"bid": data})

    assert "quote" == table.alike(table.read(b"\x00"))[0].name
