"""The gateway's numbers in Prometheus' own form. Needs its client; nothing else imports this."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import OrderedDict
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from dragoman.models.enums import ConnectionState, OrderEventKind, OrderStatus
from dragoman.models.events import ConnectionEvent, OrderEvent, RateLimit
from dragoman.times import SECOND_NS

from .measures import Measures

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from prometheus_client.core import Metric

    from dragoman.dialects.guard import Guard
    from dragoman.models import Event

    from .host import GatewayHost
    from .lookout import Lookout

__all__ = ["PrometheusMeasures"]

_BUCKETS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_MOST_SENT: Final = 10_000
_MOST_NAMES: Final = 64
_NAME: Final = re.compile(r"[a-z][a-z_]{0,63}\Z")
_CONNECTION: Final = {
    ConnectionState.DISCONNECTED: "disconnections",
    ConnectionState.RECONNECTING: "reconnect_attempts",
    ConnectionState.RECONNECTED: "reconnections",
    ConnectionState.FAILED: "reconnect_failures",
}
_KINDS: Final = {
    OrderEventKind.ACCEPTED: "created",
    OrderEventKind.REPLACED: "modified",
    OrderEventKind.CANCELED: "cancelled",
}


class PrometheusMeasures(Measures):
    """Numbers in a registry of their own; the label `platform` is the name of a provider."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry(auto_describe=False)
        self._requests = _Requests()
        registry.register(self._requests)
        self._replays = Counter(
            "gateway_idempotent_replays", "Repeats answered as the first.", registry=registry
        )
        self._events = Counter(
            "gateway_events", "Events of brokers.", ("platform", "kind"), registry=registry
        )
        self._orders = _Orders(registry)
        self._reconnects = {
            state: Counter(
                f"gateway_broker_{word}",
                f"How often the venue's connection was {state.lower()}.",
                ("platform",),
                registry=registry,
            )
            for state, word in _CONNECTION.items()
        }
        self._rate_limits = Counter(
            "gateway_rate_limit_events",
            "Warnings of rate limits, and limits hit.",
            ("platform", "event_type"),
            registry=registry,
        )
        self._counters: dict[str, Counter] = {}

    def note_request(self, route: str, method: str, status: int, took_s: float) -> None:
        """Note an answered request."""
        self._requests.note((route, method, status), took_s)

    def note_event(self, provider: str, event: Event) -> None:
        """Note an event of a broker."""
        self._events.labels(provider, type(event).__name__).inc()
        if isinstance(event, OrderEvent):
            self._orders.note(provider, event)
        elif isinstance(event, ConnectionEvent):
            counter = self._reconnects.get(event.state)
            if counter is not None:
                counter.labels(provider).inc()
        elif isinstance(event, RateLimit):
            self._rate_limits.labels(provider, "hit" if event.remaining == 0 else "warning").inc()

    def note_replay(self) -> None:
        """Note that a repeated request was answered with what the first one was."""
        self._replays.inc()

    def count(self, event: str, labels: Mapping[str, str]) -> None:
        """Count something that a dialect tells of, by names of its own.

        Raises:
            ValueError: The name is none of lower-case letters, or there are too many.
        """
        counter = self._counters.get(event)
        if counter is None:
            if not _NAME.match(event) or len(self._counters) >= _MOST_NAMES:
                raise ValueError("a counter is named by lower-case letters, and there are 64")
            counter = Counter(
                f"gateway_{event}", "Told by a dialect.", tuple(labels), registry=self._registry
            )
            self._counters[event] = counter
        (counter.labels(**labels) if labels else counter).inc()

    def watch(self, guard: Guard, hosts: Collection[GatewayHost], lookout: Lookout) -> None:
        """Learn where to look when somebody asks."""
        self._registry.register(_Sights(guard, hosts, lookout))

    def render(self) -> tuple[bytes, str] | None:
        """Return everything in Prometheus' text form."""
        return generate_latest(_Lasting(self._registry)), CONTENT_TYPE_LATEST


class _Lasting(CollectorRegistry):
    """A registry without the times at which each number was first seen: they only take room."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__()
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [one for one in metric.samples if not one.name.endswith("_created")]
            yield metric


class _Requests:
    """How long requests took. It is asked once in seconds and told of each, so telling is cheap."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, int], list[int]] = {}
        self._sums: dict[tuple[str, str, int], float] = {}

    def note(self, key: tuple[str, str, int], took_s: float) -> None:
        counts = self._counts.get(key)
        if counts is None:
            counts = self._counts[key] = [0] * (len(_BUCKETS) + 1)
            self._sums[key] = 0.0
        counts[bisect_left(_BUCKETS, took_s)] += 1
        self._sums[key] += took_s

    def collect(self) -> Iterator[Metric]:
        name, text = "gateway_http_request_duration_seconds", "Requests, by pattern of path."
        family = HistogramMetricFamily(name, text, labels=("route", "method", "status"))
        bounds = [*map(str, _BUCKETS), "+Inf"]
        for (route, method, status), counts in self._counts.items():
            sums = [float(number) for number in accumulate(counts)]
            labels = (route, method, str(status))
            buckets = list(zip(bounds, sums, strict=True))
            family.add_metric(labels, buckets, self._sums[route, method, status])
        yield family


class _Orders:
    """What happens to orders, and how long the venue takes to answer."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._submitted = Counter(
            "gateway_orders_submitted", "Orders sent.", ("platform",), registry=registry
        )
        self._rejected = Counter(
            "gateway_orders_rejected", "Orders refused.", ("platform",), registry=registry
        )
        self._unknown = Counter(
            "gateway_orders_unknown", "Orders of unknown fate.", ("platform",), registry=registry
        )
        self._durations = Histogram(
            "gateway_order_submit_duration_seconds",
            "From an order's sending to the first evidence of it.",
            ("platform",),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._kinds = Counter(
            "gateway_order_events",
            "What happened to orders.",
            ("platform", "event_type"),
            registry=registry,
        )
        self._sent: OrderedDict[tuple[str, str, str], int] = OrderedDict()

    def note(self, provider: str, event: OrderEvent) -> None:
        kind, order = event.kind, event.order
        self._kinds.labels(provider, _event_type(event)).inc()
        key = (provider, event.account_id, order.client_order_id)
        if kind is OrderEventKind.SUBMITTED:
            self._submitted.labels(provider).inc()
            self._sent[key] = event.received_at_ns
            if len(self._sent) > _MOST_SENT:
                self._sent.popitem(last=False)
            return
        if kind is OrderEventKind.OUTCOME_UNKNOWN:
            self._unknown.labels(provider).inc()
            return
        if kind is OrderEventKind.REJECTED:
            self._rejected.labels(provider).inc()
        sent_at_ns = self._sent.pop(key, None)
        if sent_at_ns is not None:
            took_ns = max(0, event.received_at_ns - sent_at_ns)
            self._durations.labels(provider).observe(took_ns / SECOND_NS)


class _Sights:
    """What is looked up when somebody asks."""

    def __init__(self, guard: Guard, hosts: Collection[GatewayHost], lookout: Lookout) -> None:
        self._guard = guard
        self._hosts = hosts
        self._lookout = lookout

    def collect(self) -> Iterator[Metric]:
        """Look at everything."""
        name, text = "gateway_http_requests_in_flight", "Requests being answered."
        yield GaugeMetricFamily(name, text, value=self._guard.in_progress)
        yield from self._sockets()
        yield from self._brokers()

    def _sockets(self) -> Iterator[Metric]:
        labels = ("mount",)
        opened = GaugeMetricFamily("gateway_sockets_open", "Sockets.", labels=labels)
        frames = CounterMetricFamily("gateway_socket_frames", "Frames written.", labels=labels)
        cut = CounterMetricFamily("gateway_sockets_cut", "Read too slowly.", labels=labels)
        for host in self._hosts:
            opened.add_metric((host.name,), host.sockets.open_count)
            frames.add_metric((host.name,), host.sockets.frame_count)
            cut.add_metric((host.name,), host.sockets.cut_count)
        yield from (opened, frames, cut)
        total = sum(host.sockets.open_count for host in self._hosts)
        yield GaugeMetricFamily("gateway_ws_connections_active", "All sockets.", value=total)
        lost = sum(host.sockets.cut_count for host in self._hosts)
        name, text = "gateway_ws_slow_consumer_disconnects", "All that read too slowly."
        yield CounterMetricFamily(name, text, value=lost)

    def _brokers(self) -> Iterator[Metric]:
        connected = GaugeMetricFamily(
            "gateway_broker_connected", "Whether it can be heard.", labels=("platform",)
        )
        health = GaugeMetricFamily(
            "gateway_broker_health", "Accounts in each state.", labels=("platform", "state")
        )
        states: dict[tuple[str, str], int] = {}
        for sight in self._lookout.sights:
            key = (sight.broker.provider, str(sight.state))
            states[key] = states.get(key, 0) + 1
        for key, number in states.items():
            health.add_metric(key, number)
        for provider in self._lookout.providers:
            own = [one for one in self._lookout.sights if one.broker.provider == provider]
            connected.add_metric((provider,), float(all(one.is_connected for one in own)))
        yield connected
        yield health


def _event_type(event: OrderEvent) -> str:
    if event.kind is OrderEventKind.FILL:
        is_whole = event.order.status is OrderStatus.FILLED
        return "filled" if is_whole else "partially_filled"
    return _KINDS.get(event.kind, str(event.kind).lower())
