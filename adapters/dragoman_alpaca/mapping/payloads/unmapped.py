"""What Alpaca answers that the library has no model for: known, and read as nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from dragoman.decoding import PayloadKind, Shape, any_of, each_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.decoding import Likeness, PayloadContext

__all__ = ["UNMAPPED", "codes"]

_NOTE: Final = "the library has no model for it"


def _nothing(_: bytes, __: PayloadContext) -> Sequence[object]:
    return ()


def _kind(name: str, title: str, *likenesses: Likeness) -> PayloadKind:
    return PayloadKind(
        name=name, title=title, likeness=any_of(*likenesses), decode=_nothing, note=_NOTE
    )


def codes(document: object) -> float:
    """Return how much a document looks like a list of codes with what they mean."""
    if not isinstance(document, Mapping) or len(cast("Mapping[str, object]", document)) < 2:
        return 0.0
    rows = cast("Mapping[object, object]", document)
    is_list = all(isinstance(code, str) and len(code) == 1 for code in rows) and all(
        isinstance(text, str) and text[:1].isalpha() for text in rows.values()
    )
    return 1.0 if is_list else 0.0


_ARTICLE: Final = Shape.of(
    *("headline", "author summary"),
    names="author content created_at headline id images source summary symbols updated_at url",
    lacks="T",
)
_MOVER: Final = Shape.of("percent_change", names=("change", "price", "symbol"), lacks="gainers")
_ACTION: Final = Shape.of(
    *("process_date", "ca_type", "ex_date", "corporate_action_id", "payable_date"),
    names=(
        "acquiree_cusip acquiree_rate acquiree_symbol acquirer_cusip acquirer_rate acquirer_symbol "
        "alternate_cusip alternate_rate alternate_symbol ca_sub_type cash cash_rate cusip "
        "declaration_date due_bill_off_date due_bill_on_date due_bill_redemption_date "
        "effective_date expiration_date foreign id initiating_original_cusip initiating_symbol "
        "new_cusip new_rate new_symbol old_cusip old_rate old_symbol rate record_date source_cusip "
        "source_rate source_symbol special symbol target_original_cusip target_symbol"
    ),
    lacks="activity_type strike_price",
)
_AUCTION: Final = Shape.of(
    "d o",
    "d c",
    where=lambda fields: any(isinstance(fields.get(side), list) for side in "oc"),
)
_PAGE: Final = ("next_page_token", "symbol", "currency")
_TRANSFER: Final = Shape.of(
    *("direction asset", "tx_hash", "from_address", "network_fee", "chain address"),
    names="id status amount created_at fees usd_value to_address",
    lacks="activity_type",
)

UNMAPPED: Final = (
    _kind(
        "portfolio_history",
        "Equity over time: GET /v2/account/portfolio/history",
        Shape.of(
            *("timestamp equity", "profit_loss", "profit_loss_pct", "base_value timeframe"),
            names=("base_value_asof", "cashflow"),
            lacks="account_number T",
        ),
    ),
    _kind(
        "watchlists",
        "Watchlists, and one of them",
        Shape.of("account_id name", "assets name", names=("id", "created_at", "updated_at")),
        each_of(Shape.of("account_id name", names=("id", "created_at", "updated_at"))),
    ),
    _kind(
        "news",
        "Articles, and one of them: GET /v1beta1/news",
        Shape.of("news", names=_PAGE, lacks="action T"),
        _ARTICLE,
        each_of(_ARTICLE),
        Shape.of("size url"),
    ),
    _kind(
        "movers",
        "What rose and fell most: GET /v1beta1/screener/{market}/movers",
        Shape.of("gainers", "losers", names=("last_updated", "market_type")),
        _MOVER,
    ),
    _kind(
        "most_actives",
        "What was traded most: GET /v1beta1/screener/stocks/most-actives",
        Shape.of("most_actives", names=("last_updated",)),
        Shape.of("trade_count volume", names=("symbol",)),
    ),
    _kind(
        "corporate_actions",
        "Corporate actions, and one of them: GET /v1/corporate-actions, and announcements",
        Shape.of("corporate_actions", names=_PAGE),
        _ACTION,
        each_of(_ACTION),
    ),
    _kind(
        "auctions",
        "Opening and closing auctions: GET /v2/stocks/auctions",
        Shape.of("auctions", names=_PAGE),
        _AUCTION,
        Shape.of("c p t x", names=("s",), lacks="s i T"),
    ),
    _kind("codes", "What codes of conditions and of exchanges mean: .../meta/...", codes),
    _kind("spreads", "Spreads of crypto venues", Shape.of("spreads")),
    _kind(
        "forex_rates",
        "Rates of currencies, and one of them: GET /v1beta1/forex/rates",
        Shape.of("rates", names=_PAGE),
        Shape.of("mp bp", "mp ap", names=("t",), lacks="T ip"),
    ),
    _kind(
        "index_values",
        "Values of indices, and one of them: GET /v1beta1/indices/values",
        Shape.of("values", names=_PAGE),
        Shape.of("t v", lacks="o h l c T"),
    ),
    _kind(
        "bond_prices",
        "Prices and yields of bonds: GET /v1beta1/fixed_income/latest/prices",
        Shape.of("prices", names=_PAGE),
        Shape.of("ytm", "ytw", names=("p", "t")),
    ),
    _kind(
        "bonds",
        "Bonds: GET /v2/assets/fixed_income/...",
        Shape.of("us_corporates", "us_treasuries", names=_PAGE),
        Shape.of("cusip coupon", "isin coupon", "isin maturity_date"),
    ),
    _kind(
        "markets",
        "Clocks and calendars of several markets: GET /v3/clock, GET /v3/calendar/{market}",
        Shape.of("clocks"),
        Shape.of("calendar market"),
    ),
    _kind(
        "transfers",
        "Transfers and wallets of crypto",
        _TRANSFER,
        each_of(_TRANSFER),
    ),
)
"""Bodies that say nothing of what the library models."""
