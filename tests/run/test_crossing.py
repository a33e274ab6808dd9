"""An observer that watches sees every batch on every link; without one nothing is called."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.documents import Batch
from engine.plan.plan import Plan
from engine.registry import discover
from engine.run.identity import identify
from engine.run.lineage import Ledger
from engine.run.runner import run_plan
from engine.script.executor import Executor
from tests.run.flowing import Watching, run


def plan_of(folder: Path, text: str) -> Plan:
    (folder / "plan.yaml").write_text(text)
    return api.compile_plan(folder / "plan.yaml")


CHAIN = """
snaps:
  keep: {snap: Filter, filter: $n > 1}
  shape: {snap: Mapper, mappings: {$m: $n}}
links: [keep -> shape]
"""


def test_links_inside_a_fused_stage_are_seen(tmp_path: Path) -> None:
    assert len(plan_of(tmp_path, CHAIN).stages) == 1
    _, _, watching = run(tmp_path, CHAIN, inputs={"keep": [{"n": n} for n in range(4)]})
    assert watching.crossings == {
        "keep.output": [{"n": 2}, {"n": 3}],
        "shape.output": [{"m": 2}, {"m": 3}],
    }
    assert watching.outputs == {"shape.output": [{"m": 2}, {"m": 3}]}


def test_links_between_stages_and_the_views_of_a_copy_are_seen(tmp_path: Path) -> None:
    text = """
    snaps:
      both: {snap: Copy}
      echo: {snap: RemotePythonScript, source: 'def snaplogic_process(row): return row'}
      join: {snap: Union}
    links: [both -> echo -> join, both -> join]
    """
    assert len(plan_of(tmp_path, text).stages) > 1
    _, _, watching = run(tmp_path, text, inputs={"both": [{"n": 1}]})
    counts = {port: len(items) for port, items in watching.crossings.items()}
    assert counts == {"both.output0": 1, "both.output1": 1, "echo.output": 1, "join.output": 2}


def test_error_views_are_seen(tmp_path: Path) -> None:
    text = """
    snaps:
      shape: {snap: Mapper, mappings: {$m: $n}}
      dead: {snap: Mapper, mappings: {$id: $original.id}}
    links: [shape.error -> dead]
    """
    _, _, watching = run(tmp_path, text, inputs={"shape": [{"n": 1}, {"id": 7}]})
    assert [error["original"] for error in watching.crossings["shape.error"]] == [{"id": 7}]
    assert watching.crossings["dead.output"] == [{"id": 7}]


def test_what_crosses_is_what_the_report_counts(tmp_path: Path) -> None:
    report, _, watching = run(tmp_path, CHAIN, inputs={"keep": [{"n": n} for n in range(500)]})
    counted = {
        f"{snap.label}.{view}": count
        for snap in report.snaps
        for view, count in snap.outputs.items()
        if count
    }
    assert counted == {port: len(items) for port, items in watching.crossings.items()}


class Asking(Watching):
    """Sends requests into an ultra pipeline, and watches."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger(self)

    async def run(self, push: Callable[[Batch], None]) -> None:
        self.ledger.admit([1, 2])
        push(Batch([{"n": 1}, {"n": 5}], [frozenset((1,)), frozenset((2,))]))

    def answered(self, request: int, items: object) -> None: ...
    def filtered(self, request: int) -> None: ...
    def failed(self, request: int, error: object) -> None: ...


def test_an_ultra_pipeline_is_watched_in_the_same_way(tmp_path: Path) -> None:
    plan, asking = plan_of(tmp_path, CHAIN), Asking()
    going = run_plan(
        plan,
        discover(),
        identify(plan, {}),
        observer=asking,
        scripts=Executor(),
        inputs={"keep": asking},
        ledger=asking.ledger,
    )
    asyncio.run(going)
    assert asking.crossings == {"keep.output": [{"n": 5}], "shape.output": [{"m": 5}]}


class Blind:
    """An observer that does not watch."""

    def __init__(self) -> None:
        self.documents: list[Any] = []

    def started(self, report: object, secrets: object) -> None: ...
    def show(self, label: str, text: str, request_id: str = "") -> None: ...
    def finished(self, report: object) -> None: ...

    def output(self, port: object, batch: Any) -> None:
        self.documents += batch.items


def test_an_observer_need_not_watch(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text(CHAIN)
    blind = Blind()
    going = api.start(tmp_path / "pipeline.yaml", inputs={"keep": [{"n": 5}]}, observer=blind)
    asyncio.run(going)
    assert blind.documents == [{"m": 5}]


def test_a_watcher_that_fails_ends_the_run(tmp_path: Path) -> None:
    class Failing(Watching):
        def crossed(self, port: object, batch: object) -> None:
            raise RuntimeError("the disk of the tracer is full")

    with pytest.raises(RuntimeError, match="tracer is full"):
        run(tmp_path, CHAIN, inputs={"keep": [{"n": 5}]}, observer=Failing())
