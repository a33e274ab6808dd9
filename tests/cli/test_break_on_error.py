"""`engine run --break-on-error` stops at documents that fail, and asks what to do."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from engine.cli import break_prompt, main
from engine.cli.break_prompt import Breaking

SHAPE = """
pipeline: Shape
snaps:
  make: {snap: JSONGenerator, documents: [{n: 1}, {s: two}, {n: 3}, {s: four}, {n: 5}]}
  shape:
    snap: Mapper
    mappings:
      $m: $n * 2
  after: {snap: Mapper, mappings: {$m: $m}}
links: [make -> shape -> after]
"""
LINES = """
snaps:
  read: {snap: FileReader, file: in.jsonl}
  parse: {snap: JSONParser, json_lines: true}
  shape: {snap: Mapper, mappings: {$m: $n}, on_error: discard}
  format: {snap: JSONFormatter, json_lines: true}
  write: {snap: FileWriter, file: out.jsonl}
links: [read -> parse -> shape -> format -> write]
"""
SCRIPT = """
snaps:
  make: {snap: JSONGenerator, documents: [{n: 1}, {n: 0}, {n: 2}]}
  divide:
    snap: RemotePythonScript
    source: |
      def snaplogic_process(row):
          return {"q": 2 / row["n"]}
links: [make -> divide]
"""


class Answers:
    """A terminal at which a person types these lines, and nothing more."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)
        self.shown = ""

    def write(self, text: str) -> None:
        self.shown += text

    def read_line(self) -> str | None:
        return self.lines.pop(0) if self.lines else None

    def end(self) -> None: ...

    @property
    def questions(self) -> int:
        return self.shown.count("? > ")


class Run(NamedTuple):
    code: int
    documents: list[Any]
    terminal: Answers
    err: str
    counts: dict[str, dict[str, Any]]


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Run]:
    """Runs a pipeline, while a person answers."""
    monkeypatch.chdir(tmp_path)

    def run_answered(pipeline: str, *answers: str, options: tuple[str, ...] = ()) -> Run:
        terminal = Answers(*answers)

        @contextmanager
        def breaking() -> Iterator[Breaking]:
            yield Breaking(terminal)  # type: ignore[arg-type]

        monkeypatch.setattr(break_prompt, "breaking", breaking)
        Path("p.yaml").write_text(pipeline)
        arguments = ["--break-on-error", "--quiet", "--report", "report.json", *options]
        code = main(["run", "p.yaml", *arguments])
        out, err = capsys.readouterr()
        report = json.loads(Path("report.json").read_text())
        counts = {snap["label"]: snap for snap in report["snaps"]}
        return Run(code, list(map(json.loads, out.splitlines())), terminal, err, counts)

    return run_answered


def test_the_document_the_failure_and_the_settings_are_shown(run: Callable[..., Run]) -> None:
    ran = run(SHAPE, "stop")
    shown = ran.terminal.shown
    assert "snap 'shape' (Mapper at p.yaml:5:3) failed on document 2, for the target '$m'" in shown
    assert "p.yaml:8:11\n`$n` is not in the document" in shown
    assert (
        "    5    shape:\n    6      snap: Mapper\n    7      mappings:\n    8        $m:" in shown
    )
    assert "the document:\n  s: two\n" in shown
    assert "after" not in shown


def test_lines_are_broken_between_words(
    run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    shown = run(SHAPE.replace("$n * 2", "$n * 2 + 1000000 + 2000000"), "stop").terminal.shown
    lines = [line for line in shown.splitlines() if "? > " not in line]
    assert max(map(len, lines)) <= 40
    assert "    8        $m: $n * 2 + 1000000 +\n         2000000\n" in shown


def test_a_document_does_not_command_the_terminal(run: Callable[..., Run]) -> None:
    made = 'snaps: {make: {snap: JSONGenerator, documents: [{s: "x\\e]0;owned\\a"}]},'
    shape = "shape: {snap: Mapper, mappings: {$d: Date.parse($s)}}}"
    ran = run(f"{made} {shape}\nlinks: [make -> shape]\n", "$s", "'\x1b[2J'", "stop")
    assert "owned" in ran.terminal.shown
    assert not {"\x1b", "\a"} & set(ran.terminal.shown)


def test_a_skipped_document_is_dropped_and_the_run_goes_on(run: Callable[..., Run]) -> None:
    ran = run(SHAPE, "skip", "s")
    assert ran.code == 0
    assert ran.documents == [{"m": 2}, {"m": 6}, {"m": 10}]
    counts = ran.counts["shape"]
    assert (counts["in"], counts["out"], counts["dropped"], counts["errors"]) == (5, 3, 2, 0)
    assert ran.terminal.questions == 2


def test_to_continue_is_to_do_what_on_error_says(run: Callable[..., Run]) -> None:
    stopped = run(SHAPE, "skip", "continue")
    assert stopped.code == 1
    assert "failed on document 4" in stopped.err
    discarding = SHAPE.replace("snap: Mapper\n", "snap: Mapper\n    on_error: discard\n")
    discarded = run(discarding, "", "c")
    assert discarded.code == 0
    assert discarded.counts["shape"]["errors"] == 2


def test_after_all_nobody_is_asked_again(run: Callable[..., Run]) -> None:
    discarding = SHAPE.replace("snap: Mapper\n", "snap: Mapper\n    on_error: discard\n")
    ran = run(discarding, "all")
    assert ran.code == 0
    assert ran.terminal.questions == 1
    assert ran.counts["shape"]["errors"] == 2


@pytest.mark.parametrize("answers", [["stop"], ["q"], []])
def test_the_run_ends_on_stop_and_when_the_terminal_does(
    run: Callable[..., Run], answers: list[str]
) -> None:
    discarding = SHAPE.replace("snap: Mapper\n", "snap: Mapper\n    on_error: discard\n")
    ran = run(discarding, *answers)
    assert ran.code == 1
    assert ran.err.startswith("snap 'shape' (Mapper at p.yaml:5:3) failed on document 2")


def test_expressions_are_evaluated_on_the_document(run: Callable[..., Run]) -> None:
    ran = run(SHAPE, "$s.length", "eval $s + '!'", "$nope", "_x", "d", "?", "stop")
    shown = ran.terminal.shown
    assert "? > 3\n" in shown
    assert '? > "two!"\n' in shown
    assert "`$nope` is not in the document" in shown
    assert shown.count("the document:\n  s: two\n") == 2
    assert "continue (c, Enter)  go on as the snap's on_error says: stop" in shown


def test_secrets_are_masked_in_documents_and_values(run: Callable[..., Run]) -> None:
    pipeline = (
        "parameters: {token: {required: true, secret: true}}\n"
        "snaps:\n  make: {snap: JSONGenerator, documents: [{t: hunter2-hunter2}]}\n"
        "  shape: {snap: Mapper, mappings: {$m: $nope}}\nlinks: [make -> shape]\n"
    )
    ran = run(pipeline, "$t", "_token", "stop", options=("--param", "token=hunter2-hunter2"))
    assert "hunter2" not in ran.terminal.shown
    assert ran.terminal.shown.count('"***"') == 2


def test_lines_that_would_run_as_one_function_are_asked_about(run: Callable[..., Run]) -> None:
    lines = ['{"n": 1}' if n % 2_000 else '{"x": 1}' for n in range(4_000)]
    Path("in.jsonl").write_text("\n".join(lines))
    ran = run(LINES, "skip", "continue")
    assert ran.code == 0
    assert ran.terminal.questions == 2
    assert (ran.counts["shape"]["dropped"], ran.counts["shape"]["errors"]) == (1, 1)


def test_rows_that_fail_in_a_script_are_asked_about(run: Callable[..., Run]) -> None:
    ran = run(SCRIPT, "$n", "skip")
    assert ran.code == 0
    assert ran.documents == [{"q": 2.0}, {"q": 1.0}]
    assert "ZeroDivisionError" in ran.terminal.shown
    assert "? > 0\n" in ran.terminal.shown


def test_documents_that_fail_in_a_child_pipeline_are_asked_about(run: Callable[..., Run]) -> None:
    Path("child.yaml").write_text("snaps: {inner: {snap: Mapper, mappings: {$m: $n}}}")
    parent = """
    snaps:
      make: {snap: JSONGenerator, documents: [{n: 1}, {s: two}]}
      each: {snap: PipelineExecute, pipeline: child.yaml}
    links: [make -> each]
    """
    ran = run(parent, "skip")
    assert ran.code == 0
    assert "snap 'inner' (Mapper at " in " ".join(ran.terminal.shown.split())
    assert ran.terminal.questions == 1


def test_without_a_terminal_nothing_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(break_prompt, "TERMINAL", str(tmp_path / "none"))
    (tmp_path / "p.yaml").write_text(SHAPE)
    assert main(["run", str(tmp_path / "p.yaml"), "--break-on-error"]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == (
        "",
        "engine: --break-on-error needs a terminal, and this process has none\n",
    )


_AT_TERMINAL = (
    "import fcntl, os, sys, termios\n"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])\n"
)


def at_a_terminal(folder: Path, pipeline: str, typed: bytes) -> tuple[int, str]:
    """Run in a process with a terminal, and type that when it asks; its exit code and output."""
    (folder / "p.yaml").write_text(pipeline)
    command = ["-m", "engine", "run", "p.yaml", "--break-on-error", "--quiet"]
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _AT_TERMINAL, *command],
        cwd=folder,
        stdin=end,
        stdout=end,
        stderr=end,
        start_new_session=True,
    )
    os.close(end)
    shown = b""
    with suppress(OSError):  # the process has ended
        while part := os.read(terminal, 4096):
            shown += part
            if typed and shown.endswith(b"? > "):
                os.write(terminal, typed)
                typed = b""
    os.close(terminal)
    return process.wait(), shown.decode()


@pytest.mark.parametrize("pipeline", [SHAPE, SCRIPT], ids=["on the loop", "in a thread"])
def test_ctrl_c_at_the_prompt_stops_the_run(tmp_path: Path, pipeline: str) -> None:
    code, shown = at_a_terminal(tmp_path, pipeline, b"\x03")
    assert code == 130
    assert shown.rstrip().endswith("stopped")


def test_ctrl_d_at_the_prompt_ends_the_run(tmp_path: Path) -> None:
    code, shown = at_a_terminal(tmp_path, SHAPE, b"\x04")
    assert code == 1
    assert shown.count("failed on document 2") == 2
