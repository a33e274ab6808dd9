"""Ultra tasks on Ray Serve: one deployment for each task, the whole pipeline in every replica.

    from engine.serve_ray import deployment
    from ray import serve

    serve.run(deployment("tasks/digits.yaml", replicas=2), name="digits", route_prefix="/digits")

A replica is what `engine serve` is to a machine, without the server: the same front decides who may
call and makes the responses, and the same feed master hands requests to the task's instances.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from inspect import signature
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ray import serve
from starlette.responses import Response as HttpResponse

from engine.errors import ConfigurationError
from engine.registry import discover
from engine.request_tags import ID_HEADER, PARENT_HEADER, STATE_HEADER, RequestTag, tag_of
from engine.tasks.definition.loading import Loaded, Overrides, check_parameters, load_tasks
from engine.tasks.front.calls import Call
from engine.tasks.front.front import PREFIX, Front, Policy
from engine.tasks.front.head import RefusedHeadError, read_head
from engine.tasks.front.reply import RETRY_AFTER, Reply, body_with_id, too_large
from engine.tasks.pool.statistics import TaskStatistics
from engine.tasks.ultra.feed_master import FeedMaster
from engine.tasks.wire.messages import Headers, Response, values_of

if TYPE_CHECKING:
    from starlette.requests import Request

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.05


def deployment(
    pipeline: str,
    *,
    replicas: int = 1,
    parameters: Mapping[str, str] | None = None,
    terse: bool = True,
    **options: Any,
) -> serve.Application:
    """The application of an ultra task, for `serve.run`.

    `pipeline` is a task file, or a pipeline file with the default settings of a task; it must be
    there on every node, under the same path. `parameters` take precedence over those of the file;
    give secrets through the environment of the nodes instead, with `${env:NAME}`, as Ray Serve
    stores parameters. With `terse`, callers do not learn why a request failed. `options` are those
    of `serve.deployment`, such as `ray_actor_options`. The queues are bounded by the `limits` of
    the task. Raises InvalidPipelineError and ConfigurationError.
    """
    task = _load(pipeline, parameters or {}).task
    settings: dict[str, Any] = {
        "name": task.name,
        "num_replicas": replicas,
        "max_ongoing_requests": task.instances * task.limits.in_flight,
        "max_queued_requests": task.limits.queue,
        "graceful_shutdown_timeout_s": task.timeouts.drain,
    }
    if "backpressure_config" in signature(serve.deployment).parameters:  # not in older versions
        settings["backpressure_config"] = {"retry_after_s": float(RETRY_AFTER)}
    made = serve.deployment(UltraReplica, **(settings | options))
    return made.bind(pipeline, dict(parameters or {}), terse)


def _load(pipeline: str, parameters: Mapping[str, str]) -> Loaded:
    overrides = Overrides(parameters=parameters)
    loaded = load_tasks(
        [pipeline], discover(), overrides, lambda problem: log.warning("%s", problem)
    )
    if loaded[0].task.type != "ultra":
        raise ConfigurationError(
            f"{pipeline!r} is a {loaded[0].task.type} task, and Ray Serve hosts ultra tasks; "
            "host it with: engine serve"
        )
    return loaded[0]


class UltraReplica:
    """One copy of the task, as Ray Serve calls it."""

    async def __init__(  # type: ignore[misc]  # Ray Serve awaits it
        self, pipeline: str, parameters: Mapping[str, str], terse: bool
    ) -> None:
        """Returns once requests can be answered. Raises ConfigurationError if they never can."""
        loaded = _load(pipeline, parameters)
        check_parameters(loaded)
        self._hosted = FeedMaster(loaded.task, loaded.plan, TaskStatistics())
        self._front = Front({loaded.task.name: self._hosted}, {}, None, policy=Policy(terse=terse))
        self._front.access.prepare([loaded.task])
        self._front.access.start()
        self._hosted.start()
        while not self._hosted.is_ready:
            self._check()
            await asyncio.sleep(_LOOK_SECONDS)

    async def check_health(self) -> None:
        """Called by Ray Serve, which replaces the replica if this raises."""
        self._check()

    async def __call__(self, request: Request) -> HttpResponse:
        try:
            call = self._front.call(_head(request, self._hosted.task.name))
        except RefusedHeadError as error:
            return _http_response(error.reply, None)
        reply: Response | Reply | None = call.refusal
        if reply is None:
            body = await _body(request, call.limit)
            reply = call.refuse(too_large(call.limit)) if body is None else await _ask(call, body)
        response = _http_response(reply, call.tag)
        call.record(reply, len(response.body))
        return response

    def _check(self) -> None:
        if self._hosted.disabled:
            raise ConfigurationError(f"the task cannot run: {self._hosted.disabled}")


async def _ask(call: Call, body: bytes) -> Response | Reply:
    answer: asyncio.Future[Response | Reply] = asyncio.get_running_loop().create_future()

    def respond(reply: Response | Reply) -> None:
        if not answer.done():
            answer.set_result(reply)

    call.start(body, respond)
    try:
        return await answer
    except asyncio.CancelledError:  # the caller has gone
        call.withdraw()
        raise


async def _body(request: Request, limit: int) -> bytes | None:
    """The body; None if it is larger than the limit."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            return None
    return bytes(body)


def _head(request: Request, name: str) -> Any:
    """The request as the front would have it from `engine serve`. Raises RefusedHeadError."""
    scope = request.scope
    path: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    path = path.partition(b"?")[0].removeprefix(scope.get("root_path", "").rstrip("/").encode())
    url = f"/{PREFIX}/{quote(name, safe='')}".encode() + (b"" if path == b"/" else path)
    if scope.get("query_string"):
        url += b"?" + scope["query_string"]
    headers: Headers = [
        (key.decode("latin-1").lower(), value.decode("latin-1")) for key, value in scope["headers"]
    ]
    client = scope.get("client")
    return read_head(
        request.method,
        url,
        headers,
        f"{client[0]}:{client[1]}" if client else "",
        scope.get("http_version", "1.1"),
        values_of(headers, "host"),
        tag_of(*(values_of(headers, each) for each in (ID_HEADER, PARENT_HEADER, STATE_HEADER))),
    )


def _http_response(reply: Response | Reply, tag: RequestTag | None) -> HttpResponse:
    body = reply.body if tag is None else body_with_id(reply, tag)
    assert isinstance(body, bytes)  # ultra tasks do not stream
    response = HttpResponse(body, reply.status)
    fields = [*reply.headers, *(() if tag is None else ((ID_HEADER, tag.id),))]
    given = [(name.encode(), value.encode()) for name, value in fields]
    response.raw_headers = [*response.raw_headers, *given]
    return response
