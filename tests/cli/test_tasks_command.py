"""`engine tasks` shows the tasks that the servers of this user host."""

from __future__ import annotations

import json

import pytest

from engine.cli import main
from engine.tasks.server import control
from engine.tasks.server.states import ServerState, TaskState

NEXT = "2026-11-23T07:30:00+01:00"


def hosting(monkeypatch: pytest.MonkeyPatch, task: TaskState) -> None:
    server = ServerState(4711, "http://127.0.0.1:8080", [task])
    monkeypatch.setattr(control, "servers", lambda: iter([server]))


def task(kind: str, next_run: str | None = None, url: str = "") -> TaskState:
    return TaskState(
        name="wake",
        type=kind,
        pipeline="wake.yaml",
        url=url,
        state="ready",
        instances=0,
        requests=4,
        errors=1,
        queued=0,
        p50=None,
        p99=None,
        next_run=next_run,
    )


def test_the_next_run_of_a_scheduled_task_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hosting(monkeypatch, task("scheduled", NEXT))
    assert main(["tasks"]) == 0
    head, line = capsys.readouterr().out.splitlines()
    assert line.index(NEXT) == head.index("next run")
    assert line.split()[4:7] == ["0", "4", "1"]
    assert head.split()[6:9] == ["processes", "requests/runs", "errors"]


def test_a_schedule_that_is_over_has_no_next_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hosting(monkeypatch, task("scheduled"))
    assert main(["tasks"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:4] == [
        "wake",
        "scheduled",
        "ready",
        "none",
    ]


def test_a_task_that_is_called_has_no_next_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hosting(monkeypatch, task("ultra", url="http://127.0.0.1:8080/tasks/wake"))
    assert main(["tasks"]) == 0
    line = capsys.readouterr().out.splitlines()[1]
    assert line.split()[3:5] == ["http://127.0.0.1:8080/tasks/wake", "0"]


def test_the_json_contains_the_next_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hosting(monkeypatch, task("scheduled", NEXT))
    assert main(["tasks", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tasks"][0]["next_run"] == NEXT
