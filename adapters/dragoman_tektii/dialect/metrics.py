"""What is counted, and its text as Prometheus reads it. A metric appears with its first use."""

from __future__ import annotations

from bisect import bisect_left
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from dragoman.times import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Generator

    from dragoman.dialects import DialectHost

__all__ = ["Metrics"]

_HELP: Final = {
    "gateway_orders_submitted_total": "Orders that the broker took",
    "gateway_order_events_total": "Order events sent to clients",
    "gateway_oco_double_exit_total": "Positions whose exits both filled",
    "gateway_ws_slow_consumer_disconnects": "Clients cut because they read too slowly",
    "gateway_broker_disconnections_total": "Times that a stream of the broker was lost",
    "gateway_broker_reconnect_attempts_total": "Attempts to connect to the broker again",
    "gateway_broker_reconnections_total": "Times that the broker was connected again",
    "gateway_broker_reconnect_failures_total": "Times that connecting again was given up",
    "gateway_rate_limit_events_total": "Times that the broker's rate limit was near or reached",
    "gateway_circuit_breaker_resets_total": "Resets of the circuit breakers",
    "gateway_backtest_completions_total": "Backtests that came to their end",
}
_ACTIVE: Final = "gateway_ws_connections_active"
_DURATION: Final = "gateway_order_submit_duration_seconds"
_BUCKETS_S: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


_TOLD: Final = {
    "gateway_oco_double_exit_total": "oco_double_exit",
    "gateway_circuit_breaker_resets_total": "circuit_breaker_resets",
    "gateway_backtest_completions_total": "backtest_completions",
}
"""What the host is told of as well; all else it counts by itself."""


class Metrics:
    """The counters of one mounted dialect.

    Args:
        host: Who may keep counters of its own.
    """

    def __init__(self, host: DialectHost) -> None:
        self._host = host
        self._clock = host.clock
        self._counts: dict[str, dict[str, int]] = {}
        self._connections: int | None = None
        self._durations: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = {}

    def count(self, name: str, **labels: str) -> None:
        """Count one more of what has that name."""
        known = self._counts.setdefault(name, {})
        key = ",".join(f'{label}="{_escaped(value)}"' for label, value in labels.items())
        known[key] = known.get(key, 0) + 1
        if name in _TOLD:
            self._host.count(_TOLD[name], **labels)

    def connected(self, change: int) -> None:
        """Note that a client came, or went."""
        self._connections = (self._connections or 0) + change

    @contextmanager
    def timed_submit(self, platform: str) -> Generator[None]:
        """Measure how long the broker takes for an order, and count those it took."""
        began_ns = self._clock.monotonic_ns()
        try:
            yield
            self.count("gateway_orders_submitted_total", platform=platform)
        finally:
            seconds = (self._clock.monotonic_ns() - began_ns) / SECOND_NS
            buckets = self._durations.setdefault(platform, [0] * (len(_BUCKETS_S) + 1))
            buckets[bisect_left(_BUCKETS_S, seconds)] += 1
            self._seconds[platform] = self._seconds.get(platform, 0.0) + seconds

    def text(self) -> str:
        """Return all of it in the text format."""
        lines: list[str] = []
        for name, counts in sorted(self._counts.items()):
            lines += [f"# HELP {name} {_HELP.get(name, name)}", f"# TYPE {name} counter"]
            for labels, count in sorted(counts.items()):
                lines.append(f"{name}{{{labels}}} {count}" if labels else f"{name} {count}")
        if self._connections is not None:
            lines += [f"# HELP {_ACTIVE} Open streams", f"# TYPE {_ACTIVE} gauge"]
            lines.append(f"{_ACTIVE} {self._connections}")
        if self._durations:
            lines += [f"# HELP {_DURATION} How long submits took", f"# TYPE {_DURATION} histogram"]
        for platform, buckets in sorted(self._durations.items()):
            lines += self._histogram(platform, buckets)
        return "\n".join(lines) + "\n"

    def _histogram(self, platform: str, buckets: list[int]) -> list[str]:
        label = f'platform="{_escaped(platform)}"'
        lines: list[str] = []
        reached = 0
        for bound, count in zip((*_BUCKETS_S, None), buckets, strict=True):
            reached += count
            upper = "+Inf" if bound is None else f"{bound:g}"
            lines.append(f'{_DURATION}_bucket{{{label},le="{upper}"}} {reached}')
        lines.append(f"{_DURATION}_sum{{{label}}} {self._seconds[platform]:.9f}")
        lines.append(f"{_DURATION}_count{{{label}}} {reached}")
        return lines


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
