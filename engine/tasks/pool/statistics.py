"""What a task has done since the server started: its requests by outcome and duration."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterable
from itertools import chain

from engine.run.report import SnapStatistics

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds in seconds of the histograms; one more bucket holds longer times."""

_RECENT = 2048


class Durations:
    """A histogram of seconds."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds


class TaskStatistics:
    """Counters of one task, as plain numbers; the metrics are computed when they are read.

    `total_time` is that of requests, from the head to the response. `waits` are the times that jobs
    have waited for a process, `works` those that the processes needed. `lags` are how much later
    than scheduled runs have begun.
    """

    def __init__(self) -> None:
        self.requests: Counter[tuple[int, str]] = Counter()
        self.total_time = Durations()
        self.waits = Durations()
        self.works = Durations()
        self.lags = Durations()
        self.restarts = 0
        self.redeliveries = 0
        self.late = 0
        self._recent: deque[float] = deque(maxlen=_RECENT)

    def record(self, status: int, outcome: str, seconds: float) -> None:
        """Count a request that was answered."""
        self.requests[status, outcome] += 1
        self.total_time.add(seconds)
        self._recent.append(seconds)

    @property
    def total(self) -> int:
        return self.requests.total()

    @property
    def errors(self) -> int:
        """Requests answered with a 5xx status."""
        return sum(count for (status, _), count in self.requests.items() if status >= 500)

    def quantile(self, share: float) -> float | None:
        """Seconds within which that share of the last 2,048 requests was answered."""
        ordered = sorted(self._recent)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


class SnapTotals:
    """The counts of a task's snaps over all its processes, ended ones included."""

    def __init__(self) -> None:
        self._ended: list[SnapStatistics] = []

    def keep(self, counts: Iterable[SnapStatistics]) -> None:
        """Keep the counts of a process that has ended."""
        self._ended = _summed(chain(self._ended, counts))

    def with_running(self, running: Iterable[Iterable[SnapStatistics]]) -> list[SnapStatistics]:
        return _summed(chain(self._ended, *running))


def _summed(counts: Iterable[SnapStatistics]) -> list[SnapStatistics]:
    """Counts with the same label, added up."""
    totals: dict[str, SnapStatistics] = {}
    for more in counts:
        known = totals.get(more.label)
        totals[more.label] = more if known is None else _added(known, more)
    return list(totals.values())


def _added(one: SnapStatistics, other: SnapStatistics) -> SnapStatistics:
    return SnapStatistics(
        one.label,
        one.type,
        dict(Counter(one.inputs) + Counter(other.inputs)),
        dict(Counter(one.outputs) + Counter(other.outputs)),
        one.dropped + other.dropped,
        one.errors + other.errors,
        one.seconds + other.seconds,
    )
