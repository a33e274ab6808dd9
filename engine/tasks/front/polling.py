"""Calls of triggered tasks that are answered 202 with an address to poll.

`/runs/TASK/ID` tells how the run is doing, `/runs/TASK/ID/result` is its result, and DELETE ends
the run or forgets the result. An ID cannot be guessed, and is known only to callers with the token
of the one that started the run. Results are kept in memory: bounded in number, size and time.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from datetime import UTC, datetime
from typing import Literal

import msgspec

from engine.errors import EngineError
from engine.tasks.definition.task import Task
from engine.tasks.front.calls import Respond, Submits
from engine.tasks.front.prefer import Preferences
from engine.tasks.front.reply import (
    RETRY_AFTER,
    Reply,
    body_with_id,
    close_unread,
    error_reply,
    tersely,
)
from engine.tasks.front.task_call import Answering, TaskCall
from engine.tasks.wire.messages import Headers, Request, Response

RUNS = "runs"
_METHODS = ("GET", "HEAD", "DELETE")
_JSON = ("content-type", "application/json")
_NO_STORE = ("cache-control", "no-store")
_RETRY = ("retry-after", RETRY_AFTER)


class RunStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a poll tells. `status` is the HTTP status of the result; times are ISO 8601, in UTC.

    `request_id` is the id of the request that started the run, as in the log.
    """

    state: Literal["running", "completed", "failed"]
    href: str
    started: str
    request_id: str
    ended: str | None = None
    expires: str | None = None
    status: int | None = None
    result: str | None = None


class PolledRun:
    """A run whose caller polls. `reply` is its result, complete, once it is over."""

    def __init__(self, hosted: Answering, request: Request, caller: str) -> None:
        self.hosted = hosted
        self.caller = caller
        self.id = secrets.token_urlsafe(16)
        self.request = request.id
        self.tag = request.tag
        self.started = time.time()
        self.ended = 0.0
        self.reply: Reply | None = None
        self.reading: asyncio.Task[None] | None = None
        self.expiry: asyncio.TimerHandle | None = None

    @property
    def is_over(self) -> bool:
        return self.reply is not None

    @property
    def size(self) -> int:
        return len(self.reply.body) if self.reply and isinstance(self.reply.body, bytes) else 0

    def status(self) -> RunStatus:
        href = f"/{RUNS}/{self.hosted.task.name}/{self.id}"
        started = _iso(self.started)
        if self.reply is None:
            return RunStatus("running", href, started, self.tag.id)
        status = self.reply.status
        return RunStatus(
            "completed" if status < 400 else "failed",
            href,
            started,
            self.tag.id,
            _iso(self.ended),
            _iso(self.ended + self.hosted.task.timeouts.result),
            status,
            f"{href}/result",
        )


class PolledRuns:
    """The runs of all triggered tasks whose callers poll, by task and id, the oldest first."""

    def __init__(self, *, terse: bool = False) -> None:
        self._terse = terse
        self._runs: dict[str, dict[str, PolledRun]] = {}

    def of(self, hosted: Answering, caller: str, prefers: Preferences) -> Submits:
        """Starts a run and answers 202: at once, or if it is not over after `prefers.wait`."""
        return _Polled(self, hosted, caller, prefers)

    def add(self, run: PolledRun) -> bool:
        """False if too many are in progress; otherwise results make room."""
        runs = self._runs.setdefault(run.hosted.task.name, {})
        if len(runs) >= run.hosted.task.limits.results:
            oldest = next((each for each in runs.values() if each.is_over), None)
            if oldest is None:
                return False
            self.forget(oldest)
        runs[run.id] = run
        return True

    def keep(self, run: PolledRun, reply: Response | Reply) -> None:
        """The run is over; forget older results if they are too large together."""
        task, limits = run.hosted.task, run.hosted.task.limits
        if isinstance(reply.body, bytes) and len(reply.body) > limits.results_size:
            reply = _too_large(limits.results_size)
        if self._terse:
            reply = tersely(reply)
        body = body_with_id(reply, run.tag)  # and not with that of the request for the result
        run.reply = Reply(reply.status, reply.headers, body, "polled")
        run.ended, run.reading = time.time(), None
        seconds = run.ended - run.started
        run.hosted.statistics.record(reply.status, reply.outcome, seconds)
        loop = asyncio.get_running_loop()
        run.expiry = loop.call_later(task.timeouts.result, self.forget, run)
        runs = self._runs.get(task.name, {})
        total = sum(each.size for each in runs.values())
        for each in list(runs.values()):
            if total <= limits.results_size:
                break
            if each.is_over and each is not run:
                total -= each.size
                self.forget(each)

    def forget(self, run: PolledRun) -> None:
        """End the run if it is in progress, and forget it."""
        self._runs.get(run.hosted.task.name, {}).pop(run.id, None)
        if run.expiry is not None:
            run.expiry.cancel()
        if run.reading is not None:
            run.reading.cancel()
        elif not run.is_over:
            run.hosted.withdraw(run.request)

    def answer(self, task: Task, method: str, path: str, caller: str) -> Reply:
        """The response to a request for `/runs/TASK` and this rest of the path."""
        name, _, part = path.removeprefix("/").partition("/")
        run = self._runs.get(task.name, {}).get(name)
        if run is None or run.caller != caller or part not in ("", "result"):
            return _unknown_run(task.name)
        if method == "DELETE":
            self.forget(run)
            return Reply(204, [_NO_STORE], b"", "polled")
        if not part:
            return run_reply(200, run.status())
        if run.reply is None:
            why, remedy = "it is still in progress", "try again when its state is not 'running'"
            return error_reply(409, "there is no result of the run yet", why, remedy, [_RETRY])
        return Reply(run.reply.status, [*run.reply.headers], run.reply.body, run.reply.outcome)


class RunCall(TaskCall):
    """A request about a run: `/runs/TASK/ID`."""

    takes_work = False

    __slots__ = ()

    @property
    def _methods(self) -> tuple[str, ...]:
        return ("GET", "HEAD") if self._path_info.endswith("/result") else _METHODS

    def _begin(self, body: bytes) -> None:
        task, method, path = self._hosted.task, self._head.method, self._path_info
        self._answer(self._front.polled.answer(task, method, path, self._caller_key))


class _Polled:
    """One call: answered with its result if that comes soon enough, otherwise with 202."""

    def __init__(
        self, runs: PolledRuns, hosted: Answering, caller: str, prefers: Preferences
    ) -> None:
        self._runs = runs
        self._hosted = hosted
        self._caller = caller
        self._prefers = prefers
        self._respond: Respond | None = None
        self._timer: asyncio.Handle | None = None
        self._run: PolledRun | None = None

    def submit(self, request: Request, respond: Respond) -> None:
        run = self._run = PolledRun(self._hosted, request, self._caller)
        if not self._runs.add(run):
            respond(_too_many(self._hosted.task))
            return
        self._respond = respond
        self._hosted.submit(request, self._finish)
        loop, wait = asyncio.get_running_loop(), self._prefers.wait
        # A call that is refused is refused in this turn of the loop, before 202 is sent.
        self._timer = loop.call_later(wait, self._accept) if wait else loop.call_soon(self._accept)

    def withdraw(self, request: int) -> None:
        """The caller has gone before it knew the address: end the run."""
        if self._run is not None and self._respond is not None:
            self._respond = None
            self._runs.forget(self._run)

    def _accept(self) -> None:
        respond, self._respond = self._respond, None
        if respond is not None and self._run is not None:
            respond(run_reply(202, self._run.status(), asked=self._prefers.respond_async))

    def _finish(self, reply: Response | Reply) -> None:
        run, respond = self._run, self._respond
        assert run is not None  # it was submitted
        assert isinstance(reply, Reply)  # as triggered tasks give it
        if respond is not None:  # in time for a response without polling
            self._respond = None
            if self._timer is not None:
                self._timer.cancel()
            run.reply = reply
            self._runs.forget(run)
            respond(reply)
        elif isinstance(reply.body, bytes):
            self._runs.keep(run, reply)
        else:
            run.reading = asyncio.ensure_future(self._read(run, reply))

    async def _read(self, run: PolledRun, reply: Reply) -> None:
        """Read a large result to its end."""
        assert not isinstance(reply.body, bytes)
        limit, body = run.hosted.task.limits.results_size, bytearray()
        try:
            async for piece in reply.body:
                body += piece
                if len(body) > limit:
                    break
            self._runs.keep(run, Reply(reply.status, reply.headers, bytes(body), reply.outcome))
        except EngineError as error:
            why, remedy = str(error), "see the server's log"
            failed = error_reply(500, "the run failed", why, remedy, outcome="failed")
            self._runs.keep(run, failed)
        finally:
            close_unread(reply.body)


def run_reply(status: int, run: RunStatus, *, asked: bool = False) -> Reply:
    headers: Headers = [_JSON, _NO_STORE]
    if run.state == "running":
        headers.append(_RETRY)
    if status == 202:
        headers.append(("location", run.href))
    if asked:
        headers.append(("preference-applied", "respond-async"))
    outcome = "accepted" if status == 202 else "polled"
    return Reply(status, headers, msgspec.json.encode(run), outcome)


def _iso(seconds: float) -> str:
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _unknown_run(task: str) -> Reply:
    return error_reply(
        404,
        "run not found",
        f"the task {task!r} has no such run for this caller",
        "results are kept for a limited time; start another run",
    )


def _too_many(task: Task) -> Reply:
    return error_reply(
        503,
        "too many runs are in progress",
        f"at most {task.limits.results:,} callers may poll",
        "try again later",
        [_RETRY],
    )


def _too_large(limit: int) -> Reply:
    return error_reply(
        500,
        "the result is too large to be kept",
        f"it has more than {limit:,} bytes",
        "call without 'Prefer: respond-async', or raise 'limits: {results_size: …}' of the task",
        outcome="failed",
    )
