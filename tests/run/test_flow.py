"""Documents flow one after the other, whether a snap is slow, fast or emits results one by one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from engine.plan.plan import Port
from engine.run import member
from engine.sdk import Batch, Document, Snap, results
from engine.sdk.settings import NoSettings
from tests.run.flowing import Watching, run


class Clock:
    """The clock of the snaps: each document takes a slow snap ten milliseconds."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(member, "perf_counter", clock)
    Slow.clock, Slow.events = clock, []
    return clock


class Slow(Snap[NoSettings]):
    """Takes ten milliseconds for a document, by its clock."""

    clock: ClassVar[Clock]
    events: ClassVar[list[str]]
    stateful = False

    def process(self, document: Document) -> Document:
        self.clock.now += 0.010
        self.events.append(f"{self.context.label} {document['n']}")
        return document


class SlowBatches(Snap[NoSettings]):
    """Like Slow, with a method for batches."""

    stateful = False
    plain = True

    def process_batch(self, view: str, batch: Batch) -> Batch:
        for document in batch.items:
            Slow.clock.now += 0.010
            Slow.events.append(f"{self.context.label} {document['n']}")
        return batch


class Rows(Snap[NoSettings]):
    """Emits as many documents at once as a parser."""

    def process(self, document: Document) -> Iterable[Document]:
        return [{"n": number} for number in range(document["rows"])]


def is_early(events: list[str], first: str, last: str) -> bool:
    return events.index(first) < events.index(last)


@pytest.mark.parametrize("snap", ["Slow", "SlowBatches"])
def test_the_first_document_reaches_the_second_snap_before_the_last_enters_the_first(
    snap: str, tmp_path: Path, clock: Clock
) -> None:
    text = f"""
    snaps:
      one: {{snap: {snap}}}
      two: {{snap: {snap}}}
    links: [one -> two]
    """
    documents = [{"n": number} for number in range(200)]
    _, failure, watching = run(tmp_path, text, Slow, SlowBatches, inputs={"one": documents})
    assert failure is None
    assert watching.outputs == {"two.output": documents}
    assert is_early(Slow.events, "two 0", "one 10")
    assert is_early(Slow.events, "two 150", "one 160")


def test_a_batch_of_a_parser_is_cut_for_a_slow_snap(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "in.json").write_text(json.dumps([{"n": number} for number in range(600)]))
    text = """
    snaps:
      read: {snap: FileReader, file: in.json}
      parse: {snap: JSONParser}
      one: {snap: SlowBatches}
      two: {snap: SlowBatches}
    links: [read -> parse -> one -> two]
    """
    run(tmp_path, text, SlowBatches)
    assert is_early(Slow.events, "two 0", "one 10")
    assert is_early(Slow.events, "two 500", "one 510")


class Fast(Snap[NoSettings]):
    stateful = False
    plain = True
    sizes: ClassVar[list[int]] = []

    def process_batch(self, view: str, batch: Batch) -> Batch:
        self.sizes.append(len(batch))
        return batch


def test_a_fast_snap_soon_gets_complete_batches(tmp_path: Path, clock: Clock) -> None:
    Fast.sizes.clear()
    (tmp_path / "in.json").write_text(json.dumps([{"n": number} for number in range(60_000)]))
    text = """
    snaps:
      read: {snap: FileReader, file: in.json}
      parse: {snap: JSONParser}
      one: {snap: Fast}
    links: [read -> parse -> one]
    """
    run(tmp_path, text, Fast)
    assert sum(Fast.sizes) == 60_000
    assert max(Fast.sizes) > 1000
    assert len(Fast.sizes) < 60


class Drips(Snap[NoSettings]):
    """Gives three documents one by one, with ten milliseconds of work before each."""

    loses_lineage = ""

    def drip(self, hook: str) -> Iterator[Document]:
        for number in range(3):
            Slow.clock.now += 0.011
            Slow.events.append(f"drip {hook} {number}")
            yield {"n": f"{hook} {number}"}

    def start(self) -> Iterator[Document]:
        return self.drip("start")

    def process(self, document: Document) -> Iterator[Document]:
        return self.drip("process")

    def finish(self) -> Iterator[Document]:
        return self.drip("finish")


class Noting(Watching):
    """Notes among the events what crosses each view."""

    def crossed(self, port: Port, batch: Batch) -> None:
        Slow.events.extend(f"{port} {document['n']}" for document in batch.items)


@pytest.mark.parametrize("hook", ["start", "process", "finish"])
def test_slow_results_of_a_generator_do_not_wait_for_a_batch(
    hook: str, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "perf_counter", clock)
    text = """
    snaps:
      drip: {snap: Drips}
      next: {snap: Slow}
    links: [drip -> next]
    """
    run(tmp_path, text, Drips, Slow, inputs={"drip": [{}]}, observer=Noting())
    assert is_early(Slow.events, f"drip.output {hook} 0", f"drip {hook} 1")


class Pauses(Snap[NoSettings]):
    """Emits a second batch only when the snap after it has got the first."""

    blocking = True
    flows = True
    arrived = threading.Event()

    def process_batch(self, view: str, batch: Batch) -> Iterator[Mapping[str, Batch]]:
        yield {"output": Batch([{"n": 0}])}
        assert self.arrived.wait(240)
        yield {"output": Batch([{"n": 1}])}


class Arrives(Snap[NoSettings]):
    def process(self, document: Document) -> Document:
        Pauses.arrived.set()
        return document


def test_a_batch_does_not_wait_for_the_next_one_that_takes_long(tmp_path: Path) -> None:
    Pauses.arrived.clear()
    text = """
    snaps:
      pause: {snap: Pauses}
      next: {snap: Arrives}
    links: [pause -> next]
    """
    _, failure, watching = run(tmp_path, text, Pauses, Arrives)
    assert failure is None
    assert watching.outputs == {"next.output": [{"n": 0}, {"n": 1}]}


BATCH_SIZES = """
snaps:
  script:
    snap: RemotePythonScript
    source: |
      def snaplogic_process_batch(rows):
          return [{"together": len(rows)} for _ in rows]
"""


def together(folder: Path, documents: list[Document]) -> list[int]:
    """With how many rows each of the documents reaches the script."""
    _, failure, watching = run(folder, BATCH_SIZES, inputs={"script": documents})
    assert failure is None
    return [given["together"] for given in watching.outputs["script.output"]]


def test_large_documents_reach_a_script_a_few_at_a_time(tmp_path: Path) -> None:
    image = "x" * (3 << 20)
    sizes = together(tmp_path, [{"image": image} for _ in range(64)])
    assert len(sizes) == 64
    assert max(sizes) <= 2


def test_a_large_document_among_small_ones_reaches_a_script_alone(tmp_path: Path) -> None:
    small: list[Document] = [{"n": number} for number in range(64)]
    assert together(tmp_path, [*small, {"image": "x" * (9 << 20)}, *small[1:]]) == [
        *[64] * 64,
        1,
        *[63] * 63,
    ]
