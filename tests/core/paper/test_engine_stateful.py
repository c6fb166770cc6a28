"""Random lives of a venue: whatever is asked of it, the oracle finds that it adds up."""

import json
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from paper_oracle import Oracle
from paper_venue import INSTRUMENTS, Venue
from tests.effort import effort

from dragoman.errors import DragomanError, InvalidOrderError
from dragoman.models import (
    Contingency,
    Exit,
    Offset,
    OrderChange,
    OrderRequest,
    OrderType,
    PositionEffect,
    PositionMode,
    PriceSource,
    Side,
    TimeInForce,
)
from dragoman.paper.engine import Engine
from dragoman.paper.market.feed import MarketTick
from dragoman.paper.market.scripted import ScriptedFeed
from dragoman.paper.settings import AccountSettings, Fee, FeeSchedule
from dragoman.times import DAY_NS, HOUR_NS, SECOND_NS

CASH = 100_000
CENTS = Decimal("0.01")
FEES = FeeSchedule(default=Fee(maker="-0.0001", taker="0.0003", per_unit="0.007"))
ACCOUNTS = ("net-1", "net-2", "hedge-1")
TYPES = [*OrderType] + [OrderType.LIMIT] * 4
TYPES.remove(OrderType.UNKNOWN)
sides = st.sampled_from(Side)
quantities = st.integers(1, 40).map(Decimal)
levels = st.integers(-12, 12)
times = st.sampled_from(
    [TimeInForce.GTC] * 4
    + [TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTD]
    + [TimeInForce.OPG, TimeInForce.CLS]
)
sources = st.sampled_from(
    [None, PriceSource.LAST, PriceSource.BID, PriceSource.ASK, PriceSource.MID]
)
offsets = st.integers(1, 6).flatmap(
    lambda count: st.sampled_from(
        [Offset.ticks(count), Offset.price(CENTS * count), Offset.percent(CENTS * count)]
    )
)
rarely = st.integers(0, 5).map(lambda count: count == 0)


def exits():
    """A leg by offset, by price or trailing; None often."""
    by_offset = st.builds(Exit, offset=offsets)
    part = st.builds(Exit, offset=offsets, quantity=st.integers(1, 20).map(Decimal))
    return st.none() | by_offset | part


def stop_losses():
    return (
        exits()
        | st.builds(Exit, trailing=offsets)
        | st.builds(Exit, trailing=offsets, offset=offsets)
    )


@st.composite
def terms(draw):
    """The words of one order around a price of 0, which the machine moves to the market's."""
    kind = draw(st.sampled_from(TYPES))
    fields = {"order_type": kind, "side": draw(sides), "quantity": draw(quantities)}
    fields["time_in_force"] = draw(times)
    name = kind.value
    if name == "LIMIT" and draw(rarely):
        fields["peg"] = draw(st.sampled_from([PriceSource.BID, PriceSource.ASK, PriceSource.MID]))
    elif name in {"LIMIT", "STOP_LIMIT", "LIMIT_IF_TOUCHED"}:
        fields["limit_price"] = draw(levels)
    if name in {"STOP", "STOP_LIMIT", "MARKET_IF_TOUCHED", "LIMIT_IF_TOUCHED"}:
        fields["stop_price"] = draw(levels)
    if name.startswith("TRAILING"):
        fields["trailing"] = draw(offsets)
        fields["activation_price"] = draw(st.none() | levels)
    if name == "TRAILING_STOP_LIMIT":
        fields["limit_offset"] = draw(offsets)
    if name not in {"MARKET", "LIMIT"}:
        fields["trigger"] = draw(sources)
    return fields | draw(options(name)) | draw(intents())


@st.composite
def options(draw, name):
    """What only a limit order may say besides its price."""
    fields = {}
    if name == "LIMIT" and draw(rarely):
        fields["post_only"] = True
    if name == "LIMIT" and draw(rarely):
        fields["display_quantity"] = draw(st.integers(0, 5).map(Decimal))
    return fields


@st.composite
def intents(draw):
    """What any order may say: effect, exits, size by notional, group."""
    fields = {}
    if draw(rarely):
        fields["position_effect"] = draw(st.sampled_from(PositionEffect))
    elif draw(rarely):
        fields["stop_loss"], fields["take_profit"] = draw(stop_losses()), draw(exits())
    if fields.get("position_effect") is PositionEffect.CLOSE and draw(rarely):
        fields["quantity"] = None
    elif draw(rarely):
        fields["quantity"], fields["notional"] = None, draw(st.integers(50, 5000).map(Decimal))
    if draw(rarely):
        fields["group_id"] = draw(st.sampled_from(["a", "b"]))
    return fields


class VenueMachine(RuleBasedStateMachine):
    """Drives an engine, its twin, and the oracle."""

    @initialize(
        ratio=st.sampled_from(["1", "1", "0.5", "0.3"]),
        uses_liquidity=st.sampled_from([True, True, True, False]),
        keeps_id=st.booleans(),
    )
    def open(self, ratio, uses_liquidity, keeps_id):
        accounts = [
            AccountSettings(
                account_id=name,
                cash=CASH,
                position_mode=PositionMode.HEDGING if name == "hedge-1" else PositionMode.NETTING,
            )
            for name in ACCOUNTS
        ]
        options = {
            "accounts": accounts,
            "fees": FEES,
            "fill_ratio": Decimal(ratio),
            "uses_liquidity": uses_liquidity,
            "replace_keeps_id": keeps_id,
        }
        self.venue, self.twin = Venue(**options), Venue(**options)
        self.oracle = Oracle(INSTRUMENTS, CASH, is_whole=ratio == "1", is_bounded=uses_liquidity)
        self.count = 0
        self.middle = {"STOCK": Decimal(100), "PAIR": Decimal(100), "FUTURE": Decimal(100)}
        for symbol in self.middle:
            self._tick(symbol, 0, 1, 50, printed=True)

    def _do(self, act):
        """Do the same to the engine and its twin; both must say the same."""
        outcomes = []
        for venue in (self.venue, self.twin):
            try:
                outcomes.append(act(venue.engine))
            except DragomanError as error:
                outcomes.append(repr(error))
        first, second = outcomes
        assert first == second, "the same calls have the same events"
        if not isinstance(first, str):
            self.oracle.see(first)

    def _tick(self, symbol, move, spread, size, *, printed):
        step = next(each.tick_size for each in INSTRUMENTS if each.symbol == symbol)
        self.middle[symbol] = max(step * 40, self.middle[symbol] + step * move)
        middle = self.middle[symbol]
        tick = MarketTick(
            time_ns=self.venue.engine.now_ns + SECOND_NS,
            symbol=symbol,
            bid_price=middle,
            bid_size=Decimal(size),
            ask_price=middle + step * spread,
            ask_size=Decimal(size),
            last_price=middle if printed else None,
            last_size=Decimal(size) if printed else None,
        )
        for venue in (self.venue, self.twin):
            venue.feed.push(tick)
        self.oracle.see_tick(tick)
        self._do(lambda engine: engine.advance(tick.time_ns))

    def _request(self, fields, symbol, account):
        step = next(each.tick_size for each in INSTRUMENTS if each.symbol == symbol)
        worded = dict(fields)
        for name in ("limit_price", "stop_price", "activation_price"):
            if worded.get(name) is not None:
                worded[name] = self.middle[symbol] + step * worded[name]
        if worded["time_in_force"] is TimeInForce.GTD:
            worded["expires_at_ns"] = self.venue.engine.now_ns + 5 * SECOND_NS
        self.count += 1
        name = f"o{self.count}"
        try:
            return OrderRequest(symbol=symbol, account_id=account, client_order_id=name, **worded)
        except InvalidOrderError:
            return None

    symbols = st.sampled_from(["STOCK", "STOCK", "PAIR", "FUTURE"])
    accounts = st.sampled_from(ACCOUNTS)

    @rule(fields=terms(), symbol=symbols, account=accounts)
    def submit(self, fields, symbol, account):
        request = self._request(fields, symbol, account)
        if request is not None:
            self._do(lambda engine: engine.submit(request))

    @rule(
        orders=st.lists(terms(), min_size=2, max_size=3),
        symbol=symbols,
        account=accounts,
        contingency=st.sampled_from(Contingency),
        all_or_none=st.booleans(),
    )
    def submit_list(self, orders, symbol, account, contingency, all_or_none):
        requests = [self._request(fields, symbol, account) for fields in orders]
        sound = [each for each in requests if each is not None]
        if len(sound) > 1:
            self._do(lambda engine: engine.submit_list(sound, contingency, all_or_none=all_or_none))

    def _pick(self, account, place, *, live):
        """One of the account's orders; None if it has none."""
        engine = self.venue.engine
        orders = engine.open_orders(account) if live else engine.orders(account)
        return orders[place % len(orders)] if orders else None

    @rule(account=accounts, place=st.integers(0, 99), live=st.booleans())
    def cancel(self, account, place, live):
        order = self._pick(account, place, live=live)
        if order is not None:
            self._do(lambda engine: engine.cancel(account, order.client_order_id))

    @rule(
        account=accounts,
        place=st.integers(0, 99),
        quantity=st.none() | quantities,
        move=st.none() | levels,
        leg=rarely,
    )
    def replace(self, account, place, quantity, move, leg):
        order = self._pick(account, place, live=True)
        if order is None:
            return
        fields = {"quantity": quantity, "stop_loss": Exit(offset=Offset.ticks(3)) if leg else None}
        step = next(each.tick_size for each in INSTRUMENTS if each.symbol == order.symbol)
        if move is not None:
            price = self.middle[order.symbol] + step * move
            fields["stop_price" if order.order_type.startswith("STOP") else "limit_price"] = price
        if any(value is not None for value in fields.values()):
            change = OrderChange(**fields)
            self._do(lambda engine: engine.replace(account, order.client_order_id, change))

    @rule(account=accounts)
    def cancel_all(self, account):
        self._do(lambda engine: engine.cancel_all(account))

    @rule(
        symbol=symbols,
        move=st.integers(-8, 8),
        spread=st.integers(1, 3),
        size=st.integers(1, 60),
        printed=st.booleans(),
    )
    def move(self, symbol, move, spread, size, printed):
        self._tick(symbol, move, spread, size, printed=printed)

    @rule(length=st.sampled_from([SECOND_NS, 10 * SECOND_NS, HOUR_NS, DAY_NS]))
    def wait(self, length):
        to_ns = self.venue.engine.now_ns + length
        self._do(lambda engine: engine.advance(to_ns))

    @rule(account=accounts, loss=stop_losses(), profit=exits())
    def protect(self, account, loss, profit):
        positions = self.venue.engine.positions(account)
        if positions:
            name = positions[-1].position_id
            self._do(lambda engine: engine.set_exits(account, name, loss, profit))

    @rule(account=accounts, paid=st.integers(-2000, 2000).filter(bool).map(Decimal))
    def fund(self, account, paid):
        self._do(lambda engine: engine.deposit(account, paid))

    @rule()
    def restore_twin(self):
        """The twin dies and comes back from what it wrote down."""
        state = json.loads(json.dumps(self.twin.engine.state()))
        self.twin.feed = ScriptedFeed()
        self.twin.engine = Engine.restore(
            state, self.twin.settings, instruments=INSTRUMENTS, feed=self.twin.feed
        )
        assert state == self.twin.engine.state()

    @invariant()
    def adds_up(self):
        for account in ACCOUNTS:
            self.oracle.check_account(self.venue.engine, account)
        assert self.venue.engine.history_digest == self.twin.engine.history_digest


VenueMachine.TestCase.settings = settings(max_examples=effort(50), stateful_step_count=40)
TestVenue = VenueMachine.TestCase
