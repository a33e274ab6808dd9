"""Metrics: the text for Prometheus adds up to the counts."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from engine.run.report import SnapStatistics
from engine.tasks.pool.statistics import TaskStatistics
from engine.tasks.server.metrics import metrics_text
from tests.tasks.conftest import Serve, Served
from tests.tasks.wire import ask


def samples() -> dict[str, list[Any]]:
    statistics = TaskStatistics()
    for seconds in (0.0001, 0.001, 0.02, 3.0, 1000.0):
        statistics.record(200, "answered", seconds)
    statistics.record(503, "refused", 0.0)
    statistics.waits.add(0.25)
    statistics.works.add(2.0)
    statistics.lags.add(30.0)
    task: Any = SimpleNamespace(
        statistics=statistics,
        is_ready=True,
        queue_depth=3,
        in_flight=2,
        instances=[],
        restarts=0,
        snap_counts=lambda: [
            SnapStatistics('a "b"\n\\c', "Mapper", {"input": 6}, {"output": 5}, dropped=1)
        ],
    )
    found: dict[str, list[Any]] = {}
    text = metrics_text({"one": task, "two": task}, {431: 2}).decode()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample)
    return found


def test_requests_are_counted_by_status_and_outcome() -> None:
    requests = {
        (each.labels["task"], each.labels["status"], each.labels["outcome"]): each.value
        for each in samples()["snapline_requests_total"]
    }
    assert requests["one", "200", "answered"] == 5
    assert requests["two", "503", "refused"] == 1


def test_requests_that_could_not_be_read_are_counted_by_status() -> None:
    (unread,) = samples()["snapline_unread_requests_total"]
    assert (unread.labels, unread.value) == ({"status": "431"}, 2)


def test_the_histogram_adds_up_to_the_requests() -> None:
    found = samples()
    buckets = [
        each.value
        for each in found["snapline_request_seconds_bucket"]
        if each.labels["task"] == "one"
    ]
    assert buckets == sorted(buckets)
    assert buckets[-1] == found["snapline_request_seconds_count"][0].value == 6
    assert found["snapline_request_seconds_sum"][0].value == 1003.0211
    below = {
        each.labels["le"]: each.value
        for each in found["snapline_request_seconds_bucket"]
        if each.labels["task"] == "one"
    }
    assert (below["0.001"], below["0.025"], below["60.0"]) == (3, 4, 5)


def test_a_snap_may_be_called_anything() -> None:
    (one, _) = samples()["snapline_snap_documents_in_total"]
    assert one.labels == {"task": "one", "snap": 'a "b"\n\\c', "type": "Mapper"}
    assert one.value == 6


def test_waits_and_works_are_apart() -> None:
    found = samples()
    for name, total in (("queue", 0.25), ("work", 2.0), ("schedule_lag", 30.0)):
        one = found[f"snapline_{name}_seconds_sum"][0]
        assert (one.labels, one.value) == ({"task": "one"}, total)


def test_an_instance_tells_its_memory(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "echo.yaml").write_text("snaps: {same: {snap: Mapper, mappings: {$n: $content}}}\n")
    (tmp_path / "run.yaml").write_text("snaps: {same: {snap: Mapper, mappings: {$n: $n}}}\n")
    (tmp_path / "run.task").write_text("name: run\ntype: triggered\npipeline: run.yaml\n")
    served = serve("echo.yaml", "run.task")
    assert ask(served.port, "POST", "/tasks/echo", (), b"1").status == 200
    found = {
        (sample.labels["task"], sample.labels["instance"]): sample.value
        for family in text_string_to_metric_families(metrics(served))
        for sample in family.samples
        if sample.name == "snapline_instance_memory_bytes"
    }
    assert found.keys() == {("echo", "1"), ("run", "runs")}
    assert all(size > 1e6 for size in found.values())
    assert 'snapline_queue_seconds_count{task="echo"} 1.0' in metrics(served)
    assert 'snapline_work_seconds_count{task="echo"} 1.0' in metrics(served)


def metrics(served: Served) -> str:
    return ask(served.port, "GET", "/metrics").body.decode()
