"""Trading stopped, let go on, and compared with the venue: what the scope HALT is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..log import audit
from .answers import AccountStatus, FlattenOrder, HaltAnswer, HaltOrder, answered

if TYPE_CHECKING:
    from aiohttp import web

    from .asking import Ask

__all__ = ["flatten", "halt", "reconcile", "resume"]

_LONGEST_CAUSE: Final = 500


async def halt(ask: Ask) -> web.Response:
    """Stop trading at once and, if asked to, cancel every order and wait for that."""
    ask.query.check()
    asked = await ask.body(HaltOrder, is_optional=True)
    cause = _cause(asked)
    _tell(ask, "halt", cause)
    if asked.cancel:
        return answered(HaltAnswer.of(await ask.broker.halt_and_cancel(cause)))
    return answered(HaltAnswer.of(ask.broker.halt(cause)))


async def flatten(ask: Ask) -> web.Response:
    """Stop trading, cancel every order, close every position, and say whether that is proved."""
    ask.query.check()
    asked = await ask.body(FlattenOrder, is_optional=True)
    cause = _cause(asked)
    _tell(ask, "flatten", cause)
    return answered(HaltAnswer.of(await ask.broker.flatten(cause)))


async def resume(ask: Ask) -> web.Response:
    """Let the account trade on after a halt."""
    ask.query.check()
    _tell(ask, "resume", "asked for by a client")
    ask.broker.resume()
    await ask.broker.clock.sleep_until_ns(0)  # its health is told anew in the next turn
    return answered(AccountStatus.of(ask.broker))


async def reconcile(ask: Ask) -> web.Response:
    """Compare with the venue now, and take in what is found."""
    ask.query.check()
    await ask.broker.reconcile()
    return answered(AccountStatus.of(ask.broker))


def _tell(ask: Ask, action: str, cause: str) -> None:
    """Leave a line for those who ask later who stopped, or let go on, what."""
    audit(action, broker=ask.broker, client=ask.access.client, cause=cause)


def _cause(asked: HaltOrder | FlattenOrder) -> str:
    text = "".join(one for one in asked.cause if one.isprintable())[:_LONGEST_CAUSE]
    return text or type(asked)().cause
