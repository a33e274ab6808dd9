"""Previews through the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from engine.cli import main
from tests.cli.terminals import Terminal


class Shown(NamedTuple):
    """What a preview printed: the documents by view, counts by snap, and the messages."""

    code: int
    items: dict[str, list[Any]]
    counts: dict[str, dict[str, Any]]
    out: str
    err: str


@pytest.fixture
def preview(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Shown]:
    """Previews a pipeline as JSON lines."""
    monkeypatch.chdir(tmp_path)

    def run(pipeline: str, *options: str) -> Shown:
        Path("p.yaml").write_text(f"pipeline: P\n{pipeline}")
        code = main(["preview", "p.yaml", *options])
        out, err = capsys.readouterr()
        items: dict[str, list[Any]] = {}
        counts = {}
        for line in map(json.loads, out.splitlines()):
            if "number" in line:
                found = items.setdefault(f"{line['label']}.{line['view']}", [])
                assert line["number"] > len(found)
                found.append(line.get("document", line))
            else:
                counts[line["label"]] = line
        return Shown(code, items, counts, out, err)

    return run


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Previews a pipeline on a terminal of some width."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")

    def run(pipeline: str, *options: str, columns: int = 80) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        Path("p.yaml").write_text(f"pipeline: P\n{pipeline}")
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", terminal := Terminal())
            main(["preview", "p.yaml", *options])
        return terminal.getvalue()

    return run
