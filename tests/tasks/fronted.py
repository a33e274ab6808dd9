"""A front with tasks for which the test answers, behind a real HTTP server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from engine.tasks.definition.task import Task
from engine.tasks.front.calls import Respond
from engine.tasks.front.front import Front
from engine.tasks.front.http_server import HttpServer
from engine.tasks.front.listening import listen
from engine.tasks.front.reply import Reply
from engine.tasks.pool.statistics import TaskStatistics
from engine.tasks.wire.messages import Request
from tests.tasks.hosting import turns
from tests.tasks.wire import CLOSE, Answer, answers, message


class ManualTask:
    """Keeps its requests until the test answers them; refuses them at once if `refusal` is set."""

    def __init__(self, **settings: Any) -> None:
        given = {"name": "report", "type": "triggered", **settings}
        self.task = Task(pipeline="p.yaml", path="t.yaml", **given)
        self.statistics = TaskStatistics()
        self.refusal: Reply | None = None
        self.requests: list[Request] = []
        self.withdrawn: list[int] = []
        self._open: dict[int, Respond] = {}

    def submit(self, request: Request, respond: Respond) -> None:
        self.requests.append(request)
        if self.refusal is not None:
            respond(self.refusal)
        else:
            self._open[request.id] = respond

    def withdraw(self, request: int) -> None:
        self.withdrawn.append(request)
        self._open.pop(request, None)

    async def arrived(self, count: int) -> None:
        await turns(lambda: len(self.requests) >= count)

    def answer(self, body: Any = b'{"done":true}', status: int = 200) -> None:
        """Answer the open request that has waited longest."""
        respond = self._open.pop(next(iter(self._open)))
        outcome = "failed" if status == 500 else "answered"
        headers = [("content-type", "application/json"), ("x-run", "1")]
        respond(Reply(status, headers, body, outcome))


class Fronted:
    def __init__(self, port: int, front: Front) -> None:
        self.port = port
        self.front = front

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(
        self,
        method: str,
        path: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes | None = None,
    ) -> Answer:
        reader, writer = await self.connect()
        writer.write(message(method, path, [*headers, CLOSE], body))
        said = await reader.read()
        writer.close()
        return answers(said, [method])[-1]


@asynccontextmanager
async def fronted(*tasks: ManualTask) -> AsyncIterator[Fronted]:
    front = Front({each.task.name: each for each in tasks}, {}, None)
    server = HttpServer(front)
    listener = listen("127.0.0.1", 0)
    await server.start(listener)
    try:
        yield Fronted(listener.getsockname()[1], front)
    finally:
        server.stop_listening()
        await server.closed(0)


def in_json(answer: Answer) -> Any:
    return msgspec.json.decode(answer.body)
