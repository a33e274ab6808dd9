"""What was made before a failure is delivered, and a failure costs only what failed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from engine.sdk import Batch, Document, Snap, Views
from engine.sdk.settings import NoSettings
from tests.run.flowing import run


class FailsAt(Snap[NoSettings]):
    """Raises an exception at one document. Keeps state, so that the pipeline must end."""

    def process(self, document: Document) -> Document:
        if document["n"] == 500:
            raise ValueError("it is the 500th")
        return document


class BreaksOff(Snap[NoSettings]):
    """A source that raises an exception after three documents."""

    views = Views(inputs=())

    def start(self) -> Iterator[Document]:
        for number in range(3):
            yield {"n": number}
        raise OSError("the source is gone")


def test_the_documents_of_a_source_before_an_exception_are_delivered(tmp_path: Path) -> None:
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
    "a filter that returns a number": "{snap: Filter, filter: '$n == 500 ? 5 : true'}",
    "a third-party snap": "{snap: FailsAt}",
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
    """An endless source."""

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
    ("settings", "bad"),
    [
        ("content_path: $.text", {"n": 150}),
        ("header: {$name: $text.length}", {"text": None}),
    ],
)
def test_the_streams_of_documents_before_a_failure_are_delivered(
    settings: str, bad: Document, tmp_path: Path
) -> None:
    text = f"""
    snaps:
      format: {{snap: JSONFormatter, format_each_document: true, {settings}}}
    """
    documents: list[Document] = [{"text": "abc"} for _ in range(200)]
    documents[150] = bad
    _, failure, watching = run(tmp_path, text, inputs={"format": documents})
    assert "on document 151" in str(failure)
    assert len(watching.outputs["format.output"]) == 150 * 3


def test_bad_documents_in_an_array_cost_only_themselves(tmp_path: Path) -> None:
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
def test_the_documents_before_a_mistake_in_a_text_are_delivered(what: str, tmp_path: Path) -> None:
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
def test_the_documents_around_a_mistake_in_a_text_keep_their_order(
    what: str, tmp_path: Path
) -> None:
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
