"""Processes that run a task: kept, reused, replaced, and never left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from engine.tasks.definition.task import Limits, Timeouts
from engine.tasks.triggered.triggered import TriggeredTask
from tests.tasks.hosting import Gate, documents, hosted, in_loop, is_alive, plan_of, request, turns

ECHO = "snaps: {echo: {snap: Mapper, pass_through: true, mappings: {$version: '1'}}}"
GATED = """
snaps:
  read: {snap: FileReader, file: gate}
  parse: {snap: JSONParser}
links: [read -> parse]
"""
SCRIPT = """
snaps:
  work: {snap: RemotePythonScript, script: work.py, env: [PID_FILE]}
"""
SLEEPS = """
import os, time

def snaplogic_process(row):
    print("working", flush=True)
    with open(os.environ["PID_FILE"], "w") as file:
        file.write(str(os.getpid()))
    time.sleep(600)
"""


def pids(task: TriggeredTask) -> list[int]:
    return [worker.process.pid for worker in task.instances if worker.process is not None]


@in_loop
async def test_one_process_does_one_run_after_another(tmp_path: Path) -> None:
    async with hosted(plan_of(tmp_path, ECHO)) as task:
        await task.answer(request())
        first = pids(task)
        for _ in range(20):
            assert (await task.answer(request(b'{"n": 1}'))).status == 200
        assert pids(task) == first
        assert len(first) == 1


@in_loop
async def test_as_many_processes_as_the_task_says_are_kept_warm(tmp_path: Path) -> None:
    async with hosted(plan_of(tmp_path, ECHO), instances=2) as task:
        assert not task.is_ready
        await turns(lambda: len(pids(task)) == 2 and task.is_ready)


@in_loop
async def test_more_processes_run_under_load_and_answers_stay_with_their_calls(
    tmp_path: Path,
) -> None:
    async with hosted(plan_of(tmp_path, ECHO), limits=Limits(concurrent=3)) as task:
        calls = (task.answer(request(b'{"n": %d}' % number)) for number in range(60))
        replies = await asyncio.gather(*calls)
        assert [documents(reply)[0]["n"] for reply in replies] == list(range(60))
        assert len(task.instances) <= 3


@in_loop
async def test_a_process_beyond_those_kept_ends_when_it_is_idle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.tasks.pool.generations.IDLE_SECONDS", 0.1)
    gate = Gate(tmp_path)
    async with hosted(plan_of(tmp_path, GATED)) as task:
        calls = [asyncio.create_task(task.answer(request())) for _ in range(2)]
        await turns(lambda: task.in_flight == 2)
        opening = asyncio.create_task(gate.stay_open())
        await asyncio.wait(calls)
        opening.cancel()
        await turns(lambda: len(task.instances) == 1)
        assert task.statistics.restarts == 0


@in_loop
async def test_a_process_that_dies_in_a_run_gives_500_and_is_replaced(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    async with hosted(plan_of(tmp_path, GATED)) as task:
        call = asyncio.create_task(task.answer(request()))
        await turns(lambda: task.in_flight)
        (pid,) = pids(task)
        os.kill(pid, signal.SIGKILL)
        reply = await call
        assert (reply.status, reply.outcome) == (500, "failed")
        assert documents(reply)["reason"] == "its process was killed by signal 9 (SIGKILL)"
        again = asyncio.create_task(task.answer(request()))
        await gate.open(b'{"n": 1}')
        assert documents(await again) == [{"n": 1}]
        assert task.statistics.restarts == 1


@in_loop
async def test_an_idle_process_that_dies_is_replaced(tmp_path: Path) -> None:
    async with hosted(plan_of(tmp_path, ECHO)) as task:
        await turns(lambda: task.is_ready)
        (pid,) = pids(task)
        os.kill(pid, signal.SIGKILL)
        await turns(lambda: task.is_ready and pids(task) and pids(task) != [pid])
        assert (await task.answer(request())).status == 200


@in_loop
async def test_the_children_of_a_run_that_is_broken_off_end_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "work.py").write_text(SLEEPS)
    pid_file = tmp_path / "pid_file"
    monkeypatch.setenv("PID_FILE", str(pid_file))
    caplog.set_level("INFO")
    async with hosted(plan_of(tmp_path, SCRIPT)) as task:
        call = asyncio.create_task(task.answer(request(b'{"n": 1}')))
        await turns(lambda: pid_file.exists() and pid_file.read_text())
        await turns(lambda: "working" in caplog.text)
        call.cancel()
        await turns(lambda: not is_alive(int(pid_file.read_text())))
        await turns(lambda: task.in_flight == 0)


@in_loop
async def test_runs_that_go_on_finish_the_old_plan_and_new_ones_use_the_new(
    tmp_path: Path,
) -> None:
    gate = Gate(tmp_path)
    async with hosted(plan_of(tmp_path, GATED)) as task:
        old = asyncio.create_task(task.answer(request()))
        await turns(lambda: task.in_flight)
        plan = plan_of(tmp_path, ECHO)
        two = msgspec.structs.replace(task.task, instances=2)
        assert await task.reload(two, plan)
        assert documents(await task.answer(request())) == [{"version": 1}]
        await gate.open(b'{"old": true}')
        assert documents(await old) == [{"old": True}]
        await turns(lambda: len(task.instances) == 2)
        assert task.statistics.restarts == 0


@in_loop
async def test_a_shutdown_waits_for_runs_and_queue_and_refuses_new_calls(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    async with hosted(plan_of(tmp_path, GATED), limits=Limits(concurrent=1)) as task:
        calls = [asyncio.create_task(task.answer(request())) for _ in range(2)]
        await turns(lambda: (task.in_flight, task.queue_depth) == (1, 1))
        draining = asyncio.create_task(task.drain(1000))
        await asyncio.sleep(0)
        assert (await task.answer(request())).status == 503
        for call in calls:
            await gate.open()
            assert (await call).status == 200
        await draining
        assert task.instances == []


@in_loop
async def test_a_shutdown_aborts_runs_that_do_not_end_in_time(tmp_path: Path) -> None:
    Gate(tmp_path)
    async with hosted(plan_of(tmp_path, GATED), limits=Limits(concurrent=1)) as task:
        calls = [asyncio.create_task(task.answer(request())) for _ in range(2)]
        await turns(lambda: (task.in_flight, task.queue_depth) == (1, 1))
        (pid,) = pids(task)
        await task.drain(0)
        assert [(await call).status for call in calls] == [503, 503]
        assert not is_alive(pid)


@in_loop
async def test_a_task_whose_process_cannot_start_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.tasks.pool.staffing.RUNS", "engine.tasks.none:main")
    async with hosted(plan_of(tmp_path, ECHO), limits=Limits(failures=2)) as task:
        reply = await task.answer(request())
        assert reply.status == 503
        assert task.disabled == "its process exited with code 1"
        assert (await task.answer(request())).status == 503
        monkeypatch.undo()
        assert await task.reload(task.task, plan_of(tmp_path, ECHO))
        assert (await task.answer(request())).status == 200


@in_loop
async def test_a_process_that_never_becomes_ready_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.tasks.pool.staffing.RUNS", "tests.tasks.hosting:never_ready")
    slow = Timeouts(start=0.3)
    async with hosted(plan_of(tmp_path, ECHO), timeouts=slow, limits=Limits(failures=1)) as task:
        assert (await task.answer(request())).status == 503
        assert task.disabled == "it was not ready within 0.3 seconds and was killed"
        assert not await task.reload(task.task, plan_of(tmp_path, ECHO))


FRONT = """
import asyncio, sys
from engine import api
from engine.tasks.pool.statistics import TaskStatistics
from engine.tasks.definition.task import Task
from engine.tasks.triggered.triggered import TriggeredTask
from tests.tasks.hosting import request

async def main():
    plan = api.compile_plan(sys.argv[1])
    task = Task(name="task", pipeline=plan.path, path=plan.path, type="triggered")
    triggered = TriggeredTask(task, plan, TaskStatistics())
    triggered.start()
    call = asyncio.create_task(triggered.answer(request()))
    while not triggered.in_flight:
        await asyncio.sleep(0.005)
    print(triggered.instances[0].process.pid, flush=True)
    await call

asyncio.run(main())
"""


@in_loop
async def test_a_process_ends_by_itself_when_the_front_is_killed(tmp_path: Path) -> None:
    Gate(tmp_path)
    plan = plan_of(tmp_path, GATED)
    root = Path(__file__).parents[2]
    front = subprocess.Popen(
        [sys.executable, "-c", FRONT, plan.path], stdout=subprocess.PIPE, cwd=root
    )
    with front:
        assert front.stdout is not None
        pid = int(await asyncio.to_thread(front.stdout.readline))
        assert is_alive(pid)
        front.kill()
    await turns(lambda: not is_alive(pid))
