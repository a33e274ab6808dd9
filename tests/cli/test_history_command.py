"""`engine history` shows what became of the runs of a scheduled task."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.cli import main
from engine.tasks.runs.history import History


@pytest.fixture
def task(tmp_path: Path) -> Path:
    file = tmp_path / "nightly.yaml"
    file.write_text("type: scheduled\n")
    return file


def test_the_latest_runs_are_shown(
    task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history = History(tmp_path / "state")
    moment = datetime(2026, 5, 4, 2, 30, tzinfo=UTC)
    number = history.begin(str(task), moment, moment)
    assert number is not None
    history.finish(number, moment + timedelta(seconds=3), "failed", "no disk\nmore of it")
    history.close()
    assert main(["history", str(task), "--state", str(tmp_path / "state")]) == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["scheduled", "at", "(UTC)", "status", "seconds", "message"]
    assert line.split(maxsplit=4) == ["2026-05-04", "02:30:00", "failed", "3.0", "no disk"]


def test_a_task_that_never_ran_has_no_history(
    task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["history", str(task), "--state", str(tmp_path / "state")]) == 0
    assert capsys.readouterr().err == "this task has no history yet\n"


def test_a_missing_task_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", str(tmp_path / "gone.yaml")]) == 2
    assert "there is no task file" in capsys.readouterr().err
