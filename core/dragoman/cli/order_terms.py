"""An order in the words of the command line: flags in, an `OrderRequest` out.

The type follows from the prices that are given, unless it is named. A distance is a number (of
price), `1.5%` or `5t` (ticks).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args

import attrs
from cyclopts import Group, Parameter

from dragoman.errors import InvalidOrderError, InvalidValueError, Violation
from dragoman.intake import build_request
from dragoman.models import Exit, Offset, OrderType, PriceSource, TimeInForce

from .connection_options import pairs
from .windows import instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cyclopts import Token

    from dragoman.models import OrderRequest, Side

__all__ = ["OrderTerms", "exit_leg", "parse_offset"]

_GROUP: Final = Group("Order", sort_key=1)
_FLAG: Final = Parameter(negative="", show_default=False)
_TRAIL: Final = "trail:"
_LEVEL: Final = "a price such as 180, a distance such as 1.5% or 5t, or trail:1.5%"

TypeName = Literal[
    "market",
    "limit",
    "stop",
    "stop-limit",
    "market-if-touched",
    "limit-if-touched",
    "trailing-stop",
    "trailing-stop-limit",
]
TriggerName = Literal["last", "bid", "ask", "mid", "mark", "index"]
TimeName = Literal["day", "gtc", "ioc", "fok", "gtd", "opg", "cls"]


def _type_name(_: object, tokens: Sequence[Token]) -> str:
    """Read an order type, with hyphens or with underscores, in any case of letters."""
    name = tokens[0].value.lower().replace("_", "-")
    if name not in get_args(TypeName):
        choices = ", ".join(get_args(TypeName))
        raise ValueError(f"must be one of {choices}, found {tokens[0].value!r}")
    return name


@Parameter(name="*", group=_GROUP)
@attrs.frozen(kw_only=True)
class OrderTerms:
    """Everything an order may say besides symbol, side and quantity."""

    notional: Annotated[
        str | None, Parameter(metavar="AMOUNT", help="Instead of a quantity: how much money.")
    ] = None
    order_type: Annotated[
        TypeName | None,
        Parameter(
            name="--type",
            converter=_type_name,
            help="Else it follows from the prices that are given.",
        ),
    ] = None
    limit: Annotated[str | None, Parameter(metavar="PRICE", help="Limit price.")] = None
    stop: Annotated[
        str | None, Parameter(metavar="PRICE", help="Trigger of a stop or if-touched order.")
    ] = None
    trail: Annotated[
        str | None,
        Parameter(metavar="DISTANCE", help="Trails the price: 1.5%, 0.50 or 5t (ticks)."),
    ] = None
    limit_offset: Annotated[
        str | None, Parameter(metavar="DISTANCE", help="From a trailing stop to its limit.")
    ] = None
    tif: Annotated[TimeName | None, Parameter(help="Time in force.")] = None
    expires: Annotated[
        str | None, Parameter(metavar="TIME", help="When a GTD order ends; implies --tif gtd.")
    ] = None
    stop_loss: Annotated[
        str | None, Parameter(metavar="LEVEL", help="180, 1.5% or 5t away, or trail:1.5%.")
    ] = None
    take_profit: Annotated[
        str | None, Parameter(metavar="LEVEL", help="200, or 1.5% or 5t away.")
    ] = None
    post_only: Annotated[bool, _FLAG, Parameter(help="Never take liquidity.")] = False
    reduce_only: Annotated[bool, _FLAG, Parameter(help="Only close, never open.")] = False
    extended_hours: Annotated[bool, _FLAG, Parameter(help="Work outside regular hours.")] = False
    display: Annotated[
        str | None, Parameter(metavar="QUANTITY", help="How much is shown; 0 hides the order.")
    ] = None
    client_order_id: Annotated[
        str | None, Parameter(metavar="ID", help="Your own id, unique for ever; else one is made.")
    ] = None

    trigger: Annotated[
        TriggerName | None, Parameter(help="Which price a stop or trailing order watches.")
    ] = None
    position_id: Annotated[
        str | None, Parameter(metavar="ID", help="The position meant, where one may hold several.")
    ] = None
    tag: Annotated[
        str | None, Parameter(metavar="TEXT", help="A note of your own, kept with the order.")
    ] = None
    venue_option: Annotated[
        tuple[str, ...],
        Parameter(
            negative="",
            metavar="PROTOCOL.KEY=VALUE",
            show_default=False,
            help="What only this venue knows; may be repeated.",
        ),
    ] = ()

    def request(self, symbol: str, side: Side, quantity: str | None) -> OrderRequest:
        """Return the order.

        Raises:
            InvalidOrderError: Listing everything that is wrong with it (NOT_SENT).
        """
        return build_request(None, self._fields(symbol, side, quantity))

    def _fields(self, symbol: str, side: Side, quantity: str | None) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "symbol": symbol,
            "side": side,
            "order_type": self._type(),
            "quantity": quantity,
            "notional": self.notional,
            "limit_price": self.limit,
            "stop_price": self.stop,
            "trailing": _optional_offset("--trail", self.trail),
            "limit_offset": _optional_offset("--limit-offset", self.limit_offset),
            "time_in_force": self._time_in_force(),
            "stop_loss": exit_leg("--stop-loss", self.stop_loss),
            "take_profit": exit_leg("--take-profit", self.take_profit),
            "display_quantity": self.display,
            "client_order_id": self.client_order_id,
            "trigger": None if self.trigger is None else PriceSource[self.trigger.upper()],
            "position_id": self.position_id,
            "tag": self.tag,
            "venue_options": self._venue_options(),
        }
        given = {name: value for name, value in fields.items() if value is not None}
        if self.expires is not None:
            given["expires_at_ns"] = instant(self.expires, "--expires")
        flags = ("post_only", "reduce_only", "extended_hours")
        return given | {name: True for name in flags if getattr(self, name)}

    def _type(self) -> OrderType:
        if self.order_type is not None:
            return OrderType[self.order_type.upper().replace("-", "_")]
        if self.trail is not None:
            trailing = self.limit_offset is None
            return OrderType.TRAILING_STOP if trailing else OrderType.TRAILING_STOP_LIMIT
        if self.stop is not None:
            return OrderType.STOP if self.limit is None else OrderType.STOP_LIMIT
        return OrderType.MARKET if self.limit is None else OrderType.LIMIT

    def _venue_options(self) -> dict[str, bool | int | str] | None:
        named = pairs("--venue-option", self.venue_option)
        return {name: _scalar(text) for name, text in named.items()} or None

    def _time_in_force(self) -> TimeInForce | None:
        if self.tif is not None:
            return TimeInForce[self.tif.upper()]
        return None if self.expires is None else TimeInForce.GTD


def parse_offset(flag: str, text: str) -> Offset:
    """Read a distance: `0.50` of price, `1.5%`, `5t` ticks.

    Raises:
        InvalidValueError: It is none (NOT_SENT).
    """
    makers = {"%": Offset.percent, "t": Offset.ticks}
    make = makers.get(text[-1:])
    try:
        return Offset.price(text) if make is None else make(text[:-1])
    except InvalidValueError:
        found = Violation.of(flag, text, "a distance above 0, such as 0.50, 1.5% or 5t")
        raise InvalidValueError(str(found), violations=[found]) from None


def exit_leg(flag: str, text: str | None) -> Exit | None:
    """Read a protective leg: a price, a distance from the entry, or `trail:` and a distance.

    Raises:
        InvalidValueError: It is none of them (NOT_SENT).
    """
    if text is None:
        return None
    try:
        if text.startswith(_TRAIL):
            return Exit(trailing=parse_offset(flag, text.removeprefix(_TRAIL)))
        if text.endswith(("%", "t")):
            return Exit(offset=parse_offset(flag, text))
        return Exit(price=text)
    except (InvalidOrderError, InvalidValueError):
        found = Violation.of(flag, text, _LEVEL)
        raise InvalidValueError(str(found), violations=[found]) from None


def _scalar(text: str) -> bool | int | str:
    """Read true, false and whole numbers as what they are, anything else as text."""
    if text in ("true", "false"):
        return text == "true"
    is_whole = text.removeprefix("-").isdecimal() and str(int(text)) == text
    return int(text) if is_whole else text


def _optional_offset(flag: str, text: str | None) -> Offset | None:
    return None if text is None else parse_offset(flag, text)
