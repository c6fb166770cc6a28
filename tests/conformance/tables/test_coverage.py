"""Which declarations evidence from outside bears out."""

import attrs
import pytest

from dragoman.capabilities import (
    Capabilities,
    OrderFeature,
    ReadFeature,
    ReplaceRule,
    Source,
    order_cells,
)
from dragoman.models import Channel, InstrumentKind, OrderType, Support, TimeInForce
from dragoman_alpaca.capabilities import CAPABILITIES
from dragoman_conformance.references.subjects import WHARF
from dragoman_conformance.subject import find_subject
from dragoman_conformance.tables import documented_capabilities
from dragoman_conformance.verdicts import Basis

DECLARED = Capabilities(
    protocol="acme",
    source=Source("a document", "2026-11-20"),
    orders=order_cells([InstrumentKind.SPOT], [OrderType.LIMIT, OrderType.STOP], [TimeInForce.GTC]),
    reads=frozenset({ReadFeature.ACCOUNT, ReadFeature.FILLS}),
)
TABLE = """
provenance = "documented"
source = "a document"
read = "2026-11-20"
[[rows]]
name = "a limit"
call = "submit"
[rows.given.request]
symbol = "A"
side = "BUY"
order_type = "LIMIT"
quantity = "1"
limit_price = "2"
{more}
[rows.tells]
status = "OPEN"
[[rows]]
name = "the account"
call = "fetch_accounts"
provenance = "derived"
tells = []
[[rows]]
name = "no fills"
call = "fetch_fills"
given.window = {{}}
fails = {{ type = "NotFoundError" }}
"""


@pytest.fixture
def borne_out_of(tmp_path):
    def found(declared, more="", *, is_polled=False):
        (tmp_path / "tables").mkdir()
        (tmp_path / "tables" / "calls.toml").write_text(TABLE.format(more=more))
        subject = attrs.evolve(find_subject("alpaca"), evidence=tmp_path, is_polled=is_polled)
        return documented_capabilities(subject, declared)

    return found


@pytest.fixture
def borne_out(borne_out_of):
    return lambda more: borne_out_of(DECLARED, more)


def test_a_row_bears_out_what_it_makes_use_of_and_a_refusal_nothing(borne_out):
    assert {
        "account.read": Basis.DERIVED,
        "fills.read": None,
        "orders.cancel": None,
        "orders.limit": Basis.DOCUMENTED,
        "orders.stop": None,
        "time.gtc": Basis.DOCUMENTED,
    } == borne_out('time_in_force = "GTC"')


def test_an_order_without_a_time_bears_out_the_one_that_is_meant(borne_out):
    assert borne_out("")["time.gtc"] is None


@pytest.mark.parametrize(("is_polled", "basis"), [(True, Basis.DERIVED), (False, None)])
def test_where_streams_are_polled_their_reads_bear_them_out(borne_out_of, is_polled, basis):
    declared = attrs.evolve(DECLARED, streams=frozenset({Channel.ACCOUNT, Channel.ORDERS}))

    found = borne_out_of(declared, is_polled=is_polled)

    assert (basis, None) == (found["stream.account"], found["stream.orders"])


def test_what_the_library_does_for_the_venue_needs_no_document(borne_out_of):
    declared = attrs.evolve(
        DECLARED,
        features={
            OrderFeature.CANCEL_ALL: Support.EMULATED,
            OrderFeature.POST_ONLY: Support.NATIVE,
        },
        replace=ReplaceRule(fields=frozenset({"quantity"}), support=Support.EMULATED),
    )

    found = borne_out_of(declared)

    assert ["feature.post_only"] == [name for name in found if name.startswith("feature.")]
    assert "orders.replace" not in found


def test_of_a_venue_that_is_a_simulation_nothing_is_documented():
    assert {} == documented_capabilities(WHARF, DECLARED)


def test_everything_that_alpaca_declares_is_borne_out():
    subject = find_subject("alpaca")
    assert [] == [
        name for name, basis in documented_capabilities(subject, CAPABILITIES).items() if not basis
    ]
