"""Hints keep their changes between processes, and are plain strings in documents and outputs."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from engine.cli import main
from engine.errors import DataError, EvaluationError
from engine.hints import Hint, Replacement, fixes_of
from engine.testing import run_pipeline

FIX = Replacement("new", "old")


def test_a_hint_crosses_processes_with_its_changes() -> None:
    hint = pickle.loads(pickle.dumps(Hint("write new", [FIX])))
    assert hint == "write new"
    assert fixes_of(hint) == (FIX,)


def test_plain_text_has_no_changes() -> None:
    assert fixes_of("write new") == ()


@pytest.mark.parametrize(
    "error",
    [DataError("failed", "why", Hint("do", [FIX])), EvaluationError("why", hint=Hint("do", [FIX]))],
    ids=["data", "expression"],
)
def test_an_error_document_holds_a_plain_string(error: DataError) -> None:
    assert type(error.report()["resolution"]) is str
    assert type(pickle.loads(pickle.dumps(error)).report()["resolution"]) is str


def test_problems_as_json_hold_plain_strings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("snaps: {a: {snap: Filtr}}\n")
    assert main(["validate", "--format", "json", str(file)]) == 2
    assert json.loads(capsys.readouterr().out)[0]["hint"] == "did you mean 'Filter'?"


def test_a_mistake_in_a_lenient_pipeline_fails_its_documents_with_the_hint() -> None:
    text = """
        lenient: true
        snaps:
          make: {snap: JSONGenerator, documents: [{a: 1}]}
          map: {snap: Mapper, mappings: {$b: len($a)}}
          write: {snap: JSONFormatter}
        links: [make -> map, map.error -> write]
    """
    outputs = run_pipeline(text).outputs
    assert "write $a.length" in str(outputs)
