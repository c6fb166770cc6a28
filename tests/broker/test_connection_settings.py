"""What `connect` is told is checked before anything is done, by name."""

from decimal import Decimal

import pytest

import dragoman
from dragoman import ConfigurationError, InvalidValueError, RiskLimits

BAD = {
    "limits": 5,
    "endpoints": "x",
    "clock": 5,
    "timeout_s": -1,
    "read_only": "x",
    "account_id": "",
    "state_dir": 7,
    "allow_hosts": "example.org",
}


@pytest.mark.parametrize(("name", "value"), BAD.items(), ids=BAD)
async def test_a_setting_of_a_wrong_kind_is_named(name: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=name):
        await dragoman.connect("mock", **{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("provider", [None, 5, ""])
async def test_a_provider_must_be_a_name(provider: object) -> None:
    with pytest.raises(ConfigurationError):
        await dragoman.connect(provider)  # type: ignore[arg-type]


async def test_a_folder_may_be_given_as_text(tmp_path) -> None:
    async with dragoman.connect("mock", state_dir=str(tmp_path)) as broker:
        broker.halt("kept")

    assert list(tmp_path.rglob("*.json"))


@pytest.mark.parametrize(
    "limits",
    [
        {"max_position": 1.5},
        {"max_order_notional": Decimal("NaN")},
        {"max_open_orders": -1},
        {"max_orders_per_minute": 2.5},
        {"max_order_notional": -1},
    ],
)
def test_a_limit_that_is_no_limit_is_refused(limits: dict[str, object]) -> None:
    with pytest.raises(InvalidValueError, match=next(iter(limits))):
        RiskLimits(**limits)  # type: ignore[arg-type]
