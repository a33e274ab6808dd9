"""The history of scheduled runs over restarts, crashes and several servers."""

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from engine.errors import ConfigurationError, ExecutionError
from engine.tasks.scheduled import history as history_module
from engine.tasks.scheduled.history import History, default_folder

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
TASK = "/project/tasks/nightly.yaml"
DIES_WHILE_RUNNING = """
import os, signal, sys
from datetime import UTC, datetime
from engine.tasks.scheduled.history import History

history = History(sys.argv[1])
noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
history.begin("/project/tasks/nightly.yaml", noon, noon)
os.kill(os.getpid(), signal.SIGKILL)
"""
BEGINS_MANY = """
import sys
from datetime import UTC, datetime, timedelta
from engine.tasks.scheduled import history as history_module
from engine.tasks.scheduled.history import History

noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
history_module._LOCK_TIMEOUT = 240.0
begun = 0
sys.stdin.read(1)
with History(sys.argv[1]) as history:
    for minute in range(100):
        run = history.begin("task", noon + timedelta(minutes=minute), noon)
        if run is not None:
            begun += 1
            history.finish(run, noon, "completed")
print(begun)
"""


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_a_run_begins_and_ends(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        run = history.begin(TASK, NOON, after(1))
        assert run is not None
        begun = history.last(TASK)
        assert begun is not None
        assert (begun.status, begun.scheduled_at, begun.started_at) == ("running", NOON, after(1))
        assert begun.finished_at is None
        history.finish(run, after(2), "failed", "no such file", {"out": 3, "errors": {"a": 1}})
        ended = history.last(TASK)
        assert ended is not None
        assert (ended.status, ended.message, ended.finished_at) == (
            "failed",
            "no such file",
            after(2),
        )
        assert ended.counts == {"out": 3, "errors": {"a": 1}}


def test_the_history_outlives_the_server(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        run = history.begin(TASK, NOON, NOON)
        assert run is not None
        history.finish(run, after(1), "completed")
    with History(tmp_path) as history:
        last = history.last(TASK)
        assert last is not None
        assert last.status == "completed"
        assert history.begin(TASK, NOON, after(2)) is None


def test_a_task_without_runs_has_no_last_one(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        assert history.last(TASK) is None
        assert history.recent(TASK) == []


def test_recent_runs_come_latest_first_and_only_those_of_the_task(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.note(TASK, after(2), "skipped", "the run before is not over")
        history.note(TASK, after(1), "misfired", "2 runs were missed")
        history.begin("another", after(3), after(3))
        statuses = [(run.scheduled_at, run.status) for run in history.recent(TASK)]
        assert statuses == [(after(2), "skipped"), (after(1), "misfired")]
        assert len(history.recent(TASK, 1)) == 1


def test_times_of_other_zones_are_the_same_times(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.begin(TASK, NOON.astimezone(ZoneInfo("Europe/Berlin")), NOON)
        assert history.begin(TASK, NOON, NOON) is None
        last = history.last(TASK)
        assert last is not None
        assert last.scheduled_at == NOON


def test_only_the_latest_runs_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "MAX_RUNS_KEPT", 3)
    with History(tmp_path) as history:
        history.begin(TASK, NOON, NOON)
        history.note("another", NOON, "skipped", "")
        for minute in range(1, 7):
            history.note(TASK, after(minute), "skipped", "")
        kept = [run.scheduled_at for run in history.recent(TASK)]
        assert kept == [after(6), after(5), after(4), NOON]  # the last one still runs
        assert len(history.recent("another")) == 1


def test_a_run_of_a_server_that_was_killed_is_lost(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", DIES_WHILE_RUNNING, str(tmp_path)], check=False)
    with History(tmp_path) as history:
        last = history.last(TASK)
        assert last is not None
        assert (last.status, last.message) == ("lost", "the server ended before the run did")
        assert len(list((tmp_path / "servers").iterdir())) == 1


def test_a_run_of_a_server_that_lives_goes_on(tmp_path: Path) -> None:
    with History(tmp_path) as one, History(tmp_path) as other:
        run = one.begin(TASK, NOON, NOON)
        assert other.running(TASK) == 1
        assert other.begin(TASK, NOON, NOON) is None
        assert run is not None
        one.finish(run, after(1), "stopped")
        assert other.running(TASK) == 0


def test_a_server_that_dies_while_others_live_does_not_hold_them_up(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        subprocess.run([sys.executable, "-c", DIES_WHILE_RUNNING, str(tmp_path)], check=False)
        assert history.running(TASK) == 0
        last = history.last(TASK)
        assert last is not None
        assert last.status == "lost"


def test_a_scheduled_time_is_run_by_one_of_several_servers(tmp_path: Path) -> None:
    servers = [
        subprocess.Popen(
            [sys.executable, "-c", BEGINS_MANY, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for server in servers:
        assert server.stdin is not None
        server.stdin.write("go")
        server.stdin.flush()
    outputs = [server.communicate(timeout=240)[0] for server in servers]
    assert [server.returncode for server in servers] == [0] * 4
    assert sum(int(output) for output in outputs) == 100


def test_a_file_that_is_not_a_database_is_reported(tmp_path: Path) -> None:
    (tmp_path / "history.sqlite").write_text("no database " * 1000)
    with pytest.raises(ConfigurationError, match=r"history\.sqlite' cannot be used.*move the file"):
        History(tmp_path)


def test_a_folder_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"cannot be used: .*; give --state a .*/file'"):
        History(tmp_path / "file")


def test_without_a_folder_of_its_own_the_variable_is_the_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(ConfigurationError, match=r"cannot be used: .*; set XDG_STATE_HOME"):
        History()


def test_a_folder_in_place_of_the_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "history.sqlite").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be used: Is a directory"):
        History(tmp_path)


def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    History(tmp_path).close()
    database = sqlite3.connect(tmp_path / "history.sqlite")
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(ConfigurationError, match="written by a newer version"):
        History(tmp_path)


def test_a_failure_later_on_stops_only_what_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_module, "_LOCK_TIMEOUT", 0.05)
    with History(tmp_path) as history:
        other = sqlite3.connect(tmp_path / "history.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(
            ExecutionError, match="database is locked; another process has locked it"
        ):
            history.begin(TASK, NOON, NOON)
        other.execute("ROLLBACK")
        other.close()
        assert history.begin(TASK, NOON, NOON) is not None


def test_the_folder_is_that_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "snapline"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/ann")
    assert default_folder() == Path("/home/ann/.local/state/snapline")
