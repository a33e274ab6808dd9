"""`-` stands for a pipeline on standard input in run, preview and validate."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from engine.cli import main

DOUBLE = """
snaps:
  read: {snap: FileReader, file: in.json}
  parse: {snap: JSONParser}
  double: {snap: Mapper, mappings: {$m: $n * 2}}
links: [read -> parse -> double]
"""


class Printed(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def piped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Printed]:
    """Runs a command with a pipeline on standard input, in a folder with `in.json`."""
    monkeypatch.chdir(tmp_path)
    Path("in.json").write_text('[{"n": 1}, {"n": 2}]')

    def run(pipeline: str, *arguments: str) -> Printed:
        stream = io.TextIOWrapper(io.BytesIO(pipeline.encode()), encoding="utf-8")
        monkeypatch.setattr(sys, "stdin", stream)
        code = main(arguments)
        return Printed(code, *capsys.readouterr())

    return run


def test_a_pipeline_on_standard_input_reads_files_of_the_current_folder(
    piped: Callable[..., Printed],
) -> None:
    assert piped(DOUBLE, "run", "-", "--quiet") == (0, '{"m":2}\n{"m":4}\n', "")


def test_its_problems_have_places(piped: Callable[..., Printed]) -> None:
    printed = piped("snaps:\n  a: {snap: Mapper, mapings: {}}\n", "run", "-")
    assert printed.code == 2
    assert "<stdin>:2:21  unknown-setting  Mapper: there is no setting 'mapings'" in printed.err


def test_failures_of_its_snaps_have_places(piped: Callable[..., Printed]) -> None:
    printed = piped(DOUBLE.replace("$n * 2", "$x * 2"), "run", "-", "--quiet")
    assert printed.code == 1
    assert "snap 'double' (Mapper at <stdin>:5:3) failed on document 1" in printed.err


def test_a_part_of_it_runs_and_a_page_is_written(piped: Callable[..., Printed]) -> None:
    options = "--to", "parse", "--limit", "1", "--quiet", "--html", "page.html"
    assert piped(DOUBLE, "run", "-", *options).out == '{"n":1}\n'
    assert "double" in Path("page.html").read_text()


def test_it_may_be_previewed(piped: Callable[..., Printed]) -> None:
    lines = piped(DOUBLE, "preview", "-", "--to", "double").out.splitlines()
    documents = [shown["document"] for shown in map(json.loads, lines) if "document" in shown]
    assert documents == [{"n": 1}, {"n": 2}, {"m": 2}, {"m": 4}]


def test_it_may_be_checked_together_with_files(piped: Callable[..., Printed]) -> None:
    Path("p.yaml").write_text(DOUBLE)
    printed = piped("snaps: {a: {snap: Nope}}", "validate", "p.yaml", "-")
    assert printed.code == 2
    assert printed.out == "p.yaml: ok\n<stdin>: 1 error\n"
    assert "<stdin>:1:19  unknown-snap" in printed.err


@pytest.mark.parametrize("command", ["run", "preview"])
def test_standard_input_cannot_be_pipeline_and_documents(
    piped: Callable[..., Printed], command: str
) -> None:
    pipeline = "snaps: {double: {snap: Mapper, mappings: {$m: $n}}}"
    printed = piped(pipeline, command, "-", "--input", "-")
    assert printed.code == 2
    assert "--input -: standard input is the pipeline; give the documents in a file" in printed.err


@pytest.mark.parametrize("command", ["run", "preview"])
def test_standard_input_cannot_be_watched(piped: Callable[..., Printed], command: str) -> None:
    printed = piped(DOUBLE, command, "-", "--watch")
    assert printed.code == 2
    assert "--watch reads the pipeline again and again; give a file, not -" in printed.err


def test_an_empty_standard_input_is_no_pipeline(piped: Callable[..., Printed]) -> None:
    printed = piped("", "run", "-")
    assert printed.code == 2
    assert "<stdin>:1:1  empty-file  the file contains no pipeline" in printed.err


def test_a_closed_standard_input_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["run", "-"]) == 2
    assert "standard input is closed, so no pipeline can be read from it" in capsys.readouterr().err


def test_quiet_shows_documents_warnings_taps_and_nothing_else(
    piped: Callable[..., Printed],
) -> None:
    pipeline = DOUBLE.replace("mappings: {$m: $n * 2}", "mappings: {$m: $n * 2}, on_error: route")
    printed = piped(pipeline, "run", "-", "--quiet", "--dry-run", "--tap", "parse")
    assert printed.out == '{"m":2}\n{"m":4}\n'
    warning, *shown = [line for line in printed.err.splitlines() if not line.startswith("  ")]
    assert warning.startswith("<stdin>:5:")
    assert [json.loads(line)["document"] for line in shown] == [{"n": 1}, {"n": 2}]
