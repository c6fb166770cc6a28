"""The venue's orders, fills and positions, and the market that fills them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from .messages import Refusal
from .order import HarborOrder
from .settings import MILLISECOND_NS, SECOND_NS, FillStyle

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from .ledger import Ledger
    from .messages import Json
    from .settings import HarborSettings

__all__ = ["Book"]

_TICK = Decimal("0.01")
_MARKET_PRICE = Decimal("100.50")
_LATE_NS = 20 * SECOND_NS
_AT_ONCE_NS = (0, 100 * MILLISECOND_NS)


class Book:
    """Takes orders, changes them, ends them and fills them; each step is in the ledger and told."""

    def __init__(
        self,
        settings: HarborSettings,
        random: Random,
        ledger: Ledger,
        *,
        schedule: Callable[[int, Callable[[], None]], object],
        tell: Callable[[str, Json], None],
    ) -> None:
        self.settings = settings
        self.visibility_delay_ns = settings.visibility_delay_ns
        self._random = random
        self._ledger = ledger
        self._schedule = schedule
        self._tell = tell
        self._orders: dict[str, HarborOrder] = {}
        self._by_client_id: dict[str, HarborOrder] = {}
        self._fills: list[Json] = []
        self._positions: dict[tuple[str, str], Decimal] = {}
        self._events = 0

    @property
    def now_ns(self) -> int:
        """The venue's time."""
        return self._ledger.now_ns()

    @property
    def fills(self) -> list[Json]:
        """Every fill, oldest first."""
        return self._fills

    def rows(self) -> list[Json]:
        """Return every order as it stands now."""
        return [one.row() for one in self._orders.values()]

    def visible(self) -> list[HarborOrder]:
        """Return the orders that lookups and lists show now."""
        now_ns = self.now_ns
        return [one for one in self._orders.values() if one.visible_ns <= now_ns]

    def find(self, venue_id: str) -> HarborOrder | None:
        """Return an order by its venue id, visible or not."""
        return self._orders.get(venue_id)

    def find_by_client_id(self, client_id: str) -> HarborOrder | None:
        """Return an order by its client id, visible or not."""
        return self._by_client_id.get(client_id)

    def venue_id_of(self, client_id: str) -> str | None:
        """Return the venue id that goes with a client id."""
        found = self._by_client_id.get(client_id)
        return found.venue_id if found else None

    def positions(self) -> dict[tuple[str, str], str]:
        """Return the net quantities, as text."""
        return {key: str(quantity) for key, quantity in self._positions.items() if quantity}

    def place(self, terms: Json, *, origin: str, mark: int | None = None) -> HarborOrder:
        """Take an order, or refuse it with a code of the venue's table."""
        try:
            made = self._made(terms)
        except Refusal as refusal:
            self._ledger.add("refused", client_id=terms.get("client_id"), code=refusal.code)
            raise
        self._orders[made.venue_id] = made
        if made.client_id is not None:
            self._by_client_id[made.client_id] = made
        closes = terms.get("reduce_only") is True
        self._ledger.add("accepted", origin=origin, mark=mark, closes=closes, order=made.row())
        self._say(made, "accepted")
        if origin == "api":
            self._play(made)
        return made

    def replace(self, order: HarborOrder, change: Json) -> None:
        """Change quantity, price or both of a working order."""
        if order.has_ended:
            raise Refusal(409, "order-ended")
        quantity = _amount(change.get("quantity", str(order.quantity)), "bad-quantity")
        if quantity <= order.filled:
            raise Refusal(422, "below-filled")
        order.quantity = quantity
        if order.type == "limit":
            order.price = _amount(change.get("price", str(order.price)), "bad-price")
        order.revision += 1
        self._ledger.add("replaced", order=order.row())
        self._say(order, "replaced")

    def cancel(self, order: HarborOrder) -> None:
        """Take the wish to cancel; the end comes a little later, and a fill may come before it."""
        if order.has_ended:
            raise Refusal(409, "order-ended")
        if order.is_canceling:
            return
        order.is_canceling = True
        self._ledger.add("canceling", venue_id=order.venue_id)
        self._say(order, "canceling")
        self._later(self.settings.cancel_delay_ns, lambda: self._canceled(order))

    def end(self, venue_id: str, state: str) -> None:
        """End a working order; nothing happens to one that has ended."""
        order = self._orders[venue_id]
        if order.has_ended:
            return
        order.state, order.is_canceling = state, False
        self._ledger.add("ended", venue_id=venue_id, client_id=order.client_id, state=state)
        self._say(order, state)

    def fill(self, venue_id: str, quantity: str | None = None) -> str | None:
        """Fill what is left of an order, or less, also after its end; the fill's id."""
        order = self._orders[venue_id]
        taken = order.left if quantity is None else min(Decimal(quantity), order.left)
        if taken <= 0:
            return None
        fill = self._fill_row(order, taken)
        order.filled += taken
        if not order.has_ended:
            order.state = "filled" if order.left == 0 else "partially-filled"
            order.is_canceling = order.is_canceling and not order.has_ended
        key = (order.account, order.symbol)
        self._positions[key] = self._positions.get(key, Decimal(0)) + order.sign * taken
        self._fills.append(fill)
        self._ledger.add("fill", **fill)
        if order.state == "filled":
            self._ledger.add(
                "ended", venue_id=venue_id, client_id=order.client_id, state=order.state
            )
        self._say(order, "fill", fill)
        self._say_position(key)
        return str(fill["fill_id"])

    def _canceled(self, order: HarborOrder) -> None:
        if order.has_ended:
            return
        self.end(order.venue_id, "canceled")
        if self._random.random() < self.settings.late_fill_share:
            self._later((0, _LATE_NS), lambda: self.fill(order.venue_id))

    def _made(self, terms: Json) -> HarborOrder:
        client_id, account = terms.get("client_id"), terms.get("account")
        is_known = client_id is not None and client_id in self._by_client_id
        if is_known and self.settings.has_unique_ids:
            raise Refusal(409, "duplicate-client-id")
        if account not in self.settings.accounts:
            raise Refusal(422, "unknown-account")
        if terms.get("symbol") not in self.settings.symbols:
            raise Refusal(422, "unknown-symbol")
        if terms.get("side") not in {"buy", "sell"} or terms.get("type") not in {"market", "limit"}:
            raise Refusal(422, "bad-order")
        quantity = _amount(terms.get("quantity"), "bad-quantity")
        price = _amount(terms.get("price"), "bad-price") if terms["type"] == "limit" else None
        if terms.get("reduce_only") is True and not self._reduces(terms, quantity):
            raise Refusal(422, "would-increase")
        if client_id is not None and self._random.random() < self.settings.reject_share:
            raise Refusal(422, "no-funds")
        now_ns = self.now_ns
        return HarborOrder(
            venue_id=f"h{len(self._orders) + 1}",
            client_id=client_id,
            account=account,
            symbol=terms["symbol"],
            side=terms["side"],
            type=terms["type"],
            quantity=quantity,
            price=price,
            created_ns=now_ns,
            visible_ns=now_ns + self.visibility_delay_ns,
            updated_ns=now_ns,
        )

    def _reduces(self, terms: Json, quantity: Decimal) -> bool:
        held = self._positions.get((terms["account"], terms["symbol"]), Decimal(0))
        is_against = (held < 0) == (terms["side"] == "buy")
        return is_against and quantity <= abs(held)

    def _play(self, order: HarborOrder) -> None:
        """Decide, by the seed, what the market will do with an order."""
        style = self.settings.fills
        if style is FillStyle.SEEDED:
            style = self._random.choice([FillStyle.NONE, FillStyle.FULL, FillStyle.PARTIAL])
            style = FillStyle.FULL if order.type == "market" else style
        delay = _AT_ONCE_NS if order.type == "market" else self.settings.fill_delay_ns
        if style is FillStyle.FULL:
            self._later(delay, lambda: self._met(order, None))
        elif style is FillStyle.PARTIAL:
            part = str(max(_TICK, (order.quantity / 3).quantize(_TICK)))
            self._later(delay, lambda: self._met(order, part))
            if self._random.random() < 0.5:
                self._later((delay[1], 2 * delay[1] + 1), lambda: self._met(order, None))

    def _met(self, order: HarborOrder, quantity: str | None) -> None:
        if not order.has_ended:
            self.fill(order.venue_id, quantity)

    def _later(self, delay_ns: tuple[int, int], action: Callable[[], object]) -> None:
        def act() -> None:
            action()

        self._schedule(self._random.randint(*delay_ns), act)

    def _fill_row(self, order: HarborOrder, quantity: Decimal) -> Json:
        return {
            "fill_id": f"x{len(self._fills) + 1}",
            "venue_id": order.venue_id,
            "client_id": order.client_id,
            "account": order.account,
            "symbol": order.symbol,
            "side": order.side,
            "quantity": str(quantity),
            "price": str(order.price or _MARKET_PRICE),
            "time_ns": str(self.now_ns),
        }

    def _say(self, order: HarborOrder, what: str, fill: Json | None = None) -> None:
        order.updated_ns = self.now_ns
        self._send(
            order.account, {"type": "order", "what": what, "order": order.row(), "fill": fill}
        )

    def _say_position(self, key: tuple[str, str]) -> None:
        account, symbol = key
        quantity = str(self._positions[key])
        row = {"account": account, "symbol": symbol, "quantity": quantity}
        self._send(account, {"type": "position", "position": row})

    def _send(self, account: str, message: Json) -> None:
        self._events += 1
        facts = {"event_id": f"e{self._events}", "time_ns": str(self.now_ns)}
        self._tell(account, {**message, **facts})


def _amount(text: object, code: str) -> Decimal:
    try:
        amount = Decimal(str(text))
    except InvalidOperation:
        raise Refusal(422, code) from None
    if not amount.is_finite() or amount <= 0:
        raise Refusal(422, code)
    return amount
