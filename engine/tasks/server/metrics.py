"""The counts of the tasks, in the text format of Prometheus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from engine.tasks.pool.hosted_task import HostedTask
from engine.tasks.pool.statistics import BUCKETS, Durations, TaskStatistics
from engine.tasks.server.process_memory import memory_of

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics_text(
    tasks: Mapping[str, HostedTask],
    unread: Mapping[int, int],
    dropped_lines: int = 0,
    dropped_spans: int = 0,
) -> bytes:
    """All metrics, computed on request: counting itself costs next to nothing.

    `unread` counts the requests that could not be read, by status of the response; `dropped_lines`
    the writes to the logs that nobody took, `dropped_spans` what no collector of traces took.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_MetricsCollector(tasks, unread, dropped_lines, dropped_spans))
    return generate_latest(registry)


_Value = Callable[[HostedTask], float]
_DurationsOf = Callable[[TaskStatistics], Durations]

_HISTOGRAMS: tuple[tuple[str, str, _DurationsOf], ...] = (
    ("request", "Time from the request's head to the response", lambda each: each.total_time),
    ("queue", "Time that a request or run waited for a process", lambda each: each.waits),
    ("work", "Time that a process needed for a request or run", lambda each: each.works),
    ("schedule_lag", "How much later than scheduled a run began", lambda each: each.lags),
)
_GAUGES: tuple[tuple[str, str, _Value], ...] = (
    ("ready", "1 if the task accepts requests", lambda each: each.is_ready),
    ("queue_depth", "Requests waiting for an instance", lambda each: each.queue_depth),
    ("in_flight", "Requests in progress", lambda each: each.in_flight),
    ("instances", "Processes that run the pipeline", lambda each: len(each.instances)),
)
_COUNTERS: tuple[tuple[str, str, Callable[[TaskStatistics], int]], ...] = (
    ("restarts", "Processes started to replace one that died", lambda each: each.restarts),
    (
        "redeliveries",
        "Requests delivered again after an instance died",
        lambda each: each.redeliveries,
    ),
    ("late_responses", "Responses of instances that came too late", lambda each: each.late),
)
_SNAP_COUNTERS = {
    "documents_in": "Documents the snap received",
    "documents_out": "Documents the snap emitted",
    "dropped": "Documents the snap dropped",
    "errors": "Documents that failed in the snap",
    "seconds": "Time spent in the snap itself, without waiting for others",
}


class _MetricsCollector:
    def __init__(
        self,
        tasks: Mapping[str, HostedTask],
        unread: Mapping[int, int],
        dropped_lines: int,
        dropped_spans: int,
    ) -> None:
        self._tasks = tasks
        self._unread = unread
        self._dropped_lines = dropped_lines
        self._dropped_spans = dropped_spans

    def collect(self) -> Iterator[Metric]:
        yield self._requests()
        yield self._unread_requests()
        for name, help_text, durations in _HISTOGRAMS:
            yield self._histogram(name, help_text, durations)
        for name, help_text, value in _GAUGES:
            gauge = GaugeMetricFamily(f"snapline_{name}", help_text, labels=["task"])
            for task, hosted in self._tasks.items():
                gauge.add_metric([task], value(hosted))
            yield gauge
        for name, help_text, count in _COUNTERS:
            counter = CounterMetricFamily(f"snapline_{name}", help_text, labels=["task"])
            for task, hosted in self._tasks.items():
                counter.add_metric([task], count(hosted.statistics))
            yield counter
        yield self._memory()
        yield CounterMetricFamily(
            "snapline_log_drops",
            "Writes to the log and the access log that were dropped because their reader was slow",
            value=self._dropped_lines,
        )
        yield CounterMetricFamily(
            "snapline_span_drops",
            "Spans of traces that were dropped because the collector did not take them",
            value=self._dropped_spans,
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

    def _histogram(self, name: str, help_text: str, durations: _DurationsOf) -> Metric:
        family = HistogramMetricFamily(f"snapline_{name}_seconds", help_text, labels=["task"])
        ends = [*(str(end) for end in BUCKETS), "+Inf"]
        for task, hosted in self._tasks.items():
            found = durations(hosted.statistics)
            buckets = list(zip(ends, accumulate(found.counts), strict=True))
            family.add_metric([task], buckets, found.seconds)
        return family

    def _memory(self) -> Metric:
        """By the number of the instance; processes for runs have none, and count together."""
        family = GaugeMetricFamily(
            "snapline_instance_memory_bytes",
            "Resident memory of a process that runs the pipeline, and of its scripts",
            labels=["task", "instance"],
        )
        for task, hosted in self._tasks.items():
            held: Counter[str] = Counter()
            for each in hosted.instances:
                size = memory_of(each.process.pid) if each.process is not None else None
                if size is not None:
                    held[str(each.number) if each.number else "runs"] += size
            for instance, size in sorted(held.items()):
                family.add_metric([task, instance], size)
        return family

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
