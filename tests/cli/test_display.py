"""On a terminal: a line per snap, documents in colour and cut to a readable length."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

PIPELINE = """
pipeline: Watched
snaps:
  make: {snap: JSONGenerator, documents: [{a: 1}, {a: 2}, {a: 3}]}
  keep: {snap: Filter, filter: $a > 1}
  long: {snap: Mapper, mappings: {$a: $a, $text: "'x'.repeat(5000)"}}
links: [make -> keep -> long]
"""


def run_on_terminal(folder: Path, *arguments: str) -> tuple[int, str]:
    """The exit code of `engine` on a pseudo-terminal, and what it wrote there, without colours."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "engine", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "120"},
    )
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 65536):
            seen += chunk
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    return process.wait(timeout=60), re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode())


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
    assert '"a": 2,' in text
    assert "… (5,000 characters)" in text
    assert "x" * 300 not in text


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
