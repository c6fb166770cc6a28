"""Commands that trade: buy, sell, replace, cancel, close."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import attrs
from cyclopts import Parameter

from dragoman.errors import RequestError
from dragoman.models import REMOVE, Side

from .connection_options import ConnectionOptions
from .exit_codes import ExitCode
from .order_terms import OrderTerms, exit_leg, parse_offset
from .results import show_order, show_preview, show_results
from .sending import (
    SendOptions,
    find_order,
    find_position,
    in_doubt_if_interrupted,
    new_order_id,
    trading,
)
from .shell import Shell, ShellParameter
from .windows import instant
from .wording import order_terms

if TYPE_CHECKING:
    from dragoman.models import OrderRequest

__all__ = ["buy", "cancel", "close", "replace", "sell"]

_DEFAULT = ConnectionOptions()
_SENDING = SendOptions()
_MARKET = OrderTerms()

Symbol = Annotated[str, Parameter(help="The instrument's symbol or alias.")]
Quantity = Annotated[str | None, Parameter(help="In units of the instrument.")]
_PRICE = Parameter(metavar="PRICE")
_DISTANCE = Parameter(metavar="DISTANCE", help="1.5%, 0.50 or 5t (ticks).")
_LEG = Parameter(metavar="LEVEL", help="A new leg, or `none` to take it off.")
_FLAG = Parameter(negative="", show_default=False)
OnlyPreview = Annotated[bool, _FLAG, Parameter(help="Send nothing; say what would stop it.")]


async def buy(
    symbol: Symbol,
    quantity: Quantity = None,
    /,
    *,
    terms: OrderTerms = _MARKET,
    preview: OnlyPreview = False,
    sending: SendOptions = _SENDING,
    options: ConnectionOptions = _DEFAULT,
    shell: ShellParameter,
) -> int:
    """Buy: send one order and show it as the venue took it."""
    request = terms.request(symbol, Side.BUY, quantity)
    if preview:
        return await _preview(request, options, shell)
    return await _send(request, sending, options, shell)


async def sell(
    symbol: Symbol,
    quantity: Quantity = None,
    /,
    *,
    terms: OrderTerms = _MARKET,
    preview: OnlyPreview = False,
    sending: SendOptions = _SENDING,
    options: ConnectionOptions = _DEFAULT,
    shell: ShellParameter,
) -> int:
    """Sell: send one order and show it as the venue took it."""
    request = terms.request(symbol, Side.SELL, quantity)
    if preview:
        return await _preview(request, options, shell)
    return await _send(request, sending, options, shell)


async def replace(
    order_id: Annotated[str, Parameter(metavar="ID", help="Client or venue order id.")],
    /,
    *,
    quantity: Annotated[str | None, Parameter(help="The new total, filled part included.")] = None,
    limit: Annotated[str | None, _PRICE, Parameter(help="Limit price.")] = None,
    stop: Annotated[str | None, _PRICE, Parameter(help="Trigger.")] = None,
    trail: Annotated[str | None, _DISTANCE] = None,
    expires: Annotated[str | None, Parameter(metavar="TIME", help="End of a GTD order.")] = None,
    stop_loss: Annotated[str | None, _LEG] = None,
    take_profit: Annotated[str | None, _LEG] = None,
    sending: SendOptions = _SENDING,
    options: ConnectionOptions = _DEFAULT,
    shell: ShellParameter,
) -> int:
    """Change an open order; what is not named stays as it is."""
    named: dict[str, Any] = {
        "quantity": quantity,
        "limit_price": limit,
        "stop_price": stop,
        "trailing": None if trail is None else parse_offset("--trail", trail),
        "expires_at_ns": None if expires is None else instant(expires, "--expires"),
        "stop_loss": REMOVE if stop_loss == "none" else exit_leg("--stop-loss", stop_loss),
        "take_profit": REMOVE if take_profit == "none" else exit_leg("--take-profit", take_profit),
    }
    change = {name: value for name, value in named.items() if value is not None}
    async with trading(shell, options, yes=sending.yes) as broker:
        order = await find_order(broker, order_id)
        what = f"change {', '.join(change)} of {order_terms(order)}"
        shell.confirm(broker, what, yes=sending.yes)
        with in_doubt_if_interrupted(shell, order.client_order_id):
            changed = await broker.replace(order, timeout_s=sending.timeout, **change)
        changed = await sending.settled(broker, changed)
        show_order(shell, broker, changed, as_json=options.json)
    return ExitCode.DONE


async def cancel(
    order_id: Annotated[
        str | None, Parameter(metavar="ID", help="Client or venue order id.")
    ] = None,
    /,
    *,
    every: Annotated[bool, _FLAG, Parameter(name="--all", help="Every open order.")] = False,
    symbol: Annotated[str | None, Parameter(help="With --all: of this symbol only.")] = None,
    sending: SendOptions = _SENDING,
    options: ConnectionOptions = _DEFAULT,
    shell: ShellParameter,
) -> int:
    """Cancel an order, or all. Goes through while trading is halted; never asks."""
    _require_one("ID", order_id, every=every)
    async with options.connect(shell.find_registry()) as broker:
        if order_id is None:
            name = None if symbol is None else (await broker.instrument(symbol)).symbol
            results = await broker.cancel_all(name, timeout_s=sending.timeout)
            return show_results(shell, broker, results, as_json=options.json)
        order = await find_order(broker, order_id)
        canceled = await broker.cancel(order, timeout_s=sending.timeout)
        canceled = await sending.settled(broker, canceled)
        show_order(shell, broker, canceled, as_json=options.json)
    return ExitCode.DONE


async def close(
    position: Annotated[str | None, Parameter(help="Symbol or position id.")] = None,
    quantity: Annotated[str | None, Parameter(help="How much; else all of it.")] = None,
    /,
    *,
    named_quantity: Annotated[
        str | None, Parameter(name="--quantity", help="As the second argument.")
    ] = None,
    every: Annotated[bool, _FLAG, Parameter(name="--all", help="Every position.")] = False,
    sending: SendOptions = _SENDING,
    options: ConnectionOptions = _DEFAULT,
    shell: ShellParameter,
) -> int:
    """Close a position, part of it, or all of them, by market orders that can only close."""
    _require_one("SYMBOL", position, every=every)
    quantity = _closing_quantity(quantity, named_quantity, every=every)
    async with trading(shell, options, yes=sending.yes) as broker:
        if position is None:
            shell.confirm(broker, "close every position", yes=sending.yes)
            results = await broker.close_all(timeout_s=sending.timeout)
            return show_results(shell, broker, results, as_json=options.json)
        held = await find_position(broker, position)
        shell.confirm(broker, f"close {quantity or 'all'} of {held.position_id}", yes=sending.yes)
        client_order_id = new_order_id()
        with in_doubt_if_interrupted(shell, client_order_id):
            order = await broker.close(
                held, quantity, timeout_s=sending.timeout, client_order_id=client_order_id
            )
        order = await sending.settled(broker, order)
        show_order(shell, broker, order, as_json=options.json)
    return ExitCode.DONE


async def _send(
    request: OrderRequest, sending: SendOptions, options: ConnectionOptions, shell: Shell
) -> int:
    if request.client_order_id is None:
        request = attrs.evolve(request, client_order_id=new_order_id())
    async with trading(shell, options, yes=sending.yes) as broker:
        shell.confirm(broker, order_terms(request), yes=sending.yes)
        with in_doubt_if_interrupted(shell, request.client_order_id or ""):
            order = await broker.submit(request, timeout_s=sending.timeout)
        order = await sending.settled(broker, order)
        show_order(shell, broker, order, as_json=options.json)
    return ExitCode.DONE


async def _preview(request: OrderRequest, options: ConnectionOptions, shell: Shell) -> int:
    async with options.connect(shell.find_registry(), is_copy=True) as broker:
        found = await broker.preview(request)
        return show_preview(shell, broker, found, as_json=options.json)


def _closing_quantity(given: str | None, named: str | None, *, every: bool) -> str | None:
    """Return how much to close, which may be said in either of two places, but not for all."""
    if given is not None and named is not None:
        raise RequestError("name the quantity once: as the second argument or with --quantity")
    if every and named is not None:
        raise RequestError("name SYMBOL with --quantity: --all closes all of every position")
    return named if given is None else given


def _require_one(name: str, given: str | None, *, every: bool) -> None:
    """Refuse a command that names one thing and all of them, or nothing."""
    if (given is None) is not every:
        both = "not both" if every else "none was given"
        raise RequestError(f"name {name} or --all: {both}")
