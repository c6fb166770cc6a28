"""The account: what it is worth, in which currency, and which one it is."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from dragoman.capabilities import ReadFeature
from dragoman.errors import ConfigurationError, DragomanError, NotFoundError
from dragoman.models import AccountEvent, Channel, Side
from dragoman.paper.settings import AccountSettings, Fee, FeeSchedule, VenueSettings
from dragoman.times import MILLISECOND_NS

from ..looks.ledger import ledger_unlike
from ..looks.likeness import like
from ..looks.parts import parts
from ..looks.wire_text import was_told
from ..scenario import scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.capabilities import Capabilities
    from dragoman.models import Account, Balance

    from ..play import Play

_TOTALS: Final = (
    "equity",
    "cash",
    "buying_power",
    "margin_used",
    "margin_available",
    "maintenance_margin",
    "unrealized_pnl",
    "realized_pnl",
)
_MODES: Final = ("can_trade", "is_simulated", "position_mode", "margin_mode")
_HELD: Final = ("total", "available", "reserved", "borrowed", "margin_used", "unrealized_pnl")
_CASH: Final = "98765.4321"
_LITTLE: Final = Decimal("0.55")


def _settings(cash: str | Decimal = _CASH) -> VenueSettings:
    return VenueSettings(
        accounts=(AccountSettings(cash=cash),),
        fees=FeeSchedule(default=Fee(maker="0.00013", taker="0.00027")),
    )


def _has_account(capabilities: Capabilities) -> bool:
    return ReadFeature.ACCOUNT in capabilities.reads


def _has_ledger(capabilities: Capabilities) -> bool:
    return ReadFeature.LEDGER in capabilities.reads


def _has_account_stream(capabilities: Capabilities) -> bool:
    return Channel.ACCOUNT in capabilities.streams and _has_account(capabilities)


def _look(play: Play, told: Account, true: Account, when: str) -> None:
    """Compare an account with the venue's own, its balances by currency."""
    like(play, "ACC-010", told, true, _TOTALS, what=f"the account {when}")
    like(play, "ACC-010", told, true, _MODES, what=f"the account {when}")
    totals = [name for name in _TOTALS if getattr(told, name) is not None]
    play.check(
        "ACC-020",
        told.currency == true.currency or (told.currency is None and not totals),
        f"the account {when} is in {told.currency}, at the venue in {true.currency}",
    )
    known = {one.currency: one for one in true.balances}
    found = {one.currency: one for one in told.balances}
    play.check("ACC-020", len(found) == len(told.balances), f"a currency comes twice {when}")
    for currency, balance in found.items():
        _look_at_balance(play, balance, known.get(currency), f"the balance of {currency} {when}")
    has_own = told.cash is None or told.currency in found
    play.check("ACC-020", has_own, f"cash is told {when}, and no balance of {told.currency}")
    for currency, balance in known.items():
        is_there = currency in found or not told.balances or not was_told(play, balance.total)
        play.check("ACC-020", is_there, f"the balance of {currency} is missing {when}")


def _look_at_balance(play: Play, told: Balance, true: Balance | None, what: str) -> None:
    if play.check("ACC-020", true is not None or not told.total, f"{what} is none of the venue's"):
        like(play, "ACC-010", told, true or told, _HELD, what=what, may_lack=True)


@scenario("ACC-010", "ACC-020", "ACC-030", when=_has_account)
async def the_account_is_worth_what_the_venue_says(play: Play) -> None:
    """Before any order, while one rests, with a position under water, and after it is closed."""
    play.settings = _settings()
    broker = await play.connect()
    _look(play, await broker.fetch_account(), await play.venue.account(), "at first")

    resting = await play.rest()
    await play.settle()
    told, true = await broker.fetch_account(), await play.venue.account()
    _look(play, told, true, "while an order rests")
    like(
        play,
        "ACC-030",
        told,
        true,
        ("cash", "buying_power", "margin_available"),
        what="what is free",
    )
    await broker.cancel(resting)

    await play.take()
    price = play.subject.sample.price
    await play.venue.move(play.symbol, price - price / 16)
    told, true = await broker.fetch_account(), await play.venue.account()
    _look(play, told, true, "with a loss that is not realized")
    names = ("equity", "cash", "buying_power", "margin_used", "margin_available", "unrealized_pnl")
    like(play, "ACC-030", told, true, names, what="what is free with a position")

    await play.until(lambda: broker.state.positions)
    await play.take(side=Side.SELL)
    await play.settle()
    told, true = await broker.fetch_account(), await play.venue.account()
    _look(play, told, true, "with a loss that is realized")
    both = await broker.fetch_accounts()
    play.equal("ACC-010", [told.account_id], [one.account_id for one in both], "the accounts")
    _look(play, both[0], true, "in the list of accounts")


@scenario("ACC-040", when=_has_account)
async def debts_and_zeros_are_told_as_such(play: Play) -> None:
    """More is bought on margin than there is cash for; and an account has nothing at all."""
    sample = play.subject.sample
    worth = sample.price * sample.quantity
    play.settings = _settings(worth * Decimal("0.75"))
    broker = await play.connect()
    await play.take()
    true = await play.venue.account()
    told = await broker.fetch_account()
    like(play, "ACC-040", told, true, _TOTALS, what="an account in debt")
    owed = {one.currency: one.total for one in true.balances if one.total < 0}
    for balance in told.balances:
        wanted = owed.get(balance.currency, balance.total)
        play.equal("ACC-040", wanted, balance.total, f"the debt in {balance.currency}")


@scenario("ACC-040", when=_has_account)
async def nothing_is_told_as_zero(play: Play) -> None:
    """The account has neither cash nor anything else."""
    play.settings = _settings("0")
    broker = await play.connect()
    told, true = await broker.fetch_account(), await play.venue.account()
    like(play, "ACC-040", told, true, _TOTALS, what="an account of nothing")
    for name in ("equity", "cash"):
        found = getattr(told, name)
        is_known = found is not None or getattr(true, name) is None or not told.balances
        play.check("ACC-040", found == 0 or not is_known, f"{name} of nothing is {found}")


@scenario("ACC-050", "ACC-060")
async def everything_names_the_account_it_is_of(play: Play) -> None:
    """The account is chosen by its id, and another id is refused."""
    broker = await play.connect()
    name = broker.account_id
    play.check("ACC-050", await broker.for_account(name) is broker, "its own account is another")
    order = await play.take()
    resting = await play.rest()
    await play.settle()
    told: dict[str, str] = {
        "the account": (await broker.fetch_account()).account_id,
        "an order": order.account_id,
        "an order that rests": resting.account_id,
        **{
            f"open order {one.client_order_id}": one.account_id
            for one in await broker.fetch_open_orders()
        },
        **{f"position {one.symbol}": one.account_id for one in await broker.fetch_positions()},
        **{f"{type(one).__name__}": getattr(one, "account_id", name) for one in play.heard},
    }
    async for fill in broker.fetch_fills():
        told[f"fill {fill.fill_id}"] = fill.account_id
    for what, found in told.items():
        play.equal("ACC-060", name, found, f"the account of {what}")
    _look_at_providers(play, [*play.heard, order, resting, await broker.fetch_account()])
    again = await play.connect(account_id=name)
    play.equal("ACC-050", name, again.account_id, "the account asked for")
    error = await play.fails(
        "ACC-050",
        play.stage.connect(account_id="no-such-account"),
        ConfigurationError,
        "an account that is not the credentials'",
    )
    play.check(
        "ACC-050", error is None or name in error.message, "the accounts there are, are not named"
    )
    await play.fails(
        "ACC-050", _of_another(play), (NotFoundError, DragomanError), "reading another's account"
    )


def _look_at_providers(play: Play, told: Sequence[object]) -> None:
    name = play.subject.declared.name
    for place, one in parts(told):
        if place.endswith(".provider"):
            play.equal("ACC-060", name, one, place)


async def _of_another(play: Play) -> object:
    adapter = play.stage.make_adapter(play.broker.account_id)
    await adapter.open()
    try:
        return await adapter.fetch_account("no-such-account")
    finally:
        await adapter.aclose()


@scenario("ACC-070", when=_has_ledger)
async def what_moves_cash_is_in_the_ledger(play: Play) -> None:
    """Money is paid in and out, and a dividend is paid on what is held."""
    play.settings = _settings()
    broker = await play.connect()
    await play.take()
    account, symbol = play.venue.account_id, play.venue.name(play.symbol)
    await play.pause(1)
    await play.venue.act(lambda engine: engine.deposit(account, Decimal("1234.5678")))
    await play.pause(1)
    await play.venue.act(lambda engine: engine.withdraw(account, Decimal("777.0123")))
    await play.pause(1)
    await play.venue.act(lambda engine: engine.dividend(symbol, _LITTLE))
    await play.settle()
    true = await play.venue.look(lambda engine: tuple(engine.ledger(account)))
    told = [entry async for entry in broker.fetch_ledger()]
    found = list(ledger_unlike(play, told, true))
    play.check("ACC-070", not found, "; ".join(found))
    times = [one.venue_time_ns for one in told]
    play.check("ACC-070", times == sorted(times), "the ledger is not oldest first")
    kinds = {one.kind for one in told}
    for kind in kinds:
        only = [one.kind async for one in broker.fetch_ledger(kinds=(kind,))]
        wanted = [one.kind for one in told if one.kind is kind]
        play.equal("ACC-070", wanted, only, f"entries of kind {kind}")


@scenario("ACC-080", when=_has_account_stream)
async def the_account_is_told_as_it_changes(play: Play) -> None:
    """A fill changes the account, and who listens hears of it."""
    play.settings = _settings()
    broker = await play.connect()
    play.heard.clear()
    await play.take(side=Side.BUY)
    await play.until(lambda: any(isinstance(one, AccountEvent) for one in play.heard), within_s=5)
    await play.settle()
    told = [one.account for one in play.heard if isinstance(one, AccountEvent)]
    if play.check("ACC-080", told, "no event of the account after a fill"):
        true = await play.venue.account()
        like(
            play, "ACC-080", told[-1], true, ("cash", "currency", "position_mode"), what="the event"
        )
        fetched = await broker.fetch_account()
        is_same = told[-1].cash is None or fetched.cash in (None, told[-1].cash)
        play.check("ACC-080", is_same, "the event and the account that is read differ")
        age = play.clock.now_ns() - told[-1].received_at_ns
        play.check("ACC-080", 0 <= age < 10_000 * MILLISECOND_NS, "the event is not of now")
