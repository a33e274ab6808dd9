"""The server: tasks behind one HTTP front, from startup to shutdown.

SIGTERM and SIGINT let the open requests finish and then stop the server (a second one stops it at
once); SIGHUP reloads all files.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from engine.errors import ConfigurationError
from engine.run.garbage_collection import relax_garbage_collection
from engine.tasks.definition.loading import Loaded, check_parameters
from engine.tasks.front.access import AccessLog
from engine.tasks.front.front import PREFIX, Front, Page, Policy
from engine.tasks.front.http_server import HttpServer
from engine.tasks.front.site import Site
from engine.tasks.front.tracing import Tracing
from engine.tasks.openapi.document import KeptDocument
from engine.tasks.openapi.page import CONTENT_TYPE as HTML
from engine.tasks.openapi.page import page
from engine.tasks.server.admin_server import AdminPort, AdminServer
from engine.tasks.server.endpoint import Endpoint
from engine.tasks.server.hosted_tasks import HostedTasks
from engine.tasks.server.logs import dropped_lines
from engine.tasks.server.metrics import CONTENT_TYPE, metrics_text
from engine.tasks.server.operations import Operations
from engine.tasks.server.states import ServerState, readiness, state_of
from engine.tasks.server.trace_export import TraceExport

log = logging.getLogger(__name__)

DONE, FAILED, STOPPED = 0, 1, 130
FLUSH_SECONDS = 5.0
"""Seconds for finished responses to be sent and read at shutdown."""

_STATE_INTERVAL = 0.2

Load = Callable[[str | None], list[Loaded]]
"""Reads all files, or the one of this path; raises ConfigurationError if they cannot be served."""


class Server:
    """Hosts tasks until a signal stops it."""

    def __init__(
        self,
        load: Load,
        endpoint: Endpoint,
        access: AccessLog | None = None,
        state_folder: str | None = None,
        site: Site | None = None,
        policy: Policy = Policy(),  # noqa: B008  # frozen
        drain_delay: float | None = None,
        traces: TraceExport | None = None,
        admin: AdminPort | None = None,
    ) -> None:
        self._load = load
        self._drain_delay = drain_delay
        self._endpoint = endpoint
        self._access = access
        self._site = site
        self._traces = traces
        self._hosted = HostedTasks(self._url, state_folder, None if traces is None else traces.send)
        self._tasks = self._hosted.all
        self._document = KeptDocument()
        self._stopping = asyncio.Event()
        self._forced = asyncio.Event()
        self._wants_reload = False
        self._reloading: asyncio.Task[None] | None = None
        pages: dict[str, Page] = {
            "/healthz": lambda: (200, "text/plain", b"ok\n"),
            "/readyz": self._readiness,
            "/openapi.json": lambda: (200, "application/json", self._openapi()),
            "/openapi": lambda: (200, HTML, page()),
            "/metrics": lambda: (200, CONTENT_TYPE, self._metrics()),
        }
        self._front = Front(self._hosted.answering, pages, access, site, policy)
        if traces is not None:
            self._front.tracing = Tracing(traces.sampling, traces.send)
        self._front.closed = self._hosted.closed
        access_control = self._front.access
        operations = Operations(self._hosted, self._state, load, access_control.prepare)
        self._admin = AdminServer(operations, pages, admin, access_control.tokens_of)

    async def run(self) -> int:
        """0 after a clean shutdown, 1 if no task could be started, 130 if it was forced to stop.

        Raises ConfigurationError if the files cannot be served, EngineError if the port is taken.
        """
        loaded = self._load(None)
        for each in loaded:
            check_parameters(each)
        self._front.access.prepare(each.task for each in loaded)
        self._endpoint, listener = self._endpoint.listen()
        if self._endpoint.tls is not None:
            self._endpoint.tls.warn()
        try:
            await self._admin.start()
            for each in loaded:
                self._hosted.host(each)
            self._front.access.start()
            if self._site is not None:
                log.info("page at %s/", self._endpoint.url)
            relax_garbage_collection()
            return await self._serve(listener)
        finally:
            listener.close()
            await self._admin.stop()
            self._front.access.close()
            await self._end_all()

    async def _serve(self, listener: socket.socket) -> int:
        http = HttpServer(self._front)
        http.on_pressure = self._hosted.hold
        tls = self._endpoint.tls
        await http.start(listener, None if tls is None else tls.context)
        with self._signals():
            code = await self._until_end()
            log.info("shutting down")
            await self._until_forced(http.drain(delay=self._drain_delay))
            await self._drain()
            await http.closed(FLUSH_SECONDS)
        return STOPPED if self._forced.is_set() else code

    async def _until_forced(self, *work: Coroutine[Any, Any, None]) -> None:
        """Wait for all of this, unless a second signal stops the server at once."""
        tasks: list[asyncio.Task[Any]] = [asyncio.create_task(each) for each in work]
        forced: asyncio.Task[Any] = asyncio.create_task(self._forced.wait())
        for task in tasks:
            await asyncio.wait({task, forced}, return_when=asyncio.FIRST_COMPLETED)
        for task in (forced, *tasks):
            task.cancel()

    async def _until_end(self) -> int:
        """Wait for a signal, or until no task can run."""
        while not self._stopping.is_set():
            if all(hosted.disabled for hosted in self._tasks.values()):
                log.error("no task could be started; shutting down")
                return FAILED
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _STATE_INTERVAL)
        return DONE

    async def _drain(self) -> None:
        """Let the open requests finish, for as long as each task's drain timeout."""
        tasks = list(self._tasks.values())
        await self._until_forced(*(hosted.drain(hosted.task.timeouts.drain) for hosted in tasks))
        for hosted in tasks:
            await hosted.drain(0)

    async def _end_all(self) -> None:
        if self._reloading is not None:
            self._reloading.cancel()
        await self._hosted.end()
        if self._traces is not None:
            self._traces.close()
        if self._access is not None:
            self._access.close()

    # Signals

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        handlers = {
            signal.SIGINT: self._stop,
            signal.SIGTERM: self._stop,
            signal.SIGHUP: self._begin_reload,
        }
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
        try:
            yield
        finally:
            for number in handlers:
                loop.remove_signal_handler(number)

    def _stop(self) -> None:
        if self._stopping.is_set():
            self._forced.set()
        self._stopping.set()

    def _begin_reload(self) -> None:
        """Reload now, or once more after the reload in progress, however often that is asked."""
        if self._stopping.is_set():  # new processes would only have to end
            return
        self._wants_reload = True
        if self._reloading is None or self._reloading.done():
            self._reloading = asyncio.create_task(self._reload_while_asked(), name="reload")

    async def _reload_while_asked(self) -> None:
        while self._wants_reload:
            self._wants_reload = False
            await self._reload()

    async def _reload(self) -> None:
        """Reload the files; if they cannot be served, log why and change nothing."""
        log.info("reloading the files")
        if self._access is not None:
            self._access.reopen()
        if self._endpoint.tls is not None:
            await asyncio.to_thread(self._endpoint.tls.reload)
        try:
            loaded = await asyncio.to_thread(self._load, None)
            for each in loaded:
                check_parameters(each)
            await asyncio.to_thread(self._front.access.prepare, [each.task for each in loaded])
            if self._site is not None:
                await asyncio.to_thread(self._site.reload)
        except ConfigurationError as error:
            log.error("reload failed; all tasks stay as they were:\n%s", error)
            return
        self._front.access.start()
        await self._hosted.switch_all(loaded)

    # Status

    def _openapi(self) -> bytes:
        return self._document.of((hosted.task, hosted.plan) for hosted in self._tasks.values())

    def _url(self, name: str) -> str:
        return f"{self._endpoint.url}/{PREFIX}/{name}"

    def _metrics(self) -> bytes:
        dropped = dropped_lines() + (0 if self._access is None else self._access.dropped)
        spans = 0 if self._traces is None else self._traces.dropped
        return metrics_text(self._tasks, self._front.unread, dropped, spans)

    def _readiness(self) -> tuple[int, str, bytes]:
        stopping = self._stopping.is_set()
        return readiness(self._tasks, self._hosted.closed, stopping=stopping)

    def _state(self) -> ServerState:
        stopping = self._stopping.is_set()
        tasks = [
            state_of(
                name,
                hosted,
                self._url(name) if name in self._hosted.answering else "",
                self._hosted.closed.get(name),
                stopping=stopping,
            )
            for name, hosted in self._tasks.items()
        ]
        return ServerState(os.getpid(), self._endpoint.url, tasks)
