"""The admin API: what operators see of the tasks and do with them, over HTTP.

One application serves the socket of `engine tasks`, which only its user can reach, and the admin
port, where tokens and the name of the host are checked.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

import msgspec

from engine.request_tags import RequestTag
from engine.tasks.definition.token_hash import TokenHash
from engine.tasks.front.authentication import (
    ANYBODY,
    Caller,
    Decision,
    bearer_token,
    known_token,
    without_token,
)
from engine.tasks.front.calls import Respond
from engine.tasks.front.front import Page, Policy, wrong_host
from engine.tasks.front.head import Head, decoded
from engine.tasks.front.reply import Reply, error_reply
from engine.tasks.server.event_stream import EventStream
from engine.tasks.server.operations import OperationError, Operations
from engine.tasks.server.states import counts_of, plan_of
from engine.tasks.server.tapping import TapStream
from engine.tasks.wire.messages import Response

log = logging.getLogger(__name__)

Action = Callable[[str], Awaitable[Any]]

MAX_RUNS = 1000
_BODY_BYTES = 64 * 1024
_READING = ("GET", "HEAD")
_NO_STORE = ("cache-control", "no-store")


class AdminAccess(msgspec.Struct, frozen=True):
    """Who may use it. `tokens` gives the valid ones; None: whoever reaches the port may."""

    policy: Policy
    tokens: Callable[[], Iterable[TokenHash]] | None = None

    def check(self, head: Head) -> Decision:
        """Who sends the request, or the response that refuses it."""
        if not self.policy.serves(head.host):
            return wrong_host(head.host)
        caller: Decision = ANYBODY
        if self.tokens is not None:
            token = bearer_token(head.headers)
            found = None if token is None else known_token(token, self.tokens())
            caller = without_token() if found is None else found
        is_from_a_page = any(name in ("origin", "sec-fetch-site") for name, _ in head.headers)
        if is_from_a_page and head.method not in _READING:  # a page elsewhere could send it
            return error_reply(403, "web pages cannot use the admin port", "", "use a program")
        return caller


class AdminApplication:
    """Answers the requests of operators. `pages` are those of the server, such as /readyz."""

    def __init__(
        self, operations: Operations, pages: Mapping[str, Page], access: AdminAccess | None = None
    ) -> None:
        self.operations = operations
        self.pages = pages
        self._access = access
        self.actions: Mapping[str, Action] = {
            "pause": operations.pause,
            "resume": operations.resume,
            "drain": operations.drain,
            "reload": operations.reload,
            "run": operations.run,
        }

    def call(self, head: Head) -> AdminCall:
        return AdminCall(self, head, ANYBODY if self._access is None else self._access.check(head))

    def record_unread(self, client: str, tag: RequestTag, status: int, size: int) -> None:
        """Operators are not counted."""

    async def answer(self, head: Head) -> Reply:
        """Raises OperationError."""
        parts = [decoded(part) for part in head.raw_path.strip("/").split("/")]
        is_reading = head.method in _READING
        match parts:
            case [page] if is_reading and f"/{page}" in self.pages:
                status, content_type, body = self.pages[f"/{page}"]()
                return Reply(status, [("content-type", content_type)], body)
            case ["tasks"] if is_reading:
                return _json(self.operations.state())
            case ["events"] if is_reading:
                return _stream("text/event-stream", EventStream(self.operations))
            case ["tasks", name]:
                return self._read(head, name, "")
            case ["tasks", name, action] if action in self.actions:
                if head.method != "POST":
                    raise OperationError(405, f"{action!r} changes the task", "use POST")
                return _json(await self.actions[action](name))
            case ["tasks", name, what]:
                return self._read(head, name, what)
        raise OperationError(404, f"there is no page {head.path!r:.200}", _PAGES)

    def _read(self, head: Head, name: str, what: str) -> Reply:
        if head.method not in _READING:
            raise OperationError(405, "this page is read-only", "use GET")
        query = parse_qs(head.query, keep_blank_values=True)
        operations = self.operations
        if what == "":
            return _json(operations.task_state(name))
        if what == "plan":
            return _json(plan_of(operations.find(name).plan))
        if what == "counts":
            return _json(counts_of(operations.find(name)))
        if what == "history":
            return _json(operations.history(name, _limit(query)))
        if what == "tap":
            views, condition = query.get("view", ["*"]), query.get("filter", [""])[-1]
            stream = TapStream(operations.find(name), views, condition)
            return _stream("application/x-ndjson", stream)
        raise OperationError(404, f"there is no page {head.path!r:.200}", _PAGES)


_PAGES = (
    "the pages are /tasks, /tasks/NAME with /plan, /counts, /history or /tap, and /events; "
    "POST to /tasks/NAME/pause, /resume, /drain, /reload or /run"
)


class AdminCall:
    """One request of an operator. What it has begun goes on if its caller leaves."""

    limit = _BODY_BYTES

    def __init__(self, application: AdminApplication, head: Head, decision: Decision) -> None:
        self.tag = head.tag
        self.refusal = decision if isinstance(decision, Reply) else None
        self._name = decision.name if isinstance(decision, Caller) else ""
        self._application = application
        self._head = head

    def refuse(self, reply: Reply) -> Reply:
        return reply

    def start(self, body: bytes, respond: Respond) -> None:
        work = asyncio.create_task(self._answer(respond), name=f"admin {self._head.path:.80}")
        _working.add(work)
        work.add_done_callback(_working.discard)

    def withdraw(self) -> None:
        """Its response will be discarded."""

    def record(self, reply: Response | Reply, size: int) -> None:
        """Operators are not counted."""

    async def _answer(self, respond: Respond) -> None:
        head = self._head
        about = {"request_id": self.tag.id}
        if self._name and head.method not in _READING:
            log.info("operator %s: %s %s", self._name, head.method, head.path, extra=about)
        try:
            reply = await self._application.answer(head)
        except OperationError as error:
            reply = error_reply(error.status, error.message, "", error.hint)
        except Exception:  # a bug of ours must cost one response, not the server
            log.exception("the request of an operator failed", extra=about)
            reply = error_reply(500, "internal server error", "", "see the server's log")
        respond(reply)


_working: set[asyncio.Task[None]] = set()
"""Requests in progress: the loop alone would not keep them."""


def _json(value: Any) -> Reply:
    body = msgspec.json.encode(value) + b"\n"
    return Reply(200, [("content-type", "application/json"), _NO_STORE], body)


def _stream(content_type: str, pieces: Any) -> Reply:
    headers = [("content-type", content_type), _NO_STORE, ("x-accel-buffering", "no")]
    return Reply(200, headers, pieces)


def _limit(query: Mapping[str, list[str]]) -> int:
    text = query.get("limit", ["20"])[-1]
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text[:9]) <= MAX_RUNS:
        raise OperationError(400, f"{text!r:.60} is not a limit", f"give 1 to {MAX_RUNS:,}")
    return int(text)
