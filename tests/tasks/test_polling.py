"""Calls that are answered 202: where to poll, what is kept, for whom, and for how long."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ExecutionError
from engine.tasks.definition.task import Limits, Timeouts
from engine.tasks.definition.task_file import parse_task
from engine.tasks.front.reply import error_reply
from tests.tasks.callers import post
from tests.tasks.conftest import Serve
from tests.tasks.fronted import Fronted, ManualTask, fronted
from tests.tasks.hosting import in_loop, turns
from tests.tasks.wire import Answer, message

ASYNC = ("Prefer", "respond-async")


def bearer(token: str) -> tuple[str, str]:
    return "Authorization", f"Bearer {token}"


async def started(front: Fronted, *headers: tuple[str, str]) -> str:
    """The address of a new run."""
    answer = await front.ask("POST", "/tasks/report", [ASYNC, *headers], b"{}")
    assert answer.status == 202
    return answer.header("location")[0]


async def polled(front: Fronted, href: str, state: str) -> Answer:
    """The answer of a poll once the run is in this state."""
    while (answer := await front.ask("GET", href)).json["state"] != state:
        await asyncio.sleep(0.005)
    return answer


@in_loop
async def test_a_call_is_answered_202_and_its_result_can_be_fetched() -> None:
    task = ManualTask()
    async with fronted(task) as front:
        answer = await front.ask("POST", "/tasks/report", [ASYNC], b'{"n": 1}')
        (href,) = answer.header("location")
        assert (answer.status, answer.json["state"]) == (202, "running")
        assert answer.header("preference-applied") == ["respond-async"]
        assert answer.header("retry-after") == ["1"]
        assert task.requests[0].body == b'{"n": 1}'
        early = await front.ask("GET", f"{href}/result")
        assert (early.status, early.json["error"]) == (409, "there is no result of the run yet")
        task.answer(b'{"n":2}', 201)
        status = (await polled(front, href, "completed")).json
        assert (status["status"], status["result"]) == (201, f"{href}/result")
        assert status["started"] <= status["ended"] < status["expires"]
        result = await front.ask("GET", status["result"])
        assert (result.status, result.body, result.header("x-run")) == (201, b'{"n":2}', ["1"])
        assert (await front.ask("HEAD", status["result"])).status == 201
    assert task.statistics.requests[202, "accepted"] == 1
    assert task.statistics.requests[201, "answered"] >= 1


@in_loop
async def test_a_task_may_always_answer_202() -> None:
    task = ManualTask(response="poll")
    async with fronted(task) as front:
        answer = await front.ask("POST", "/tasks/report", [], b"{}")
        assert (answer.status, answer.header("preference-applied")) == (202, [])


@in_loop
async def test_without_the_preference_the_caller_waits() -> None:
    task = ManualTask()
    async with fronted(task) as front:
        asking = asyncio.create_task(front.ask("POST", "/tasks/report", [], b"{}"))
        await task.arrived(1)
        task.answer()
        assert (await asking).status == 200


@in_loop
async def test_a_caller_that_waits_a_little_gets_the_result_if_it_comes_in_time() -> None:
    task = ManualTask()
    async with fronted(task) as front:
        prefer = ("Prefer", "respond-async, wait=30")
        asking = asyncio.create_task(front.ask("POST", "/tasks/report", [prefer], b"{}"))
        await task.arrived(1)
        task.answer()
        assert (await asking).status == 200
        late = await front.ask("POST", "/tasks/report", [("Prefer", "wait=1,respond-async")])
        assert late.status == 202


@in_loop
async def test_a_call_that_is_refused_gets_no_address() -> None:
    task = ManualTask()
    task.refusal = error_reply(503, "the queue of the task is full")
    async with fronted(task) as front:
        answer = await front.ask("POST", "/tasks/report", [ASYNC])
        assert (answer.status, answer.header("location")) == (503, [])


@in_loop
async def test_a_failed_run_is_told_by_its_state_and_its_result() -> None:
    task = ManualTask()
    async with fronted(task) as front:
        href = await started(front)
        task.answer(b'{"error":"it failed"}', 500)
        assert (await polled(front, href, "failed")).json["status"] == 500
        result = await front.ask("GET", f"{href}/result")
        assert (result.status, result.json["error"]) == (500, "it failed")


@in_loop
async def test_a_run_can_be_followed_by_the_id_of_the_request_that_started_it() -> None:
    task = ManualTask()
    async with fronted(task) as front:
        named = ("X-Request-Id", "order-1")
        begun = await front.ask("POST", "/tasks/report", [ASYNC, named])
        assert begun.json["request_id"] == "order-1"
        await task.arrived(1)
        task.answer(b'{"error":"it failed"}', 500)
        status = await polled(front, begun.json["href"], "failed")
        assert status.json["request_id"] == "order-1"
        result = await front.ask("GET", status.json["result"], [("X-Request-Id", "poll-1")])
        assert result.body == b'{"error":"it failed","request_id":"order-1"}'
        assert result.header("x-request-id") == ["poll-1"]


@in_loop
async def test_delete_ends_a_run_and_forgets_a_result() -> None:
    task = ManualTask()
    async with fronted(task) as front:
        href = await started(front)
        assert (await front.ask("DELETE", href)).status == 204
        assert task.withdrawn == [task.requests[0].id]
        assert (await front.ask("GET", href)).status == 404
        href = await started(front)
        task.answer()
        await polled(front, href, "completed")
        assert (await front.ask("DELETE", href)).status == 204
        assert (await front.ask("GET", f"{href}/result")).status == 404
        assert len(task.withdrawn) == 1


@in_loop
async def test_runs_are_hidden_from_callers_with_another_token() -> None:
    mine, other = ManualTask(bearer_token="a"), ManualTask(name="other")
    async with fronted(mine, other) as front:
        href = await started(front, bearer("a"))
        assert (await front.ask("GET", href)).status == 401
        assert (await front.ask("GET", href, [bearer("b")])).status == 401
        assert (await front.ask("GET", href, [bearer("a")])).status == 200
        elsewhere = href.replace("/report/", "/other/")
        assert (await front.ask("GET", elsewhere, [bearer("a")])).status == 404
        assert (await front.ask("DELETE", elsewhere, [bearer("a")])).status == 404


@in_loop
async def test_of_a_task_without_a_token_the_header_tells_callers_apart() -> None:
    task = ManualTask()
    async with fronted(task) as front:
        href = await started(front, bearer("a"))
        assert (await front.ask("GET", href, [bearer("b")])).status == 404
        assert (await front.ask("GET", href, [bearer("a")])).status == 200


@in_loop
async def test_old_results_make_room_but_runs_in_progress_do_not() -> None:
    task = ManualTask(limits=Limits(results=2))
    async with fronted(task) as front:
        first = await started(front)
        task.answer()
        await polled(front, first, "completed")
        await started(front)
        await started(front)
        assert (await front.ask("GET", first)).status == 404
        answer = await front.ask("POST", "/tasks/report", [ASYNC])
        assert (answer.status, answer.header("retry-after")) == (503, ["1"])
        assert answer.json["reason"] == "at most 2 callers may poll"
        assert len(task.requests) == 3


@in_loop
async def test_results_that_are_too_large_together_are_forgotten_oldest_first() -> None:
    task = ManualTask(limits=Limits(results_size=1000))
    async with fronted(task) as front:
        first = await started(front)
        task.answer(bytes(800))
        await polled(front, first, "completed")
        second = await started(front)
        task.answer(bytes(400))
        await polled(front, second, "completed")
        assert (await front.ask("GET", first)).status == 404
        third = await started(front)
        task.answer(bytes(1001))
        await polled(front, third, "failed")
        result = await front.ask("GET", f"{third}/result")
        assert result.json["error"] == "the result is too large to be kept"
        assert (await front.ask("GET", second)).status == 200


@in_loop
async def test_a_result_is_forgotten_after_its_time() -> None:
    task = ManualTask(timeouts=Timeouts(result=0.02))
    async with fronted(task) as front:
        href = await started(front)
        task.answer()
        while (await front.ask("GET", href)).status != 404:
            await asyncio.sleep(0.005)


@in_loop
async def test_a_caller_that_leaves_before_it_knows_the_address_ends_the_run() -> None:
    task = ManualTask()
    async with fronted(task) as front:
        _, writer = await front.connect()
        prefer = ("Prefer", "respond-async, wait=600")
        writer.write(message("POST", "/tasks/report", [prefer], b"{}"))
        await task.arrived(1)
        writer.transport.abort()
        await turns(lambda: task.withdrawn)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "", 404),
        ("GET", "/", 404),
        ("GET", "/nothing", 404),
        ("GET", "/%00%ff/result", 404),
        ("GET", "/../report", 404),
    ],
)
def test_an_address_that_leads_nowhere_is_not_found(method: str, path: str, status: int) -> None:
    @in_loop
    async def check() -> None:
        async with fronted(ManualTask()) as front:
            assert (await front.ask(method, f"/runs/report{path}")).status in (400, status)

    check()


@in_loop
async def test_other_methods_and_parts_of_a_run_are_refused() -> None:
    task = ManualTask()
    async with fronted(task) as front:
        href = await started(front)
        answer = await front.ask("POST", href, [], b"{}")
        assert (answer.status, answer.header("allow")) == (405, ["GET, HEAD, DELETE"])
        assert (await front.ask("GET", f"{href}/other")).status == 404
        assert (await front.ask("GET", "/runs/none/x")).status == 404


class Pieces:
    """A large result; it fails at its end if `error` is set."""

    def __init__(self, pieces: list[bytes], error: str = "") -> None:
        self._pieces = pieces
        self._error = error
        self.closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        await asyncio.sleep(0)
        if self._pieces:
            return self._pieces.pop(0)
        if self._error:
            raise ExecutionError(self._error)
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed = True


@in_loop
async def test_a_large_result_is_read_to_its_end() -> None:
    task = ManualTask()
    async with fronted(task) as front:
        href = await started(front)
        pieces: Any = Pieces([b"abc", b"def"])
        task.answer(pieces)
        await polled(front, href, "completed")
        assert (await front.ask("GET", f"{href}/result")).body == b"abcdef"
        assert pieces.closed
        href = await started(front)
        task.answer(Pieces([b"abc"], "the snap failed"))
        await polled(front, href, "failed")
        assert (await front.ask("GET", f"{href}/result")).json["reason"] == "the snap failed"


def test_poll_is_for_triggered_tasks_and_stream_for_ultra_tasks() -> None:
    text = "type: {}\npipeline: p.yaml\nresponse: {}\n"
    said = [
        str(parse_task(text.format(*each)).problems[0])
        for each in (("ultra", "poll"), ("triggered", "stream"), ("ultra", "later"))
    ]
    assert "'response: poll' does not apply to ultra tasks" in said[0]
    assert "'response: stream' does not apply to triggered tasks" in said[1]
    assert "'later'" in said[2]


def test_the_result_of_a_real_run_can_be_polled(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "work.yaml").write_text("snaps: {double: {snap: Mapper, mappings: {$n: $n * 2}}}")
    (tmp_path / "task.yaml").write_text("name: work\ntype: triggered\npipeline: work.yaml\n")
    served = serve("task.yaml")
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)

    def get(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        connection.request(method, path, json.dumps(body), dict([ASYNC]))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    status, run = get("POST", "/tasks/work", {"n": 21})
    assert status == 202
    served.wait_for(lambda: get("GET", run["href"])[1]["state"] == "completed")
    assert get("GET", f"{run['href']}/result") == (200, [{"n": 42}])
    assert post(served, "work", n=1) == (200, [{"n": 2}])
    connection.close()
