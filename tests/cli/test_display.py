"""On a terminal: a line per snap, documents in colour and cut to a readable length."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from engine.cli.display import PlainDisplay
from engine.run.report import Report, SnapStatistics
from engine.run.secrets import Secrets

PIPELINE = """
pipeline: Watched
snaps:
  make: {snap: JSONGenerator, documents: [{a: 1}, {a: 2}, {a: 3}]}
  keep: {snap: Filter, filter: $a > 1}
  long: {snap: Mapper, mappings: {$a: $a, $text: "'x'.repeat(5000)"}}
links: [make -> keep -> long]
"""


def run_on_terminal(
    folder: Path, *arguments: str, width: int = 120, keep_colours: bool = False
) -> tuple[int, str]:
    """The exit code of `engine` on a pseudo-terminal, and what it wrote there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "engine", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm", "COLUMNS": str(width)},
    )
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 65536):
            seen += chunk
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    text = seen.decode()
    if not keep_colours:
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    return process.wait(timeout=240), text


def test_a_terminal_shows_a_line_for_each_snap(tmp_path: Path) -> None:
    (tmp_path / "watched.yaml").write_text(PIPELINE)
    code, text = run_on_terminal(tmp_path, "run", "watched.yaml")
    assert code == 0
    assert re.search(r"✓\s+make\s+1\s+3\s+0\s+0", text)
    assert re.search(r"✓\s+keep\s+3\s+2\s+1\s+0", text)
    assert "Watched: completed" in text


def test_a_terminal_shows_documents_readably(tmp_path: Path) -> None:
    (tmp_path / "watched.yaml").write_text(PIPELINE)
    _, text = run_on_terminal(tmp_path, "run", "watched.yaml")
    assert '"a" : 2,' in text
    assert "… (5,000 characters)" in text
    assert "x" * 300 not in text


def test_a_terminal_shows_all_digits_of_numbers(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("snaps: {keep: {snap: Filter, filter: 'true'}}")
    (tmp_path / "in.json").write_text('{"a": 12345678901234567890.12340}')
    _, text = run_on_terminal(tmp_path, "run", "p.yaml", "--input", "in.json")
    assert '"a" : 12345678901234567890.12340' in text


def test_a_terminal_shows_why_the_pipeline_failed(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("snaps: {one: {snap: Mapper, mappings: {$a: $nothing}}}")
    code, text = run_on_terminal(tmp_path, "run", "bad.yaml")
    assert code == 1
    assert "$nothing" in text
    assert re.search(r"✗\s+one", text)


def test_a_binary_output_is_not_wiped_by_the_table(tmp_path: Path) -> None:
    (tmp_path / "bin.yaml").write_text("""
    snaps:
      make: {snap: JSONGenerator, documents: [{a: 1}, {a: 2}]}
      text: {snap: JSONFormatter}
    links: [make -> text]
    """)
    _, text = run_on_terminal(tmp_path, "run", "bin.yaml")
    assert '[{"a":1},{"a":2}]\r\n' in text


def test_a_narrow_terminal_drops_figures_before_it_cuts_labels(tmp_path: Path) -> None:
    (tmp_path / "long.yaml").write_text("""
    snaps:
      customers_of_last_year: {snap: JSONGenerator, documents: [{a: 1}]}
      only_those_who_paid: {snap: Filter, filter: $a > 0}
    links: [customers_of_last_year -> only_those_who_paid]
    """)
    _, text = run_on_terminal(tmp_path, "run", "long.yaml", width=40)
    assert re.search(r"✓\s+customers_of_last_year\s+1\s+0\r", text)
    assert re.search(r"snap\s+in\s+errors\r", text)
    _, text = run_on_terminal(tmp_path, "run", "long.yaml", width=55)
    assert re.search(r"snap\s+in\s+out\s+dropped\s+errors\r", text)


def test_a_terminal_names_each_of_several_outputs(tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text("""
    snaps:
      left: {snap: JSONGenerator, documents: [{a: 1}]}
      right: {snap: JSONGenerator, documents: [{b: 2}]}
    """)
    _, text = run_on_terminal(tmp_path, "run", "two.yaml")
    assert re.search(r'\[left\.output\].*"a" : 1', text, re.DOTALL)
    assert re.search(r'\[right\.output\].*"b" : 2', text, re.DOTALL)


class SettableClock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_log_gets_a_line_of_progress_every_half_minute() -> None:
    clock, log = SettableClock(), io.StringIO()
    display = PlainDisplay(io.StringIO(), log, [], clock)
    snaps = [
        SnapStatistics("read", "FileReader", {"input": 1}, {"output": 1}),
        SnapStatistics("parse", "JSONParser"),
    ]
    report = Report("Nightly", "ruuid", snaps)
    display.started(report, Secrets())
    for clock.now in range(30):
        display.progress.tick()
    assert log.getvalue() == ""
    snaps[1].inputs, snaps[1].outputs, snaps[1].errors = {"input": 1}, {"output": 5000}, 2
    for clock.now in range(30, 90):
        display.progress.tick()
    display.finished(report)
    done = "read 1 in 1 out, parse 1 in 5,000 out, 2 failed"
    assert log.getvalue().splitlines()[:2] == [
        f"Nightly: running for 30 s ({done})",
        f"Nightly: running for 60 s ({done})",
    ]
    assert "running for 90 s" not in log.getvalue()


def test_a_failure_of_a_quiet_run_is_broken_between_words(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("snaps: {rows: {snap: Mapper, mappings: {$a: $b.c}}}")
    code, seen = run_on_terminal(tmp_path, "run", "p.yaml", "--quiet", width=40)
    lines = seen.replace("\r", "").splitlines()
    assert code == 1
    assert lines[:2] == [
        "snap 'rows' (Mapper at p.yaml:1:9)",
        "    failed on document 1, for the target",
    ]
    assert max(map(len, lines)) <= 40
