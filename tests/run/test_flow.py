"""Documents flow one after the other, and a failure costs only what failed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from engine.plan.plan import Port
from engine.run import member
from engine.sdk import Batch, Document, Settings, Snap, Views, results
from tests.run.flowing import Watching, run


class NoSettings(Settings):
    """Nothing to set."""


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


class FailsAt(Snap[NoSettings]):
    """Raises an exception at one document. Keeps state, so that the pipeline must end."""

    def process(self, document: Document) -> Document:
        if document["n"] == 500:
            raise ValueError("it is the 500th")
        return document


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
def test_what_a_generator_gives_slowly_does_not_wait_for_a_batch(
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
        assert self.arrived.wait(30)
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


class BreaksOff(Snap[NoSettings]):
    """A source that raises an exception after three documents."""

    views = Views(inputs=())

    def start(self) -> Iterator[Document]:
        for number in range(3):
            yield {"n": number}
        raise OSError("the source is gone")


def test_what_a_source_gave_before_an_exception_is_delivered(tmp_path: Path) -> None:
    text = """
    snaps:
      source: {snap: BreaksOff}
      shape: {snap: Mapper, mappings: {$n: $n}}
    links: [source -> shape]
    """
    _, failure, watching = run(tmp_path, text, BreaksOff)
    assert "the source is gone" in str(failure)
    assert watching.outputs == {"shape.output": [{"n": 0}, {"n": 1}, {"n": 2}]}


FAILING = {
    "an expression": "{snap: Mapper, mappings: {$n: '$n == 500 ? $nothing : $n'}}",
    "a filter that gives no truth value": "{snap: Filter, filter: '$n == 500 ? 5 : true'}",
    "a snap of one's own": "{snap: FailsAt}",
    "a script": (
        "{snap: RemotePythonScript, source: "
        "\"def snaplogic_process(row): return {'n': row['n' if row['n'] != 500 else 'no']}\"}"
    ),
}


@pytest.mark.parametrize("what", FAILING)
def test_the_documents_before_a_failure_are_delivered(what: str, tmp_path: Path) -> None:
    text = f"""
snaps:
  fail: {FAILING[what]}
  shape: {{snap: Mapper, mappings: {{$n: $n}}}}
  echo: {{snap: RemotePythonScript, source: 'def snaplogic_process(row): return row'}}
links: [fail -> shape -> echo]
"""
    documents = [{"n": number} for number in range(600)]
    report, failure, watching = run(tmp_path, text, FailsAt, inputs={"fail": documents})
    assert failure is not None
    assert report.status == "failed"
    assert watching.outputs == {"echo.output": documents[:500]}
    assert {snap.label: snap.status for snap in report.snaps}["fail"] == "failed"


def test_an_incomplete_file_is_not_put_in_place(tmp_path: Path) -> None:
    text = """
    snaps:
      fail: {snap: FailsAt}
      format: {snap: JSONFormatter, json_lines: true}
      write: {snap: FileWriter, file: out.json}
    links: [fail -> format -> write]
    """
    documents = [{"n": number} for number in range(600)]
    _, failure, _ = run(tmp_path, text, FailsAt, inputs={"fail": documents})
    assert failure is not None
    assert [entry.name for entry in tmp_path.iterdir()] == ["pipeline.yaml"]


class Forever(Snap[NoSettings]):
    """A source without an end."""

    views = Views(inputs=())

    def start(self) -> Iterator[Document]:
        number = 0
        while True:
            yield {"n": number}
            number += 1


def test_nothing_more_is_read_after_a_failure(tmp_path: Path) -> None:
    text = """
    snaps:
      source: {snap: Forever}
      fail: {snap: FailsAt}
    links: [source -> fail]
    """
    _, failure, watching = run(tmp_path, text, Forever, FailsAt)
    assert "it is the 500th" in str(failure)
    assert watching.outputs["fail.output"] == [{"n": number} for number in range(500)]


class FailsLate(Snap[NoSettings]):
    """A stateless snap that emits batches and fails in the middle of one."""

    stateful = False
    plain = True
    seen: ClassVar[list[int]] = []

    def process_batch(self, view: str, batch: Batch) -> Mapping[str, Batch]:
        for document in batch.items:
            self.seen.append(document["n"])
            if document["n"] % 100 == 50:
                raise KeyError("gone")
        return {"output": batch}


def test_an_exception_for_a_batch_costs_only_its_document(tmp_path: Path) -> None:
    text = "snaps: {fail: {snap: FailsLate, on_error: discard}}"
    documents = [{"n": number} for number in range(600)]
    report, failure, watching = run(tmp_path, text, FailsLate, inputs={"fail": documents})
    assert failure is None
    kept = [document for document in documents if document["n"] % 100 != 50]
    assert watching.outputs == {"fail.output": kept}
    (snap,) = report.snaps
    assert (snap.documents_in, snap.documents_out, snap.errors) == (600, 594, 6)


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


def test_what_can_be_written_as_json_before_a_failure_is_written(tmp_path: Path) -> None:
    text = """
    snaps:
      format: {snap: JSONFormatter, json_lines: true}
    """
    documents: list[Document] = [{"n": number} for number in range(200)]
    documents[150] = {"n": float("nan")}
    report, failure, watching = run(tmp_path, text, inputs={"format": documents})
    assert "on document 151" in str(failure)
    written = b"".join(watching.outputs["format.output"][1:])
    assert written == b"".join(b'{"n":%d}\n' % number for number in range(150))
    assert report.snaps[0].documents_in == 151


@pytest.mark.parametrize(
    ("settings", "flawed"),
    [
        ("content_path: $.text", {"n": 150}),
        ("header: {$name: $text.length}", {"text": None}),
    ],
)
def test_a_stream_for_each_document_before_a_failure_is_given(
    settings: str, flawed: Document, tmp_path: Path
) -> None:
    text = f"""
    snaps:
      format: {{snap: JSONFormatter, format_each_document: true, {settings}}}
    """
    documents: list[Document] = [{"text": "abc"} for _ in range(200)]
    documents[150] = flawed
    _, failure, watching = run(tmp_path, text, inputs={"format": documents})
    assert "on document 151" in str(failure)
    assert len(watching.outputs["format.output"]) == 150 * 3


def test_documents_with_flaws_cost_only_themselves_in_an_array(tmp_path: Path) -> None:
    text = """
    snaps:
      format: {snap: JSONFormatter, on_error: discard, header: {$first: $n.length}}
    """
    documents: list[Document] = [{"n": "x"} for _ in range(100)]
    documents[0], documents[1], documents[70] = {"n": 0}, {}, {"n": float("inf")}
    report, failure, watching = run(tmp_path, text, inputs={"format": documents})
    assert failure is None
    start, *body, _ = watching.outputs["format.output"]
    assert start.header["first"] == 1
    assert json.loads(b"".join(body)) == [{"n": "x"} for _ in range(97)]
    assert report.snaps[0].errors == 3


def test_the_results_of_files_before_a_failure_are_delivered(tmp_path: Path) -> None:
    text = """
    snaps:
      encode: {snap: DocumentToBinary}
      write: {snap: FileWriter, file: = $name}
    links: [encode -> write]
    """
    documents = [{"content": "x", "name": name} for name in ("a", "b", "no/c", "d")]
    _, failure, watching = run(tmp_path, text, inputs={"encode": documents})
    assert failure is not None
    assert [given["result"] for given in watching.outputs["write.output"]] == ["created"] * 2


PARSED = {
    "a line that is not JSON": ("json_lines: true", '{"n": 0}\n{"n": 1}\nno\n{"n": 3}\n'),
    "a line that is not a map": ("json_lines: true", '{"n": 0}\n{"n": 1}\n5\n{"n": 3}\n'),
    "an element that is not a map": ("", '[{"n": 0}, {"n": 1}, 5, {"n": 3}]'),
    "a root that is not a map": ("process_array: false", '{"n": 0} {"n": 1} [] {"n": 3}'),
    "a match that is not a map": ("filter_path: '$[*]'", '[{"n": 0}, {"n": 1}, 5, {"n": 3}]'),
}


@pytest.mark.parametrize("what", PARSED)
def test_the_documents_before_a_flaw_in_a_text_are_delivered(what: str, tmp_path: Path) -> None:
    settings, content = PARSED[what]
    (tmp_path / "in.json").write_text(content)
    text = f"""
    snaps:
      read: {{snap: FileReader, file: in.json}}
      parse: {{snap: JSONParser, {settings}}}
    links: [read -> parse]
    """
    _, failure, watching = run(tmp_path, text)
    assert failure is not None
    assert watching.outputs == {"parse.output": [{"n": 0}, {"n": 1}]}


@pytest.mark.parametrize("what", PARSED)
def test_the_documents_around_a_flaw_in_a_text_keep_their_order(what: str, tmp_path: Path) -> None:
    settings, content = PARSED[what]
    (tmp_path / "in.json").write_text(content)
    text = f"""
    snaps:
      read: {{snap: FileReader, file: in.json}}
      parse: {{snap: JSONParser, on_error: discard, {settings}}}
    links: [read -> parse]
    """
    report, failure, watching = run(tmp_path, text)
    assert failure is None
    assert watching.outputs == {"parse.output": [{"n": 0}, {"n": 1}, {"n": 3}]}
    assert report.snaps[1].errors == 1
