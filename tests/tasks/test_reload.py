"""A reload of a running server, and what `engine tasks` says of one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.tasks.callers import in_background, metric, post
from tests.tasks.conftest import END_SECONDS, Serve
from tests.tasks.slow_pipelines import echo, pipeline


def test_a_reload_changes_the_pipeline_and_loses_no_request(serve: Serve, tmp_path: Path) -> None:
    served = serve(echo(tmp_path, "old"))
    over = threading.Event()

    def keep_asking() -> list[tuple[int, Any]]:
        answers: list[tuple[int, Any]] = []
        while not over.is_set():
            answers.append(post(served, "echo", id=len(answers)))
        return answers

    asking = [in_background(keep_asking) for _ in range(4)]
    served.wait_for(lambda: post(served, "echo", id=0)[1]["word"] == "old")
    echo(tmp_path, "new")
    served.signal(signal.SIGHUP)
    served.wait_for(lambda: post(served, "echo", id=0)[1]["word"] == "new")
    over.set()
    for call in asking:
        call.join()
        assert [(status, answer["id"]) for status, answer in call.result] == [
            (200, number) for number in range(len(call.result))
        ]
        words = [answer["word"] for _, answer in call.result]
        assert words == sorted(words, reverse=True)  # never back from new to old
    served.wait_for(lambda: "task reloaded" in served.stderr)


def test_a_reload_of_files_with_mistakes_changes_nothing(serve: Serve, tmp_path: Path) -> None:
    file = echo(tmp_path, "old")
    served = serve(file)
    file.write_text("pipeline: Echo\nsnaps:\n  a: {snap: Mappr}\n")
    served.signal(signal.SIGHUP)
    served.wait_for(lambda: "all tasks stay as they were" in served.stderr)
    served.wait_for(lambda: "echo.yaml:3:13  unknown-snap" in served.stderr)
    assert post(served, "echo", id=1) == (200, {"id": 1, "word": "old"})


def test_many_signals_are_few_reloads(serve: Serve, tmp_path: Path) -> None:
    served = serve(echo(tmp_path, "old"))
    for _ in range(30):
        served.signal(signal.SIGHUP)
    echo(tmp_path, "new")
    served.signal(signal.SIGHUP)
    served.wait_for(lambda: post(served, "echo", id=0)[1]["word"] == "new")
    assert served.stderr.count("reloading the files") <= 10


def test_a_task_that_loses_its_token_in_a_reload_is_reported(serve: Serve, tmp_path: Path) -> None:
    echo(tmp_path, "old")
    file = tmp_path / "guarded.yaml"
    beginning = "name: guarded\ntype: ultra\npipeline: echo.yaml\n"
    file.write_text(beginning + "bearer_token: ${env:TOKEN}\n")
    served = serve(file, environment={"TOKEN": "word"})
    file.write_text(beginning)  # as an editor leaves it for a moment
    served.signal(signal.SIGHUP)
    served.wait_for(lambda: "guarded: warning: everybody may call it now" in served.stderr)


def test_a_server_that_ends_reloads_no_more(serve: Serve, tmp_path: Path) -> None:
    served = serve(pipeline(tmp_path))
    call = in_background(post, served, "slow", id=5, waits=True)
    served.wait_for(lambda: metric(served, 'snapline_in_flight{task="slow"}') == 1)
    served.signal(signal.SIGTERM)
    served.wait_for(lambda: "shutting down" in served.stderr)
    served.signal(signal.SIGHUP)
    (tmp_path / "go").touch()
    call.join()
    assert call.result == (200, {"id": 5})
    assert served.process.wait(END_SECONDS) == 0
    assert "reloading" not in served.stderr


def test_a_reload_takes_the_new_text_of_a_module(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "words.yaml"
    file.write_text(
        "pipeline: words\nsnaps:\n  answer:\n    snap: RemotePythonScript\n"
        "    modules: [words.py]\n"
        "    source: |\n"
        "      import words\n"
        "      def snaplogic_process(row): return {'word': words.word}\n"
    )
    (tmp_path / "words.py").write_text("word = 'old'\n")
    served = serve(file)
    assert post(served, "words") == (200, {"word": "old"})
    (tmp_path / "words.py").write_text("word = 'new'\n")
    assert post(served, "words") == (200, {"word": "old"})
    served.signal(signal.SIGHUP)
    served.wait_for(lambda: post(served, "words") == (200, {"word": "new"}))


def test_a_reload_to_a_script_that_fails_keeps_the_old_one(serve: Serve, tmp_path: Path) -> None:
    file = pipeline(tmp_path)
    served = serve(file)
    (tmp_path / "slow.py").write_text("raise ValueError('worse')\n")
    served.signal(signal.SIGHUP)
    served.wait_for(lambda: "the task stays as it was" in served.stderr)
    assert post(served, "slow", id=1) == (200, {"id": 1})


@pytest.mark.parametrize("form", ["table", "json"])
def test_engine_tasks_shows_what_runs(
    form: str, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = serve(echo(tmp_path, "x"), "--instances", "2")
    for number in range(3):
        post(served, "echo", id=number)
    runtime = Path(f"/proc/{served.pid}/environ").read_text().split("XDG_RUNTIME_DIR=")[1]
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime.split("\0")[0])
    command = [sys.executable, "-m", "engine", "tasks", *(["--json"] if form == "json" else [])]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    if form == "json":
        state = json.loads(shown)
        (task,) = state["tasks"]
        assert (state["pid"], task["url"]) == (served.pid, f"{served.url}/tasks/echo")
        assert (task["instances"], task["requests"], task["errors"]) == (2, 3, 0)
    else:
        assert f"{served.url}/tasks/echo" in shown
        assert "ready" in shown


def test_engine_tasks_says_whether_all_tasks_are_ready(serve: Serve, tmp_path: Path) -> None:
    def check(runtime: str) -> tuple[int, str]:
        environment = {**os.environ, "XDG_RUNTIME_DIR": runtime}
        command = [sys.executable, "-m", "engine", "tasks", "--ready"]
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False
        )
        return ended.returncode, ended.stdout + ended.stderr

    assert check(str(tmp_path)) == (1, "no server is running\n")
    served = serve(echo(tmp_path, "new"))
    runtime = Path(f"/proc/{served.pid}/environ").read_text().partition("XDG_RUNTIME_DIR=")[2]
    assert check(runtime.partition("\0")[0]) == (0, "")
