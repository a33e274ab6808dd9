"""Runs of other pipelines in the process of the run that started them (engine.sdk.children)."""

from __future__ import annotations

import asyncio
import queue
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from engine.documents import NO_LINEAGE, Batch, Item, Lineage, Value
from engine.errors import (
    ChildFailedError,
    ConfigurationError,
    DataError,
    EndlessCallsError,
    EngineError,
    ExecutionError,
    SnapFailedError,
)
from engine.plan import Plan, Port, compile_spec
from engine.plan.folders import folder_of
from engine.run.call_tree import CallTree
from engine.run.execution import Execution
from engine.run.failures import explain
from engine.run.files.names import is_local
from engine.run.identity import RunIdentity, identify_child
from engine.run.report import Report
from engine.run.secrets import Secrets
from engine.run.task_reference import read_task
from engine.sdk.children import PIPELINE_SUFFIXES, ChildView
from engine.sdk.files import FileName, Files, Name
from engine.sdk.json_output import to_json

IN_FLIGHT = 4
"""Batches of a child that wait for the snap that reads them; then the child waits."""

QUIET_SECONDS = 0.005
"""How long a snap waits for results of a child that has taken all items and emits nothing."""

_Event = tuple[str, Sequence[Item]] | EngineError | str
Taker = Callable[[str, Sequence[Item]], None]
"""Gets what a run emits, on the loop: (open output, items)."""

_HUNGRY, _ENDED = "hungry", "ended"


class Children:
    """The pipelines that the snap `label` runs; `files` are those that it may use."""

    def __init__(self, caller: Execution, label: str, files: Files) -> None:
        self._caller = caller
        self._label = label
        self._files = files
        self._found: dict[str, Child] = {}

    def find(self, name: Name) -> Child:
        path = self._path_of(name)
        child = self._found.get(path)
        if child is None:
            child = self._found[path] = self._loaded(path)
        return child

    def _path_of(self, name: Name) -> str:
        given = FileName(name) if isinstance(name, str) else name
        located = self._files.locate(name)
        for suffix in PIPELINE_SUFFIXES:
            path = self._files.locate(given.beside(suffix) if suffix else name)
            if is_local(path) and Path(path).is_file():
                return path
        raise DataError(
            "could not run a pipeline",
            f"there is no pipeline file {located!r}",
            "give the path of a pipeline file, relative to the folder of this pipeline's file",
        )

    def _loaded(self, path: str) -> Child:
        caller = self._caller
        try:
            task = read_task(path)
            if task is not None:
                path = task.pipeline
            project = caller.plan.project
            accounts = caller.services.accounts.in_folder(folder_of(path), project)
            plan = compile_spec(
                caller.load(path, caller.registry),
                caller.registry,
                project=project,
                accounts=accounts,
            )
        except ConfigurationError as error:
            mistakes = DataError(
                "could not run a pipeline",
                f"the pipeline {path!r} has mistakes",
                f"check it with: engine validate {path}",
            )
            mistakes.stacktrace = str(error)
            raise mistakes from error
        return Child(plan, caller, self._label, {} if task is None else task.parameters)


class Child:
    """A pipeline that the snap `label` of `caller` may run."""

    def __init__(
        self, plan: Plan, caller: Execution, label: str, preset: Mapping[str, str]
    ) -> None:
        self.plan = plan
        self._preset = preset
        self.parameters = {spec.name: preset.get(spec.name) for spec in plan.parameters}
        self.name = plan.name
        self.inputs = tuple(map(self._view, plan.open_inputs))
        self.outputs = tuple(map(self._view, plan.open_outputs))
        self._caller = caller
        self.label = label

    def _view(self, port: Port) -> ChildView:
        snap = self.plan.snap(port.label)
        views = {view.name: view.type for view in (*snap.inputs, *snap.outputs)}
        return ChildView(str(port), views[port.view])

    def start(
        self,
        parameters: Mapping[str, Value],
        *,
        from_data: frozenset[str] = frozenset(),
        label: str = "",
        timeout: float | None = None,
        lineage: Lineage = NO_LINEAGE,
        taker: Taker | None = None,
    ) -> Run:
        """As in engine.sdk.children; what the run emits goes to the `taker`, if there is one."""
        caller, parent = self._caller, self._caller.identity
        given = {**self._preset, **{name: _as_text(value) for name, value in parameters.items()}}
        try:
            identity = identify_child(
                self.plan, given, caller.plan, parent, from_data, caller.request_of(lineage)
            )
        except ConfigurationError as error:
            raise DataError(f"could not run the pipeline {self.name!r}", str(error)) from error
        run = Run(self, caller, label or f"{self.label}/", timeout, taker)
        try:
            run.begin(identity)
        except EndlessCallsError as error:
            raise run.endless(error) from None
        return run


class Run:
    """One run of a child, which is its observer; `exchange` is called by the snap's thread."""

    def __init__(
        self,
        child: Child,
        caller: Execution,
        label: str,
        timeout: float | None,
        taker: Taker | None,
    ) -> None:
        self._child = child
        self._caller = caller
        self._label = label
        self._loop = caller.services.child_loop
        self._events: queue.SimpleQueue[_Event] = queue.SimpleQueue()
        self._feeds = {view.name: Feed(self._events) for view in child.inputs}
        self._room = asyncio.Event()
        self._waiting = 0
        self._timeout = timeout
        self._deadline = None if timeout is None else monotonic() + timeout
        self._taker = taker
        self._stopped = ExecutionError(f"the pipeline {child.name!r} was stopped")
        self._calls = caller.calls or CallTree()
        self.run_id = ""

    def begin(self, identity: RunIdentity) -> None:
        """Raises EndlessCallsError."""
        chain = (*identity.callers, self._child.plan.path)
        self._calls.enter(self._child.name, chain)
        self.run_id = identity.ruuid
        self.ended = self._loop.start(self._run(identity))
        self.ended.add_done_callback(lambda _: self._calls.leave(chain))

    def endless(self, error: EndlessCallsError) -> EngineError:
        """The error for the caller: the pipelines between stop whatever their on_error says, and
        only for the outermost is it an error of the document."""
        return error if self._caller.calls is None else ExecutionError(explain(error))

    async def _run(self, identity: RunIdentity) -> EngineError | None:
        from engine.run.runner import run_plan  # which imports the context, which imports this

        failure: EngineError | None = self._stopped
        try:
            _, failure = await run_plan(
                self._child.plan,
                self._caller.registry,
                identity,
                observer=self,
                scripts=self._caller.services.scripts,
                inputs=self._feeds,
                parent=self._caller,
                caller=self._child.label,
                calls=self._calls,
                load=self._caller.load,
                breaker=self._caller.breaker,
            )
        except EngineError as error:
            failure = error
        except Exception as error:  # noqa: BLE001  # any, or the caller takes it for a normal end
            kind, text = type(error).__name__, f": {error}" if str(error) else ""
            failure = ExecutionError(f"the pipeline {self._child.name!r} broke off: {kind}{text}")
        finally:
            self._events.put(_ENDED if failure is None else failure)
        return failure

    def feed(self, items: Sequence[Item], view: str = "") -> None:
        """Pass items to an open input, without waiting."""
        feed = self._feeds[view] if view else next(iter(self._feeds.values()), None)
        if feed is not None:
            self._loop.call(feed.add, list(items))

    def end(self) -> None:
        """There will be no more items."""
        for feed in self._feeds.values():
            self._loop.call(feed.end)

    # For the snap

    def exchange(
        self, items: Sequence[Item] = (), *, view: str = "", last: bool = False
    ) -> Iterator[tuple[str, Sequence[Item]]]:
        if items:
            self.feed(items, view)
        if last:
            self.end()
        has_several = len(self._feeds) > 1  # one may have to wait for another
        wants_more = not last and (has_several or not items)
        while True:
            try:
                event = self._events.get(timeout=self._patience(wants_more=wants_more))
            except queue.Empty:
                if wants_more:
                    return
                self.stop()
                raise self._overdue() from None
            if event is _ENDED:
                return
            if isinstance(event, str):
                wants_more = not last  # the child is hungry
            elif isinstance(event, EngineError):
                raise self._failed(event)
            else:
                self._loop.call(self._taken)
                yield event

    def stop(self) -> None:
        self.ended.cancel()

    def _patience(self, *, wants_more: bool) -> float | None:
        if wants_more:
            return QUIET_SECONDS
        return None if self._deadline is None else max(self._deadline - monotonic(), 0.0)

    def _overdue(self) -> DataError:
        return DataError(
            f"the pipeline {self._child.name!r} was stopped",
            f"it took longer than {self._timeout:g} s",
            "raise timeout, or find out why the pipeline takes so long",
        )

    def _failed(self, failure: EngineError) -> EngineError:
        self._events.put(failure)  # for whoever calls again
        error = f"the pipeline {self._child.name!r} failed"
        if self._calls.endless is not None:
            return self.endless(self._calls.endless)
        inner = failure.__cause__
        if isinstance(inner, ChildFailedError):  # the places of all pipelines between are no help
            return ChildFailedError(error, inner.reason, inner.resolution, inner.for_callers)
        if isinstance(failure, SnapFailedError):
            for_callers = error, failure.reason, failure.resolution
            return ChildFailedError(error, str(failure), "", for_callers)
        if failure is self._stopped:
            return failure
        return ChildFailedError(error, str(failure), "", (error, "", ""))

    # The observer of the run, on the loop

    def started(self, report: Report, secrets: Secrets) -> None:
        """Nothing to keep."""

    def show(self, label: str, text: str, request_id: str = "") -> None:
        self._caller.show(f"{self._label}{label}", text, request_id)

    async def _wait_for_room(self) -> None:
        while self._waiting >= IN_FLIGHT:
            self._room.clear()
            await self._room.wait()

    def output(self, port: Port, batch: Batch) -> Any:
        if self._taker is not None:
            self._taker(str(port), batch.items)
            return None
        self._waiting += 1
        self._events.put((str(port), batch.items))
        return self._wait_for_room() if self._waiting >= IN_FLIGHT else None

    def _taken(self) -> None:
        self._waiting -= 1
        self._room.set()

    def finished(self, report: Report) -> None:
        """Nothing to keep: the end is an event."""


class Feed(AsyncIterator[list[Item]]):
    """The items for an open input of a child. Used on the loop only."""

    def __init__(self, events: queue.SimpleQueue[_Event]) -> None:
        self._events = events
        self._items: deque[list[Item]] = deque()
        self._more = asyncio.Event()
        self._ended = False

    def add(self, items: list[Item]) -> None:
        self._items.append(items)
        self._more.set()

    def end(self) -> None:
        self._ended = True
        self._more.set()

    async def __anext__(self) -> list[Item]:
        while not self._items:
            if self._ended:
                raise StopAsyncIteration
            self._more.clear()
            self._events.put(_HUNGRY)
            await self._more.wait()
        return self._items.popleft()


def _as_text(value: Value) -> str:
    """The value of a parameter: text as it is, anything else as JSON (reference 4.1)."""
    return value if isinstance(value, str) else to_json(value, "the parameter").decode()
