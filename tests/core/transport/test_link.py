"""A link comes back while it is wanted, says every change with its cause, and ends clean."""

import asyncio
import traceback
from functools import partial
from itertools import pairwise

import pytest

from dragoman.errors import (
    AuthenticationError,
    ClosedError,
    ConfigurationError,
    ConflictError,
    ConnectFailedError,
    DragomanError,
    InvalidValueError,
    PermissionDeniedError,
    RateLimitedError,
    StreamLostError,
    VenueUnavailableError,
    WaitTimeoutError,
)
from dragoman.resilience.backoff import Backoff
from dragoman.times import SECOND_NS
from dragoman.transport.link_pace import ConnectBudget
from dragoman.transport.link_report import LinkState, Undecoded
from dragoman.transport.link_terms import LinkTerms

from .stream_doubles import Rig, ack_of

S = LinkState
REFUSED = ConnectFailedError("nobody listens")


@pytest.fixture
def rig():
    return Rig()


async def test_entered_means_that_every_subscription_is_confirmed(rig):
    rig.protocol.topics = ["orders", "positions"]

    async with rig.make() as link:
        assert S.LIVE is link.state
        assert ["subscribe orders", "subscribe positions"] == rig.venue.wire.sent
        told = await anext(link)

    assert [S.CONNECTING, S.GREETING, S.LIVE] == [change.state for change in told]
    assert [S.IDLE, S.CONNECTING, S.GREETING] == [change.previous for change in told]
    assert all(change.cause for change in told)


async def test_frames_before_the_last_acknowledgment_are_delivered_after_live(rig):
    rig.venue.acks = False
    opening = asyncio.create_task(rig.make().open())
    await rig.clock.settle()

    rig.venue.wire.say({"event": 1}, {"ack": "orders"}, {"event": 2})
    await opening

    told = await anext(rig.link)
    assert (S.LIVE, (1,), (2,)) == (told[2].state, *told[3:])
    await rig.link.aclose()


async def test_a_connection_lost_while_the_greeting_did_not_look_is_not_live(rig):
    async def greet(session):
        await rig.clock.sleep_ns(SECOND_NS)

    rig.protocol.greet = greet
    opening = asyncio.create_task(rig.make().open())
    await rig.clock.settle()
    rig.venue.wire.cut()
    await rig.clock.advance(seconds=5)
    await opening

    told = await anext(rig.link)
    states = [change.state for change in told]
    assert [S.CONNECTING, S.GREETING, S.WAITING] == states[:3]
    await rig.link.aclose()


async def test_a_greeting_drowned_in_frames_is_given_up_not_kept_in_memory(rig):
    rig.terms = LinkTerms(max_held=3, open_within_s=1)
    rig.venue.acks = False
    opening = asyncio.create_task(rig.make().open())
    await rig.clock.settle()

    rig.venue.wire.say(*({"event": n} for n in range(5)))
    await rig.clock.advance(seconds=2)

    with pytest.raises(WaitTimeoutError):
        await opening
    assert rig.venue.wires[0].is_closed
    told = await anext(rig.link)
    assert "over 3 frames came before the greeting was over" == told[2].cause


async def test_i10_what_a_greeting_holds_back_is_bounded_in_bytes_too(rig):
    rig.terms = LinkTerms(open_within_s=1)
    rig.venue.acks = False
    opening = asyncio.create_task(rig.make().open())
    await rig.clock.settle()

    rig.venue.wire.say(*({"event": "x" * 4_000_000} for _ in range(18)))
    await rig.clock.advance(seconds=2)

    with pytest.raises(WaitTimeoutError):
        await opening
    told = await anext(rig.link)
    assert "over 67108864 bytes came before the greeting was over" == told[2].cause


async def test_f20_reset_is_told_with_cause_and_gap_and_healed(rig):
    async with rig.live():
        rig.venue.wire.say({"event": 1})
        await rig.clock.advance(seconds=3)
        rig.venue.wire.cut()
        await rig.clock.advance(seconds=3)
        rig.venue.wire.say({"event": 2})
        await rig.clock.settle()

        lost, again = rig.changes[3], rig.changes[-1]

    assert (S.WAITING, S.LIVE) == (lost.state, lost.previous)
    assert "the peer reset the connection" in lost.cause
    assert S.LIVE is again.state
    assert 3 * SECOND_NS <= again.gap_ns <= 3.5 * SECOND_NS
    assert [1, 2] == rig.events
    assert 2 == rig.protocol.tokens, "a fresh token for each connection"
    assert 1 == rig.link.losses


@pytest.mark.parametrize("error", [AuthenticationError("401"), PermissionDeniedError("403")])
async def test_a_refusal_of_the_credentials_is_terminal_on_entry(rig, error):
    rig.venue.refusals = [error]

    with pytest.raises(type(error)):
        await rig.make().open()

    assert 1 == len(rig.venue.requests)
    assert 1 == rig.protocol.refreshes


async def test_f74_a_refusal_while_live_is_terminal_after_all_was_told(rig):
    async with rig.live():
        rig.venue.refuses_always = AuthenticationError("the token died")
        rig.venue.wire.say({"event": 1}, {"refused": "x"}, {"event": 2})
        await rig.clock.advance(seconds=60)

    assert [1] == rig.events
    assert [S.WAITING, S.FAILED] == rig.states[3:5]
    assert isinstance(rig.ending, AuthenticationError)
    assert 1 == len(rig.venue.requests)


async def test_f74_renewed_credentials_get_one_more_try(rig):
    rig.protocol.can_refresh = True
    async with rig.live():
        rig.venue.wire.say({"refused": "x"})
        await rig.clock.advance(seconds=1)
        assert S.LIVE is rig.link.state
        rig.venue.wire.say({"refused": "again"})
        await rig.clock.advance(seconds=1)

    assert (1, 2) == (rig.protocol.refreshes, len(rig.venue.requests))
    assert isinstance(rig.ending, AuthenticationError)


async def test_credentials_that_can_not_be_renewed_for_now_are_tried_again(rig):
    results = [VenueUnavailableError("login is down"), VenueUnavailableError("still"), True]

    async def refresh():
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        rig.venue.refuses_always = None
        return result

    rig.protocol.refresh = refresh
    async with rig.live():
        rig.venue.refuses_always = AuthenticationError("expired")
        rig.venue.wire.cut()
        await rig.clock.advance(seconds=60)

        assert S.LIVE in rig.states[3:]
        assert [] == results


async def test_a_renewal_that_is_refused_is_terminal(rig):
    async def refresh():
        raise AuthenticationError("log in again")

    rig.protocol.refresh = refresh
    rig.venue.refusals = [AuthenticationError("expired")]

    with pytest.raises(AuthenticationError, match="log in again"):
        await rig.make().open()


async def test_a_mistake_in_a_renewal_ends_the_link_with_an_error(rig, caplog):
    async def refresh():
        raise KeyError(SECRET)

    rig.protocol.refresh = refresh
    rig.venue.refusals = [AuthenticationError("expired")]

    with pytest.raises(StreamLostError, match="ended by a mistake: KeyError at refresh"):
        await rig.make().open()

    assert SECRET not in repr([vars(record) for record in caplog.records])


@pytest.mark.parametrize("part", ["probe", "keep_alive", "heartbeat"])
async def test_a_mistake_in_what_watches_a_connection_costs_the_connection(rig, part):
    def mistake(*_):
        raise KeyError(part)

    rig.protocol.probes_at_all = True
    rig.protocol.keep_alive_s = 3.0
    setattr(rig.protocol, part, mistake)
    async with rig.live():
        await rig.clock.advance(seconds=6)

        assert 1 <= rig.link.losses
        assert "failed by a mistake: KeyError at mistake" in rig.changes[3].cause


async def test_renewed_credentials_that_held_may_be_renewed_again(rig):
    rig.protocol.can_refresh = True
    async with rig.live():
        for _ in range(3):
            rig.venue.wire.say({"refused": "x"})
            await rig.clock.settle()
            await rig.beat(70)

        assert (3, S.LIVE) == (rig.protocol.refreshes, rig.link.state)


async def test_a_mistake_in_the_setup_is_terminal(rig):
    rig.venue.refusals = [ConfigurationError("ws:// to a foreign host")]

    with pytest.raises(ConfigurationError):
        await rig.make().open()


async def test_entry_gives_up_with_the_last_failure_when_time_is_up(rig):
    rig.venue.refuses_always = REFUSED
    opening = asyncio.create_task(rig.make().open())

    await rig.clock.advance(seconds=21)

    with pytest.raises(ConnectFailedError, match="nobody listens"):
        await opening
    assert 1 < len(rig.venue.requests) <= 20


async def test_entry_does_not_sit_out_a_wait_longer_than_its_time(rig):
    rig.venue.refusals = [RateLimitedError("429", retry_after=300)]

    with pytest.raises(RateLimitedError):
        await rig.make().open()


async def test_entry_gives_up_on_a_venue_that_never_answers(rig):
    rig.venue.acks = False
    opening = asyncio.create_task(rig.make().open())

    await rig.clock.advance(seconds=60)

    with pytest.raises(WaitTimeoutError):
        await opening
    assert [] == rig.venue.open_wires


async def test_f27_a_missing_acknowledgment_is_not_live_told_and_tried_again(rig):
    async with rig.live():
        rig.venue.acks = False
        rig.venue.wire.cut()
        await rig.clock.advance(seconds=8)
        assert S.GREETING is rig.link.state

        await rig.clock.advance(seconds=3)
        waiting = [change.cause for change in rig.changes if change.state is S.WAITING]
        assert "the peer did not answer within 10 s" == waiting[-1]
        assert S.LIVE is not rig.link.state
        rig.venue.acks = True
        await rig.clock.advance(seconds=20)

        assert S.LIVE is rig.link.state
        assert 1 == len(rig.venue.open_wires)


async def test_f27_a_change_that_is_not_confirmed_drops_and_greets_with_all_that_is_wanted(rig):
    async with rig.live():
        rig.venue.acks = False
        rig.protocol.heartbeat_s = None
        rig.protocol.topics.append("fills")
        change = asyncio.create_task(rig.link.resubscribe())
        await rig.clock.settle()
        rig.venue.wire.say({"ack": "orders"})
        await rig.clock.advance(seconds=10)
        rig.venue.acks = True
        await rig.clock.advance(seconds=5)

        with pytest.raises(WaitTimeoutError):
            await change
        assert S.LIVE is rig.link.state
        assert ["subscribe orders", "subscribe fills"] == rig.venue.wire.sent
        assert any("not confirmed" in change.cause for change in rig.changes)


async def test_a_confirmed_change_keeps_the_connection(rig):
    async with rig.live():
        rig.protocol.topics.append("fills")
        await rig.link.resubscribe()

        assert 1 == len(rig.venue.wires)
        assert "subscribe fills" == rig.venue.wire.sent[-1]


async def test_a_change_while_down_says_that_the_next_greeting_covers_it(rig):
    async with rig.live():
        rig.venue.refuses_always = REFUSED
        rig.venue.wire.cut()
        await rig.clock.settle()

        with pytest.raises(StreamLostError, match="not live"):
            await rig.link.resubscribe()


async def test_f28_retry_after_of_a_refused_upgrade_is_honored(rig):
    async with rig.live():
        rig.venue.refusals = [RateLimitedError("429", retry_after=90)]
        rig.venue.wire.cut()
        await rig.clock.advance(seconds=89)
        assert 2 == len(rig.venue.requests)

        await rig.clock.advance(seconds=10)
        assert (3, S.LIVE) == (len(rig.venue.requests), rig.link.state)


@pytest.mark.parametrize(
    "error", [ConflictError("connection limit exceeded"), VenueUnavailableError("503")]
)
async def test_f28_a_ghost_session_is_waited_out(rig, error):
    async with rig.live():
        rig.venue.refuses_always = error
        rig.venue.wire.cut()
        await rig.clock.advance(seconds=120)

        attempts = len(rig.venue.requests) - 1
        assert 3 <= attempts <= 24
        rig.venue.refuses_always = None
        await rig.clock.advance(seconds=36)
        assert S.LIVE is rig.link.state


async def test_f75_after_ten_thousand_refusals_it_still_tries_within_its_budget(rig):
    async with rig.live():
        rig.venue.refuses_always = REFUSED
        rig.venue.wire.cut()
        start_ns = rig.clock.monotonic_ns()
        while len(rig.venue.requests) <= 10_000:
            await rig.clock.advance(seconds=600)
            rig.told.clear()
        minutes = (rig.clock.monotonic_ns() - start_ns) / (60 * SECOND_NS)
        assert (len(rig.venue.requests) - 1) / minutes <= 20

        rig.venue.refuses_always = None
        await rig.clock.advance(seconds=31)
        assert S.LIVE in rig.states


async def test_f75_memory_is_flat_while_nobody_reads_the_refusals(rig):
    async with rig.make() as link:
        rig.venue.refuses_always = REFUSED
        rig.venue.wire.cut()
        await rig.clock.advance(seconds=3600)
        attempts = len(rig.venue.requests)
        assert 100 < attempts

        told = await anext(link)
        assert len(told) <= 10
        assert attempts - 1 <= told[-1].attempt
        pairs = pairwise(told)
        assert all(one.state is other.previous for one, other in pairs), "no silent edge"


async def test_f28_attempts_stay_within_the_budget_however_short_the_backoff():
    rig = Rig(attempts_per_minute=3, backoff=Backoff(first_s=0.001, cap_s=0.002))
    async with rig.live():
        rig.venue.refuses_always = REFUSED
        rig.venue.wire.cut()
        await rig.clock.advance(seconds=59)
        assert 3 == len(rig.venue.requests)
        await rig.clock.advance(seconds=60)
        assert 6 == len(rig.venue.requests)


async def test_the_budget_holds_in_every_minute_and_is_shared(rig):
    clock = rig.clock
    budget = ConnectBudget(3, clock)

    instants = [budget.reserve_ns() // SECOND_NS for _ in range(7)]

    assert [0, 0, 0, 60, 60, 60, 120] == instants


async def test_a_place_in_the_budget_that_nobody_uses_keeps_nobody_waiting(rig):
    clock = rig.clock
    budget = ConnectBudget(3, clock)
    for _ in range(3):
        budget.reserve_ns()

    for _ in range(100):
        budget.give_back(budget.reserve_ns())

    assert [60, 60, 60, 120] == [budget.reserve_ns() // SECOND_NS for _ in range(4)]


@pytest.mark.parametrize("gone", [0, 2, 3, 5, 7])
async def test_a_place_given_back_lets_no_minute_see_more(rig, gone):
    budget = ConnectBudget(3, rig.clock)
    places = [budget.reserve_ns() for _ in range(8)]

    budget.give_back(places.pop(gone))
    places = sorted([*places, *(budget.reserve_ns() for _ in range(6))])

    for first, fourth in zip(places, places[3:], strict=False):
        assert fourth - first >= 60 * SECOND_NS


async def test_places_stay_apart_when_an_early_one_is_taken_behind_later_ones(rig):
    budget = ConnectBudget(2, rig.clock)
    places = [budget.reserve_ns() for _ in range(4)]
    for place in (places[0], places[1], places[2]):
        budget.give_back(place)

    after = [budget.reserve_ns() // SECOND_NS for _ in range(4)]

    assert [0, 60, 60 + 60, 60 + 60] == after


async def test_links_that_give_up_while_they_wait_for_their_turn_do_not_stop_the_others(rig):
    budget = ConnectBudget(2, rig.clock)
    for _ in range(2):
        budget.reserve_ns()
    for _ in range(50):
        opening = asyncio.create_task(rig.make(budget).open())
        await rig.clock.settle()
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        await rig.clock.settle()

    await rig.clock.advance(seconds=61)
    await rig.make(budget).open()

    assert 1 == len(rig.venue.requests)
    await rig.link.aclose()


async def test_f76_flapping_backs_off_is_told_and_leaks_nothing(rig):
    async with rig.live():
        baseline = None
        for _ in range(1800):
            await rig.clock.advance(seconds=2)
            if S.LIVE is rig.link.state:
                rig.venue.wire.cut()
                await rig.clock.settle()
            baseline = baseline or len(asyncio.all_tasks())
        attempts = len(rig.venue.requests)

        assert attempts <= 60 * 20
        assert any(change.is_flapping for change in rig.changes)
        assert len(asyncio.all_tasks()) <= baseline + 1
        assert len(rig.venue.open_wires) <= 1

        await rig.clock.advance(seconds=31)
        await rig.beat(70)
        rig.venue.wire.cut()
        await rig.clock.settle()
        assert rig.changes[-1].attempt <= 1, "a stable hour starts anew"
        assert not rig.changes[-1].is_flapping


async def test_f79_what_breaks_a_rule_of_the_wire_is_counted_and_reconnected(rig):
    async with rig.live():
        for cause in ("corrupt deflate block", "a message over 4 MiB", "invalid UTF-8"):
            rig.venue.wire.cut(StreamLostError(cause))
            await rig.clock.advance(seconds=5)

        assert (3, S.LIVE) == (rig.link.losses, rig.link.state)
        causes = " ".join(change.cause for change in rig.changes)
        assert all(word in causes for word in ("deflate", "4 MiB", "UTF-8"))


async def test_f66_a_frame_that_is_not_understood_is_reported_and_the_stream_lives(rig):
    async with rig.live():
        rig.venue.wire.say({"event": 1}, {"bad": 1}, {"bug": 1}, {"event": 2})
        await rig.clock.settle()

        assert [1, 2] == rig.events
        bad, bug = rig.of(Undecoded)
        assert ("DecodeError: not understood", '{"bad": 1}') == (bad.error, bad.raw)
        assert bug.error.startswith("KeyError at decode:")
        assert (2, 0) == (rig.link.undecoded, rig.link.losses)


async def test_f29_an_expired_session_is_made_anew_once(rig):
    async with rig.live():
        rig.venue.wire.say({"expired": 1}, {"expired": 1})
        await rig.clock.advance(seconds=5)

        assert (2, 1, S.LIVE) == (len(rig.venue.wires), rig.link.losses, rig.link.state)
        assert 1 == len(rig.venue.open_wires)


async def test_frames_of_a_lost_connection_are_never_delivered(rig):
    async with rig.live():
        old = rig.venue.wire
        old.say({"event": 1})
        old.cut()
        old.say({"event": "late"})
        await rig.clock.advance(seconds=5)
        old.say({"event": "later"})
        rig.venue.wire.say({"event": 2})
        await rig.clock.settle()

        assert [1, 2] == rig.events


async def test_a_slow_reader_holds_the_socket_back_and_loses_nothing():
    rig = Rig(max_waiting=8)
    async with rig.make() as link:
        await anext(link)
        rig.venue.wire.say(*({"event": n} for n in range(100)))
        await rig.clock.advance(seconds=120)

        assert 90 <= rig.venue.wire.pieces.qsize()
        assert S.LIVE is link.state, "silence of this side is not silence of the peer"
        told = []
        while len(told) < 100:
            told += [item[0] for item in await anext(link)]

        assert list(range(100)) == told


async def test_silence_while_the_reader_was_behind_is_not_held_against_the_peer():
    rig = Rig(max_waiting=2)
    async with rig.make() as link:
        await anext(link)
        rig.venue.wire.say({"event": 1}, {"event": 2})
        await rig.clock.advance(seconds=120)
        await anext(link)
        await rig.clock.advance(seconds=9)

        assert S.LIVE is link.state


async def test_an_answer_is_awaited_for_as_long_as_the_reader_is_behind():
    rig = Rig(max_waiting=2)
    async with rig.make() as link:
        await anext(link)
        rig.venue.wire.say(*({"event": n} for n in range(4)))
        await rig.clock.settle()
        asking = asyncio.create_task(
            link.session.ask("subscribe more", lambda frame: "more" in frame or None)
        )
        await rig.clock.advance(seconds=25)
        assert not asking.done()

        while not asking.done():
            await anext(link)
            await rig.clock.settle()

        assert await asking


async def test_concurrent_writes_go_out_one_after_the_other(rig):
    async with rig.live():
        await asyncio.gather(*(rig.link.session.send(str(n)) for n in range(9)))

        assert [str(n) for n in range(9)] == rig.venue.wire.sent[1:]


async def test_a_peer_that_takes_nothing_is_given_up(rig):
    async with rig.live():
        rig.venue.wire.is_stuck = True
        sending = [asyncio.create_task(rig.link.session.send(str(n))) for n in range(2)]
        await rig.clock.advance(seconds=11)

        results = await asyncio.gather(*sending, return_exceptions=True)
        assert all(isinstance(result, StreamLostError) for result in results)
        assert any("takes no more" in change.cause for change in rig.changes)


async def test_closing_closes_the_wire_and_tells_the_end(rig):
    async with rig.live():
        pass

    assert [] == rig.venue.open_wires
    await rig.link.aclose()
    assert S.CLOSED is rig.link.state
    told = await anext(rig.link)
    assert S.CLOSED is told[-1].state
    with pytest.raises(StopAsyncIteration):
        await anext(rig.link)


@pytest.mark.parametrize("turns", range(40))
async def test_cancelled_at_any_await_it_leaves_no_wire_and_no_task(rig, turns):
    rig.protocol.topics = ["orders", "positions"]

    async def use():
        async with rig.make() as link:
            rig.venue.wire.say({"event": 1})
            async for _ in link:
                rig.venue.wire.cut()

    task = asyncio.create_task(use())
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert [] == rig.venue.open_wires
    assert {asyncio.current_task()} == asyncio.all_tasks()


async def test_a_closed_transport_ends_the_link(rig):
    async with rig.live():
        rig.venue.refuses_always = ClosedError("the transport is closed")
        rig.venue.wire.cut()
        await rig.clock.advance(seconds=5)

        assert S.FAILED is rig.link.state
    assert isinstance(rig.ending, ClosedError)


async def test_a_mistake_in_the_greeting_names_class_and_place_only(rig):
    async def greet(session):
        raise KeyError("secret-token")

    rig.protocol.greet = greet
    rig.terms = LinkTerms(open_within_s=0.001)

    with pytest.raises(StreamLostError) as caught:
        await rig.make().open()

    assert "KeyError at greet:" in caught.value.message
    assert "secret-token" not in caught.value.message


@pytest.mark.parametrize("terms", [{"grace_s": 0}, {"ack_within_s": -1}, {"max_waiting": 0}])
def test_terms_without_a_span_or_a_bound_are_refused(terms):
    with pytest.raises(InvalidValueError, match=next(iter(terms))):
        LinkTerms(**terms)


async def test_a_mistake_while_reading_costs_the_connection_not_the_link(rig, caplog):
    def match(frame):
        raise KeyError("secret")

    async with rig.live():
        asking = asyncio.create_task(rig.link.session.expect(match))
        await rig.clock.settle()
        rig.venue.wire.say({"event": 1})
        await rig.clock.advance(seconds=2)

        with pytest.raises(StreamLostError, match="KeyError"):
            await asking
        assert S.LIVE is rig.link.state
    assert "secret" not in caplog.text
    assert ["KeyError at match"] == [record.where.split(":")[0] for record in caplog.records]


async def test_whoever_awaits_an_answer_learns_that_the_connection_is_lost(rig):
    async with rig.live():
        session = rig.link.session
        asking = asyncio.create_task(session.ask("question", lambda _: None))
        await rig.clock.settle()
        rig.venue.wire.cut()
        await rig.clock.settle()

        with pytest.raises(StreamLostError, match="reset"):
            await asking
        with pytest.raises(StreamLostError):
            await session.send("more")


async def test_an_unreadable_frame_is_no_answer_and_is_reported(rig):
    async with rig.live():
        asking = asyncio.create_task(rig.link.session.expect(rig.protocol.decode))
        await rig.clock.settle()
        rig.venue.wire.say({"bad": 1}, {"event": "answer"})
        await rig.clock.settle()

        assert ("answer",) == await asking
        assert 1 == len(rig.of(Undecoded))


async def test_a_frame_with_a_value_that_a_model_refuses_is_no_answer_and_ends_nothing(rig):
    def match(frame):
        if "odd" in frame:
            raise InvalidValueError("Order: quantity: found -1; allowed: a number above 0")
        return "ack" in frame or None

    async with rig.live():
        asking = asyncio.create_task(rig.link.session.expect(match))
        await rig.clock.settle()
        rig.venue.wire.say({"event": "odd"}, {"ack": "orders"})
        await rig.clock.settle()

        assert await asking
        assert S.LIVE is rig.link.state
    assert ["odd"] == rig.events


async def test_of_two_who_expect_the_same_each_gets_its_own_frame(rig):
    async with rig.live():
        first, second = (
            asyncio.create_task(rig.link.session.expect(rig.protocol.decode)) for _ in range(2)
        )
        await rig.clock.settle()
        rig.venue.wire.say({"event": 1}, {"event": 2}, {"event": 3})
        await rig.clock.settle()

        assert [(1,), (2,)] == [await first, await second]
        assert [3] == rig.events


async def test_the_link_is_not_live_for_questions_while_it_is_down(rig):
    async with rig.live():
        rig.venue.refuses_always = REFUSED
        rig.venue.wire.cut()
        await rig.clock.settle()

        with pytest.raises(StreamLostError, match="is not live, it is WAITING"):
            _ = rig.link.session


async def test_a_cancelled_change_of_subscriptions_drops_the_connection(rig):
    async with rig.live():
        rig.venue.acks = False
        changing = asyncio.create_task(rig.link.resubscribe())
        await rig.clock.settle()
        changing.cancel()
        rig.venue.acks = True
        await rig.clock.advance(seconds=2)

        assert changing.cancelled()
        assert (1, S.LIVE) == (rig.link.losses, rig.link.state)


SECRET = "canary-of-the-greeting"  # what a greeting says and nobody may print


def rendered(error):
    """Everything that a renderer of tracebacks could show, locals too."""
    shown, seen = [], set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        summary = traceback.TracebackException.from_exception(error, capture_locals=True)
        shown.append("".join(summary.format()))
        error = error.__cause__ or error.__context__
    return "".join(shown)


async def refuse_in_the_answer(rig, session):
    await session.ask(SECRET, partial(ack_of, "orders"))


async def never_answer(rig, session):
    await session.ask(SECRET, lambda _: None)


async def cut_at_once(rig, session):
    rig.venue.wire.cut()
    await never_answer(rig, session)


async def take_nothing(rig, session):
    rig.venue.wire.is_stuck = True
    await session.send(SECRET)


async def make_a_mistake(rig, session):
    raise KeyError(SECRET)


@pytest.mark.parametrize(
    "greet", [refuse_in_the_answer, never_answer, cut_at_once, take_nothing, make_a_mistake]
)
async def test_s03_no_error_of_a_greeting_shows_what_was_said(rig, greet, caplog):
    rig.protocol.greet = partial(greet, rig)
    rig.terms = LinkTerms(open_within_s=15, attempt_within_s=12)
    opening = asyncio.create_task(rig.make().open())
    await rig.clock.settle()
    rig.venue.wire.say({"refused": "orders", "token": SECRET})
    await rig.clock.advance(seconds=30)

    with pytest.raises(DragomanError) as caught:
        await opening

    assert SECRET not in rendered(caught.value)
    assert SECRET not in caplog.text
    assert SECRET not in repr([vars(record) for record in caplog.records])


async def test_s03_the_end_of_a_stream_does_not_show_its_last_frame(rig):
    async with rig.live():
        rig.venue.wire.say({"refused": SECRET})
        await rig.clock.advance(seconds=1)

    assert isinstance(rig.ending, AuthenticationError)
    assert SECRET not in rendered(rig.ending)


async def test_s03_a_question_that_fails_later_does_not_show_itself(rig):
    async with rig.live():
        session = rig.link.session
        asking = asyncio.create_task(session.ask(SECRET, lambda _: None))
        await rig.clock.settle()
        rig.venue.wire.is_stuck = True
        sending = asyncio.create_task(session.send(SECRET))
        await rig.clock.advance(seconds=12)

        for task in (asking, sending):
            with pytest.raises(DragomanError) as caught:
                await task
            assert SECRET not in rendered(caught.value)
