"""Accounts: which are served, how they stand, what is true of them now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from dragoman.capabilities import Capabilities
from dragoman.models.serde import to_plain

from .answers import AccountState, AccountStatus, answered, answered_plain
from .lists import AccountList

if TYPE_CHECKING:
    from aiohttp import web

    from dragoman.models.serde import Plain

    from .asking import Ask

__all__ = [
    "get_account",
    "get_capabilities",
    "get_health",
    "get_state",
    "get_status",
    "list_accounts",
]


async def list_accounts(ask: Ask) -> web.Response:
    """Answer with every account that this client may reach."""
    ask.query.check()
    rows = tuple(AccountStatus.of(broker) for broker in ask.access.brokers)
    return answered(AccountList(accounts=rows))


async def get_status(ask: Ask) -> web.Response:
    """Answer with how an account stands."""
    ask.query.check()
    return answered(AccountStatus.of(ask.broker))


async def get_health(ask: Ask) -> web.Response:
    """Answer with whether an account can be traded with, and all that says no."""
    ask.query.check()
    return answered(AccountStatus.of(ask.broker))


async def get_state(ask: Ask) -> web.Response:
    """Answer with all that is true of an account now; the venue is not asked."""
    ask.query.check()
    return answered(AccountState.of(ask.broker))


async def get_account(ask: Ask) -> web.Response:
    """Answer with the account as the venue shows it now."""
    ask.query.check()
    return answered(await ask.broker.fetch_account())


async def get_capabilities(ask: Ask) -> web.Response:
    """Answer with all that the provider declares."""
    ask.query.check()
    declared = ask.broker.capabilities
    fields = [field.name for field in attrs.fields(Capabilities) if field.init]
    plain: dict[str, Plain] = {name: to_plain(getattr(declared, name)) for name in fields}
    return answered_plain(plain)
