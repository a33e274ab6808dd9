"""`engine run --watch` runs again after each change, and stops a run that is in progress."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from engine.cli import watching
from tests.cli.watched import watch

PIPELINE = """
snaps:
  make: {snap: JSONGenerator, documents: [{n: 1}]}
  add: {snap: Mapper, mappings: {$n: $n + 1}}
links: [make -> add]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(PIPELINE)


def test_a_saved_pipeline_runs_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def save() -> None:
        Path("p.yaml").write_text(PIPELINE.replace("+ 1", "+ 10"))

    assert watch(monkeypatch, ["run", "p.yaml", "--watch", "--quiet"], [save]) == 0
    found = capsys.readouterr()
    assert found.out == '{"n":2}\n{"n":11}\n'
    assert "watching 1 file; press Ctrl+C to end" in found.err
    assert " · p.yaml ──" in found.err


def test_a_mistake_is_shown_and_the_next_save_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    edits = [
        lambda: Path("p.yaml").write_text(PIPELINE.replace("+ 1", "+")),
        lambda: Path("p.yaml").write_text(PIPELINE.replace("+ 1", "+ 5")),
    ]
    assert watch(monkeypatch, ["run", "p.yaml", "--watch", "--quiet"], edits) == 0
    found = capsys.readouterr()
    assert found.out == '{"n":2}\n{"n":6}\n'
    assert "p.yaml:4:" in found.err


def test_a_library_is_watched(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("own.expr").write_text("{add: n => n + 1}")
    Path("p.yaml").write_text(
        "libraries: {own: own.expr}" + PIPELINE.replace("$n + 1", "lib.own.add($n)")
    )
    edits = [lambda: Path("own.expr").write_text("{add: n => n + 7}")]
    assert watch(monkeypatch, ["run", "p.yaml", "--watch", "--quiet"], edits) == 0
    assert capsys.readouterr().out == '{"n":2}\n{"n":8}\n'


def test_what_is_read_is_watched_and_what_is_written_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("in.json").write_text('[{"n": 1}]')
    Path("p.yaml").write_text("""
snaps:
  read: {snap: FileReader, file: in.json}
  parse: {snap: JSONParser}
  format: {snap: JSONFormatter}
  write: {snap: FileWriter, file: out.json}
links: [read -> parse -> format -> write]
""")
    edits = [lambda: Path("in.json").write_text('[{"n": 2}]'), lambda: None]
    assert watch(monkeypatch, ["run", "p.yaml", "--watch", "--quiet"], edits) == 0
    assert Path("out.json").read_text() == '[{"n":2}]'
    assert capsys.readouterr().err.count("── ") == 1


def test_a_change_stops_a_run_that_is_in_progress(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(watching, "SECONDS", 0.01)
    os.mkfifo("endless")
    Path("p.yaml").write_text("""
snaps:
  read: {snap: FileReader, file: endless}
  parse: {snap: JSONParser, json_lines: true}
links: [read -> parse]
""")
    is_over = threading.Event()

    def feed() -> None:
        with Path("endless").open("wb", buffering=0) as pipe:
            pipe.write(b'{"n": 1}\n')
            Path("p.yaml").write_text(PIPELINE)
            is_over.wait(240)

    thread = threading.Thread(target=feed)
    thread.start()
    assert watch(monkeypatch, ["run", "p.yaml", "--watch", "--quiet"], []) == 0
    is_over.set()
    thread.join()
    assert capsys.readouterr().out.endswith('{"n":2}\n')
