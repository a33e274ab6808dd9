"""The server: tasks behind one HTTP front, from startup to shutdown.

SIGTERM and SIGINT let the open requests finish and then stop the server (a second one stops it at
once); SIGHUP reloads all files.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from engine.errors import ConfigurationError, EngineError
from engine.run.garbage_collection import relax_garbage_collection
from engine.tasks.definition.loading import Loaded, check_parameters
from engine.tasks.front.access import AccessLog
from engine.tasks.front.front import PREFIX, Answering, Front, Page
from engine.tasks.front.http_server import listen, server_for
from engine.tasks.front.site import Site
from engine.tasks.scheduled.history import History
from engine.tasks.scheduled.scheduler import ScheduledTask
from engine.tasks.server.control import Control, ServerState, TaskState
from engine.tasks.server.hosted import Hosted, host
from engine.tasks.server.metrics import CONTENT_TYPE, metrics_text
from engine.tasks.server.tapping import serve_tap
from engine.tasks.triggered.triggered import TriggeredTask
from engine.tasks.ultra.feed_master import FeedMaster

log = logging.getLogger(__name__)

DONE, FAILED, STOPPED = 0, 1, 130
FLUSH_SECONDS = 5.0
"""Seconds for finished responses to be sent at shutdown."""

_STATE_INTERVAL = 0.2

Load = Callable[[], list[Loaded]]
"""Reads all files; raises ConfigurationError if they cannot be served."""


def _hint(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            "stop the process that uses it, or choose another port with --port (0 takes a free one)"
        )
    if error.errno == errno.EACCES:
        return "choose a port of 1024 or above with --port"
    return "give an address of this machine with --host, such as 127.0.0.1, or 0.0.0.0 for all"


class Address(msgspec.Struct, frozen=True):
    host: str = "127.0.0.1"
    port: int = 8080

    def url(self) -> str:
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{shown}:{self.port}"


class Server:
    """Hosts tasks until a signal stops it."""

    def __init__(
        self,
        load: Load,
        address: Address,
        access: AccessLog | None = None,
        state_folder: str | None = None,
        site: Site | None = None,
    ) -> None:
        self._load = load
        self._address = address
        self._access = access
        self._state_folder = state_folder
        self._site = site
        self._tasks: dict[str, Hosted] = {}
        self._answering: dict[str, Answering] = {}
        self._history: History | None = None
        self._stopping = asyncio.Event()
        self._forced = asyncio.Event()
        self._reloading = asyncio.Lock()
        self._background: set[asyncio.Task[None]] = set()
        pages: dict[str, Page] = {
            "/healthz": lambda: (200, "text/plain", b"ok\n"),
            "/readyz": self._readiness,
            "/metrics": lambda: (200, CONTENT_TYPE, metrics_text(self._tasks, front.unread)),
        }
        front = Front(self._answering, pages, access, site)
        self._http = server_for(front)

    async def run(self) -> int:
        """0 after a clean shutdown, 1 if no task could be started, 130 if it was forced to stop.

        Raises ConfigurationError if the files cannot be served, EngineError if the port is taken.
        """
        loaded = self._load()
        for each in loaded:
            check_parameters(each)
        listener = self._listen()
        control = Control(self._state, partial(serve_tap, self._tasks))
        try:
            await control.start()
            for each in loaded:
                self._host(each)
            if self._site is not None:
                log.info("page at %s/", self._address.url())
            relax_garbage_collection()
            return await self._serve(listener)
        finally:
            listener.close()
            await control.stop()
            await self._end_all()

    def _listen(self) -> socket.socket:
        host, port = self._address.host, self._address.port
        try:
            listener = listen(host, port)
        except OSError as error:
            why = error.strerror or str(error)
            raise EngineError(f"cannot listen at {host}:{port}: {why}; {_hint(error)}") from error
        self._address = Address(host, listener.getsockname()[1])
        return listener

    def _host(self, loaded: Loaded) -> None:
        name = loaded.task.name
        hosted = self._tasks[name] = host(loaded, self._get_history)
        if isinstance(hosted, FeedMaster | TriggeredTask):
            self._answering[name] = hosted
        hosted.start()
        place = f" at {self._url(name)}"
        detail = f"; {hosted.next_run_text}" if isinstance(hosted, ScheduledTask) else place
        log.info("%s task%s", loaded.task.type, detail, extra={"task": name})

    async def _serve(self, listener: socket.socket) -> int:
        serving = asyncio.create_task(self._http.serve(sockets=[listener]), name="http")
        with self._signals():
            code = await self._until_end()
            self._http.should_exit = True  # refuse connections; open requests go on
            await self._drain()
            await asyncio.wait({serving}, timeout=0 if self._forced.is_set() else FLUSH_SECONDS)
            self._http.force_exit = True
            await serving
        return STOPPED if self._forced.is_set() else code

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
        if self._tasks:
            log.info("shutting down; new requests are refused")
        drains = [hosted.drain(hosted.task.timeouts.drain) for hosted in self._tasks.values()]
        draining = [asyncio.create_task(drain) for drain in drains]
        forced = asyncio.create_task(self._forced.wait())
        for drain in draining:
            await asyncio.wait({drain, forced}, return_when=asyncio.FIRST_COMPLETED)
        for task in (forced, *draining):
            task.cancel()

    async def _end_all(self) -> None:
        for task in self._background:
            task.cancel()
        for hosted in self._tasks.values():
            await hosted.drain(0)
        if self._access is not None:
            self._access.close()
        if self._history is not None:
            self._history.close()

    def _get_history(self) -> History:
        """The history of scheduled runs, opened on first use."""
        if self._history is None:
            self._history = History(self._state_folder)
        return self._history

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
        task = asyncio.create_task(self._reload())
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _reload(self) -> None:
        """Reload the files; if they cannot be served, log why and change nothing."""
        async with self._reloading:
            log.info("reloading the files")
            if self._access is not None:
                self._access.reopen()
            try:
                loaded = {each.task.name: each for each in await asyncio.to_thread(self._load)}
                for each in loaded.values():
                    check_parameters(each)
                if self._site is not None:
                    await asyncio.to_thread(self._site.reload)
            except ConfigurationError as error:
                log.error("reload failed; all tasks stay as they were:\n%s", error)
                return
            await asyncio.gather(*(self._reload_task(each) for each in loaded.values()))
            for name in self._tasks.keys() - loaded.keys():
                hosted = self._tasks.pop(name)
                self._answering.pop(name, None)
                await hosted.drain(hosted.task.timeouts.drain)
                log.info("task removed", extra={"task": name})

    async def _reload_task(self, loaded: Loaded) -> None:
        name = loaded.task.name
        hosted = self._tasks.get(name)
        if hosted is None or hosted.task.type != loaded.task.type:
            self._host(loaded)
            if hosted is not None:
                await hosted.drain(hosted.task.timeouts.drain)
        elif await hosted.reload(loaded.task, loaded.plan):
            log.info("task reloaded", extra={"task": name})
        else:
            log.error("reload failed; the task stays as it was", extra={"task": name})

    # Status

    def _readiness(self) -> tuple[int, str, bytes]:
        waiting = [name for name, hosted in self._tasks.items() if not hosted.is_ready]
        if self._stopping.is_set():
            return 503, "text/plain", b"ending\n"
        if waiting:
            return 503, "text/plain", f"not ready: {', '.join(waiting)}\n".encode()
        return 200, "text/plain", b"ready\n"

    def _url(self, name: str) -> str:
        return f"{self._address.url()}/{PREFIX}/{name}"

    def _state(self) -> ServerState:
        tasks = [self._state_of(name, hosted) for name, hosted in self._tasks.items()]
        return ServerState(os.getpid(), self._address.url(), tasks)

    def _state_of(self, name: str, hosted: Hosted) -> TaskState:
        statistics = hosted.statistics
        state = "ready" if hosted.is_ready else "disabled" if hosted.disabled else "starting"
        if self._stopping.is_set():
            state = "ending"
        return TaskState(
            name=name,
            type=hosted.task.type,
            pipeline=hosted.task.pipeline,
            url=self._url(name) if name in self._answering else "",
            state=state,
            instances=len(hosted.instances),
            requests=statistics.total,
            errors=statistics.errors,
            queued=hosted.queue_depth,
            p50=statistics.quantile(0.5),
            p99=statistics.quantile(0.99),
            note=hosted.disabled,
            next_run=hosted.next_time if isinstance(hosted, ScheduledTask) else None,
        )
