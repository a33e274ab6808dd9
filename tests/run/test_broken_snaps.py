"""An exception in a snap names the place and the document, and fails only that document."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.errors import SnapFailedError
from engine.sdk import Batch, Document, Settings, Snap
from tests.run.flowing import registry_with, run


class NoSettings(Settings):
    """Nothing to set."""


class Divides(Snap[NoSettings]):
    stateful = False

    def process(self, document: Document) -> Document:
        return {"x": 1 / document["n"]}  # the line that fails


class DividesBatches(Snap[NoSettings]):
    stateful = False

    def process_batch(self, view: str, batch: Batch) -> Batch:
        return batch.with_items([{"x": 1 / document["n"]} for document in batch.items])


class Counts(Snap[NoSettings]):
    """Keeps state, so that it cannot go on after an exception."""

    def process(self, document: Document) -> Document:
        return {"x": 1 / document["n"]}


def documents(*numbers: int, **fields: Any) -> list[Document]:
    return [{"n": number, **fields} for number in numbers]


@pytest.mark.parametrize("snap", ["Divides", "DividesBatches", "Counts"])
def test_the_message_names_file_line_source_and_document(snap: str, tmp_path: Path) -> None:
    text = f"snaps: {{one: {{snap: {snap}}}}}"
    _, failure, watching = run(
        tmp_path, text, Divides, DividesBatches, Counts, inputs={"one": documents(1, 2, 0, 4)}
    )
    said = str(failure)
    assert f"snap 'one' ({snap} at {tmp_path}/pipeline.yaml:1:9) failed on document 3" in said
    assert "ZeroDivisionError: division by zero" in said
    assert f'File "{__file__}", line ' in said
    assert '{"x": 1 / document["n"]}' in said
    assert 'the document: {"n":0}' in said
    assert "bug in the snap itself" in said
    assert watching.outputs == {"one.output": [{"x": 1.0}, {"x": 0.5}]}


def test_no_frame_of_the_engine_is_shown(tmp_path: Path) -> None:
    text = "snaps: {one: {snap: Divides}}"
    _, failure, _ = run(tmp_path, text, Divides, inputs={"one": documents(0)})
    assert "sdk/snap.py" not in str(failure)
    assert isinstance(failure, SnapFailedError)
    assert "sdk/snap.py" in failure.trace


@pytest.mark.parametrize("snap", ["Divides", "DividesBatches"])
def test_a_snap_without_state_fails_only_the_document(snap: str, tmp_path: Path) -> None:
    text = f"""
    snaps:
      one: {{snap: {snap}, on_error: route}}
      dead: {{snap: Union}}
    links: [one.error -> dead]
    """
    _, failure, watching = run(
        tmp_path, text, Divides, DividesBatches, inputs={"one": documents(1, 0, 2)}
    )
    assert failure is None
    assert watching.outputs["one.output"] == [{"x": 1.0}, {"x": 0.5}]
    (error,) = watching.outputs["dead.output"]
    assert error["reason"] == "ZeroDivisionError: division by zero"
    assert error["original"] == {"n": 0}
    assert error["snap_details"] == {"label": "one"}
    assert 'document["n"]' in error["stacktrace"]


def test_a_snap_with_state_ends_the_pipeline_whatever_on_error_says(tmp_path: Path) -> None:
    text = "snaps: {one: {snap: Counts, on_error: discard}}"
    _, failure, _ = run(tmp_path, text, Counts, inputs={"one": documents(1, 0, 2)})
    assert "failed on document 2" in str(failure)


def test_a_document_is_numbered_across_batches(tmp_path: Path) -> None:
    text = "snaps: {one: {snap: Divides}}"
    given = documents(*[1] * 250, 0)
    _, failure, _ = run(tmp_path, text, Divides, inputs={"one": given})
    assert "failed on document 251" in str(failure)


def test_a_secret_is_masked_in_the_document_and_the_trace(tmp_path: Path) -> None:
    text = """
    parameters: {token: {secret: true, required: true}}
    snaps:
      add: {snap: Mapper, pass_through: true, mappings: {$token: _token}}
      one: {snap: Divides}
    links: [add -> one]
    """
    (tmp_path / "pipeline.yaml").write_text(text)
    with pytest.raises(SnapFailedError) as secret:
        api.run(
            tmp_path / "pipeline.yaml",
            registry_with(Divides),
            parameters={"token": "hunter22"},
            inputs={"add": documents(0)},
        )
    assert "hunter22" not in str(secret.value) + secret.value.trace
    assert '"token":"***"' in str(secret.value)


def test_documents_after_a_failure_reach_the_next_snap_in_batches(tmp_path: Path) -> None:
    sizes: list[int] = []

    class Measures(Snap[NoSettings]):
        stateful = False

        def process_batch(self, view: str, batch: Batch) -> Batch:
            sizes.append(len(batch))
            return batch

    text = """
    snaps:
      one: {snap: DividesBatches, on_error: discard}
      two: {snap: Measures}
    links: [one -> two]
    """
    numbers = [n % 16 for n in range(1600)]
    _, failure, watching = run(
        tmp_path, text, DividesBatches, Measures, inputs={"one": documents(*numbers)}
    )
    assert failure is None
    assert len(watching.outputs["two.output"]) == sum(sizes) == 1500
    assert len(sizes) < 300


class Recurses(Snap[NoSettings]):
    stateful = False

    def process(self, document: Document) -> Document:
        return self.process(document)


class TakesNothing(Snap[NoSettings]):
    stateful = False

    def process(self) -> Document:  # type: ignore[override]
        return {}


def test_a_trace_of_many_calls_shows_its_ends(tmp_path: Path) -> None:
    text = "snaps: {one: {snap: Recurses}}"
    _, failure, _ = run(tmp_path, text, Recurses, inputs={"one": documents(1)})
    assert str(failure).count("in process\n") == 20
    assert re.search(r"\n  \[\d+ more calls\]\n", str(failure))


def test_an_exception_before_the_first_line_names_the_file_of_the_snap(tmp_path: Path) -> None:
    text = "snaps: {one: {snap: TakesNothing}}"
    _, failure, _ = run(tmp_path, text, TakesNothing, inputs={"one": documents(1)})
    assert f"fix it in {__file__}\n" in str(failure)


class RaisesGroup(Snap[NoSettings]):
    stateful = False

    def process(self, document: Document) -> Document:
        raise ExceptionGroup("two fields", [ValueError("no name"), KeyError("price")])


def test_the_exceptions_of_a_group_are_named(tmp_path: Path) -> None:
    text = "snaps: {one: {snap: RaisesGroup}}"
    _, failure, _ = run(tmp_path, text, RaisesGroup, inputs={"one": documents(1)})
    said = "ExceptionGroup: two fields (2 sub-exceptions); ValueError: no name; KeyError: 'price'"
    assert said in str(failure)
