"""An account's books as plain JSON data, and back: positions are folded from operations again."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, TypedDict, cast

from dragoman.errors import DecodeError
from dragoman.models import Liquidity, PositionEffect, PositionMode, Side

from .exposure import Exposure, Standing
from .margin import Line
from .position import Accrual, Execution, Settlement, Split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .holdings import Holdings
    from .ledger import EntryState
    from .position import Operation

__all__ = ["AccountState", "read_state", "write_state"]

Cell = str | int | None


class BucketState(TypedDict):
    """A bucket as its operations, oldest first; the first cell of each is its kind."""

    position_id: str
    symbol: str
    updated_at_ns: int | None
    operations: list[list[Cell]]


class SumsState(TypedDict):
    """Running sums as they stand.

    Rebuilt from their parts they would be equal, but not spelled alike.

    Of each pool and line: worth, unrealized, margin, reserved.
    """

    pools: dict[str, list[str]]
    lines: dict[str, list[str]]
    standings: dict[str, list[str]]
    stale: list[str]


class AccountState(TypedDict):
    """Everything of one account that its settings do not say. Amounts are text."""

    position_mode: str
    seen_ns: int
    cash: dict[str, str]
    realized: dict[str, str]
    marks: dict[str, str]
    leverage: dict[str, str]
    holds: list[list[Cell]]
    buckets: list[BucketState]
    ledger: list[EntryState]
    sums: SumsState


def write_state(holdings: Holdings) -> AccountState:
    """Return the state of an account."""
    pools = holdings.sheet.pools
    return {
        "position_mode": holdings.mode.value,
        "seen_ns": holdings.seen_ns,
        "cash": {currency: str(pool.cash) for currency, pool in pools.items()},
        "realized": {currency: str(pool.realized) for currency, pool in pools.items()},
        "marks": {symbol: str(mark) for symbol, mark in holdings.marks.items()},
        "leverage": {symbol: str(each) for symbol, each in holdings.rules.leverage.items()},
        "holds": [_cells(hold.exposure) for hold in holdings.holds],
        "buckets": [
            {
                "position_id": bucket.position_id,
                "symbol": bucket.terms.symbol,
                "updated_at_ns": bucket.updated_at_ns,
                "operations": [_operation_cells(each) for each in bucket.operations],
            }
            for bucket in holdings.buckets.values()
        ],
        "ledger": holdings.ledger.state(),
        "sums": _sums(holdings),
    }


def read_state(holdings: Holdings, state: AccountState) -> None:
    """Bring fresh holdings to a state."""
    holdings.mode = PositionMode(state["position_mode"])
    holdings.seen_ns = state["seen_ns"]
    holdings.rules.leverage.clear()
    for symbol, leverage in state["leverage"].items():
        holdings.rules.set_leverage(symbol, Decimal(leverage))
    for symbol, mark in state["marks"].items():
        holdings.mark(symbol, Decimal(mark))
    for currency, cash in state["cash"].items():
        pool = holdings.sheet.pool(currency)
        pool.cash, pool.realized = Decimal(cash), Decimal(state["realized"][currency])
    for each in state["buckets"]:
        bucket = holdings.bucket(each["position_id"], holdings.known_terms(each["symbol"]))
        for cells in each["operations"]:
            bucket.take(_operation(cells))
        bucket.updated_at_ns = each["updated_at_ns"]
        holdings.touch(each["symbol"])
    for cells in state["holds"]:
        holdings.put_hold(_exposure(cells))
    holdings.ledger.restore(state["ledger"])
    _read_sums(holdings, state["sums"])


def _sums(holdings: Holdings) -> SumsState:
    sheet = holdings.sheet
    return {
        "pools": {
            currency: _texts((pool.worth, pool.unrealized, pool.margin, pool.reserved))
            for currency, pool in sheet.pools.items()
        },
        "lines": {symbol: _texts(line) for symbol, line in sheet.lines.items()},
        "standings": {symbol: _texts(each) for symbol, each in holdings.holds.standings.items()},
        "stale": [*holdings.stale],
    }


def _read_sums(holdings: Holdings, state: SumsState) -> None:
    sheet = holdings.sheet
    for currency, texts in state["pools"].items():
        pool = sheet.pool(currency)
        pool.worth, pool.unrealized, pool.margin, pool.reserved = map(Decimal, texts)
    sheet.lines.update(
        {symbol: Line(*map(Decimal, each)) for symbol, each in state["lines"].items()}
    )
    holdings.holds.standings.clear()
    holdings.holds.standings.update(
        {symbol: Standing(*map(Decimal, each)) for symbol, each in state["standings"].items()}
    )
    holdings.stale.clear()
    holdings.stale.update(dict.fromkeys(state["stale"]))


def _texts(values: Sequence[Decimal]) -> list[str]:
    return [str(value) for value in values]


def _cells(values: Sequence[object]) -> list[Cell]:
    return [
        str(value) if isinstance(value, Decimal) else cast("Cell", getattr(value, "value", value))
        for value in values
    ]


def _operation_cells(operation: Operation) -> list[Cell]:
    return [type(operation).__name__, *_cells(operation)]


def _operation(cells: list[Cell]) -> Operation:
    kind, *values = cells
    match kind:
        case "Execution":
            return _execution(values)
        case "Accrual":
            rate, price, time_ns = values
            return Accrual(
                _number(rate), None if price is None else _number(price), _instant(time_ns)
            )
        case "Split":
            return Split(_number(values[0]), _instant(values[1]))
        case "Settlement":
            return Settlement(_number(values[0]), _instant(values[1]))
        case _:
            raise DecodeError(f"an account's state holds an operation {kind!r} that is not known")


def _execution(values: list[Cell]) -> Execution:
    fill_id, client_order_id, symbol, side, quantity, price, liquidity, effect, position, at = (
        values
    )
    return Execution(
        str(fill_id),
        str(client_order_id),
        str(symbol),
        Side(str(side)),
        _number(quantity),
        _number(price),
        None if liquidity is None else Liquidity(str(liquidity)),
        None if effect is None else PositionEffect(str(effect)),
        None if position is None else str(position),
        _instant(at),
    )


def _exposure(values: list[Cell]) -> Exposure:
    client_order_id, symbol, side, quantity, price, effect, position = values
    return Exposure(
        str(client_order_id),
        str(symbol),
        Side(str(side)),
        _number(quantity),
        _number(price),
        None if effect is None else PositionEffect(str(effect)),
        None if position is None else str(position),
    )


def _number(cell: Cell) -> Decimal:
    return Decimal(str(cell))


def _instant(cell: Cell) -> int:
    return int(str(cell))
