"""The front: from an HTTP request to the task that answers it, and back.

It knows who may call (bearer token), from which pages (CORS) and with how much (body limit), and
runs none of the user's code. What it does not know it says in the same form as the tasks: `error`,
`reason`, `resolution`.
"""

from __future__ import annotations

import asyncio
import hmac
import itertools
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol
from urllib.parse import unquote

import msgspec

from engine.errors import EngineError
from engine.tasks.files.task import Task
from engine.tasks.operations.statistics import TaskStatistics
from engine.tasks.processes.messages import Headers, Reply, Request, Response
from engine.tasks.web.access import AccessLog
from engine.tasks.web.http import Respond
from engine.tasks.web.site import Site

log = logging.getLogger(__name__)

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Page = Callable[[], tuple[int, str, bytes]]
"""A page of the server itself: status, content type and body."""

PREFIX = "tasks"
_WITHOUT_BODY = frozenset((204, 304))
_PREFLIGHT_SECONDS = "600"
_UNREAD = ("connection", "close")
"""What goes with an answer that does not wait for the whole body."""

_HOW_TO_ALLOW = "Add it to allowed_origins of the task, or serve with --allow-origin ORIGIN."


Submit = Callable[[Request, Callable[["Response | Reply"], None]], None]
"""Takes a request, and calls once with the answer."""


class Answering(Protocol):
    """A task that answers requests; one with a method `submit` (Submit) needs no task for each."""

    task: Task
    statistics: TaskStatistics

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

    def take(self, scope: Scope, body: bytes, respond: Respond) -> bool:
        """Answer a request that is here as a whole, if its task needs no task of asyncio for it."""
        started = time.perf_counter()
        hosted, path_info = self._route(scope["raw_path"])
        submit: Submit | None = getattr(hosted, "submit", None)
        if hosted is None or submit is None:
            return False
        call = _Call(hosted, path_info, scope, started)
        reply = call.refusal()
        if reply is None and len(body) > hosted.task.limits.body:
            reply = _too_large(hosted.task.limits.body)
        finish = partial(self._finish, call, respond)
        if reply is not None:
            finish(reply)
        else:
            submit(call.request(next(self._numbers), body), finish)
        return True

    def _finish(self, call: _Call, respond: Respond, reply: Response | Reply) -> None:
        call.allow(reply.headers)
        headers, body = _framed(reply)
        respond(reply.status, headers, body)
        self._account(call.scope, call.hosted, reply, len(body), call.started)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        hosted, path_info = self._route(scope["raw_path"])
        if hosted is None:
            reply: Response | Reply = self._page(scope)
        else:
            call = _Call(hosted, path_info, scope, started)
            answer = await self._answer(call, receive)
            if answer is None:
                return  # the caller has gone in mid-request
            reply = answer
            call.allow(reply.headers)
        size = await _send_reply(reply, receive, send)
        self._account(scope, hosted, reply, size, started)

    def _account(
        self,
        scope: Scope,
        hosted: Answering | None,
        reply: Response | Reply,
        size: int,
        started: float,
    ) -> None:
        seconds = time.perf_counter() - started
        if hosted is not None:
            hosted.statistics.record(reply.status, reply.outcome, seconds)
        if self._access is not None:
            self._access.write(scope, reply.status, size, seconds)

    def _route(self, raw_path: bytes) -> tuple[Answering | None, str]:
        """The task of a path, and what follows its name. A name is one segment, nothing else."""
        segments = raw_path.split(b"/", 3)
        if len(segments) < 3 or segments[1] != PREFIX.encode():
            return None, ""
        hosted = self._tasks.get(_text(segments[2]))
        rest = "/" + _text(segments[3]) if len(segments) > 3 else ""
        return hosted, rest

    def _page(self, scope: Scope) -> Reply:
        page = self._pages.get(scope["path"])
        if page is None and self._site and not _is_below_tasks(scope["path"]):
            return self._site.answer(scope["method"], scope["path"], _headers(scope))
        if page is None:
            names = ", ".join(self._tasks) or "none"
            reason = f"the path is {scope['path']!r:.200}"
            remedy = f"Tasks are at /{PREFIX}/NAME; their names are: {names}."
            return told(404, "there is no such page or task", reason, remedy)
        if scope["method"] not in ("GET", "HEAD"):
            return told(405, "this page can only be read", "", "Use GET.", [("allow", "GET, HEAD")])
        status, content_type, body = page()
        return Reply(status, [("content-type", content_type)], body)

    async def _answer(self, call: _Call, receive: Receive) -> Response | Reply | None:
        """The answer by way of ASGI; None if the caller has gone before it had said all."""
        reply = call.refusal()
        if reply is not None:
            return reply
        body = await _body(call.headers, call.hosted.task.limits.body, receive)
        if body is None or isinstance(body, Reply):
            return body
        return await _answer(call.hosted, call.request(next(self._numbers), body))


class _Call:
    """A request to a task, as far as the front has looked at it."""

    __slots__ = ("_origin", "headers", "hosted", "path_info", "scope", "started")

    def __init__(self, hosted: Answering, path_info: str, scope: Scope, started: float) -> None:
        self.hosted = hosted
        self.path_info = path_info
        self.scope = scope
        self.started = started
        self.headers = _headers(scope)
        task = hosted.task
        self._origin = _origin(self.headers, task) if task.allowed_origins else None

    def refusal(self) -> Reply | None:
        """What is to be said before the body is looked at; None if the request may go on."""
        if self.scope["method"] == "OPTIONS":
            return _options(self.headers, self._origin)
        token = self.hosted.task.bearer_token
        if not token or _is_let_in(self.headers, token):
            return None
        return told(
            401,
            "the token is missing or wrong",
            "",
            "Send the header 'Authorization: Bearer TOKEN' once.",
            [("www-authenticate", "Bearer")],
        )

    def request(self, number: int, body: bytes) -> Request:
        scope = self.scope
        client = scope["client"]
        return Request(
            number,
            scope["method"],
            scope["path"],
            self.path_info,
            scope["query_string"].decode("latin-1"),
            self.headers,
            body,
            f"{client[0]}:{client[1]}" if client else "",
        )

    def allow(self, headers: Headers) -> None:
        """Let the page that calls read the answer, if it may."""
        if self._origin is not None:
            _allow(headers, self._origin)
            headers.append(("access-control-expose-headers", "*"))
        allowed = self.hosted.task.allowed_origins
        if allowed and "*" not in allowed and ("vary", "origin") not in headers:
            headers.append(("vary", "origin"))  # what is kept for one page is none for another


async def _answer(hosted: Answering, request: Request) -> Response | Reply:
    try:
        return await hosted.answer(request)
    except Exception:  # a mistake of ours must cost one answer, not the server
        log.exception("a request to %r could not be answered", hosted.task.name)
        return told(500, "the server has made a mistake", "", "Look into the server's log.")


def _headers(scope: Scope) -> Headers:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]


def _is_below_tasks(path: str) -> bool:
    return path == f"/{PREFIX}" or path.startswith(f"/{PREFIX}/")


def _is_let_in(headers: Headers, token: str) -> bool:
    given = [value for name, value in headers if name == "authorization"]
    if len(given) != 1:
        return False
    scheme, _, value = given[0].partition(" ")
    same = hmac.compare_digest(value.strip().encode("latin-1"), token.encode())
    return same and scheme.lower() == "bearer"


async def _body(headers: Headers, limit: int, receive: Receive) -> bytes | Reply | None:
    """The body; the refusal of one that is too large; None if the caller has gone."""
    length = next((value for name, value in headers if name == "content-length"), "")
    if length.isdecimal() and int(length) > limit:
        return _too_large(limit, _UNREAD)
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        gathered = bytearray(body)
        while message.get("more_body") and len(gathered) <= limit:
            message = await receive()
            gathered += message.get("body", b"")
        body = bytes(gathered)
    if message["type"] == "http.disconnect":
        return None
    return body if len(body) <= limit else _too_large(limit, _UNREAD)


def _too_large(limit: int, *headers: tuple[str, str]) -> Reply:
    reason = f"at most {limit:,} bytes are taken"
    return told(
        413,
        "the body of the request is too large",
        reason,
        "Send less, or raise limits.body of the task.",
        list(headers),
    )


# Pages of other origins


def _origin(headers: Headers, task: Task) -> str | None:
    """What `Access-Control-Allow-Origin` is to say: nothing to an origin that is not allowed."""
    given = next((value for name, value in headers if name == "origin"), None)
    if given is None:
        return None
    if "*" in task.allowed_origins:
        return "*"
    return given if given in task.allowed_origins else None


def _allow(headers: Headers, origin: str) -> None:
    if all(name.lower() != "access-control-allow-origin" for name, _ in headers):
        headers.append(("access-control-allow-origin", origin))


def _options(headers: Headers, origin: str | None) -> Reply:
    """The answer to a browser that asks before it calls; a pipeline never sees it."""
    asked = dict(headers)
    allowed: Headers = [("allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")]
    if "access-control-request-method" not in asked:
        return Reply(204, allowed, b"", "preflight")
    if origin is None:
        reason = f"{asked.get('origin', '')!r} is not among the allowed origins of the task"
        return told(403, "a page of this origin may not call", reason, _HOW_TO_ALLOW)
    _allow(allowed, origin)
    allowed.append(("access-control-allow-methods", "GET, HEAD, POST, PUT, PATCH, DELETE"))
    wanted = asked.get("access-control-request-headers", "")
    if wanted:
        allowed.append(("access-control-allow-headers", wanted))
    allowed.append(("access-control-max-age", _PREFLIGHT_SECONDS))
    return Reply(204, allowed, b"", "preflight")


# Replies


def told(
    status: int,
    error: str,
    reason: str = "",
    resolution: str = "",
    headers: Headers | None = None,
) -> Reply:
    """What went wrong, as JSON."""
    body = msgspec.json.encode({"error": error, "reason": reason, "resolution": resolution})
    fields: Headers = [("content-type", "application/json"), *(headers or ())]
    return Reply(status, fields, body, "refused")


async def _send_reply(reply: Response | Reply, receive: Receive, send: Send) -> int:
    """Send it; the bytes of the body."""
    start: Message = {"type": "http.response.start", "status": reply.status}
    if not isinstance(reply.body, bytes):
        return await _send_pieces({**start, "headers": _raw(reply)}, reply.body, receive, send)
    headers, body = _framed(reply)
    await send({**start, "headers": headers})
    await send({"type": "http.response.body", "body": body})
    return len(body)


def _framed(reply: Response | Reply) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """The headers with the length of the body, and the body."""
    headers, body = _raw(reply), reply.body
    assert isinstance(body, bytes)  # what comes in pieces takes another way
    if reply.status in _WITHOUT_BODY:
        return headers, b""
    headers.append((b"content-length", b"%d" % len(body)))
    return headers, body


def _raw(reply: Response | Reply) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]


async def _send_pieces(start: Message, pieces: Any, receive: Receive, send: Send) -> int:
    """Send what comes. If it breaks off, so does the answer: the connection is cut."""
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
        log.warning("an answer broke off after %d bytes: %s", sent[0], failure)
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
    """Wait until the caller hangs up; what it still sends is nobody's business."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _text(segment: bytes) -> str:
    text = segment.decode("latin-1")
    return unquote(text) if "%" in text else text
