"""A second opinion on the engine: it reads only ticks and events, and knows no order book.

Everything is a fraction and every check a plain sum over all that has happened, so that it is easy
to believe.
"""

from collections import defaultdict
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from dragoman.models import AccountEvent, LedgerEvent, OrderEvent, PositionEvent, Quote

ENDED = {"FILLED", "CANCELED", "EXPIRED", "REJECTED"}
LIMITED = {"LIMIT", "STOP_LIMIT", "LIMIT_IF_TOUCHED", "TRAILING_STOP_LIMIT"}
TRIGGERED = {
    "STOP",
    "STOP_LIMIT",
    "MARKET_IF_TOUCHED",
    "LIMIT_IF_TOUCHED",
    "TRAILING_STOP",
    "TRAILING_STOP_LIMIT",
}
DIGITS = Context(prec=28, rounding=ROUND_HALF_EVEN)


class Holding:
    """One position, at average cost."""

    def __init__(self):
        self.quantity = Fraction(0)
        self.cost = Fraction(0)

    def take(self, signed, price):
        """Take a fill and return what it realized."""
        if self.quantity * signed >= 0:
            self.quantity += signed
            self.cost += signed * price
            return Fraction(0)
        closed = min(abs(signed), abs(self.quantity)) * (1 if self.quantity > 0 else -1)
        cost = self.cost * closed / self.quantity
        realized = closed * price - cost
        self.quantity -= closed
        self.cost -= cost
        opened = signed + closed
        self.quantity += opened
        self.cost += opened * price
        return realized


class Oracle:
    """Remembers everything told about some accounts and says what does not add up."""

    def __init__(self, instruments, cash, *, is_whole=True, is_bounded=True):
        self.instruments = {each.symbol: each for each in instruments}
        self.start = cash
        self.is_whole = is_whole
        self.is_bounded = is_bounded
        self.taken = defaultdict(Decimal)
        self.orders = {}
        self.fills = defaultdict(dict)
        self.cash = defaultdict(Fraction)
        self.holdings = defaultdict(Holding)
        self.last_ns = 0
        self.tick = {}
        self.coming = {}
        self.market = {}

    def see_tick(self, tick):
        """Learn of a tick; it holds from the quote on that tells it."""
        self.coming[tick.symbol] = tick

    def _see_quote(self, quote):
        tick = self.coming.get(quote.symbol)
        if tick is None or tick.time_ns != quote.venue_time_ns:
            return
        self.tick[tick.symbol] = tick

    def see(self, events):
        """Check one batch of events against all that came before."""
        before = dict(self.orders)
        filled = []
        for event in events:
            if isinstance(event, (OrderEvent, PositionEvent, AccountEvent, LedgerEvent)):
                assert event.venue_time_ns > self.last_ns, "instants strictly increase"
                self.last_ns = event.venue_time_ns
            if isinstance(event, OrderEvent):
                self._see_order(event)
                if event.fill is not None:
                    filled.append(event)
                    self.market[event.fill.account_id, event.fill.fill_id] = self.tick.get(
                        event.fill.symbol
                    )
            elif isinstance(event, Quote):
                self._see_quote(event)
            elif isinstance(event, LedgerEvent):
                self._see_ledger(event.entry)
            elif isinstance(event, PositionEvent):
                self._see_position(event)
        if self.is_whole:
            self._check_priority(before, filled)
        self._check_counterparts(filled)

    def _see_order(self, event):
        order = event.order
        key = order.account_id, order.client_order_id
        old = self.orders.get(key)
        if event.kind == "REJECTED" and order.reject_reason == "DUPLICATE_CLIENT_ORDER_ID":
            return
        if event.kind in {"CANCEL_REJECTED", "REPLACE_REJECTED"}:
            if event.kind == "CANCEL_REJECTED":
                assert order == old, "a refused cancel leaves the order as it was"
            return
        if old is not None:
            self._check_step(event, old)
        else:
            assert event.kind in {"ACCEPTED", "REJECTED"}, "an order begins with its acceptance"
            assert order.filled_quantity == 0
        assert order.updated_at_ns == event.venue_time_ns
        if order.quantity is not None:
            assert order.filled_quantity <= order.quantity, "no more fills than were asked for"
            assert (order.status == "FILLED") == (order.filled_quantity == order.quantity)
        if event.fill is not None:
            self._see_fill(event)
        self._check_sums(order)
        self.orders[key] = order

    def _check_step(self, event, old):
        order = event.order
        assert old.status not in ENDED, "what has ended stays ended"
        assert order.created_at_ns == old.created_at_ns
        assert order.filled_quantity >= old.filled_quantity
        if event.fill is None:
            assert order.filled_quantity == old.filled_quantity, "only a fill fills"
            assert order.status != "FILLED"
        assert order.revision == old.revision + (event.kind == "REPLACED")

    def _see_fill(self, event):
        order, fill = event.order, event.fill
        assert fill.fill_id not in self.fills[fill.account_id], "a fill is told once"
        assert (fill.side, fill.symbol) == (order.side, order.symbol)
        self.fills[fill.account_id][fill.fill_id] = fill
        lot = self.instruments[fill.symbol].lot_size
        assert fill.quantity > 0
        assert fill.quantity % lot == 0, "whole lots"
        self._check_price(order, fill)
        signed = Fraction(fill.quantity) * (1 if fill.side == "BUY" else -1)
        holding = self.holdings[fill.account_id, fill.position_id]
        if order.position_effect == "CLOSE":
            assert holding.quantity * signed < 0, "a closing order never opens"
            assert abs(signed) <= abs(holding.quantity), "a closing order never flips"
        self._book(fill, holding, signed)

    def _check_price(self, order, fill):
        tick = self.tick.get(fill.symbol)
        if order.order_type in LIMITED:
            worse = (fill.price - order.limit_price) * (1 if fill.side == "BUY" else -1)
            assert worse <= 0, "never worse than the limit"
        if fill.liquidity == "MAKER":
            assert fill.price == order.limit_price, "a resting order fills at its own price"
        if order.order_type in TRIGGERED:
            assert order.is_triggered, "nothing executes before its trigger"
        assert tick is not None, "nothing trades without a market"

    def _book(self, fill, holding, signed):
        instrument = self.instruments[fill.symbol]
        value = signed * Fraction(instrument.multiplier) * Fraction(fill.price)
        realized = holding.take(signed, Fraction(fill.price)) * Fraction(instrument.multiplier)
        told = Fraction(fill.realized_pnl.amount)
        assert abs(told - realized) < Fraction(1, 10**15), "realized profit is at average cost"
        key = fill.account_id, instrument.settlement
        is_funded = instrument.kind == "SPOT" and instrument.asset_class != "FX"
        self.cash[key] -= Fraction(fill.commission.amount)
        self.cash[key] += -value if is_funded else told

    def _check_sums(self, order):
        fills = [
            each
            for each in self.fills[order.account_id].values()
            if each.client_order_id == order.client_order_id
        ]
        quantity = sum((each.quantity for each in fills), Decimal(0))
        assert quantity == order.filled_quantity, "fills add up to what is filled"
        if fills:
            value = sum(
                (Fraction(each.quantity) * Fraction(each.price) for each in fills), Fraction(0)
            )
            exact = DIGITS.divide(Decimal(value.numerator), Decimal(value.denominator) * quantity)
            assert order.average_fill_price == exact, "the average is exact"
        else:
            assert order.average_fill_price is None

    def _see_ledger(self, entry):
        if entry.amount is not None:
            self.cash[entry.account_id, entry.amount.currency] += Fraction(entry.amount.amount)
        if entry.quantity is not None:
            self.holdings[entry.account_id, entry.symbol].quantity += Fraction(entry.quantity)

    def _see_position(self, event):
        position = event.position
        held = self.holdings[position.account_id, position.position_id].quantity
        assert Fraction(position.quantity) == held, "positions are the sum of their fills"

    def _check_priority(self, before, filled):
        """Nobody who rests is passed over for one who stands behind."""
        for event in filled:
            for key, other in before.items():
                if event.fill.liquidity == "TAKER":
                    passes = self._offered_better(other, event.fill)
                else:
                    passes = self._stood_before(other, event.order, before)
                if passes and not self._closed_all_it_had(key, other):
                    now = self.orders[key]
                    passed = rests(now) and now.revision == other.revision
                    assert not (passed and now.limit_price == other.limit_price), (
                        f"{other.client_order_id} stood before {event.order.client_order_id}"
                    )

    def _closed_all_it_had(self, key, other):
        """Whether a leg filled: it may have waited and come back since, for more of its entry."""
        is_leg = other.parent_client_order_id is not None
        return is_leg and self.orders[key].filled_quantity != other.filled_quantity

    def _stood_before(self, other, order, before):
        if (other.symbol, other.side) != (order.symbol, order.side):
            return False
        if other.client_order_id == order.client_order_id and other.account_id == order.account_id:
            return False
        if not rests(other) or other.revision != 0 or other.display_quantity is not None:
            return False
        better = (other.limit_price - order.limit_price) * (1 if order.side == "BUY" else -1)
        if better != 0 or order.order_type != "LIMIT":
            return better > 0
        mine = before.get((order.account_id, order.client_order_id))
        is_plain = other.order_type == "LIMIT" and not other.parent_client_order_id
        return (
            is_plain
            and (mine is None or mine.revision == 0)
            and other.created_at_ns < order.created_at_ns
        )

    def _offered_better(self, other, fill):
        """Whether an order on the other side rested at a better price than a taker found."""
        if other.symbol != fill.symbol or other.side == fill.side or not rests(other):
            return False
        if other.revision != 0:
            return False
        return (fill.price - other.limit_price) * (1 if fill.side == "BUY" else -1) > 0

    def _check_counterparts(self, filled):
        """Takers find either one who rests there or the market, and no more of it than it shows."""
        makers = [each.fill for each in filled if each.fill.liquidity == "MAKER"]
        for event in filled:
            fill = event.fill
            tick = self.market[fill.account_id, fill.fill_id]
            if fill.liquidity != "TAKER":
                continue
            partner = next((each for each in makers if is_partner(each, fill)), None)
            if partner is not None:
                makers.remove(partner)
                continue
            is_buy = fill.side == "BUY"
            market, size = (
                (tick.ask_price, tick.ask_size) if is_buy else (tick.bid_price, tick.bid_size)
            )
            assert market is not None, "somebody must have given what was taken"
            assert (fill.price - market) * (1 if is_buy else -1) >= 0, "not better than the market"
            if fill.price == market and self.is_bounded:
                key = fill.symbol, fill.side, tick.time_ns
                self.taken[key] += fill.quantity
                assert self.taken[key] <= size, "no more than the market shows"

    def check_account(self, engine, account_id):
        """Check what the venue shows of an account against all it told."""
        account = engine.account(account_id)
        for balance in account.balances:
            key = account_id, balance.currency
            start = self.start if balance.currency == account.currency else 0
            assert Fraction(balance.total) == start + self.cash[key], "cash is conserved"
        shown = {each.position_id: Fraction(each.quantity) for each in engine.positions(account_id)}
        held = {
            name: each.quantity
            for (owner, name), each in self.holdings.items()
            if owner == account_id and each.quantity
        }
        assert shown == held, "positions are conserved"
        live = {each.client_order_id: each for each in engine.open_orders(account_id)}
        told = {
            name: each
            for (owner, name), each in self.orders.items()
            if owner == account_id and each.status not in ENDED
        }
        assert live == told, "what is shown of orders is what was told"


def rests(order):
    """Whether an order stands in the book, as far as events tell."""
    if order.order_type not in LIMITED or order.status not in {"OPEN", "PARTIALLY_FILLED"}:
        return False
    return order.is_triggered is not False and order.peg is None


def is_partner(maker, taker):
    """Whether two fills are the two sides of one trade between accounts."""
    same = ("symbol", "price", "quantity")
    return (
        all(getattr(maker, name) == getattr(taker, name) for name in same)
        and maker.side != taker.side
        and maker.account_id != taker.account_id
    )
