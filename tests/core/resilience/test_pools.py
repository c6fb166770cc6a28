import pytest

from dragoman.errors import InvalidValueError
from dragoman.resilience.pools import Pool, Window
from dragoman.times import SECOND_NS


@pytest.mark.parametrize(
    ("limit", "share", "general"),
    [
        (100, 0.1, 90),
        (10, 0.1, 9),
        (5, 0.1, 4),
        (2, 0.1, 1),
        (1, 0.1, 1),
        (10, 0, 10),
        (10, 0.99, 1),
    ],
)
def test_the_reserve_is_rounded_up_and_leaves_room_for_one(limit, share, general):
    window = Window(limit, 1)

    assert general == Pool("weight", (window,), share).general_limit(window)


def test_a_use_counts_for_the_window_and_the_slack():
    assert 1.25 * SECOND_NS == Window(1, 1, slack_s=0.25).counted_ns


@pytest.mark.parametrize(
    "terms", [(0, 1), (1, 0), (1, -1), (1, float("nan")), (1, 1, -0.1), (1, 1, float("nan"))]
)
def test_a_senseless_window_is_refused(terms):
    with pytest.raises(InvalidValueError, match="rate limit"):
        Window(*terms)


@pytest.mark.parametrize(
    "terms", [{"windows": ()}, {"reserve_for_cancels": 1}, {"reserve_for_cancels": -0.1}]
)
def test_a_senseless_pool_is_refused(terms):
    with pytest.raises(InvalidValueError, match="weight"):
        Pool(**{"name": "weight", "windows": (Window(1, 1),)} | terms)
