"""A triggered task: one run of the pipeline for each call (reference, section 5.2).

The values of parameters come from the query string, then the headers, then the task, then the
pipeline. A secret, which only the operator may set, is never taken from a caller.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

import msgspec

from engine.errors import ConfigurationError, EngineError
from engine.plan.plan import Plan
from engine.run.files.rules import FileRules
from engine.run.identity import identify
from engine.tasks.definition.task import Task
from engine.tasks.front.reply import Reply
from engine.tasks.pool.run import Run
from engine.tasks.pool.run_pool import PooledTask, RefusedError, RunPool
from engine.tasks.pool.statistics import TaskStatistics
from engine.tasks.wire.messages import Headers, Request, RunFailure, Start
from engine.tasks.worker.failures import failure_of
from engine.tasks.worker.http_headers import joined
from engine.tasks.worker.refusals import BadQuery
from engine.tasks.worker.urlencoded import query_of

log = logging.getLogger(__name__)

METHODS = ("POST", "PUT", "PATCH", "GET", "HEAD", "DELETE")
RETRY_AFTER = 1
"""Seconds after which a caller that was refused may try again."""

_BODILESS = (204, 304)


class CallError(EngineError):
    """The caller has to change the request."""

    def __init__(self, failure: RunFailure) -> None:
        super().__init__(failure)
        self.failure = failure


class TriggeredTask(PooledTask):
    """Answers calls with runs."""

    submit = None
    """A call needs an asyncio task: it waits for a process, then for the run."""

    def __init__(self, task: Task, plan: Plan, statistics: TaskStatistics) -> None:
        super().__init__(task, statistics, RunPool(task, plan, statistics, warm=True))

    def start(self) -> None:
        self._pool.start()

    async def reload(self, task: Task, plan: Plan) -> bool:
        """New runs use the new plan, those in progress finish; False if it cannot be started."""
        if not await self._pool.reload(task, plan):
            return False
        self.task = task
        return True

    async def drain(self, patience: float) -> None:
        """Refuse new calls; wait for the runs, then end all processes."""
        await self._pool.drain(patience)

    async def answer(self, request: Request) -> Reply:
        """The result of a run. If the body is not read to its end, `aclose` it."""
        if request.method not in METHODS:
            reason = f"{request.method} is not one of {', '.join(METHODS)}"
            failure = RunFailure(405, "the method is not allowed", reason, "use POST or GET")
            return _refused(failure, [("allow", ", ".join(METHODS))])
        if not self.task.overlap and (self._pool.active or self._pool.queued):
            failure = RunFailure(
                409, "a run is already in progress", "", "try again when it is over"
            )
            return _refused(failure, [])
        return await self._answer(request)

    async def _answer(self, request: Request) -> Reply:
        seconds = self.task.timeouts.request
        too_late = RunFailure(
            504, "the request took too long", f"there was no result within {seconds:g} seconds"
        )
        deadline = asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout_at(deadline):
                run = await self._pool.begin(lambda: self._start(request))
        except TimeoutError:
            return _failed(too_late)
        except RefusedError as error:
            failure = RunFailure(503, str(error), "", "try again later")
            return _refused(failure, [("retry-after", str(RETRY_AFTER))])
        except CallError as error:
            return _refused(error.failure, [])
        except ConfigurationError as error:
            log.error("run could not be started: %s", error, extra={"task": self.task.name})
            return _failed(failure_of(error))
        run.limit(deadline - asyncio.get_running_loop().time(), too_late)
        return await _reply(run, request.method)

    def _start(self, request: Request) -> Start:
        plan = self._pool.plan
        given = call_parameters(plan, self.task.parameters, request)
        said = frozenset(caller_values(plan, request))
        rules = FileRules(said, allow_outside=self.task.allow_outside)
        return Start(identify(plan, given, files=rules), request)


def call_parameters(plan: Plan, given: Mapping[str, str], request: Request) -> dict[str, str]:
    """The values for one call, without the pipeline's defaults.

    `given` are the task's. Raises CallError if a required value is missing, or the query cannot
    be read.
    """
    said = caller_values(plan, request)
    values: dict[str, str] = {}
    for spec in plan.parameters:
        name = spec.name
        source = next((source for source in (said, given) if name in source), None)
        if source is not None:
            values[name] = source[name]
        elif spec.required and not spec.secret and spec.default is None:
            raise CallError(_missing(name, spec.description))
    return values


def caller_values(plan: Plan, request: Request) -> dict[str, str]:
    """The values that come from the caller: they are data. Raises CallError for a bad query."""
    headers = {
        name.upper().replace("-", "_"): value
        for name, value in joined(request.headers).items()
        if "_" not in name  # a proxy that filters X-NAME may let X_NAME pass
    }
    try:
        query = dict(reversed(query_of(request.query, request.headers)))  # the first value counts
    except BadQuery as error:
        raise CallError(RunFailure(400, error.error, error.reason, error.resolution)) from None
    facts = _facts(request)
    said = {}
    for spec in plan.parameters:
        name = spec.name
        if name in facts:
            said[name] = facts[name]
        elif not spec.secret and name != "REMOTE_USER":
            source = query if name in query else headers
            if name in source:
                said[name] = source[name]
    return said


def _facts(request: Request) -> dict[str, str]:
    """Under their CGI names; there is no REMOTE_USER, since the server has no users."""
    address, _, port = request.client.rpartition(":")
    return {
        "PATH_INFO": request.path_info,
        "REMOTE_ADDR": address.strip("[]"),
        "REMOTE_PORT": port,
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.query,
    }


def _missing(name: str, description: str) -> RunFailure:
    meaning = f" ({description})" if description else ""
    return RunFailure(
        400,
        "a parameter is missing",
        f"the parameter {name!r} is required{meaning}",
        f"add it to the query string: ?{name}=VALUE",
    )


async def _reply(run: Run, method: str) -> Reply:
    """The complete result if it is small; a larger one is streamed."""
    try:
        body: bytes | StreamedBody | None = await run.complete_body()
        bodiless = method == "HEAD" or run.status in _BODILESS
        if body is None and bodiless:
            await run.ended()
    except BaseException:  # raised again; also if the caller has gone
        run.cancel()
        raise
    if run.end is not None and run.end.failure is not None:
        failure = run.end.failure
        return _failed(failure) if failure.status >= 500 else _refused(failure, [])
    if bodiless:
        return Reply(run.status, run.headers, b"")
    return Reply(run.status, run.headers, StreamedBody(run) if body is None else body)


class StreamedBody:
    """A large result, read while the run goes on; the pipeline waits for its reader."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __aiter__(self) -> StreamedBody:
        return self

    async def __anext__(self) -> bytes:
        """Raises ExecutionError if the run fails: then what was read is incomplete."""
        try:
            piece = await self._run.next_piece()
        except asyncio.CancelledError:
            self._run.cancel()
            raise
        if not piece:
            raise StopAsyncIteration
        return piece

    @property
    def held(self) -> int:
        """Bytes that wait for the reader."""
        return self._run.held

    async def aclose(self) -> None:
        """The reader has gone: abort the run."""
        self._run.cancel()


def _failed(failure: RunFailure) -> Reply:
    return _error(failure, [], "failed")


def _refused(failure: RunFailure, headers: Headers) -> Reply:
    return _error(failure, headers, "refused")


def _error(failure: RunFailure, headers: Headers, outcome: str) -> Reply:
    content = {
        "error": failure.error,
        "reason": failure.reason,
        "resolution": failure.resolution,
    }
    body = msgspec.json.encode(content)
    return Reply(failure.status, [("content-type", "application/json"), *headers], body, outcome)
