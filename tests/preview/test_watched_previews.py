"""`engine preview --watch` previews again after each change, and marks what is different."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.cli import preview
from tests.cli.terminals import Terminal
from tests.cli.watched import Edit, watch

PIPELINE = """
pipeline: P
snaps:
  read: {snap: FileReader, file: a.jsonl}
  parse: {snap: JSONParser, json_lines: true}
  keep: {snap: Filter, filter: $n > 1}
  twice: {snap: Mapper, mappings: {$n: $n * 2}}
links: [read -> parse -> keep -> twice]
"""
Watched = Callable[..., list[list[dict[str, Any]]]]


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(PIPELINE)
    Path("a.jsonl").write_text('{"n": 1}\n{"n": 2}\n{"n": 3}\n')


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Watched:
    """The counts that each preview printed, with what has changed."""

    def run(edits: Sequence[Edit], *options: str) -> list[list[dict[str, Any]]]:
        assert watch(monkeypatch, ["preview", "p.yaml", "--watch", *options], edits) == 0
        previews: list[list[dict[str, Any]]] = []
        for line in map(json.loads, capsys.readouterr().out.splitlines()):
            if "number" not in line:
                if line["label"] == "read":
                    previews.append([])
                previews[-1].append(line)
        return previews

    return run


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Callable[[Sequence[Edit]], str]:
    """What a terminal shows."""

    def run(edits: Sequence[Edit]) -> str:
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setenv("COLUMNS", "80")
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", terminal := Terminal())
            assert watch(monkeypatch, ["preview", "p.yaml", "--watch"], edits) == 0
        return terminal.getvalue()

    return run


def _write(name: str, text: str) -> Edit:
    return lambda: Path(name).write_text(text)


def _changes(preview: list[dict[str, Any]]) -> dict[str, Any]:
    return {line["label"]: line["changes"] for line in preview if line.get("changes")}


def test_ctrl_c_ends_it(watched: Watched) -> None:
    assert len(watched([])) == 1


def test_a_saved_pipeline_is_previewed_again_from_the_change_on(watched: Watched) -> None:
    first, second = watched([_write("p.yaml", PIPELINE.replace("* 2", "* 100"))])
    assert [line.get("reused", False) for line in second] == [True, True, True, False]
    assert "changes" not in first[0]
    assert _changes(second) == {"twice": {"output": {"new": 0, "changed": 2, "gone": 0}}}


def test_a_changed_input_is_read_again(watched: Watched) -> None:
    _, second = watched([_write("a.jsonl", '{"n": 1}\n{"n": 5}\n{"n": 3}\n{"n": 4}\n')])
    assert _changes(second)["keep"] == {"output": {"new": 1, "changed": 1, "gone": 0}}
    assert _changes(second)["parse"] == {"output": {"new": 1, "changed": 1, "gone": 0}}


def test_documents_that_are_gone_are_counted(watched: Watched) -> None:
    _, second = watched([_write("a.jsonl", '{"n": 2}\n')])
    assert _changes(second)["twice"] == {"output": {"new": 0, "changed": 0, "gone": 1}}


def test_pins_are_watched_before_they_exist(watched: Watched) -> None:
    Path("pinned.json").write_text('[{"n": 7}]')
    _, second, third = watched(
        [
            _write("p.preview.yaml", "pins: {parse: {file: pinned.json}}\n"),
            _write("pinned.json", '[{"n": 9}]'),
        ]
    )
    assert [line["out"] for line in second] == [0, 1, 1, 1]
    assert _changes(third)["twice"] == {"output": {"new": 0, "changed": 1, "gone": 0}}


def test_a_script_and_its_neighbours_are_watched(watched: Watched) -> None:
    Path("s.py").write_text(
        "import other\ndef snaplogic_process(row):\n    return {'n': other.n}\n"
    )
    Path("other.py").write_text("n = 1\n")
    mapper = "twice: {snap: Mapper, mappings: {$n: $n * 2}}"
    script = "twice: {snap: RemotePythonScript, script: s.py}"
    Path("p.yaml").write_text(PIPELINE.replace(mapper, script))
    _, second = watched([_write("other.py", "n = 1000\n")])
    assert _changes(second) == {"twice": {"output": {"new": 0, "changed": 2, "gone": 0}}}


def test_a_half_written_file_shows_its_problems_and_keeps_the_last_preview(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(sys.stderr, "write", shown.append)
    previews = watched(
        [
            _write("p.yaml", PIPELINE.replace("$n * 2", "$n * ")),
            _write("p.yaml", PIPELINE.replace("$n * 2", "$n * 100")),
        ]
    )
    assert len(previews) == 2
    assert _changes(previews[1]) == {"twice": {"output": {"new": 0, "changed": 2, "gone": 0}}}
    text = "".join(shown)
    assert "p.yaml:7:" in text
    assert "the preview could not start; what was shown last is still there" in text


def test_a_pipeline_that_is_gone_for_a_moment_is_waited_for(watched: Watched) -> None:
    assert len(watched([lambda: Path("p.yaml").unlink(), _write("p.yaml", PIPELINE)])) == 2


def test_a_changed_snap_class_restarts_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("own.py").write_text("")
    started: list[list[str]] = []
    monkeypatch.setattr(preview, "own_code", lambda *_: ["own.py"])
    monkeypatch.setattr(os, "execv", lambda program, given: started.append(given))
    edits = [_write("own.py", "# changed\n")]
    assert watch(monkeypatch, ["preview", "p.yaml", "--watch"], edits) == 0
    assert started == [[sys.executable, *sys.orig_argv[1:]]]


def test_standard_input_cannot_be_watched(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert watch(monkeypatch, ["preview", "p.yaml", "--watch", "--input", "-"], []) == 2
    assert "--watch reads its input again and again; give a file, not -" in capsys.readouterr().err


def test_a_terminal_shows_only_changed_snaps_and_marks_documents(
    screen: Callable[[Sequence[Edit]], str],
) -> None:
    changed = '{"n": 1}\n{"n": 2}\n{"n": 4}\n{"n": 5}\n'
    shown = screen([_write("a.jsonl", changed), _write("p.yaml", PIPELINE + "# a comment\n")])
    assert (
        "twice  Mapper  3 in · 3 out\n  since the last preview: 1 changed, 1 new\n"
        "       n\n   1   4\n  ~2   8\n  +3  10\n"
    ) in shown
    assert shown.endswith(
        "parse  JSONParser  1 in · 4 out · as before\n"
        "keep  Filter  4 in · 3 out · 1 dropped · as before\n"
        "twice  Mapper  3 in · 3 out · as before\n"
        "\n4 snaps from the last preview, none run\n"
    )
