import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import ProtocolError, VenueUnavailableError
from dragoman.times import HOUR_NS, MILLISECOND_NS, MINUTE_NS, SECOND_NS
from dragoman.transport.server_clock import ServerClock

START_NS = 1_700_000_000 * SECOND_NS


class Machine:
    """Wall and monotonic time, each set by hand, and a venue whose time runs true."""

    def __init__(self):
        self.true_ns = 0
        self.wall_step_ns = 0
        self.slept_ns = 0
        self.venue_ahead_ns = 0

    def now_ns(self):
        return START_NS + self.true_ns + self.wall_step_ns

    def monotonic_ns(self):
        return self.true_ns - self.slept_ns

    def venue_ns(self):
        return START_NS + self.true_ns + self.venue_ahead_ns

    def asking(self, out_ns=0, back_ns=0):
        async def fetch():
            self.true_ns += out_ns
            answer = self.venue_ns()
            self.true_ns += back_ns
            return answer

        return fetch


@pytest.fixture
def machine():
    return Machine()


@pytest.fixture
def server(machine):
    return ServerClock(machine)


async def test_until_it_was_measured_wall_time_stands_in(machine, server):
    assert (machine.now_ns(), 0, None, True) == (
        server.now_ns(),
        server.offset_ns,
        server.error_ns,
        server.is_due,
    )


@pytest.mark.parametrize("ahead_s", [-3600, -30, 0, 30, 3600])
async def test_u27_the_time_of_the_venue_is_found_however_wrong_this_clock_is(
    machine, server, ahead_s
):
    machine.venue_ahead_ns = ahead_s * SECOND_NS

    await server.measure(machine.asking(MILLISECOND_NS, MILLISECOND_NS))

    assert machine.venue_ns() == server.now_ns()
    assert ahead_s * SECOND_NS == server.offset_ns
    assert MILLISECOND_NS == server.error_ns
    assert not server.is_due


@given(st.integers(0, 10**10), st.integers(0, 10**10), st.integers(-(10**13), 10**13))
def test_the_error_is_never_more_than_half_the_exchange(out_ns, back_ns, ahead_ns):
    machine = Machine()
    machine.venue_ahead_ns = ahead_ns
    server = ServerClock(machine)

    machine.true_ns += out_ns
    answer = machine.venue_ns()
    machine.true_ns += back_ns
    server.observe(answer, 0)

    assert abs(server.now_ns() - machine.venue_ns()) <= server.error_ns + 1


async def test_f46_a_step_of_the_wall_clock_does_not_move_it(machine, server):
    await server.measure(machine.asking())

    machine.wall_step_ns = HOUR_NS

    assert machine.venue_ns() == server.now_ns()
    assert server.is_due


async def test_f80_a_machine_that_slept_is_noticed(machine, server):
    await server.measure(machine.asking())

    machine.true_ns += 30 * MINUTE_NS
    machine.slept_ns = 30 * MINUTE_NS

    assert server.is_due
    await server.measure(machine.asking())
    assert (machine.venue_ns(), False) == (server.now_ns(), server.is_due)


async def test_small_drift_is_no_step(machine, server):
    await server.measure(machine.asking())

    machine.wall_step_ns = 499 * MILLISECOND_NS

    assert not server.is_due


async def test_a_measurement_grows_old(machine, server):
    await server.measure(machine.asking())

    machine.true_ns += 10 * MINUTE_NS - 1
    assert not server.is_due
    machine.true_ns += 1
    assert server.is_due


async def test_a_worse_measurement_does_not_replace_a_better_one(machine, server):
    await server.measure(machine.asking(MILLISECOND_NS, MILLISECOND_NS))

    await server.measure(machine.asking(9 * MILLISECOND_NS, 0))

    assert machine.venue_ns() == server.now_ns()


async def test_a_worse_measurement_replaces_one_that_drifted_further(machine, server):
    await server.measure(machine.asking())
    machine.true_ns += MINUTE_NS
    machine.venue_ahead_ns = 12 * MILLISECOND_NS

    await server.measure(machine.asking(9 * MILLISECOND_NS, 9 * MILLISECOND_NS))

    assert machine.venue_ns() == server.now_ns()


async def test_the_error_grows_with_age(machine, server):
    await server.measure(machine.asking())

    machine.true_ns += MINUTE_NS

    assert 12 * MILLISECOND_NS == server.error_ns


async def test_a_forgotten_estimate_is_measured_again_however_badly(machine, server):
    await server.measure(machine.asking())
    machine.venue_ahead_ns = HOUR_NS

    server.forget()
    await server.measure(machine.asking(SECOND_NS, SECOND_NS))

    assert machine.venue_ns() == server.now_ns()


async def test_a_failed_measurement_leaves_the_old_one(machine, server):
    machine.venue_ahead_ns = HOUR_NS
    await server.measure(machine.asking())

    async def fail():
        raise VenueUnavailableError("down")

    with pytest.raises(VenueUnavailableError):
        await server.measure(fail)

    assert HOUR_NS == server.offset_ns


@pytest.mark.parametrize("answer", [-(2**66), 2**68, 10**30])
async def test_what_is_no_time_is_refused(machine, server, answer):
    with pytest.raises(ProtocolError, match="years 1 to 9999"):
        server.observe(answer, 0)

    assert server.is_due
