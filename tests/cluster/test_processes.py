"""The processes of workers: forks of a process that does nothing but the run, or of a new one."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine import api
from engine.cluster.processes import Processes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")

PIPELINE = """\
snaps:
  number: {snap: Sequence, number_of_documents: 50}
  square: {snap: RemotePythonScript, copies: any, script: square.py}
links:
  - number -> square
"""
SCRIPT = """\
import os
from pathlib import Path

pid = os.getpid()
while not (name := Path(f"/proc/{pid}/comm").read_text()).startswith("worker "):
    pid = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
title = Path(f"/proc/{pid}/cmdline").read_text().replace("\\0", " ")


def snaplogic_process(row):
    threads = os.environ["OMP_NUM_THREADS"]
    return {"square": row["value"] ** 2, "title": title, "threads": threads}
"""


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    (tmp_path / "squares.yaml").write_text(PIPELINE)
    (tmp_path / "square.py").write_text(SCRIPT)
    return tmp_path / "squares.yaml"


def run(pipeline: Path, *, may_fork: bool) -> list[dict[str, object]]:
    placement = Processes(may_fork=may_fork)
    report, failure = asyncio.run(api.start(str(pipeline), workers=2, placement=placement))
    assert failure is None
    documents: list[dict[str, object]] = report.outputs["square.output"]
    assert [each["square"] for each in documents] == [n**2 for n in range(1, 51)]
    return documents


def test_workers_of_a_program_are_those_of_a_new_process(pipeline: Path) -> None:
    documents = run(pipeline, may_fork=False)
    assert all(f"engine workers of {os.getpid()} " in str(each["title"]) for each in documents)


def test_workers_start_without_asyncio() -> None:
    """It takes a tenth of their start, and is for the run only."""
    code = "import sys, engine.cluster.process_worker; sys.exit('asyncio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_process_with_threads_is_not_forked(pipeline: Path) -> None:
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        documents = run(pipeline, may_fork=True)
    finally:
        end.set()
        thread.join()
    assert all(f"engine workers of {os.getpid()} " in str(each["title"]) for each in documents)


def test_a_command_that_does_nothing_but_the_run_is_forked(pipeline: Path) -> None:
    command = [sys.executable, "-m", "engine", "run", "squares.yaml", "--workers", "2"]
    done = subprocess.run(command, cwd=pipeline.parent, capture_output=True, text=True, check=True)
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["square"] for each in documents] == [n**2 for n in range(1, 51)]
    assert all("engine run squares.yaml --workers 2" in each["title"] for each in documents)


def test_copies_of_a_script_share_the_cores(
    pipeline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    documents = run(pipeline, may_fork=False)
    each = max(1, len(os.sched_getaffinity(0)) // 2)
    assert {document["threads"] for document in documents} == {str(each)}


def test_threads_that_the_user_has_chosen_stay(
    pipeline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert {document["threads"] for document in run(pipeline, may_fork=False)} == {"7"}
