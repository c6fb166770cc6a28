"""The declaration: what it says works, and what it does not say is refused at once."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import attrs

from dragoman.capabilities import Capabilities, ReadFeature
from dragoman.errors import (
    DragomanError,
    InvalidOrderError,
    OrderRejectedError,
    RejectReason,
    UnsupportedError,
)
from dragoman.models import (
    Channel,
    Contingency,
    Exit,
    Offset,
    OrderType,
    PriceSource,
    Quote,
    Side,
    TimeInForce,
    Trade,
)
from dragoman.models.serde import from_plain, to_plain
from dragoman.times import DAY_NS, HOUR_NS

from ..looks.declaration import CHANGEABLE, cells_nobody_takes, contradictions, is_frozen
from ..looks.listings import at_venue
from ..looks.probes import (
    Probe,
    bar_probes,
    cell_probes,
    exit_probes,
    feature_probes,
    list_probes,
    read_probes,
    source_probes,
    stream_probes,
)
from ..looks.terms import on_tick, resting, takes
from ..scenario import scenario

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dragoman.models import Instrument, Order

    from ..play import Play

_NEEDS_A_PAIR: Final = frozenset({f"reading {ReadFeature.DEPTH}", f"streaming {Channel.DEPTH}"})
_NEEDS_A_CONTRACT: Final = frozenset(
    f"{use} {source}"
    for use in ("trigger", "peg")
    for source in (PriceSource.MARK, PriceSource.INDEX)
)
"""What only contracts have a price for: the venue may refuse it of the sample."""
_SHOWN: Final = frozenset(
    {
        "post_only",
        "display_quantity",
        "extended_hours",
        "tag",
        "notional",
        "position_effect",
        "trigger",
        "peg",
    }
)
"""What a venue's own order shows again, just as it was asked for."""
_MARKET: Final[Mapping[Channel, type[object]]] = MappingProxyType(
    {Channel.QUOTES: Quote, Channel.TRADES: Trade}
)
_ROUND: Final = Decimal(100)


def _lists_instruments(declared: Capabilities) -> bool:
    return ReadFeature.INSTRUMENTS in declared.reads and takes(declared, OrderType.LIMIT)


@scenario("CAP-010", "CAP-050", is_smoke=True)
async def the_declaration_is_one_frozen_value(play: Play) -> None:
    """It is asked for before and after connecting, of the adapter, its accounts and the broker."""
    declared = play.capabilities
    broker = await play.connect()
    own = play.stage.make_adapter()
    other = own.for_account(broker.account_id)
    said = {
        "an adapter that is not open": own.capabilities,
        "an adapter bound to its account": other.capabilities,
        "the broker": broker.capabilities,
    }
    await play.take()
    said["the broker after an order"] = broker.capabilities
    for who, found in said.items():
        play.check("CAP-010", found == declared, f"{who} declares something else than at first")
    await other.aclose()
    await own.aclose()
    play.check("CAP-010", is_frozen(declared), "the declaration can be changed")
    try:
        again = from_plain(Capabilities, to_plain(declared))
    except DragomanError as error:
        play.check("CAP-010", held=False, why=f"no plain data: {error}")
    else:
        play.check("CAP-010", again == declared, "it comes back from plain data as another")
    listed = await broker.load_instruments() if _lists_instruments(declared) else ()
    for cell in cells_nobody_takes(declared, listed):
        play.check("CAP-050", held=False, why=f"{cell} is declared, and no instrument takes it")
    for what in contradictions(play, declared):
        play.check("CAP-050", held=False, why=what)
    play.equal("CAP-050", play.subject.protocol.name, declared.protocol, "the protocol it names")


@scenario("CAP-020")
async def what_is_not_declared_is_refused_before_a_byte(play: Play) -> None:
    """Everything a broker may be asked for, and this one is not declared for, is tried."""
    broker = await play.connect()
    instrument = await broker.instrument(play.symbol)
    await play.take()
    held = await broker.fetch_positions()
    position_id = held[0].position_id if held else play.symbol
    await broker.load_instruments()  # an answer may have to be looked up in what was read
    adapter = play.stage.make_adapter(broker.account_id)
    await adapter.open()
    probes = [
        *cell_probes(play, instrument),
        *feature_probes(play, position_id),
        *exit_probes(play),
        *list_probes(play),
        *source_probes(play),
        *read_probes(play, play.symbol),
        *stream_probes(play, play.symbol, adapter),
        *_option_probes(play),
    ]
    if ReadFeature.BARS in play.capabilities.reads and play.capabilities.bar_timeframes is not None:
        probes += bar_probes(play, play.symbol)
    orders = len(await play.venue.orders())
    for probe in probes:
        if not probe.is_declared:
            with play.silent("CAP-020", f"{probe.what} is not declared"):
                await play.fails("CAP-020", probe.call(), UnsupportedError, probe.what)
    await adapter.aclose()
    play.equal("CAP-020", orders, len(await play.venue.orders()), "orders at the venue")


def _option_probes(play: Play) -> Iterable[Probe]:
    protocol = play.capabilities.protocol
    for key in (f"{protocol}.no_such_option", "another_protocol.option"):
        call = partial(play.broker.submit, **play.terms(venue_options={key: "1"}))
        yield Probe(f"venue option {key}", is_declared=False, call=call)


@scenario("CAP-020", when=lambda declared: takes(declared, OrderType.LIMIT))
async def changes_that_are_not_declared_are_refused_before_a_byte(play: Play) -> None:
    """A resting order is to be changed in every field that can't be."""
    await play.connect()
    order = await play.rest()
    price = order.limit_price or play.subject.sample.price
    changes: dict[str, Any] = {
        "quantity": play.subject.sample.quantity * 2,
        "limit_price": on_tick(play, price * 9 / 10),
        "stop_price": on_tick(play, price * 9 / 10),
        "trailing": Offset.percent(7),
        "expires_at_ns": play.clock.now_ns() + DAY_NS,
        "stop_loss": Exit(price=on_tick(play, price / 2)),
        "take_profit": Exit(price=on_tick(play, price * 4)),
    }
    for name in CHANGEABLE:
        if name not in play.capabilities.replace.fields:
            with play.silent("CAP-020", f"a change of {name} is not declared"):
                call = play.broker.replace(order, **{name: changes[name]})
                await play.fails("CAP-020", call, (UnsupportedError, InvalidOrderError), name)
    play.equal("CAP-020", 1, len(await play.venue.orders()), "orders at the venue")
    await play.broker.cancel(order)


@scenario("CAP-030")
async def what_is_declared_works(play: Play) -> None:
    """Each part of an order, exit, list, read and stream that is declared is tried once."""
    broker = await play.connect()
    await play.take(quantity=play.subject.sample.quantity * 4)
    await play.settle()
    for probe in [*read_probes(play, play.symbol), *stream_probes(play, play.symbol)]:
        if probe.is_declared:
            await _works(play, "CAP-030", probe, await _others(play, probe))
    held = await broker.fetch_positions()
    play.insist("CAP-030", held, "no position after a fill")
    for probe in [*feature_probes(play, held[0].position_id), *source_probes(play)]:
        if probe.is_declared:
            if await _works(play, "CAP-030", probe):
                await _arrived(play, probe)
            if not await broker.fetch_positions():
                await play.take(quantity=play.subject.sample.quantity * 4)
    await broker.cancel_all()
    for probe in [*exit_probes(play), *list_probes(play)]:
        if probe.is_declared:
            before = len(await play.venue.orders())
            if await _works(play, "CAP-030", probe):
                await _legs_arrived(play, probe, (await play.venue.orders())[before:])
            await play.settle()
            await broker.cancel_all()
    await play.settle()
    play.check("CAP-030", held=True, why="")


async def _arrived(play: Play, probe: Probe) -> None:
    """Check that what an order asked for stands in the order at the venue."""
    there = await play.venue.order()
    for name in _SHOWN.intersection(probe.terms):
        wanted, found = probe.terms[name], getattr(there, name)
        play.check("CAP-030", wanted == found, f"{probe.what}: {name} arrives as {found}")


async def _legs_arrived(play: Play, probe: Probe, there: Sequence[Order]) -> None:
    """Check that the exits an entry asked for stand in that entry, or in legs, at the venue."""
    entry = next((one for one in there if one.stop_loss or one.take_profit), None)
    for name, leg in probe.terms.items():
        found = None if entry is None else getattr(entry, name)
        for field in ("price", "limit_price", "offset", "trailing", "quantity"):
            wanted = getattr(leg, field)
            arrived = None if found is None else getattr(found, field)
            is_same = wanted is None or entry is None or wanted == arrived
            play.check("CAP-030", is_same, f"{probe.what}: {name}.{field} arrives as {arrived}")


@scenario("CAP-030", when=lambda declared: not _MARKET.keys().isdisjoint(declared.streams))
async def every_stream_that_is_declared_speaks(play: Play) -> None:
    """The market moves and prints; each channel of it that is declared tells something."""
    await play.connect()
    price = play.subject.sample.price
    for channel, kind in _MARKET.items():
        if channel not in play.capabilities.streams:
            continue
        heard: list[object] = []
        asked: Any = {channel.lower(): [play.symbol]}
        async with play.broker.listen(heard.append, **asked):
            await play.settle()
            heard.clear()
            await play.venue.show(play.symbol, bid=price / 2, ask=price * 2, last=price)
            is_told = partial(_has_one, heard, kind)
            spoke = await play.until(is_told, within_s=5)
        play.check("CAP-030", spoke, f"nothing came of {channel}, which is declared")


def _has_one(heard: Sequence[object], kind: type[object]) -> bool:
    return any(isinstance(one, kind) for one in heard)


@scenario("CAP-030", when=lambda declared: bool(declared.replace.fields))
async def every_change_that_is_declared_is_made(play: Play) -> None:
    """A resting order is changed in each field that is declared, each in an order of its own."""
    broker = await play.connect()
    price, later_ns = play.subject.sample.price, play.clock.now_ns() + 12 * HOUR_NS
    rows: dict[str, tuple[OrderType, TimeInForce | None, Any]] = {
        "quantity": (OrderType.LIMIT, None, play.subject.sample.quantity * 2),
        "limit_price": (OrderType.LIMIT, None, on_tick(play, price * 7 / 10)),
        "stop_price": (OrderType.STOP, None, on_tick(play, price * 13 / 10)),
        "trailing": (OrderType.TRAILING_STOP, None, Offset.percent(11)),
        "expires_at_ns": (OrderType.LIMIT, TimeInForce.GTD, later_ns),
        "stop_loss": (OrderType.LIMIT, None, Exit(price=on_tick(play, price / 4))),
        "take_profit": (OrderType.LIMIT, None, Exit(price=on_tick(play, price * 4))),
    }
    for name, (order_type, time, value) in rows.items():
        can_rest = takes(play.capabilities, order_type, time)
        if name not in play.capabilities.replace.fields or not can_rest:
            continue
        terms = resting(play, order_type, Side.BUY, time)
        order = await broker.submit(**terms)
        if isinstance(value, Offset):
            usual = terms.get("trailing") or value
            value = attrs.evolve(usual, value=usual.value * 2)  # noqa: PLW2901 - in the same unit
        change: dict[str, Any] = {name: value}
        probe = Probe(f"a change of {name}", True, partial(broker.replace, order, **change))
        if await _works(play, "CAP-030", probe):
            await play.settle()
            found = [getattr(one, name) for one in await play.venue.open_orders()]
            is_there = value in found or _level(value) in [_level(one) for one in found if one]
            play.check("CAP-030", is_there, f"{probe.what} to {value}: {found} at the venue")
        await broker.cancel_all()
    play.check("CAP-030", held=True, why="")


def _level(value: object) -> object:
    """Return the price of an exit, and anything else as it is."""
    return value.price if isinstance(value, Exit) else value


async def _others(play: Play, probe: Probe) -> tuple[Probe, ...]:
    """Return the same read or stream of other instruments, where not all of them have it."""
    if probe.what not in _NEEDS_A_PAIR:
        return ()
    seen: dict[object, Instrument] = {}
    for one in await play.broker.load_instruments():
        seen.setdefault((one.asset_class, one.kind), one)
    return tuple(
        [
            again
            for one in seen.values()
            for again in (*read_probes(play, one.symbol), *stream_probes(play, one.symbol))
            if again.what == probe.what
        ]
    )


async def _works(
    play: Play, requirement: str, probe: Probe, others: tuple[Probe, ...] = ()
) -> bool:
    """Check that a probe succeeds; where it is unsupported, one of the others may stand in."""
    why, is_refused = "", False
    for one in (probe, *others):
        try:
            await one.call()
        except OrderRejectedError as error:
            is_venues = probe.what in _NEEDS_A_CONTRACT and error.reason is not RejectReason.OTHER
            why = "" if is_venues else f"{probe.what} is declared, and rejected: {error}"
            is_refused = True
        except UnsupportedError as error:
            why = why or f"{probe.what} is declared, and refused: {error}"
            continue
        except Exception as error:  # noqa: BLE001 - whatever an adapter lets out is the finding
            why = f"{probe.what} is declared, and fails: {type(error).__name__}: {error}"
        else:
            why = ""
        break
    return play.check(requirement, not why, why) and not is_refused


@scenario("CAP-040")
async def every_cell_that_is_declared_is_taken_as_it_is(play: Play) -> None:
    """An order of each type and time in force declared for the sample's kind is placed."""
    broker = await play.connect()
    instrument = await broker.instrument(play.symbol)
    found = [probe for probe in cell_probes(play, instrument) if probe.is_declared]
    play.check("CAP-040", found, f"no order is declared for {instrument.kind}")
    for probe in found:
        before = len(await play.venue.orders())
        await _works(play, "CAP-040", probe)
        there = (await play.venue.orders())[before:]
        words = [f"{one.order_type} {one.time_in_force}" for one in there]
        play.check("CAP-040", words == [probe.what], f"{probe.what} arrives as {words}")
    await broker.cancel_all()


@scenario("CAP-040", when=_lists_instruments)
async def every_kind_that_is_declared_is_traded(play: Play) -> None:
    """A limit order rests in one instrument of each kind that is declared and listed."""
    broker = await play.connect()
    listed = await broker.load_instruments()
    kinds = {cell.kind for cell in play.capabilities.orders if cell.order_type is OrderType.LIMIT}
    for told in {one.kind: one for one in reversed(listed) if one.kind in kinds}.values():
        true = at_venue(play, told)
        if true is None or true.kind is not told.kind:
            continue
        await play.venue.move(true.symbol, _ROUND)
        terms = {
            "symbol": told.symbol,
            "order_type": OrderType.LIMIT,
            "quantity": max(told.min_quantity or 1, 1),
            "limit_price": _ROUND / 2,
        }
        call = partial(broker.submit, **play.terms(**terms))
        await _works(play, "CAP-040", Probe(f"{told.kind} {told.symbol}", True, call))
        there = [one.symbol for one in await play.venue.open_orders()]
        wanted = play.venue.name(told.symbol)
        is_there = {true.symbol, wanted, told.symbol}.intersection(there)
        play.check("CAP-040", is_there, f"{told.kind}: an order for {told.symbol} is for {there}")
        await broker.cancel_all()
    play.check("CAP-040", held=True, why="")


@scenario("CAP-060", when=lambda declared: takes(declared, OrderType.LIMIT))
async def saying_no_time_in_force_means_the_default(play: Play) -> None:
    """An order without a time in force rests, and one that names the default does."""
    broker = await play.connect()
    instrument = await broker.instrument(play.symbol)
    default = play.capabilities.default_time(instrument)
    silent = await play.rest()
    there = await play.venue.order()
    play.equal("CAP-060", default, there.time_in_force, "no time in force, at the venue")
    told = play.order(silent.client_order_id).time_in_force
    play.check("CAP-060", told in (None, default), f"no time in force is told as {told}")
    await broker.cancel(silent)


@scenario("CAP-070", when=lambda declared: declared.bar_timeframes is not None)
async def every_length_of_a_bar_that_is_declared_is_read(play: Play) -> None:
    """Bars of usual lengths are read, as far as they are declared."""
    await play.connect()
    await play.venue.show(play.symbol, last=play.subject.sample.price)
    for probe in bar_probes(play, play.symbol):
        if probe.is_declared:
            await _works(play, "CAP-070", probe)
    play.check("CAP-070", held=True, why="")


@scenario("CAP-080")
async def lists_are_no_longer_than_declared(play: Play) -> None:
    """A list of one order more than may be is refused before a byte is sent."""
    await play.connect()
    most = play.capabilities.max_list_size
    for contingency in Contingency:
        if contingency is not Contingency.NONE and play.capabilities.list(contingency) != "NONE":
            price = play.away(Side.BUY)
            terms = {"order_type": OrderType.LIMIT, "limit_price": price}
            count = 1 if most is None else most + 1
            requests = [play.request(**terms) for _ in range(count)]
            with play.silent("CAP-080", f"a list of {count}"):
                call = play.broker.submit_list(requests, contingency)
                kinds = (InvalidOrderError, UnsupportedError)
                await play.fails("CAP-080", call, kinds, f"{contingency} of {count}")
    play.equal("CAP-080", 0, len(await play.venue.orders()), "orders at the venue")
