"""An observer that watches sees every batch on every link; without one nothing is called."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.documents import Batch, Document
from engine.errors import DataError, EngineError, ExecutionError
from engine.plan.plan import Plan, Port
from engine.registry import discover
from engine.run.identity import identify
from engine.run.lineage import Ledger
from engine.run.runner import run_plan
from engine.run.taps import Tap, Taps
from engine.script.executor import Executor
from engine.sdk import Snap
from engine.sdk.settings import NoSettings
from tests.run.flowing import Collecting, Watching, run


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


class Failing(Watching):
    """Fails on the first batch that crosses a view."""

    def __init__(self, error: Exception, view: str) -> None:
        super().__init__()
        self._error = error
        self._view = view

    def crossed(self, port: Port, batch: Batch) -> None:
        if str(port) == self._view:
            raise self._error
        super().crossed(port, batch)


class Twice(Snap[NoSettings]):
    """Emits in every way: before the first document, for each one, and at the end."""

    def start(self) -> Iterator[Document]:
        yield {"n": "start"}

    def process(self, document: Document) -> Iterator[Document]:
        if "n" not in document:
            raise DataError("could not double", "there is no n", "add it")
        yield document
        yield document

    def finish(self) -> Iterator[Document]:
        yield {"n": "finish"}


FAILING = """
snaps:
  first: {snap: Mapper, on_error: POLICY, mappings: {$n: $n}}
  twice: {snap: Twice, on_error: POLICY}
  last: {snap: Mapper, on_error: POLICY, mappings: {$n: $n}}
links: [first -> twice -> last]
"""


OUTPUTS = ["first.output", "twice.output", "last.output"]


@pytest.mark.parametrize(
    ("view", "policy"),
    [*product(OUTPUTS, ["stop", "discard", "route"]), ("first.error", "route")],
)
@pytest.mark.parametrize(
    "error",
    [DataError("could not trace", "the disk is full"), ExecutionError("the tracer is gone")],
)
def test_an_error_that_a_watcher_raises_fails_the_run_and_no_snap(
    tmp_path: Path, view: str, policy: str, error: EngineError
) -> None:
    documents = [{"n": 1}, {"n": 2}, *([{}] if view == "first.error" else [])]
    report, failure, watching = run(
        tmp_path,
        FAILING.replace("POLICY", policy),
        Twice,
        inputs={"first": documents},
        observer=Failing(error, view),
    )
    assert failure is error
    assert (report.status, report.failure) == ("failed", str(error))
    assert "failed" not in [snap.status for snap in report.snaps]
    assert [snap.errors for snap in report.snaps] == [int(view == "first.error"), 0, 0]
    assert [snap.dropped for snap in report.snaps] == [0, 0, 0]
    assert not [port for port in watching.outputs if port.endswith(".error")]


@pytest.mark.parametrize("view", OUTPUTS)
def test_a_bug_of_a_watcher_is_raised_as_it_is(tmp_path: Path, view: str) -> None:
    text = FAILING.replace("POLICY", "discard")
    observer = Failing(RuntimeError("the disk of the tracer is full"), view)
    with pytest.raises(RuntimeError, match=r"^the disk of the tracer is full$"):
        run(tmp_path, text, Twice, inputs={"first": [{"n": 5}]}, observer=observer)


def test_what_left_before_a_watcher_failed_arrives(tmp_path: Path) -> None:
    """`twice` emits three times; the watcher fails on what it emits at the end."""

    class Late(Watching):
        def crossed(self, port: Port, batch: Batch) -> None:
            super().crossed(port, batch)
            if batch.items[-1] == {"n": "finish"}:
                raise ExecutionError("the tracer is gone")

    text = FAILING.replace("POLICY", "discard")
    _, failure, watching = run(tmp_path, text, Twice, inputs={"first": [{"n": 5}]}, observer=Late())
    assert str(failure) == "the tracer is gone"
    assert watching.outputs["last.output"] == [{"n": "start"}, {"n": 5}, {"n": 5}]


def test_a_tap_that_cannot_show_fails_no_snap(tmp_path: Path) -> None:
    def show(line: bytes) -> None:
        raise ExecutionError("nobody reads the tap any more")

    text = FAILING.replace("POLICY", "route")
    taps = Taps([Tap([Port("twice", "output")], show)])
    report, failure, watching = run(
        tmp_path, text, Twice, inputs={"first": [{"n": 5}]}, observer=Collecting(), taps=taps
    )
    assert str(failure) == "nobody reads the tap any more"
    assert [snap.errors for snap in report.snaps] == [0, 0, 0]
    assert watching.outputs == {}


class Breathes(Snap[NoSettings]):
    """Pauses before each batch, so that the runner can do something else."""

    def process_batch(self, view: str, batch: Batch) -> Iterator[Mapping[str, Batch]]:
        yield {}
        yield {"output": batch}


def test_a_pause_is_not_seen(tmp_path: Path) -> None:
    text = "snaps: {breathe: {snap: Breathes}}"
    _, failure, watching = run(tmp_path, text, Breathes, inputs={"breathe": [{"n": 1}]})
    assert failure is None
    assert watching.crossings == {"breathe.output": [{"n": 1}]}
