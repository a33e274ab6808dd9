"""A request to a task: who may send it, and what its caller gets."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from typing import TYPE_CHECKING, Protocol

from engine.tasks.definition.task import Task
from engine.tasks.front.access import AccessEntry
from engine.tasks.front.authentication import ANYBODY, Caller, LaterDecision
from engine.tasks.front.calls import Respond, Submits, Timed
from engine.tasks.front.head import Head, method_not_allowed
from engine.tasks.front.origins import allow, allowed_origin, options
from engine.tasks.front.prefer import Preferences, preferences
from engine.tasks.front.rate_limit import network_of
from engine.tasks.front.repeats import key_of
from engine.tasks.front.reply import Reply, closed_task, error_reply, tersely, unreadable_path
from engine.tasks.front.tracing import AnsweredRequest, Tracing
from engine.tasks.wire.messages import Request, RequestHead, Response, values_of

if TYPE_CHECKING:
    from engine.tasks.front.front import Front

log = logging.getLogger(__name__)


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

    takes_work = True
    """Whether the task has to do something for it."""

    __slots__ = (
        "_answered", "_caller", "_decide", "_deciding", "_front", "_head", "_hosted", "_number",
        "_origin", "_path_info", "_respond", "_started", "_submits", "_timed", "limit", "refusal",
        "tag",
    )  # fmt: skip

    def __init__(
        self, front: Front, hosted: Answering, head: Head, path_info: str, number: int
    ) -> None:
        task = hosted.task
        self._started = time.perf_counter()
        self._answered = 0.0
        self._timed: Timed | None = None
        tracing = front.tracing
        self.tag = head.tag if tracing is None else tracing.begin(head.tag)
        self._front = front
        self._hosted = hosted
        self._head = head
        self._path_info = path_info
        self._number = number
        self._respond: Respond | None = None
        self._submits: Submits = hosted
        self._caller = ANYBODY
        self._decide: LaterDecision | None = None
        self._deciding: asyncio.Task[None] | None = None
        self._origin = allowed_origin(head.headers, task) if task.allowed_origins else None
        self.limit = task.limits.body
        refusal = self._refusal()
        self.refusal = None if refusal is None else self.refuse(refusal)

    def _refusal(self) -> Reply | None:
        head = self._head
        task = self._hosted.task
        if head.method == "OPTIONS":
            return options(head.headers, self._origin, self._methods)
        closed = self._front.closed.get(task.name)
        if closed is not None and self.takes_work:
            return closed_task(closed)
        if (rate := task.limits.rate_per_address) is not None:
            address = network_of(head.client.rpartition(":")[0])
            refusal = self._front.rate_limits.refusal(task.name, rate, "address", address)
            if refusal is not None:
                return refusal
        decision = self._front.access.of(task).check(head.headers)
        if isinstance(decision, Reply):
            return decision
        refusal = None if head.is_readable else unreadable_path()
        methods = self._methods
        if head.method not in methods:
            refusal = method_not_allowed(head.method, methods)
        if isinstance(decision, Caller):
            return self._admission(decision) or refusal
        self._decide = decision
        return refusal

    @property
    def _methods(self) -> tuple[str, ...]:
        return self._hosted.task.allowed_methods

    def _admission(self, caller: Caller) -> Reply | None:
        """None if the caller, who is known now, may go on."""
        self._caller = caller
        task = self._hosted.task
        if (rate := task.limits.rate_per_token) is None:
            return None
        return self._front.rate_limits.refusal(task.name, rate, "token", caller.key)

    def refuse(self, reply: Reply) -> Reply:
        self._allow(reply)
        return reply

    def start(self, body: bytes, respond: Respond) -> None:
        self._respond = respond
        if self._decide is None:
            self._begin(body)
        else:
            self._deciding = asyncio.create_task(self._begin_if_admitted(self._decide, body))

    async def _begin_if_admitted(self, decide: LaterDecision, body: bytes) -> None:
        try:
            decision = await decide()
        except Exception:  # a bug of ours must cost one response, not let anybody in
            log.exception("a token could not be checked", extra={"request_id": self.tag.id})
            decision = error_reply(500, "internal server error", "", "see the server's log")
        refusal = self._admission(decision) if isinstance(decision, Caller) else decision
        self._deciding = None
        if refusal is None:
            self._begin(body)
        else:
            self._answer(refusal)

    def _begin(self, body: bytes) -> None:
        """Submit the request: its caller may send it, and its body is complete."""
        head, task = self._head, self._hosted.task
        seconds, packed = task.timeouts.request, head.packed.get(task.is_guarded)
        if packed is None or task.response == "poll":
            headers = head.headers
            prefers = preferences(values_of(headers, "prefer"))
            if prefers.wait is not None and not self._may_poll(prefers):
                seconds = min(seconds, prefers.wait)
            refusal = self._choose_way(prefers)
            if refusal is not None:
                self._answer(refusal)
                return
            is_special = not _SPECIAL.isdisjoint([name for name, _ in headers])
            if task.is_guarded:  # what was checked here is no business of the pipeline
                headers = [each for each in headers if each[0] != "authorization"]
            packed = RequestHead(
                head.method, head.path, self._path_info, head.query, headers
            ).packed()
            if not is_special:
                head.packed[task.is_guarded] = packed
        timed = self._submits.submit(
            Request(
                self._number,
                packed,
                body,
                head.client,
                time.monotonic() + seconds,
                self._caller.document,
                self.tag,
            ),
            self._answer,
        )
        if self._respond is not None:  # otherwise it has been refused, and nothing is to be timed
            self._timed = timed

    @property
    def _caller_key(self) -> str:
        """Tells callers apart, also those whose tokens only the pipeline checks; keeps no token."""
        if self._caller.key:
            return self._caller.key
        tokens = values_of(self._head.headers, "authorization")
        return hashlib.sha256("\n".join(tokens).encode()).hexdigest() if tokens else ""

    def _may_poll(self, prefers: Preferences) -> bool:
        task = self._hosted.task
        return task.type == "triggered" and (prefers.respond_async or task.response == "poll")

    def _choose_way(self, prefers: Preferences) -> Reply | None:
        """Decide what stands between the request and its task; a refusal if its key is wrong."""
        front, head, hosted = self._front, self._head, self._hosted
        key = key_of(head.method, values_of(head.headers, "idempotency-key"))
        if isinstance(key, Reply):
            return key
        if self._may_poll(prefers):
            self._submits = front.polled.of(hosted, self._caller_key, prefers)
        if key is not None:
            place = hosted.task.name, self._caller_key, key
            self._submits = front.repeats.of(self._submits, place)
        return None

    def _answer(self, reply: Response | Reply) -> None:
        self._answered = time.perf_counter()
        if self._front.policy.terse:
            reply = tersely(reply)
        self._allow(reply)
        respond, self._respond = self._respond, None
        if respond is not None:
            respond(reply)

    def withdraw(self) -> None:
        self._respond = None
        if self._deciding is not None:
            self._deciding.cancel()
        else:
            self._submits.withdraw(self._number)
        self.record(_CALLER_GONE, 0)

    def record(self, reply: Response | Reply, size: int) -> None:
        now, status, outcome = time.perf_counter(), reply.status, reply.outcome
        seconds = now - self._started
        self._hosted.statistics.record(status, outcome, seconds)
        if self._front.tracing is not None and self.tag.is_sampled:
            self._trace(self._front.tracing, status, outcome, now)
        access = self._front.access_log
        if access is not None:
            task = self._hosted.task.name
            waited, worked = self._times(now)
            access.write(
                AccessEntry(
                    self._head,
                    status,
                    size,
                    seconds,
                    task,
                    self._caller.name,
                    waited,
                    worked,
                    self.tag.trace,
                )
            )
        self._timed = None  # which refers to this: leave no garbage, which is collected rarely

    def _trace(self, tracing: Tracing, status: int, outcome: str, now: float) -> None:
        timed = self._timed
        accepted, given = (0.0, 0.0) if timed is None else (timed.accepted, timed.given)
        task = self._hosted.task.name
        tracing.end(
            self.tag,
            AnsweredRequest(self._head, task, status, outcome, self._started, now, accepted, given),
        )

    def _times(self, now: float) -> tuple[float | None, float | None]:
        """How long it has waited for a process, and how long that took; None if it got to none."""
        timed = self._timed
        if timed is None:
            return None, None
        end = self._answered or now
        if not timed.given:
            return end - timed.accepted, None
        return timed.given - timed.accepted, end - timed.given

    def _allow(self, reply: Response | Reply) -> None:
        """Let a page of an allowed origin read the response."""
        task = self._hosted.task
        if task.allowed_origins:
            allow(reply.headers, task, self._origin)


_SPECIAL = frozenset(("prefer", "idempotency-key"))
"""Headers that say how a request is to be answered."""


_CALLER_GONE = Reply(499, [], b"", "gone")
"""What log and metrics say of a request whose caller did not wait for the response."""
