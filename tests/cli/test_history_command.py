"""`engine history` shows the outcome of the runs of a scheduled task."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.cli import main
from engine.errors import SnapFailedError
from engine.tasks.scheduled.history import History

MOMENT = datetime(2026, 5, 4, 2, 30, tzinfo=UTC)
SCHEDULED = """\
type: scheduled
pipeline: p.yaml
schedule: {every: 1h, timezone: Europe/Berlin}
"""


@pytest.fixture
def task(tmp_path: Path) -> Path:
    file = tmp_path / "nightly.yaml"
    file.write_text(SCHEDULED)
    return file


def failed(task: Path, state: Path, message: str) -> None:
    with History(state) as history:
        number = history.begin(str(task), MOMENT, MOMENT)
        assert number is not None
        history.finish(number, MOMENT + timedelta(seconds=3), "failed", message)


def shown(task: Path, state: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert main(["history", str(task), "--state", str(state)]) == 0
    return capsys.readouterr().out.splitlines()


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    assert main(["history", *map(str, arguments)]) == 2
    return capsys.readouterr().err


def test_the_latest_runs_are_shown_by_the_clock_of_the_schedule(
    task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failed(task, tmp_path / "state", "no disk\nmore of it")
    head, line = shown(task, tmp_path / "state", capsys)
    assert head.split() == ["scheduled", "at", "status", "seconds", "message"]
    assert line.split(maxsplit=3) == ["2026-05-04T04:30:00+02:00", "failed", "3.0", "no disk"]


def test_a_snap_that_failed_is_shown_with_the_reason(
    task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cause = "`$b` is not in the document\n  $b.c\n  ^^"
    failed(task, tmp_path / "state", str(SnapFailedError("m", "Mapper", "p.yaml:3:3", cause)))
    line = shown(task, tmp_path / "state", capsys)[1]
    assert line.endswith("snap 'm' (Mapper at p.yaml:3:3) failed: `$b` is not in the document")


def test_a_file_that_has_mistakes_by_now_keeps_its_history(
    task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failed(task, tmp_path / "state", "no disk")
    task.write_text("type: scheduld\n")
    assert shown(task, tmp_path / "state", capsys)[1].startswith("2026-05-04T02:30:00+00:00")


def test_a_task_that_never_ran_has_no_history_in_that_place(
    task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"
    History(state).close()
    assert main(["history", str(task), "--state", str(state)]) == 0
    assert capsys.readouterr().err == f"this task has no history yet in '{state}'\n"


def test_a_folder_without_history_is_reported_and_not_created(
    task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = refusal(capsys, task, "--state", tmp_path / "nosuch")
    assert f"no history of scheduled runs in '{tmp_path}/nosuch'" in message
    assert "'engine serve --state'" in message
    assert not (tmp_path / "nosuch").exists()


def test_the_folder_of_the_user_is_not_made_either(
    task: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    assert main(["history", str(task)]) == 0
    message = capsys.readouterr().err
    assert (
        f"this task has no history yet in '{tmp_path}/home/snapline'; if 'engine serve'" in message
    )
    assert not (tmp_path / "home").exists()


def test_a_missing_task_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is no task file" in refusal(capsys, tmp_path / "gone.yaml")


@pytest.mark.parametrize("number", ["0", "-3"])
def test_no_runs_cannot_be_asked_for(
    task: Path, capsys: pytest.CaptureFixture[str], number: str
) -> None:
    assert f"--runs must be at least 1, not {number}" in refusal(capsys, task, "--runs", number)


def test_more_runs_than_there_can_be_are_all_runs(
    task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failed(task, tmp_path / "state", "no disk")
    many = "9" * 30
    assert main(["history", str(task), "--state", str(tmp_path / "state"), "--runs", many]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("type: ultra\npipeline: p.yaml\n", "is of type 'ultra'; only scheduled tasks have"),
        ("type: triggered\npipeline: p.yaml\n", "is of type 'triggered'; only scheduled tasks"),
        ("snaps: {a: {snap: Copy}}\n", "is a pipeline file; only scheduled tasks have a history"),
        ("", "neither a pipeline"),
        ("type: scheduled\npipeline: p.yaml\n", "a scheduled task needs the setting 'schedule'"),
    ],
)
def test_a_file_that_cannot_have_a_history_is_explained(
    task: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    task.write_text(text)
    assert message in refusal(capsys, task)
