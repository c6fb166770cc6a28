"""The account and its configurations, as far as the broker tells and can honor them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.models import MarginMode, RiskLimitKind
from dragoman.money import ZERO, add
from dragoman_alpaca.wire.trading import ConfigurationsRow

from .asking import body_of, invalid
from .problems import RefusedError, json_response
from .texts import amount, local_day

if TYPE_CHECKING:
    from decimal import Decimal

    from aiohttp import web

    from dragoman.models import Account, Position

    from .desks import Desk

__all__ = ["get_account", "get_configurations", "set_configurations"]

_SETTING: Final = "setting"
_SUSPENDED: Final = "suspend_trade"


async def get_account(_: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v2/account`."""
    account = await desk.broker.fetch_account()
    positions = await desk.broker.fetch_positions()
    await desk.book.know(dict.fromkeys(one.symbol for one in positions))
    return json_response(_account_row(account, positions, desk))


def _account_row(
    account: Account, positions: tuple[Position, ...], desk: Desk
) -> dict[str, object]:
    """Return every field of the schema, null where the broker does not say."""
    can_trade = account.can_trade is not False
    equity = amount(account.equity)
    long_value, short_value = _market_values(positions, desk)
    buying_power = amount(account.buying_power)
    return {
        "id": desk.ids.account,
        "account_number": account.account_id,
        "status": "ACTIVE",
        "crypto_status": "ACTIVE",
        "currency": account.currency,
        "cash": amount(account.cash),
        "equity": equity,
        "portfolio_value": equity,
        "last_equity": None,
        "buying_power": buying_power,
        "effective_buying_power": buying_power,
        "regt_buying_power": buying_power,
        "daytrading_buying_power": None,
        "non_marginable_buying_power": amount(account.margin_available),
        "options_buying_power": amount(account.margin_available),
        "initial_margin": amount(account.margin_used),
        "maintenance_margin": amount(account.maintenance_margin),
        "last_maintenance_margin": None,
        "long_market_value": amount(long_value),
        "short_market_value": amount(short_value),
        "position_market_value": _sum(long_value, short_value),
        "multiplier": amount(account.leverage),
        "sma": None,
        "accrued_fees": None,
        "pending_transfer_in": None,
        "pending_transfer_out": None,
        "pending_reg_taf_fees": None,
        "intraday_adjustments": None,
        "pattern_day_trader": None,
        "daytrade_count": _day_trades(account),
        "shorting_enabled": _can_short(account),
        "account_blocked": False,
        "trading_blocked": not can_trade,
        "transfers_blocked": False,
        "trade_suspended_by_user": desk.broker.is_halted,
        "options_approved_level": None,
        "options_trading_level": None,
        "balance_asof": local_day(account.received_at_ns).isoformat(),
        "created_at": None,
        "admin_configurations": {},
        "user_configurations": None,
    }


def _sum(one: Decimal | None, other: Decimal | None) -> str | None:
    return None if one is None or other is None else amount(add(one, other))


def _market_values(
    positions: tuple[Position, ...], desk: Desk
) -> tuple[Decimal | None, Decimal | None]:
    """Return what is held long and short is worth; None unless every part of it is known."""
    values = {True: ZERO, False: ZERO}
    for position in positions:
        asset = desk.book.known(position.symbol)
        if asset is None or position.mark_price is None:
            return None, None
        worth = asset.instrument.worth(position.quantity, position.mark_price)
        is_long = position.quantity > 0
        values[is_long] = add(values[is_long], worth)
    return values[True], values[False]


def _day_trades(account: Account) -> int | None:
    limits = [one for one in account.risk_limits if one.kind is RiskLimitKind.DAY_TRADES]
    return next((int(one.used) for one in limits if one.used is not None), None)


def _can_short(account: Account) -> bool:
    return account.margin_mode is not MarginMode.CASH


async def get_configurations(_: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v2/account/configurations`."""
    return json_response(_configurations(await desk.broker.fetch_account(), desk))


def _configurations(account: Account, desk: Desk) -> dict[str, object]:
    return {
        "dtbp_check": "entry",
        "pdt_check": "entry",
        "fractional_trading": True,
        "max_margin_multiplier": amount(account.leverage) or "1",
        "max_options_trading_level": None,
        "no_shorting": not _can_short(account),
        "ptp_no_exception_entry": False,
        "suspend_trade": desk.broker.is_halted,
        "trade_confirm_email": "none",
        "disable_overnight_trading": False,
    }


async def set_configurations(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`PATCH /v2/account/configurations`: `suspend_trade` halts and resumes; all else stays.

    A halt that was not called for here is not ended here: its maker had a reason.
    """
    body = await body_of(request, ConfigurationsRow)
    account = await desk.broker.fetch_account()
    now = _configurations(account, desk)
    for name in body.__struct_fields__:
        asked: object = getattr(body, name)
        if asked is None or name == _SUSPENDED:
            continue
        if str(asked) != str(now[name]):
            raise invalid(f"{name} can't be changed here: it stays {now[name]}")
    if body.suspend_trade is not None and body.suspend_trade is not desk.broker.is_halted:
        _suspend(desk, is_on=body.suspend_trade)
    return json_response(_configurations(account, desk))


def _suspend(desk: Desk, *, is_on: bool) -> None:
    identities = desk.host.identities(desk.broker)
    if is_on:
        identities.put(_SETTING, _SUSPENDED, desk.broker.account_id, {"is_on": "true"})
        desk.broker.halt("suspend_trade was set by a client")
        return
    known = identities.get(_SETTING, _SUSPENDED)
    if known is None or known.attributes.get("is_on") != "true":
        message = "trading was halted by the operator, who alone resumes it"
        raise RefusedError(403, message, number=40310000)
    desk.broker.resume()
    identities.put(_SETTING, _SUSPENDED, desk.broker.account_id, {"is_on": "false"})
