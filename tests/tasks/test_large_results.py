"""Large results of triggered tasks are streamed, and a run ends when its caller is gone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from engine.errors import ExecutionError
from engine.tasks.definition.task import Limits
from engine.tasks.triggered.triggered import RunBody
from tests.tasks.hosting import GATED, Gate, hosted, in_loop, plan_of, request, turns

MANY_LINES = b'{"text": "%b"}\n' % (b"x" * 90) * 50_000
PARSED = """
snaps:
  read: {snap: FileReader, file: many.json}
  parse: {snap: JSONParser, json_lines: true}
links: [read -> parse]
"""


def large_pipeline(folder: Path, megabytes: int) -> str:
    with (folder / "large.bin").open("wb") as file:
        file.truncate(megabytes * 1024 * 1024)
    return "snaps: {read: {snap: FileReader, file: large.bin}}"


@in_loop
async def test_a_large_result_streams_and_needs_little_memory(tmp_path: Path) -> None:
    async with hosted(plan_of(tmp_path, large_pipeline(tmp_path, 100))) as task:
        await turns(lambda: task.is_ready)
        worker = task.instances[0]
        assert worker.process is not None
        before = peak_memory(worker.process.pid)
        reply = await task.answer(request())
        assert isinstance(reply.body, RunBody)
        size = most_held = 0
        async for piece in reply.body:
            size += len(piece)
            most_held = max(most_held, reply.body.run.held)
        assert size == 100 * 1024 * 1024
        assert most_held < 2 * 1024 * 1024
        assert peak_memory(worker.process.pid) - before < 20 * 1024 * 1024
        assert (task.in_flight, task.statistics.restarts) == (0, 0)


def peak_memory(pid: int) -> int:
    """In bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024


@in_loop
async def test_many_documents_stream_as_one_array(tmp_path: Path) -> None:
    (tmp_path / "many.json").write_bytes(MANY_LINES)
    async with hosted(plan_of(tmp_path, PARSED)) as task:
        reply = await task.answer(request())
        assert isinstance(reply.body, RunBody)
        result = msgspec.json.decode(b"".join([piece async for piece in reply.body]))
    assert result == [{"text": "x" * 90}] * 50_000


@in_loop
async def test_a_failure_after_the_first_megabyte_breaks_the_body(tmp_path: Path) -> None:
    (tmp_path / "many.json").write_bytes(MANY_LINES + b"{broken")
    async with hosted(plan_of(tmp_path, PARSED)) as task:
        reply = await task.answer(request())
        assert isinstance(reply.body, RunBody)
        with pytest.raises(ExecutionError, match="the result is incomplete"):
            async for _ in reply.body:
                pass


@in_loop
async def test_a_run_whose_caller_has_gone_is_broken_off(tmp_path: Path) -> None:
    async with hosted(plan_of(tmp_path, large_pipeline(tmp_path, 10))) as task:
        reply = await task.answer(request())
        assert isinstance(reply.body, RunBody)
        await anext(reply.body)
        assert task.in_flight == 1
        await reply.body.aclose()
        await turns(lambda: task.in_flight == 0)


@in_loop
async def test_a_call_that_is_given_up_ends_its_run(tmp_path: Path) -> None:
    Gate(tmp_path)
    async with hosted(plan_of(tmp_path, GATED), limits=Limits(concurrent=1)) as task:
        running, waiting = (asyncio.create_task(task.answer(request())) for _ in range(2))
        await turns(lambda: task.in_flight == 1)
        waiting.cancel()
        running.cancel()
        await turns(lambda: (task.in_flight, task.queue_depth) == (0, 0))
