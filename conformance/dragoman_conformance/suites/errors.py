"""What failures become: an error of the library's, by what the caller does next, never a guess."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from dragoman.errors import (
    AuthenticationError,
    BusyError,
    ConflictError,
    DragomanError,
    InvalidOrderError,
    NotFoundError,
    OrderRejectedError,
    Outcome,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitedError,
    RejectReason,
    UnknownInstrumentError,
    VenueError,
)
from dragoman.models import Order, OrderStatus, OrderType
from dragoman.paper.settings import AccountSettings, VenueSettings
from dragoman.times import SECOND_NS

from ..chaos import HttpFault, Reply
from ..looks import bodies
from ..looks.bare import bare
from ..looks.probes import read_probes
from ..looks.routes import Route, command_route, read_route
from ..scenario import Need, scenario

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..looks.bare import Bare
    from ..looks.bodies import Json
    from ..play import Play

_BOTH: Final = (Need.VENUE, Need.WIRE)
_CALM_S: Final = 35.0
"""After how long nobody may hold earlier failures against the venue any more."""
_PLAIN: Final = b'{"kit": "a body that is none of the venue\'s"}'
_ACCESS: Final = (AuthenticationError, PermissionDeniedError)
_OF_READS: Final[dict[int, tuple[type[DragomanError], ...]]] = {
    400: (VenueError,),
    401: (AuthenticationError,),
    403: (PermissionDeniedError,),
    404: (NotFoundError,),
    409: (VenueError,),
    422: (VenueError,),
    429: (RateLimitedError,),
    500: (BusyError,),
    503: (BusyError,),
}
_OF_ORDERS: Final[dict[int, tuple[type[DragomanError], ...]]] = {
    400: (OrderRejectedError,),
    401: (AuthenticationError,),
    403: _ACCESS,
    404: (VenueError,),
    422: (OrderRejectedError,),
    429: (RateLimitedError, OutcomeUnknownError),
    500: (OutcomeUnknownError,),
    502: (OutcomeUnknownError,),
    504: (OutcomeUnknownError,),
}
_FOR_GOOD: Final = frozenset({400, 403, 404, 409, 422})
"""What no second try can change."""
_NO_WORD: Final = {
    "status 400": Reply.json(_PLAIN, 400),
    "a page with status 200": Reply.html(),
    "an empty 200": Reply.json(b""),
    "null": Reply.json(b"null"),
    "JSON that breaks off": Reply.json(b'{"a": [1, {"b'),
    "no UTF-8": Reply.json(b'"\xe9t\xe9"'),
    "plain text": Reply(status=200, headers=(("Content-Type", "text/plain"),), body=b"OK"),
    "brackets without end": Reply.json(b"[" * 200_000),
    "a number without end": Reply.json(b"9" * 200_000),
    "a compressed body that breaks off": Reply.truncated_gzip(),
}
_ANY_READ: Final = (Route(method="GET", path="/"), Route(method="POST", path="/"))


@scenario("ERR-010", "ERR-030", "ERR-100", needs=_BOTH)
async def a_status_means_what_it_says(play: Play) -> None:
    """Reads and orders are answered with one status after the other, by somebody in between."""
    async with bare(play, streams=False) as found:
        route = await read_route(play, found.adapter.fetch_positions(found.account_id))
        for status, kinds in _OF_READS.items():
            play.wire.add(route.reply(_answer(status), times=None))
            before = route.count(play)
            read = found.adapter.fetch_positions(found.account_id)
            error = await play.fails("ERR-010", read, kinds, f"a read answered {status}")
            if error is not None:
                is_order = isinstance(error, (OrderRejectedError, InvalidOrderError))
                play.check("ERR-010", not is_order, f"a read answered {status}: {error!r}")
                often = route.count(play) - before
                is_once = often <= (1 if status in _FOR_GOOD else 10)
                play.check("ERR-030", is_once, f"a read answered {status} was sent {often} times")
                _retry_told_right(
                    play, error, f"a read answered {status}", is_passing=status >= 429
                )
            await _recovered(play, found, status)
        first = found.request(client_order_id="status0", order_type=OrderType.LIMIT)
        route = await command_route(play, found.adapter.submit(first), "status0")
        for status, kinds in _OF_ORDERS.items():
            play.wire.add(route.reply(_answer(status)))
            name = f"status{status}"
            request = found.request(client_order_id=name, order_type=OrderType.LIMIT)
            what = f"an order answered {status}"
            error = await play.fails("ERR-010", found.adapter.submit(request), kinds, what)
            if error is not None:
                _outcome_told_right(play, error, status)
            await _recovered(play, found, status)


def _retry_told_right(play: Play, error: DragomanError, what: str, *, is_passing: bool) -> None:
    is_told = isinstance(error, BusyError)
    play.equal("ERR-030", is_passing, is_told, f"{what}: whether it is told as passing")


def _outcome_told_right(play: Play, error: DragomanError, status: int) -> None:
    what = f"outcome of an order answered {status}"
    if status >= 500:
        play.equal("ERR-030", Outcome.UNKNOWN, error.outcome, what)
    elif status != 429:
        play.equal("ERR-030", Outcome.REJECTED, error.outcome, what)


def _answer(status: int) -> Reply:
    return Reply.busy(status, "1") if status == 429 else Reply.json(_PLAIN, status)


async def _recovered(play: Play, found: Bare, status: int) -> None:
    """Let nothing be struck any more, and check that a failure is not kept."""
    play.wire.clear()
    if status >= 429:
        play.clock.leap(round(_CALM_S * SECOND_NS))
    try:
        await found.adapter.fetch_positions(found.account_id)
    except DragomanError as error:
        play.check("ERR-100", held=False, why=f"once the venue answers again: {error!r}")
    else:
        play.check("ERR-100", held=True, why="")


@scenario("ERR-020", "ERR-070", "ERR-090", needs=_BOTH)
async def a_read_that_fails_is_no_empty_answer(play: Play) -> None:
    """Every read declared is answered with what is no answer: it raises, and nothing is made up."""
    await play.connect(timeout_s=2.0)
    await play.take()
    order = await play.rest(client_order_id="looked")
    await play.settle()
    probes = [one for one in read_probes(play, play.symbol) if one.is_declared]
    for probe in probes:
        for name, reply in _NO_WORD.items():
            for route in _ANY_READ:
                play.wire.add(route.reply(reply, times=None))
            requirement = "ERR-070" if name in ("status 400", "an empty 200", "null") else "ERR-090"
            if "page" in name:
                requirement = "ERR-020"
            what = f"{probe.what}, answered with {name}"
            await play.fails(requirement, probe.call(), DragomanError, what)
            play.wire.clear()
    for name, reply in _NO_WORD.items():
        for route in _ANY_READ:
            play.wire.add(route.reply(reply, times=None))
        look = play.broker.fetch_order(order)
        await play.fails(
            "ERR-070", look, DragomanError, f"looking an order up, answered with {name}"
        )
        play.wire.clear()


@scenario("ERR-020", needs=_BOTH)
async def a_page_of_a_gateway_is_no_answer(play: Play) -> None:
    """A gateway answers every read with a page and status 502: the venue is not available."""
    async with bare(play, streams=False) as found:
        route = await read_route(play, found.adapter.fetch_positions(found.account_id))
        play.wire.add(route.reply(Reply.html(502), times=None))
        read = found.adapter.fetch_positions(found.account_id)
        await play.fails("ERR-020", read, BusyError, "a read answered with a page and status 502")


async def _poor(play: Play) -> None:
    """Connect to an account that can't pay for an order of the sample."""
    sample = play.subject.sample
    cash = sample.price * sample.quantity / 100
    account = AccountSettings(cash=cash)
    play.settings = VenueSettings(accounts=(account,))
    await play.connect(timeout_s=3.0)


async def _refused(play: Play, client_order_id: str) -> DragomanError | None:
    try:
        await play.broker.submit(**play.terms(client_order_id=client_order_id))
    except DragomanError as error:
        return error
    return None


@scenario("ERR-030", "ERR-040", "ERR-110", needs=(Need.VENUE,))
async def a_refusal_is_told_with_its_reason(play: Play) -> None:
    """The venue refuses an order that can't be paid: for good, for a reason, in its words."""
    await _poor(play)
    error = await _refused(play, "poor1")
    play.insist("ERR-110", error is not None, "an order that can't be paid was told as taken")
    if not isinstance(error, OrderRejectedError):
        play.check("ERR-110", held=False, why=f"an order that can't be paid: {error!r}")
        play.check("ERR-030", held=False, why=f"an order that can't be paid: {error!r}")
        play.check("ERR-040", held=False, why=f"an order that can't be paid: {error!r}")
        return
    play.equal("ERR-110", RejectReason.INSUFFICIENT_FUNDS, error.reason, "why it was refused")
    play.equal("ERR-030", Outcome.REJECTED, error.outcome, "outcome of an order refused")
    play.check("ERR-030", error.retry_after is None, "an order refused for good asks to be retried")
    play.check("ERR-040", error.code, "the venue's code is not kept")
    play.check("ERR-040", error.message, "the error says nothing")
    play.equal("ERR-110", 0, len(await play.venue.open_orders()), "orders open after a refusal")
    told = play.broker.state.order("poor1")
    status = None if told is None else told.status
    play.equal("ERR-110", OrderStatus.REJECTED, status, "status of an order refused")


@scenario("ERR-040", "ERR-050", "ERR-080", needs=_BOTH)
async def a_refusal_in_other_words(play: Play) -> None:
    """The same refusal, with a code that nobody knows, and then with a status that says success."""
    await _poor(play)
    before = len(play.wire.exchanges)
    error = await _refused(play, "poor2")
    if error is None:
        play.insist("ERR-040", error, "an order that can't be paid was told as taken")
        return
    refusal = [one for one in play.wire.exchanges[before:] if one.method != "GET"][-1]
    body = refusal.response_body
    route = Route(method=refusal.method, path=refusal.path)
    place = bodies.found_fields(bodies.read(body), str(error.code))
    _message_kept(play, error, body)

    play.wire.add(route.toxic(HttpFault.CHANGE, change=partial(_recoded, code=str(error.code))))
    other = await _refused(play, "poor3")
    play.check("ERR-080", other is not None, "a refusal of an unknown code was told as success")
    if other is not None:
        is_typed = isinstance(other, (VenueError, OutcomeUnknownError))
        play.check("ERR-080", is_typed, f"a refusal of an unknown code became {other!r}")
        is_one = str(other.code) in ("99999", "KIT_UNHEARD_OF") or not place
        play.check("ERR-040", is_one, f"the code that the venue gave is told as {other.code!r}")
    play.wire.clear()
    async with bare(play, streams=False) as found:
        play.wire.add(route.toxic(HttpFault.CHANGE, change=partial(_recoded, code=str(error.code))))
        call = found.adapter.submit(found.request(client_order_id="poor5"))
        kinds = (VenueError, OutcomeUnknownError)
        await play.fails("ERR-080", call, kinds, "a refusal of an unknown code, to the adapter")
        play.wire.clear()

    await _disguised(play, route, body)


async def _disguised(play: Play, route: Route, body: bytes) -> None:
    """Tell the refusal with a status that says success, of an order and of a read."""
    play.wire.add(route.reply(Reply.json(body, 200)))
    disguised = await _refused(play, "poor4")
    play.check("ERR-050", disguised is not None, "an error with status 200 was told as success")
    told = play.broker.state.order("poor4")
    is_so = told is None or not told.is_open or told.status is OrderStatus.UNKNOWN
    play.check("ERR-050", is_so, f"an error with status 200 left the order {told and told.status}")
    play.wire.clear()
    for one in _ANY_READ:
        play.wire.add(one.reply(Reply.json(body, 200), times=None))
    reading = play.broker.fetch_positions()
    await play.fails("ERR-050", reading, DragomanError, "a read answered with an error and 200")


def _message_kept(play: Play, error: DragomanError, body: bytes) -> None:
    """Check that the venue's own words are part of the message, where it gave any."""
    texts = [one for one in _texts(bodies.read(body)) if " " in one]
    is_kept = not texts or any(one[:60] in error.message for one in texts)
    play.check("ERR-040", is_kept, f"the venue said {texts[:1]}, told is {error.message!r}")


def _texts(value: Json) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [value] if isinstance(value, str) else []


def _recoded(body: bytes, code: str) -> bytes:
    def other(value: Json) -> Json:
        if isinstance(value, dict):
            return {name: other(one) for name, one in value.items()}
        if isinstance(value, list):
            return [other(one) for one in value]
        if str(value) != code or isinstance(value, bool):
            return value
        return 99999 if isinstance(value, int) else "KIT_UNHEARD_OF"

    return bodies.written(other(bodies.read(body)))


@scenario("ERR-060", needs=_BOTH)
async def words_unheard_of_prove_nothing(play: Play) -> None:
    """Answers and events come with words that nobody knows: no order is told as ended for it."""
    await play.connect(timeout_s=3.0)
    order = await play.rest(client_order_id="odd1")
    await play.settle()
    names = {*play.subject.sample.names_at_venue, *play.subject.sample.names_at_venue.values()}
    await play.broker.fetch_order(order)
    known = bodies.words(play.wire.exchanges[-1].response_body, names)
    for change in (
        partial(bodies.reworded, keep=names),
        *[partial(bodies.reworded_at, name=name) for name in known],
    ):
        for route in _ANY_READ:
            play.wire.add(route.toxic(HttpFault.CHANGE, change=change, times=None))
        await _unproved(play, "looking it up", lambda: play.broker.fetch_order(order))
        await _unproved(play, "reading open orders", play.broker.fetch_open_orders)
        play.wire.clear()
    await play.broker.cancel(order)
    found = await play.broker.fetch_order("odd1")
    status = None if found is None else found.status
    play.equal(
        "ERR-060", OrderStatus.CANCELED, status, "status once it was canceled in known words"
    )


async def _unproved(play: Play, what: str, call: Callable[[], Any]) -> None:
    try:
        answer = await call()
    except DragomanError:
        answer = None
    except Exception as error:  # noqa: BLE001 - an adapter may let anything out, which is the finding
        play.check("ERR-060", held=False, why=f"{what}: raised {type(error).__name__}: {error}")
        return
    orders = (
        [answer] if isinstance(answer, Order) else list(cast("tuple[Order, ...]", answer or ()))
    )
    ended = [one.status for one in orders if one.is_terminal]
    play.check("ERR-060", not ended, f"{what}: told as {ended} by a word that nobody knows")
    status = play.order("odd1").status
    play.check("ERR-060", not play.order("odd1").is_terminal, f"{what}: now taken for {status}")


@scenario("ERR-120", needs=(Need.VENUE,))
async def what_the_venue_does_not_know(play: Play) -> None:
    """Ids that the venue never gave: told as unknown, by the error of what was asked for."""
    async with bare(play, streams=False) as found:
        adapter, account_id = found.adapter, found.account_id
        looked = await found.look_up("neverseen")
        play.check("ERR-120", looked is None, f"an order that never was: {looked!r}")
        call: Any = adapter.fetch_instrument("KITNONESUCH")
        await play.fails("ERR-120", call, UnknownInstrumentError, "a symbol that never was")
        call = adapter.fetch_quotes(["KITNONESUCH"])
        await play.fails("ERR-120", call, DragomanError, "quotes of a symbol that never was")
        call = adapter.fetch_account("kitnonesuch")
        await play.fails("ERR-120", call, VenueError, "an account that never was")
        request = found.request(client_order_id="ended1")
        order = await adapter.submit(request)
        await play.settle()
        order = await found.look_up("ended1") or order
        known = (ConflictError, NotFoundError)
        await play.fails("ERR-120", adapter.cancel(order), known, "canceling a filled order")
        held = {one.symbol for one in await adapter.fetch_positions(account_id)}
        play.equal("ERR-120", {play.symbol}, held, "symbols of positions after a fill")


@scenario("ERR-130", needs=_BOTH)
async def credentials_that_are_wrong(play: Play) -> None:
    """Each credential is wrong by a letter: where the venue notices, that is what is told."""
    await play.connect()
    await play.disconnect()
    for name, value in play.subject.canaries().items():
        try:
            await play.connect(**{name: f"{value}x"})
        except AuthenticationError:
            play.check("ERR-130", held=True, why="")
        except Exception as error:  # noqa: BLE001 - an adapter may let anything out, which is the finding
            why = f"a wrong {name} is told as {type(error).__name__}: {error}"
            play.check("ERR-130", held=False, why=why)
        else:
            play.check("ERR-130", held=True, why="")
            await play.disconnect()
