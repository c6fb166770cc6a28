"""A small venue that tests drive by hand: prices pushed one by one, orders in one line."""

from decimal import Decimal

from dragoman.models import (
    AssetClass,
    Instrument,
    InstrumentKind,
    Order,
    OrderEvent,
    OrderRequest,
    OrderType,
    PriceSource,
    Side,
    TimeInForce,
)
from dragoman.paper.engine import Engine
from dragoman.paper.market.feed import MarketTick
from dragoman.paper.market.scripted import ScriptedFeed
from dragoman.paper.settings import AccountSettings, FeeSchedule, VenueSettings
from dragoman.times import SECOND_NS

START_NS = 1_767_796_200_000_000_000
ACCOUNT = "paper-1"
GTC = TimeInForce.GTC


def listed(symbol, kind=InstrumentKind.SPOT, asset_class=AssetClass.EQUITY, **fields):
    for name in (
        "tick_size",
        "lot_size",
        "min_quantity",
        "max_quantity",
        "margin_rate",
        "min_notional",
    ):
        if name in fields:
            fields[name] = Decimal(fields[name])
    return Instrument(
        symbol=symbol,
        asset_class=asset_class,
        kind=kind,
        quote="USD",
        settlement=fields.pop("settlement", "USD"),
        provider="mock",
        received_at_ns=0,
        is_tradable=True,
        is_shortable=True,
        **fields,
    )


INSTRUMENTS = (
    listed("STOCK", tick_size="0.01", lot_size=1, margin_rate="0.5"),
    listed("PAIR", asset_class=AssetClass.FX, tick_size="0.0001", lot_size=1, margin_rate="0.02"),
    listed(
        "FUTURE",
        InstrumentKind.FUTURE,
        AssetClass.INDEX,
        tick_size="0.25",
        lot_size=1,
        margin_rate="0.1",
        multiplier=Decimal(5),
    ),
)


class Venue:
    """An engine over a scripted feed. Each call returns the events it caused."""

    def __init__(self, *, accounts=None, instruments=INSTRUMENTS, start_ns=START_NS, **settings):
        self.feed = ScriptedFeed(symbols=[each.symbol for each in instruments])
        settings.setdefault("fees", FeeSchedule.free())
        names = (ACCOUNT,) if accounts is None else accounts
        self.settings = VenueSettings(
            accounts=tuple(
                AccountSettings(account_id=each) if isinstance(each, str) else each
                for each in names
            ),
            **settings,
        )
        self.engine = Engine(
            self.settings, instruments=instruments, feed=self.feed, start_ns=start_ns
        )
        self.count = 0

    def tick(
        self,
        bid,
        ask,
        symbol="STOCK",
        *,
        size=1000,
        last=None,
        last_size=None,
        after_ns=SECOND_NS,
        **more,
    ):
        time_ns = self.engine.now_ns + after_ns
        self.feed.push(
            MarketTick(
                time_ns=time_ns,
                symbol=symbol,
                bid_price=amount(bid),
                bid_size=None if bid is None else amount(size),
                ask_price=amount(ask),
                ask_size=None if ask is None else amount(size),
                last_price=amount(last),
                last_size=amount(last_size),
                **{name: amount(value) for name, value in more.items()},
            )
        )
        return self.engine.advance(time_ns)

    def submit(self, kind, side, quantity, *, symbol="STOCK", account=ACCOUNT, **fields):
        self.count += 1
        fields.setdefault("client_order_id", f"o{self.count}")
        fields.setdefault("time_in_force", GTC)
        return self.engine.submit(
            OrderRequest(
                symbol=symbol,
                side=Side(side),
                order_type=OrderType(kind),
                quantity=quantity,
                account_id=account,
                **fields,
            )
        )

    def market(self, side, quantity, **fields):
        return self.submit("MARKET", side, quantity, **fields)

    def limit(self, side, quantity, price, **fields):
        return self.submit("LIMIT", side, quantity, limit_price=price, **fields)

    def stop(self, side, quantity, price, **fields):
        return self.submit("STOP", side, quantity, stop_price=price, **fields)

    def order(self, client_order_id, account=ACCOUNT) -> Order:
        return self.engine.order(account, client_order_id)

    def cancel(self, client_order_id, account=ACCOUNT):
        return self.engine.cancel(account, client_order_id)

    def position(self, position_id="STOCK", account=ACCOUNT):
        found = [each for each in self.engine.positions(account) if each.position_id == position_id]
        return found[0].quantity if found else 0

    def fills(self, account=ACCOUNT):
        return [
            (each.client_order_id, each.quantity, each.price, str(each.liquidity))
            for each in self.engine.fills(account)
        ]


def amount(value):
    return None if value is None else Decimal(value)


def steps(events):
    """What happened to orders, as (kind, client order id)."""
    return [
        (str(event.kind), event.order.client_order_id)
        for event in events
        if isinstance(event, OrderEvent)
    ]


def kinds(events):
    """What happened to orders."""
    return [kind for kind, _ in steps(events)]


def refusal(events):
    """Why the one order of these events was refused."""
    (event,) = [event for event in events if isinstance(event, OrderEvent)]
    assert event.kind == "REJECTED"
    return str(event.order.reject_reason)


LAST = PriceSource.LAST
