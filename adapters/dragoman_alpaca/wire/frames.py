"""The frames of Alpaca's streams: market data, and `trade_updates`.

A frame of market data is an array of messages, told apart by `T`; one that answers to the client
stands alone in its array. A frame of the trading stream is one object, told apart by `stream`. In
MessagePack both are the same, with binary numbers and times.

Source: docs.alpaca.markets, "Real-time Stock Data", "Real-time Crypto Data", "Websocket Streaming",
checked 2026-06-15.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from dragoman.transport.codec import Numeral

from .market import BarRow, BookRow, ConditionCodes, QuoteRow, TradeRow, WrittenTime
from .trading import TradeUpdate

__all__ = [
    "AnyMessage",
    "AuthorizationData",
    "AuthorizationFrame",
    "BarMessage",
    "BookMessage",
    "CancelErrorMessage",
    "CorrectionMessage",
    "DailyBarMessage",
    "DataMessage",
    "ErrorMessage",
    "ImbalanceMessage",
    "ListeningData",
    "ListeningFrame",
    "LuldMessage",
    "NewsMessage",
    "QuoteMessage",
    "StatusMessage",
    "SubscriptionMessage",
    "SuccessMessage",
    "TradeMessage",
    "TradeUpdateFrame",
    "TradingFrame",
    "UpdatedBarMessage",
]


class QuoteMessage(QuoteRow, tag_field="T", tag="q", kw_only=True, gc=False):
    """A quote of one symbol."""

    symbol: str = msgspec.field(name="S")


class TradeMessage(TradeRow, tag_field="T", tag="t", kw_only=True, gc=False):
    """A print of one symbol."""

    symbol: str = msgspec.field(name="S")


class BarMessage(BarRow, tag_field="T", tag="b", kw_only=True, gc=False):
    """A minute that has ended."""

    symbol: str = msgspec.field(name="S")


class UpdatedBarMessage(BarRow, tag_field="T", tag="u", kw_only=True, gc=False):
    """A minute told anew, half a minute after its end, for prints that came late."""

    symbol: str = msgspec.field(name="S")


class DailyBarMessage(BarRow, tag_field="T", tag="d", kw_only=True, gc=False):
    """The day so far, once a minute."""

    symbol: str = msgspec.field(name="S")


class BookMessage(BookRow, tag_field="T", tag="o", kw_only=True, gc=False):
    """Changed levels of a crypto book; all of them with `r`, and in the first after subscribing."""

    symbol: str = msgspec.field(name="S")


class StatusMessage(msgspec.Struct, tag_field="T", tag="s", kw_only=True, gc=False):
    """Trading in a symbol was halted, goes on, or is restricted.

    `sc` and `rc` are the codes of the tape's operator, such as "H" and "T12", `sm` and `rm` their
    words, `z` the tape: "A" and "B" have one set of codes, "C" and "O" another.
    """

    symbol: str = msgspec.field(name="S")
    t: WrittenTime = None
    sc: str | None = None
    sm: str | None = None
    rc: str | None = None
    rm: str | None = None
    z: str | None = None


class LuldMessage(msgspec.Struct, tag_field="T", tag="l", kw_only=True, gc=False):
    """The limits between which a symbol may trade: `u` up, `d` down."""

    symbol: str = msgspec.field(name="S")
    t: WrittenTime = None
    u: Numeral = None
    d: Numeral = None


class CancelErrorMessage(msgspec.Struct, tag_field="T", tag="x", kw_only=True, gc=False):
    """A print was taken back; `a` says whether it was canceled ("C") or an error ("E")."""

    symbol: str = msgspec.field(name="S")
    t: WrittenTime = None
    i: Numeral = None


class CorrectionMessage(msgspec.Struct, tag_field="T", tag="c", kw_only=True, gc=False):
    """A print was corrected: `oi` is taken back, and `ci` with what follows stands instead."""

    symbol: str = msgspec.field(name="S")
    t: WrittenTime = None
    oi: Numeral = None
    ci: Numeral = None
    cp: Numeral = None
    cs: Numeral = None
    cc: ConditionCodes = None


class ImbalanceMessage(msgspec.Struct, tag_field="T", tag="i", kw_only=True, gc=False):
    """More orders on one side of an auction than on the other; `p` is its indicative price."""

    symbol: str | None = msgspec.field(name="S", default=None)


class NewsMessage(msgspec.Struct, tag_field="T", tag="n", kw_only=True, gc=False):
    """An article."""

    id: Numeral = None


class SuccessMessage(msgspec.Struct, tag_field="T", tag="success", kw_only=True, gc=False):
    """`msg` is "connected" or "authenticated"."""

    msg: str | None = None


class ErrorMessage(msgspec.Struct, tag_field="T", tag="error", kw_only=True, gc=False):
    """What the client sent was refused, or the session ends; `code` such as 402."""

    code: Numeral = None
    msg: str | None = None


class SubscriptionMessage(
    msgspec.Struct, tag_field="T", tag="subscription", kw_only=True, gc=False, rename="camel"
):
    """All that is subscribed to now; channels that the feed does not have are missing."""

    trades: list[str] | None = None
    quotes: list[str] | None = None
    bars: list[str] | None = None
    updated_bars: list[str] | None = None
    daily_bars: list[str] | None = None
    statuses: list[str] | None = None
    lulds: list[str] | None = None
    imbalances: list[str] | None = None
    orderbooks: list[str] | None = None
    corrections: list[str] | None = None
    cancel_errors: list[str] | None = None
    news: list[str] | None = None


DataMessage: TypeAlias = (
    QuoteMessage
    | TradeMessage
    | BarMessage
    | UpdatedBarMessage
    | DailyBarMessage
    | BookMessage
    | StatusMessage
    | LuldMessage
    | CancelErrorMessage
    | CorrectionMessage
    | ImbalanceMessage
    | NewsMessage
    | SuccessMessage
    | ErrorMessage
    | SubscriptionMessage
)


class AnyMessage(msgspec.Struct, gc=False):
    """What every message has, read where the whole can't be."""

    kind: str | None = msgspec.field(name="T", default=None)


class AuthorizationData(msgspec.Struct, kw_only=True):
    """`status` is "authorized" or "unauthorized", `action` what the client had asked for."""

    status: str | None = None
    action: str | None = None
    message: str | None = None


class ListeningData(msgspec.Struct, kw_only=True):
    """`streams` are all that are listened to now; names that there are not are left out."""

    streams: list[str] | None = None
    error: str | None = None


class TradeUpdateFrame(
    msgspec.Struct, tag_field="stream", tag="trade_updates", kw_only=True, gc=False
):
    """Something happened to an order."""

    data: TradeUpdate


class AuthorizationFrame(msgspec.Struct, tag_field="stream", tag="authorization", kw_only=True):
    """The answer to the credentials."""

    data: AuthorizationData


class ListeningFrame(msgspec.Struct, tag_field="stream", tag="listening", kw_only=True):
    """The answer to a wish to listen."""

    data: ListeningData


TradingFrame: TypeAlias = TradeUpdateFrame | AuthorizationFrame | ListeningFrame
