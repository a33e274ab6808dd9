"""The counts of the tasks, in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from engine.tasks.pool.hosted_task import HostedTask
from engine.tasks.pool.statistics import BUCKETS

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics_text(tasks: Mapping[str, HostedTask], unread: Mapping[int, int]) -> bytes:
    """All metrics, computed on request: counting itself costs next to nothing.

    `unread` counts the requests that could not be read, by status of the response.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_MetricsCollector(tasks, unread))
    return generate_latest(registry)


_Value = Callable[[HostedTask], float]


class _MetricsCollector:
    def __init__(self, tasks: Mapping[str, HostedTask], unread: Mapping[int, int]) -> None:
        self._tasks = tasks
        self._unread = unread

    def collect(self) -> Iterator[Metric]:
        yield self._requests()
        yield self._unread_requests()
        yield self._latency()
        yield self._gauge("ready", "1 if the task accepts requests", lambda each: each.is_ready)
        yield self._gauge(
            "queue_depth", "Requests waiting for an instance", lambda each: each.queue_depth
        )
        yield self._gauge("in_flight", "Requests in progress", lambda each: each.in_flight)
        yield self._gauge(
            "instances", "Processes that run the pipeline", lambda each: len(each.instances)
        )
        yield self._counter(
            "restarts",
            "Processes started to replace one that died",
            lambda each: each.statistics.restarts,
        )
        yield self._counter(
            "redeliveries",
            "Requests delivered again after an instance died",
            lambda each: each.statistics.redeliveries,
        )
        yield self._counter(
            "late_responses",
            "Responses of instances that came too late",
            lambda each: each.statistics.late,
        )
        yield from self._snaps()

    def _requests(self) -> Metric:
        family = CounterMetricFamily(
            "snapline_requests",
            "Answered requests, by status and outcome",
            labels=["task", "status", "outcome"],
        )
        for name, task in self._tasks.items():
            for (status, outcome), count in sorted(task.statistics.requests.items()):
                family.add_metric([name, str(status), outcome], count)
        return family

    def _unread_requests(self) -> Metric:
        family = CounterMetricFamily(
            "snapline_unread_requests",
            "Requests refused before they reached a task: not HTTP, too slow, too large a head",
            labels=["status"],
        )
        for status, count in sorted(self._unread.items()):
            family.add_metric([str(status)], count)
        return family

    def _latency(self) -> Metric:
        family = HistogramMetricFamily(
            "snapline_request_seconds",
            "Time from the request's head to the response",
            labels=["task"],
        )
        ends = [*(str(end) for end in BUCKETS), "+Inf"]
        for name, task in self._tasks.items():
            counts = accumulate(task.statistics.histogram)
            buckets = list(zip(ends, counts, strict=True))
            family.add_metric([name], buckets, task.statistics.seconds)
        return family

    def _gauge(self, name: str, help_text: str, value: _Value) -> Metric:
        family = GaugeMetricFamily(f"snapline_{name}", help_text, labels=["task"])
        return _filled(family, self._tasks, value)

    def _counter(self, name: str, help_text: str, value: _Value) -> Metric:
        family = CounterMetricFamily(f"snapline_{name}", help_text, labels=["task"])
        return _filled(family, self._tasks, value)

    def _snaps(self) -> Iterable[Metric]:
        counted = [(name, task.snap_counts()) for name, task in self._tasks.items()]
        for field, help_text in _SNAP_COUNTERS.items():
            family = CounterMetricFamily(
                f"snapline_snap_{field}", help_text, labels=["task", "snap", "type"]
            )
            for name, snaps in counted:
                for snap in snaps:
                    family.add_metric([name, snap.label, snap.type], getattr(snap, field))
            yield family


def _filled(
    family: CounterMetricFamily | GaugeMetricFamily, tasks: Mapping[str, HostedTask], value: _Value
) -> Metric:
    for name, task in tasks.items():
        family.add_metric([name], value(task))
    return family


_SNAP_COUNTERS = {
    "documents_in": "Documents the snap received",
    "documents_out": "Documents the snap emitted",
    "dropped": "Documents the snap dropped",
    "errors": "Documents that failed in the snap",
}
