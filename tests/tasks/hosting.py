"""What the tests of runs share: pipelines as plans, requests, and an event loop for each test."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvloop

from engine import api
from engine.plan.plan import Plan
from engine.tasks.definition.task import Limits, Task, Timeouts
from engine.tasks.front.reply import Reply
from engine.tasks.pool.statistics import TaskStatistics
from engine.tasks.triggered.triggered import TriggeredTask
from engine.tasks.wire.messages import Headers, Request, RequestHead

SECONDS = 240.0
"""How long a test may take before it counts as hanging."""


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A test that is a coroutine."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        async def limited() -> None:
            async with asyncio.timeout(SECONDS):
                await test(*args, **kwargs)

        asyncio.run(limited())

    return run


def in_each_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A test that is a coroutine, on the loop of the standard library and on that of the server."""

    def run(*args: Any, loop: Callable[[], asyncio.AbstractEventLoop], **kwargs: Any) -> None:
        async def limited() -> None:
            async with asyncio.timeout(SECONDS):
                await test(*args, **kwargs)

        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(limited())

    functools.update_wrapper(run, test)
    given = inspect.signature(test)
    added = inspect.Parameter("loop", inspect.Parameter.KEYWORD_ONLY)
    vars(run)["__signature__"] = given.replace(parameters=[*given.parameters.values(), added])
    loops = [asyncio.new_event_loop, uvloop.new_event_loop]
    each: Callable[..., None] = pytest.mark.parametrize("loop", loops, ids=["asyncio", "uvloop"])(
        run
    )
    return each


def plan_of(folder: Path, text: str) -> Plan:
    path = folder / "pipeline.yaml"
    path.write_text(text)
    return api.compile_plan(path)


def request(
    body: bytes = b"",
    query: str = "",
    *,
    method: str = "POST",
    headers: Headers | None = None,
    path_info: str = "",
) -> Request:
    head = RequestHead(method, "/task" + path_info, path_info, query, headers or [])
    return Request(0, head.packed(), body, "10.0.0.7:4711")


@asynccontextmanager
async def hosted(
    plan: Plan,
    *,
    timeouts: Timeouts = Timeouts(),  # noqa: B008  # frozen
    limits: Limits = Limits(),  # noqa: B008
    **options: Any,
) -> AsyncIterator[TriggeredTask]:
    """A triggered task that ends with all its processes."""
    task = Task(
        name="task",
        pipeline=plan.path,
        path=plan.path,
        type="triggered",
        timeouts=timeouts,
        limits=limits,
        **options,
    )
    triggered = TriggeredTask(task, plan, TaskStatistics())
    triggered.start()
    try:
        yield triggered
    finally:
        await triggered.drain(0)


def documents(reply: Reply) -> Any:
    assert isinstance(reply.body, bytes)
    return msgspec.json.decode(reply.body)


async def turns(condition: Callable[[], Any]) -> None:
    """Let the loop and other processes work until it is so."""
    while not condition():
        await asyncio.sleep(0.005)


def is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):  # the latter if it ends while it is read
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


def never_ready(connection: socket.socket) -> None:
    """Entry point of a process that never finishes loading."""
    while connection.recv(4096):
        pass


GATED = """
snaps:
  read: {snap: FileReader, file: gate}
  parse: {snap: JSONParser}
links: [read -> parse]
"""


class Gate:
    """A named pipe: a run that reads it waits until the test opens it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "gate"
        os.mkfifo(self.path)

    async def open(self, data: bytes = b"[{}]") -> None:
        """Let one run through, once it is there."""
        while not self._is_passed(data):
            await asyncio.sleep(0.005)

    async def stay_open(self) -> None:
        """Let all runs through; some of them read nothing."""
        while True:
            await self.open()

    def _is_passed(self, data: bytes) -> bool:
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # nobody waits for it yet
            return False
        with open(descriptor, "wb") as pipe:  # noqa: PTH123  # it is open already
            pipe.write(data)
        return True
