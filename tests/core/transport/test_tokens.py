import asyncio

import pytest

from dragoman import errors
from dragoman.credentials import Secret
from dragoman.errors import AuthenticationError, Outcome, VenueUnavailableError
from dragoman.tasks import TaskScope
from dragoman.times import SECOND_NS, ManualClock
from dragoman.transport.draft import RequestDraft
from dragoman.transport.endpoint import Auth, Endpoint
from dragoman.transport.tokens import BearerToken, Token, TokenSource


class Venue:
    """Gives tokens out by number, or fails as told."""

    def __init__(self, lifetime_s=100):
        self.lifetime_s = lifetime_s
        self.asked = 0
        self.failure = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def renew(self):
        self.asked += 1
        number = self.asked
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return Token(secret=Secret(f"canary{number}"), lifetime_s=self.lifetime_s)


class TwoClocks(ManualClock):
    """A machine whose wall clock may be set, and whose monotonic clock stands still in sleep."""

    wall_offset_ns = 0

    def now_ns(self):
        return super().now_ns() + self.wall_offset_ns


@pytest.fixture
def clock():
    return TwoClocks()


@pytest.fixture
async def venue():
    return Venue()


@pytest.fixture
async def source(venue, clock):
    return TokenSource(venue.renew, clock, ahead_s=10)


@pytest.fixture
async def scope():
    scope = TaskScope()
    yield scope
    await scope.close()


async def text_of(source):
    return (await source.fresh()).reveal()


async def test_a_token_is_kept_while_it_is_good_and_renewed_ahead_of_its_end(source, venue, clock):
    texts = []

    for seconds in (0, 89.9, 0.1, 1):
        await clock.advance(seconds=seconds)
        texts.append(await text_of(source))

    assert ["canary1", "canary1", "canary2", "canary2"] == texts


async def test_a_short_token_lives_for_half_its_time(source, venue, clock):
    venue.lifetime_s = 4
    await source.fresh()

    await clock.advance(seconds=1.9)
    assert "canary1" == await text_of(source)
    await clock.advance(seconds=0.1)
    assert "canary2" == await text_of(source)


async def test_a_token_without_an_end_is_kept(source, venue, clock):
    venue.lifetime_s = None
    await source.fresh()

    await clock.advance(seconds=10**6)

    assert "canary1" == await text_of(source)


async def test_a_hundred_callers_make_one_renewal(source, venue, scope):
    venue.gate.clear()
    tasks = [scope.spawn(text_of(source), str(number)) for number in range(100)]
    await asyncio.sleep(0)

    venue.gate.set()
    texts = await asyncio.gather(*tasks)

    assert (1, {"canary1"}) == (venue.asked, set(texts))


async def test_a_hundred_callers_share_one_failure(source, venue, scope):
    venue.gate.clear()
    venue.failure = AuthenticationError("key revoked", code="401")
    tasks = [scope.spawn(source.fresh(), str(number)) for number in range(100)]
    await asyncio.sleep(0)

    venue.gate.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)

    assert 1 == venue.asked
    assert {(AuthenticationError, Outcome.NOT_SENT, "401")} == {
        (type(error), error.outcome, error.code) for error in found
    }
    assert 100 == len(set(map(id, found)))


async def test_a_failure_stands_for_a_moment_and_is_then_tried_again(source, venue, clock):
    venue.failure = VenueUnavailableError("down")
    for _ in range(3):
        with pytest.raises(VenueUnavailableError):
            await source.fresh()
    assert 1 == venue.asked

    venue.failure = None
    await clock.advance(seconds=1)

    assert "canary2" == await text_of(source)


async def test_the_one_that_renews_is_canceled_and_the_next_goes_on(source, venue, scope):
    venue.gate.clear()
    tasks = [scope.spawn(text_of(source), str(number)) for number in range(3)]
    await asyncio.sleep(0)

    tasks[0].cancel()
    await asyncio.sleep(0)
    venue.gate.set()
    texts = await asyncio.gather(*tasks[1:])

    assert tasks[0].cancelled()
    assert ["canary2", "canary2"] == texts


@pytest.mark.parametrize(
    "failure",
    [
        errors.VenueUnavailableError("down", retry_after=7),
        errors.RateLimitedError("slow down", retry_after=7),
        errors.OutcomeUnknownError("lost", retry_after=7),
    ],
)
async def test_a_passing_failure_leaves_the_old_token_until_it_ends(source, venue, clock, failure):
    await source.fresh()
    venue.failure = failure

    await clock.advance(seconds=95)
    assert "canary1" == await text_of(source)

    await clock.advance(seconds=5)
    with pytest.raises(VenueUnavailableError, match="no access token") as caught:
        await source.fresh()
    assert (Outcome.NOT_SENT, 7) == (caught.value.outcome, caught.value.retry_after)


async def test_a_refusal_ends_the_old_token_at_once(source, venue, clock):
    await source.fresh()
    venue.failure = AuthenticationError("key revoked")

    await clock.advance(seconds=95)

    with pytest.raises(AuthenticationError, match="key revoked"):
        await source.fresh()


async def test_a_renewal_that_never_answers_ends(venue, clock):
    venue.gate.clear()
    source = TokenSource(venue.renew, clock, timeout_s=0.01)

    with pytest.raises(VenueUnavailableError, match=r"no answer within 0\.01 s"):
        await source.fresh()


async def test_a_token_that_is_born_dead_is_a_refusal(source, venue):
    venue.lifetime_s = 0

    with pytest.raises(AuthenticationError, match="it had ended already"):
        await source.fresh()


async def test_f47_a_wall_clock_set_back_does_not_prolong_a_token(source, clock):
    await source.fresh()

    clock.wall_offset_ns = -3600 * SECOND_NS
    await clock.advance(seconds=90)

    assert "canary2" == await text_of(source)


async def test_f80_a_token_that_ended_while_the_machine_slept_is_renewed(source, clock):
    await source.fresh()

    clock.wall_offset_ns = 1800 * SECOND_NS

    assert "canary2" == await text_of(source)


async def test_a_token_that_the_venue_does_not_accept_is_renewed_once(source, venue):
    first = await source.fresh()

    source.discard(first)
    second = await source.fresh()
    source.discard(first)

    assert second is await source.fresh()
    assert 2 == venue.asked


class TestBearerToken:
    @staticmethod
    def draft(auth):
        endpoint = Endpoint(name="orders", method="GET", path="/orders", auth=auth)
        return RequestDraft(endpoint=endpoint, method="GET", base="https://x", path="/orders")

    async def test_the_token_of_the_moment_is_sent(self, source, clock):
        signer, draft = BearerToken(source), self.draft(Auth.SIGNED)
        sent = []

        for seconds in (0, 90):
            await clock.advance(seconds=seconds)
            await signer.prepare(draft)
            sent.append(signer.sign(draft).headers)

        assert [
            (("Authorization", "Bearer canary1"),),
            (("Authorization", "Bearer canary2"),),
        ] == sent

    async def test_an_open_endpoint_fetches_and_sends_none(self, source, venue):
        signer, draft = BearerToken(source), self.draft(Auth.NONE)

        await signer.prepare(draft)

        assert draft is signer.sign(draft)
        assert 0 == venue.asked

    async def test_signing_without_preparation_is_refused(self, source):
        with pytest.raises(AuthenticationError):
            BearerToken(source).sign(self.draft(Auth.KEY))

    async def test_no_token_shows(self, source):
        signer, draft = BearerToken(source), self.draft(Auth.SIGNED)
        await signer.prepare(draft)

        signed = signer.sign(draft)

        assert "canary" not in repr((signer, signed, source, await source.fresh()))
