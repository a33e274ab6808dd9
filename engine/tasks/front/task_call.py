"""A request to a task: who may send it, and what its caller gets."""

from __future__ import annotations

import hmac
import time
from typing import TYPE_CHECKING, Protocol

from engine.tasks.definition.task import Task
from engine.tasks.front.calls import Respond
from engine.tasks.front.head import Head
from engine.tasks.front.origins import allow, allowed_origin, options
from engine.tasks.front.prefer import Preferences, preferences
from engine.tasks.front.repeats import key_of
from engine.tasks.front.reply import Reply, error_reply
from engine.tasks.front.submitting import Submits, caller_of
from engine.tasks.wire.messages import Headers, Request, Response

if TYPE_CHECKING:
    from engine.tasks.front.front import Front


class Recorder(Protocol):
    def record(self, status: int, outcome: str, seconds: float) -> None:
        """Count a request that was answered."""
        ...


class Answering(Submits, Protocol):
    """A task that answers requests."""

    task: Task

    @property
    def statistics(self) -> Recorder: ...


class TaskCall:
    """A request to a task."""

    __slots__ = (
        "_front", "_head", "_hosted", "_number", "_origin", "_path_info", "_respond", "_started",
        "_submits", "limit", "refusal",
    )  # fmt: skip

    def __init__(
        self, front: Front, hosted: Answering, head: Head, path_info: str, number: int
    ) -> None:
        task = hosted.task
        self._started = time.perf_counter()
        self._front = front
        self._hosted = hosted
        self._head = head
        self._path_info = path_info
        self._number = number
        self._respond: Respond | None = None
        self._submits: Submits = hosted
        self._origin = allowed_origin(head.headers, task) if task.allowed_origins else None
        self.limit = task.limits.body
        refusal = self._refusal()
        self.refusal = None if refusal is None else self.refuse(refusal)

    def _refusal(self) -> Reply | None:
        head = self._head
        if head.method == "OPTIONS":
            return options(head.headers, self._origin)
        task = self._hosted.task
        has_token = _has_token(head, task)
        refusal = self._front.rate_limits.refusal(task, head.client, has_token=has_token)
        if refusal is not None:
            return refusal
        if has_token:
            return None if head.is_readable else _unreadable_path()
        return error_reply(
            401,
            "the token is missing or wrong",
            "",
            "send the header 'Authorization: Bearer TOKEN' once",
            [("www-authenticate", "Bearer")],
        )

    def refuse(self, reply: Reply) -> Reply:
        self._allow(reply)
        return reply

    def start(self, body: bytes, respond: Respond) -> None:
        head, task = self._head, self._hosted.task
        self._respond = respond
        headers, seconds = head.headers, task.timeouts.request
        if task.response == "poll" or not _SPECIAL.isdisjoint([name for name, _ in headers]):
            prefers = preferences(_values(headers, "prefer"))
            if prefers.wait is not None and not self._may_poll(prefers):
                seconds = min(seconds, prefers.wait)
            refusal = self._choose_way(prefers)
            if refusal is not None:
                self._answer(refusal)
                return
        if task.bearer_token:  # what was checked here is no business of the pipeline
            headers = [each for each in headers if each[0] != "authorization"]
        self._submits.submit(
            Request(
                self._number,
                head.method,
                head.path,
                self._path_info,
                head.query,
                headers,
                body,
                head.client,
                time.monotonic() + seconds,
            ),
            self._answer,
        )

    def _may_poll(self, prefers: Preferences) -> bool:
        task = self._hosted.task
        return task.type == "triggered" and (prefers.respond_async or task.response == "poll")

    def _choose_way(self, prefers: Preferences) -> Reply | None:
        """Decide what stands between the request and its task; a refusal if its key is wrong."""
        front, head, hosted = self._front, self._head, self._hosted
        key = key_of(head.method, _values(head.headers, "idempotency-key"))
        if isinstance(key, Reply):
            return key
        if self._may_poll(prefers):
            self._submits = front.polled.of(hosted, caller_of(head), prefers)
        if key is not None:
            place = hosted.task.name, caller_of(head), key
            self._submits = front.repeats.of(self._submits, place)
        return None

    def _answer(self, reply: Response | Reply) -> None:
        if reply.status == 500 and reply.outcome == "failed" and self._front.policy.terse:
            reply = _failed_tersely()
        self._allow(reply)
        respond, self._respond = self._respond, None
        if respond is not None:
            respond(reply)

    def withdraw(self) -> None:
        self._respond = None
        self._submits.withdraw(self._number)
        self._record(_CALLER_GONE, "gone", 0)

    def record(self, reply: Response | Reply, size: int) -> None:
        self._record(reply.status, reply.outcome, size)

    def _record(self, status: int, outcome: str, size: int) -> None:
        seconds = time.perf_counter() - self._started
        self._hosted.statistics.record(status, outcome, seconds)
        self._front.log(self._head, status, size, seconds)

    def _allow(self, reply: Response | Reply) -> None:
        """Let a page of an allowed origin read the response."""
        task = self._hosted.task
        if task.allowed_origins:
            allow(reply.headers, task, self._origin)


class RunCall(TaskCall):
    """A request about a run of a task whose caller polls: `/runs/TASK/ID`."""

    __slots__ = ()

    def start(self, body: bytes, respond: Respond) -> None:
        head, task = self._head, self._hosted.task
        self._respond = respond
        path, caller = self._path_info, caller_of(head)
        self._answer(self._front.polled.answer(task, head.method, path, caller))


_SPECIAL = frozenset(("prefer", "idempotency-key"))
"""Headers that say how a request is to be answered."""


def _values(headers: Headers, wanted: str) -> list[str]:
    return [value for name, value in headers if name == wanted]


_CALLER_GONE = 499
"""The status in log and metrics of a request whose caller did not wait for the response."""


def _failed_tersely() -> Reply:
    reply = error_reply(500, "the request failed", "", "see the server's log")
    return Reply(reply.status, reply.headers, reply.body, "failed")


def _unreadable_path() -> Reply:
    return error_reply(
        400,
        "the path of the request cannot be read",
        "it is not UTF-8",
        "percent-encode it as UTF-8",
    )


def _has_token(head: Head, task: Task) -> bool:
    """Whether it has the token of the task, if that has one."""
    token = task.bearer_token
    if not token:
        return True
    given = [value for name, value in head.headers if name == "authorization"]
    if len(given) != 1:
        return False
    scheme, _, value = given[0].partition(" ")
    same = hmac.compare_digest(value.strip().encode(), token.encode())
    return same and scheme.lower() == "bearer"
