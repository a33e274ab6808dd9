"""When instances and scripts die, no caller notices: each gets its own response, once."""

from __future__ import annotations

import asyncio
import http.client
import json
import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.tasks.callers import children, in_background, kill, metric, post
from tests.tasks.conftest import Serve, Served

SCRIPT = """\
import os, time

def snaplogic_init():
    return None

def snaplogic_process(row):
    wish = row["content"].get("wish")
    if wish == "die":
        os._exit(9)
    if wish == "wait":
        open("began", "w").close()
        while not os.path.exists("go"):
            time.sleep(0.01)
    return {"content": {"id": row["content"]["id"], "doubled": row["content"]["id"] * 2}}

def snaplogic_final():
    return None
"""
PIPELINE = """\
pipeline: Doubles
snaps:
  answer: {snap: RemotePythonScript, script: double.py}
"""
TASK = """\
name: doubles
type: ultra
pipeline: doubles.yaml
"""


@pytest.fixture
def task(tmp_path: Path) -> Callable[..., Path]:
    """Writes the task file, with more settings, and all that belongs to it."""

    def write(more: str = "") -> Path:
        (tmp_path / "double.py").write_text(SCRIPT)
        (tmp_path / "doubles.yaml").write_text(PIPELINE)
        file = tmp_path / "task.yaml"
        file.write_text(TASK + more)
        return file

    return write


def ask(served: Served, **content: Any) -> tuple[int, Any]:
    return post(served, "doubles", **content)


@pytest.mark.parametrize("depth", ["the instance", "the script"])
def test_a_request_in_work_is_answered_although_its_process_is_killed(
    depth: str, serve: Serve, task: Callable[..., Path], tmp_path: Path
) -> None:
    served = serve(task())
    instance, *below = children(served.pid)
    call = in_background(ask, served, id=21, wish="wait")
    served.wait_for((tmp_path / "began").exists)
    kill(instance if depth == "the instance" else below[-1])
    (tmp_path / "go").touch()
    call.join()
    assert call.result == (200, {"id": 21, "doubled": 42})
    assert metric(served, "snapline_redeliveries_total") == 1
    assert metric(served, "snapline_restarts_total") == 1


def test_a_request_that_kills_every_instance_fails_alone(
    serve: Serve, task: Callable[..., Path]
) -> None:
    served = serve(task("limits: {redeliveries: 3}\n"))
    poison = in_background(ask, served, id=1, wish="die")
    others = [in_background(ask, served, id=number) for number in range(2, 20)]
    for call in (poison, *others):
        call.join()
    status, reply = poison.result
    assert status == 500
    assert "4 instances died while processing it" in reply["reason"]
    assert [call.result for call in others] == [
        (200, {"id": number, "doubled": number * 2}) for number in range(2, 20)
    ]


@pytest.mark.slow
def test_under_load_each_request_is_answered_once_and_correctly_while_processes_die(
    serve: Serve, task: Callable[..., Path]
) -> None:
    served = serve(task("instances: 2\n"))
    served.wait_for(lambda: served.stderr.count("is ready (process") == 2)
    both = len(children(served.pid))

    def is_gone(process: int) -> bool:
        return process not in children(served.pid)

    def reaper() -> None:
        """Kills an instance or a script child, as often as a request is delivered again."""
        choose = random.Random(7)
        for _ in range(5):
            served.wait_for(lambda: len(children(served.pid)) == both)
            victim = choose.choice(children(served.pid))
            kill(victim)
            served.wait_for(partial(is_gone, victim))

    killing = in_background(reaper)
    outcomes = asyncio.run(load(served.port, killing.is_alive, requests=3000))
    killing.join()
    assert metric(served, "snapline_restarts_total") >= 5
    assert set(outcomes) == {"right"}
    assert outcomes["right"] >= 3000


async def load(port: int, goes_on: Callable[[], bool], *, requests: int) -> Counter[str]:
    """What became of at least so many requests, while it goes on; each is asked once."""
    outcomes: Counter[str] = Counter()
    numbers = iter(range(10**9))

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while outcomes.total() < requests or goes_on():
            number = next(numbers)
            body = json.dumps({"id": number}).encode()
            start = "POST /tasks/doubles HTTP/1.1\r\nhost: localhost\r\n"
            head = f"{start}content-length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            status, answer = await response(reader)
            right = status == 200 and json.loads(answer) == {"id": number, "doubled": number * 2}
            outcomes["right" if right else f"{status} {answer!r} to {number}"] += 1
        writer.close()

    await asyncio.gather(*(client() for _ in range(32)))
    return outcomes


async def response(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    status = int(head.split(" ", 2)[1])
    length = (
        int(head.split("content-length:")[1].split("\r\n")[0]) if "content-length" in head else 0
    )
    return status, await reader.readexactly(length)


def test_a_request_that_takes_too_long_is_answered_504_and_a_stuck_instance_is_replaced(
    serve: Serve, task: Callable[..., Path]
) -> None:
    served = serve(task("timeouts: {request: 3}\n"))
    before = children(served.pid)
    status, reply = ask(served, id=1, wish="wait")
    assert status == 504
    assert reply["reason"] == "there was no response within 3 seconds"
    served.wait_for(lambda: not set(before) & set(children(served.pid)))
    served.wait_for(served.is_ready)
    served.wait_for(lambda: ask(served, id=2)[0] == 200)  # within those 3 seconds


def test_a_full_queue_refuses_and_says_when_to_try_again(
    serve: Serve, task: Callable[..., Path], tmp_path: Path
) -> None:
    served = serve(task("limits: {queue: 1, in_flight: 1}\n"))
    first = in_background(ask, served, id=1, wish="wait")
    served.wait_for(lambda: metric(served, "snapline_in_flight") == 1)
    second = in_background(ask, served, id=2)
    served.wait_for(lambda: metric(served, "snapline_queue_depth") == 1)
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    connection.request("POST", "/tasks/doubles", json.dumps({"id": 3}))
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("retry-after")) == (503, "1")
    assert json.loads(answer.read())["error"] == "the queue of the task is full"
    connection.close()
    (tmp_path / "go").touch()
    for call, number in ((first, 1), (second, 2)):
        call.join()
        assert call.result == (200, {"id": number, "doubled": number * 2})
