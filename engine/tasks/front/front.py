"""The front: from an HTTP request to the task that answers it, and back.

It checks who may call (bearer token), from which pages (CORS) and with how large a body, and runs
no user code. Its own errors have the same form as those of tasks: `error`, `reason`, `resolution`.
"""

from __future__ import annotations

import asyncio
import hmac
import itertools
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol

from engine.errors import EngineError
from engine.tasks.definition.task import Task
from engine.tasks.front.access import AccessLog
from engine.tasks.front.head import Head, decoded, head_of
from engine.tasks.front.incoming import IncomingBodies, Message, Receive, too_large
from engine.tasks.front.origins import allow, allowed_origin, options
from engine.tasks.front.reply import Reply, error_reply
from engine.tasks.front.site import Site
from engine.tasks.front.small_request import BodyHandler, Respond
from engine.tasks.wire.messages import Headers, Request, Response

log = logging.getLogger(__name__)

Scope = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
Page = Callable[[], tuple[int, str, bytes]]
"""A page of the server itself: status, content type and body."""

PREFIX = "tasks"
_BELOW_TASKS = f"/{PREFIX}/"
_WITHOUT_BODY = frozenset((204, 304))

Submit = Callable[[Request, Callable[["Response | Reply"], None]], None]
"""Takes a request, and calls back once with the response."""


class Recorder(Protocol):
    def record(self, status: int, outcome: str, seconds: float) -> None:
        """Count a request that was answered."""
        ...


class Answering(Protocol):
    """A task that answers requests."""

    task: Task

    @property
    def statistics(self) -> Recorder: ...

    @property
    def submit(self) -> Submit | None:
        """None if a request needs an asyncio task that awaits `answer`."""
        ...

    async def answer(self, request: Request) -> Response | Reply: ...


class Front:
    """The ASGI application."""

    def __init__(
        self,
        tasks: Mapping[str, Answering],
        pages: Mapping[str, Page],
        access: AccessLog | None,
        site: Site | None = None,
    ) -> None:
        self._tasks = tasks
        self._pages = pages
        self._access = access
        self._site = site
        self._numbers = itertools.count(1)
        self._incoming = IncomingBodies()
        self.unread: Counter[int] = Counter()
        """Requests that could not be read, by the status of the response."""

    def body_handler(self, head: Head) -> BodyHandler | None:
        """The handler for the request's body, if its task needs no asyncio task."""
        hosted, path_info = self._route(head.raw_path)
        if hosted is None or hosted.submit is None:
            return None
        call = _Call(hosted, path_info, head, time.perf_counter())
        return partial(self._take, hosted.submit, call)

    def _take(self, submit: Submit, call: _Call, body: bytes, respond: Respond) -> None:
        reply = call.refusal()
        if reply is None and len(body) > call.hosted.task.limits.body:
            reply = too_large(call.hosted.task.limits.body)
        if reply is None:
            request = call.request(next(self._numbers), body)
            submit(request, partial(self._finish, call, respond))
        else:
            self._finish(call, respond, reply)

    def _finish(self, call: _Call, respond: Respond, reply: Response | Reply) -> None:
        call.allow(reply.headers)
        body = _frame(reply)
        respond(reply.status, reply.headers, body)
        self._account(call.head, call.hosted, reply, len(body), call.started)

    def record_unread(self, client: str, status: int, size: int) -> None:
        """A request that could not be read has been answered; no task has seen it."""
        self.unread[status] += 1
        if self._access is not None:
            self._access.write(Head("-", "-", "", [], client), status, size, 0.0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        head = head_of(scope)
        hosted, path_info = self._route(head.raw_path)
        if hosted is None:
            reply: Response | Reply = self._page(head)
        else:
            call = _Call(hosted, path_info, head, started)
            answer = await self._answer(call, receive)
            if answer is None:
                return  # the caller hung up in mid-request
            reply = answer
            call.allow(reply.headers)
        size = await _send_reply(reply, receive, send)
        self._account(head, hosted, reply, size, started)

    def _account(
        self,
        head: Head,
        hosted: Answering | None,
        reply: Response | Reply,
        size: int,
        started: float,
    ) -> None:
        seconds = time.perf_counter() - started
        if hosted is not None:
            hosted.statistics.record(reply.status, reply.outcome, seconds)
        if self._access is not None:
            self._access.write(head, reply.status, size, seconds)

    def _route(self, raw_path: str) -> tuple[Answering | None, str]:
        """The task of a path, and what follows its name. A name is exactly one segment."""
        if not raw_path.startswith(_BELOW_TASKS):
            return None, ""
        name, slash, rest = raw_path[len(_BELOW_TASKS) :].partition("/")
        return self._tasks.get(decoded(name)), slash + decoded(rest)

    def _page(self, head: Head) -> Reply:
        path = head.path
        page = self._pages.get(path)
        if page is None and self._site and not _is_below_tasks(path):
            return self._site.answer(head.method, path, head.headers)
        if page is None:
            names = ", ".join(self._tasks) or "none"
            reason = f"the path is {path!r:.200}"
            remedy = f"tasks are at /{PREFIX}/NAME; their names are: {names}"
            return error_reply(404, "page or task not found", reason, remedy)
        if head.method not in ("GET", "HEAD"):
            return error_reply(
                405, "this page is read-only", "", "use GET", [("allow", "GET, HEAD")]
            )
        status, content_type, body = page()
        return Reply(status, [("content-type", content_type)], body)

    async def _answer(self, call: _Call, receive: Receive) -> Response | Reply | None:
        """The response by ASGI; None if the caller hung up before its body was complete."""
        reply = call.refusal()
        if reply is not None:
            return reply
        limit = call.hosted.task.limits.body
        body = await self._incoming.body(call.head.headers, limit, receive)
        if body is None or isinstance(body, Reply):
            return body
        return await _answer(call.hosted, call.request(next(self._numbers), body))


class _Call:
    """A request to a task, as far as the front has read it."""

    __slots__ = ("_origin", "head", "hosted", "path_info", "started")

    def __init__(self, hosted: Answering, path_info: str, head: Head, started: float) -> None:
        self.hosted = hosted
        self.path_info = path_info
        self.head = head
        self.started = started
        task = hosted.task
        self._origin = allowed_origin(head.headers, task) if task.allowed_origins else None

    def refusal(self) -> Reply | None:
        """The error to respond with before the body is read; None if the request may go on."""
        if self.head.method == "OPTIONS":
            return options(self.head.headers, self._origin)
        token = self.hosted.task.bearer_token
        if not token or _is_authorized(self.head.headers, token):
            return None if self.head.is_readable else _unreadable_path()
        return error_reply(
            401,
            "the token is missing or wrong",
            "",
            "send the header 'Authorization: Bearer TOKEN' once",
            [("www-authenticate", "Bearer")],
        )

    def request(self, number: int, body: bytes) -> Request:
        head = self.head
        path, query = head.path, head.query
        return Request(
            number, head.method, path, self.path_info, query, head.headers, body, head.client
        )

    def allow(self, headers: Headers) -> None:
        """Let a page of an allowed origin read the response."""
        task = self.hosted.task
        if task.allowed_origins:
            allow(headers, task, self._origin)


def _unreadable_path() -> Reply:
    return error_reply(
        400,
        "the path of the request cannot be read",
        "it is not UTF-8",
        "percent-encode it as UTF-8",
    )


async def _answer(hosted: Answering, request: Request) -> Response | Reply:
    try:
        return await hosted.answer(request)
    except Exception:  # a bug of ours must cost one response, not the server
        log.exception("a request to %r could not be answered", hosted.task.name)
        return error_reply(500, "internal server error", "", "see the server's log")


def _is_below_tasks(path: str) -> bool:
    return path == f"/{PREFIX}" or path.startswith(_BELOW_TASKS)


def _is_authorized(headers: Headers, token: str) -> bool:
    given = [value for name, value in headers if name == "authorization"]
    if len(given) != 1:
        return False
    scheme, _, value = given[0].partition(" ")
    same = hmac.compare_digest(value.strip().encode(), token.encode())
    return same and scheme.lower() == "bearer"


# Replies


async def _send_reply(reply: Response | Reply, receive: Receive, send: Send) -> int:
    """Send the reply. Returns the size of the body."""
    start: Message = {"type": "http.response.start", "status": reply.status}
    if not isinstance(reply.body, bytes):
        return await _send_pieces({**start, "headers": _raw(reply)}, reply.body, receive, send)
    body = _frame(reply)
    await send({**start, "headers": _raw(reply)})
    await send({"type": "http.response.body", "body": body})
    return len(body)


def _frame(reply: Response | Reply) -> bytes:
    """The body as it is sent; its length becomes a header."""
    body = reply.body
    assert isinstance(body, bytes)  # _send_pieces sends other bodies
    if reply.status in _WITHOUT_BODY:
        return b""
    reply.headers.append(("content-length", str(len(body))))
    return body


def _raw(reply: Response | Reply) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in reply.headers]


async def _send_pieces(start: Message, pieces: Any, receive: Receive, send: Send) -> int:
    """Stream the body. If it fails midway, the connection is cut."""
    sent = [0]
    sending = asyncio.ensure_future(_send_all(start, pieces, send, sent))
    gone = asyncio.ensure_future(_until_gone(receive))
    try:
        await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, gone):
            task.cancel()
        await asyncio.wait({sending, gone})
        await pieces.aclose()
    failure = None if sending.cancelled() else sending.exception()
    if isinstance(failure, EngineError):
        log.warning("a response broke off after %d bytes: %s", sent[0], failure)
    elif failure is not None:
        raise failure
    return sent[0]


async def _send_all(start: Message, pieces: Any, send: Send, sent: list[int]) -> None:
    await send(start)
    async for piece in pieces:
        sent[0] += len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _until_gone(receive: Receive) -> None:
    """Wait until the caller hangs up; what it still sends is ignored."""
    while (await receive())["type"] != "http.disconnect":
        pass
