"""The coordinator with workers in this process and chunks of any size: the same documents, counts
and errors as without workers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from engine import api
from engine.cluster import chunks, remote_stage
from engine.cluster.messages import Lines, Range, request_of
from engine.cluster.placement import Show
from engine.cluster.replica import Replica
from engine.documents import Batch
from engine.errors import EngineError, ExecutionError
from engine.run.report import Report
from engine.sdk.results import BATCH_SIZE
from tests.cluster.projects import PIPELINES
from tests.cluster.thread_workers import Link, Place, outcome, run

SCRIPTED = """\
snaps:
  number: {snap: Sequence, number_of_documents: 10}
  double: {snap: RemotePythonScript, script: double.py, copies: any}
links: [number -> double]
"""


@pytest.mark.parametrize("name", PIPELINES)
@pytest.mark.parametrize("workers", [1, 2, 7])
@pytest.mark.parametrize("most", [700, 1 << 20])
@pytest.mark.parametrize("shares_files", [True, False, None])
def test_chunks_of_any_size_give_the_same(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    workers: int,
    most: int,
    shares_files: bool | None,
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_BYTES", most)
    alone, _ = run(project / f"{name}.yaml")
    place = Place(Random(1), 0.0, shares_files=shares_files)
    spread, _ = run(project / f"{name}.yaml", place, workers)
    assert place.started == workers
    assert outcome(spread) == outcome(alone)


def test_a_failure_names_the_document_that_failed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "MOST_DOCUMENTS", 30)
    text = PIPELINES["documents"].replace("on_error: discard, ", "")
    (project / "documents.yaml").write_text(text)
    _, alone = run(project / "documents.yaml")
    place = Place(Random(2), 0.03, shares_files=True)
    _, spread = run(project / "documents.yaml", place, 3)
    assert "failed on document 301" in spread
    assert spread == alone


def test_what_belongs_to_one_process_is_refused(project: Path) -> None:
    with pytest.raises(EngineError, match="'taps' cannot be used together with several workers"):
        asyncio.run(api.start(str(project / "lines.yaml"), workers=2, taps=object()))  # type: ignore[arg-type]


@pytest.mark.parametrize("shares_files", [True, False])
def test_a_file_that_becomes_shorter_fails_the_run(
    project: Path, monkeypatch: pytest.MonkeyPatch, shares_files: bool
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 3_000)
    file = project / "in.jsonl"

    class Cutting(Place):
        async def start(self, number: int, job: bytes, show: Show) -> Link:
            link = await super().start(number, job, show)
            answer = link._replica.answer

            def cutting(message: bytes) -> bytes:
                if file.stat().st_size > 60_000 and isinstance(request_of(message), Range | Lines):
                    with file.open("r+b") as opened:
                        opened.truncate(20_000)
                return answer(message)

            link._replica.answer = cutting  # type: ignore[method-assign]
            return link

    place = Cutting(Random(1), 0.0, shares_files=shares_files)
    report, failure = run(project / "lines.yaml", place, 2)
    assert report.status == "failed"
    assert "became shorter while it was read" in failure
    assert isinstance(ExecutionError(failure), EngineError)


def test_documents_that_come_quickly_share_chunks(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_SECONDS", 1_000.0)  # also on a busy machine
    monkeypatch.setattr(remote_stage, "QUIET_SECONDS", 1_000.0)
    messages: list[int] = []

    class Counting(Place):
        async def start(self, number: int, job: bytes, show: Show) -> Link:
            link = await super().start(number, job, show)
            answer = link._replica.answer

            def counted(message: bytes) -> bytes:
                messages.append(number)
                return answer(message)

            link._replica.answer = counted  # type: ignore[method-assign]
            return link

    text = PIPELINES["documents"].replace("number_of_documents: 700", "number_of_documents: 32000")
    (project / "documents.yaml").write_text(text)
    alone, _ = run(project / "documents.yaml")
    spread, _ = run(project / "documents.yaml", Counting(Random(1), 0.0, shares_files=True), 1)
    assert outcome(spread) == outcome(alone)
    batches = 3 * 32_000 // BATCH_SIZE  # of three segments
    assert len(messages) < batches / 4


class Listener:
    """An observer that keeps what leaves the pipeline."""

    def __init__(self) -> None:
        self.received: list[Any] = []
        self.left = threading.Semaphore(0)

    def started(self, report: Report, secrets: Any) -> None:
        """Nothing to do."""

    def show(self, label: str, text: str, request_id: str = "") -> None:
        """Nothing to do."""

    def output(self, port: Any, batch: Batch) -> None:
        self.received += batch.items
        self.left.release()

    def finished(self, report: Report) -> None:
        """Nothing to do."""


def test_documents_that_come_slowly_do_not_wait_for_others(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "_FIRST_DOCUMENTS", 1_000)
    listener = Listener()
    pipeline = project / "roots.yaml"
    pipeline.write_text("snaps: {root: {snap: Mapper, mappings: {$root: Math.sqrt($n)}}}\n")

    def squares() -> Iterator[list[Any]]:
        for n in range(1, 4):
            yield [{"n": n * n}]
            assert listener.left.acquire(timeout=120)  # before the next one comes

    place = Place(Random(1), 0.0, shares_files=True)
    inputs = {"root": squares()}
    _, failure = asyncio.run(
        api.start(str(pipeline), inputs=inputs, placement=place, workers=2, observer=listener)
    )
    assert failure is None
    assert listener.received == [{"root": 1}, {"root": 2}, {"root": 3}]


@pytest.mark.parametrize("risk", [0.0, 0.02])
def test_snaps_with_other_needs_have_workers_of_their_own(project: Path, risk: float) -> None:
    """Those of `again` need a lamp; all others share workers with a CPU."""
    pipeline = project / "documents.yaml"
    alone, _ = run(pipeline)
    place = Place(Random(1), risk, shares_files=False)
    spread, failure = asyncio.run(
        api.start(str(pipeline), workers=2, placement=place, resources={"again": {"lamp": 1}})
    )
    assert failure is None
    assert place.needed == [{"CPU": 1.0, "lamp": 1.0}]
    assert place.started >= 4
    assert outcome(spread) == outcome(alone)


def test_a_file_that_a_node_lacks_is_named_with_the_node(project: Path) -> None:
    """The run itself has seen the script before the worker looks for it."""
    (project / "double.py").write_text("def snaplogic_process(row):\n    return row\n")
    (project / "scripted.yaml").write_text(SCRIPTED)

    class Elsewhere(Place):
        async def start(self, number: int, job: bytes, show: Show) -> Link:
            (project / "double.py").unlink(missing_ok=True)
            replica = Replica(job, show, node="10.0.0.7")
            return Link(number, replica, Random(1), 0.0, shares_files=False)

    _, failure = run(project / "scripted.yaml", Elsewhere(Random(1), 0.0, shares_files=False), 1)
    assert f"cannot read the file '{project / 'double.py'}'" in failure
    assert "the file does not exist on the node 10.0.0.7" in failure


def test_resources_need_a_cluster(project: Path) -> None:
    with pytest.raises(EngineError, match="resources are for workers on a cluster"):
        asyncio.run(
            api.start(str(project / "lines.yaml"), workers=2, resources={"map": {"GPU": 1}})
        )
