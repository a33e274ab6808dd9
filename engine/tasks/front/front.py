"""The front: from an HTTP request to the task that answers it, and back.

It checks who may call (bearer token), from which pages (CORS) and with how large a body, and runs
no user code. Its own errors have the same form as those of tasks: `error`, `reason`, `resolution`.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Mapping

import msgspec

from engine.request_tags import RequestTag
from engine.tasks.front.access import AccessEntry, AccessLog
from engine.tasks.front.access_control import AccessControl
from engine.tasks.front.calls import Call, RefusedCall
from engine.tasks.front.head import METHODS, Head, decoded
from engine.tasks.front.polling import RUNS, PolledRuns, RunCall
from engine.tasks.front.proxies import TrustedProxies
from engine.tasks.front.rate_limit import RateLimits
from engine.tasks.front.repeats import Repeats
from engine.tasks.front.reply import Reply, error_reply
from engine.tasks.front.site import Site
from engine.tasks.front.task_call import Answering, TaskCall
from engine.tasks.front.tracing import Tracing
from engine.tasks.wire.messages import Response

Page = Callable[[], tuple[int, str, bytes]]
"""A page of the server itself: status, content type and body."""

PREFIX = "tasks"
_BELOW_TASKS = f"/{PREFIX}/"
_BELOW_RUNS = f"/{RUNS}/"


class Policy(msgspec.Struct, frozen=True):
    """What holds for all requests. `hosts`: the names for which it serves; None for any.

    `terse`: the caller of a task learns that its request failed, and no more. `proxies`: those
    whose headers say where a request comes from. `scheme`: what the port speaks.
    """

    hosts: frozenset[str] | None = None
    terse: bool = False
    proxies: TrustedProxies | None = None
    scheme: str = "http"

    def serves(self, host: str) -> bool:
        """Requests of HTTP/1.0 may name no host; no browser sends them."""
        return not self.hosts or not host or host in self.hosts


class Front:
    """The application: finds the task or the page for each request."""

    def __init__(
        self,
        tasks: Mapping[str, Answering],
        pages: Mapping[str, Page],
        access: AccessLog | None,
        site: Site | None = None,
        policy: Policy = Policy(),  # noqa: B008  # frozen
    ) -> None:
        self.tasks = tasks
        self.policy = policy
        self.rate_limits = RateLimits()
        self.polled = PolledRuns(terse=policy.terse)
        self.repeats = Repeats()
        self.access = AccessControl()
        self.closed: Mapping[str, str] = {}
        """Tasks that an operator has paused or drained, and which of the two."""

        self.unread: Counter[int] = Counter()
        """Requests that could not be read, by the status of the response."""

        self._pages = pages
        self.access_log = access
        if access is not None:
            access.scheme = policy.scheme
        self.tracing: Tracing | None = None
        """Set before the first request, if traces are sent."""

        self._site = site
        self._numbers = itertools.count(1)

    def call(self, head: Head) -> Call:
        if self.policy.proxies is not None:
            seen = self.policy.proxies.original(head)
            if isinstance(seen, Reply):
                return PageCall(self, head, seen)
            head = seen
        if not self.policy.serves(head.host):
            return PageCall(self, head, wrong_host(head.host))
        if head.raw_path.startswith(_BELOW_RUNS):
            hosted, path_info = self._route(head.raw_path, _BELOW_RUNS)
            if hosted is not None:
                return RunCall(self, hosted, head, path_info, next(self._numbers))
        hosted, path_info = self._route(head.raw_path)
        if hosted is None:
            return PageCall(self, head, self._page(head))
        return TaskCall(self, hosted, head, path_info, next(self._numbers))

    def record_unread(self, client: str, tag: RequestTag, status: int, size: int) -> None:
        """A request that could not be read has been answered; no task has seen it."""
        self.unread[status] += 1
        if self.access_log is not None:
            head = Head("-", "-", "", [], client, tag=tag)
            self.access_log.write(AccessEntry(head, status, size, 0.0))

    def _route(self, raw_path: str, below: str = _BELOW_TASKS) -> tuple[Answering | None, str]:
        """The task of a path, and what follows its name. A name is exactly one segment."""
        if not raw_path.startswith(below):
            return None, ""
        name, slash, rest = raw_path[len(below) :].partition("/")
        if "%" not in raw_path and raw_path.isascii():
            return self.tasks.get(name), slash + rest
        return self.tasks.get(decoded(name)), slash + decoded(rest)

    def _page(self, head: Head) -> Reply:
        path = head.path
        if path == "*":
            return Reply(204, [("allow", ", ".join(METHODS))], b"")
        page = self._pages.get(path)
        if page is None and self._site and not _is_below_tasks(path):
            return self._site.answer(head.method, path, head.headers)
        if page is None:
            names = ", ".join(self.tasks) or "none"
            reason = f"the path is {path!r:.200}"
            remedy = f"tasks are at /{PREFIX}/NAME; their names are: {names}"
            return error_reply(404, "page or task not found", reason, remedy)
        if head.method not in ("GET", "HEAD"):
            return error_reply(
                405, "this page is read-only", "", "use GET", [("allow", "GET, HEAD")]
            )
        status, content_type, body = page()
        return Reply(status, [("content-type", content_type)], body)


class PageCall(RefusedCall):
    """A request to the server itself: no page reads a body."""

    def __init__(self, front: Front, head: Head, reply: Reply) -> None:
        super().__init__(head.tag, reply)
        self._front = front
        self._head = head
        self._started = time.perf_counter()

    def record(self, reply: Response | Reply, size: int) -> None:
        access = self._front.access_log
        if access is not None:
            seconds = time.perf_counter() - self._started
            access.write(AccessEntry(self._head, reply.status, size, seconds))


def wrong_host(host: str) -> Reply:
    return error_reply(
        421,
        "this server does not serve that host",
        f"the request is for {host!r:.100}",
        "use an address that it serves, or start it with --allow-host NAME",
    )


def _is_below_tasks(path: str) -> bool:
    return path == f"/{PREFIX}" or path.startswith(_BELOW_TASKS)
