"""Workers in threads of the process of the test, which may be lost on purpose, and runs on them."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

from engine import api
from engine.cluster.messages import Range, request_of
from engine.cluster.needs import Needs
from engine.cluster.placement import Answer, PlacementError, Show, WorkerLostError
from engine.cluster.replica import Replica
from engine.run.report import Report


class Place:
    """Workers in threads of this process (a Placement). They are lost with a `risk` per message.
    `shares_files`: of the workers; None if only that of every other one."""

    name = "threads"

    def __init__(
        self, random: Random, risk: float, *, shares_files: bool | None, starts: int = 99
    ) -> None:
        self._shares_files = shares_files
        self.started = 0
        self.needed: list[Needs] = []
        self._random = random
        self._risk = risk
        self._starts = starts

    def begin(self, workers: int) -> None:
        """Threads start at once."""

    def needing(self, needs: Needs) -> Place:
        self.needed.append(needs)
        return self

    async def start(self, number: int, job: bytes, show: Show) -> Link:
        if self.started >= self._starts:
            raise PlacementError("there is no room for another worker")
        self.started += 1
        shares_files = self.started % 2 == 0 if self._shares_files is None else self._shares_files
        return Link(number, Replica(job, show), self._random, self._risk, shares_files=shares_files)

    async def close(self) -> None:
        """Nothing is shared."""


class Link:
    def __init__(
        self, number: int, replica: Replica, random: Random, risk: float, *, shares_files: bool
    ) -> None:
        self.name = f"worker {number}"
        self.incarnation = str(random.random())
        self.shares_files = shares_files
        self.lost: asyncio.Future[WorkerLostError] = asyncio.get_running_loop().create_future()
        self._replica = replica
        self._random = random
        self._risk = risk
        self._thread = ThreadPoolExecutor(1)
        self._waiting: list[asyncio.Future[Answer]] = []
        self._is_closed = False

    async def send(self, message: bytes) -> asyncio.Future[Answer]:
        if self.lost.done():
            raise self.lost.result()
        assert self.shares_files or not isinstance(request_of(message), Range)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append(answer)
        made = loop.run_in_executor(self._thread, self._replica.answer, message)
        made.add_done_callback(lambda done: self._answer(answer, done.result()))
        if self._random.random() < self._risk:
            self._lose()
        return answer

    async def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self.lost.cancel()
            await asyncio.get_running_loop().run_in_executor(self._thread, self._replica.close)
            self._thread.shutdown()

    def _answer(self, answer: asyncio.Future[Answer], data: bytes) -> None:
        if not answer.done():
            self._waiting.remove(answer)
            answer.set_result(data)

    def _lose(self) -> None:
        error = WorkerLostError(f"{self.name} was lost by chance")
        self.lost.set_result(error)
        for answer in self._waiting:
            answer.set_exception(error)
            answer.exception()  # nobody may wait for it any more
        self._waiting = []


class Once(Random):
    """Lets one worker be lost: over that message, counted from 0."""

    def __init__(self, message: int) -> None:
        super().__init__(1)
        self._left = message

    def random(self) -> float:
        self._left -= 1
        return 0.0 if self._left == -1 else 1.0


def run(pipeline: Path, place: Place | None = None, workers: int = 1) -> tuple[Report, str]:
    report, failure = asyncio.run(api.start(str(pipeline), workers=workers, placement=place))
    return report, str(failure or "")


def outcome(report: Report) -> dict[str, Any]:
    """What must be the same: outputs, those of each view in order, and counts."""
    snaps = [
        {key: value for key, value in snap.as_dict().items() if key != "seconds"}
        for snap in report.snaps
    ]
    outputs = {port: _whole(items) for port, items in report.outputs.items()}
    if "reasons.output" in outputs:  # a union, which promises no order
        outputs["reasons.output"].sort(key=str)
    return {"status": report.status, "outputs": outputs, "snaps": snaps}


def _whole(items: list[Any]) -> list[Any]:
    """The items with the text of a stream in one piece."""
    text = b"".join(item for item in items if isinstance(item, bytes))
    return [item for item in items if not isinstance(item, bytes)] + ([text] if text else [])
