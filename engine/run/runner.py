"""The local runner: one task per stage, bounded channels between them, one outcome.

Structured concurrency does the hard part: if a run is cancelled, every stage is cancelled, and each
closes its snaps before the run returns. If a stage fails, everything that would supply more
documents is cancelled. The stages after it process what they have received, and none reaches its
`finish`. So the documents before a failure are delivered, and an incomplete file is never put in
place.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain, islice
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

from engine.documents import Batch, Item
from engine.errors import EngineError
from engine.plan.accounts import Accounts
from engine.plan.plan import Plan, Port, Prelude, Stage
from engine.plan.routes import sources_of
from engine.registry import Registry
from engine.run.call_tree import CallTree
from engine.run.elsewhere import Elsewhere, RemoteStage
from engine.run.execution import Execution, Load, load_yaml
from engine.run.failures import first_error
from engine.run.files import ProjectFiles
from engine.run.haste import HastyStage, hasty_stages, outputs_of
from engine.run.host import Outputs, StageHost
from engine.run.identity import RunIdentity
from engine.run.inbox import Inbox, inbox_of, joined
from engine.run.inline import Inline
from engine.run.inputs import inputs_by_port
from engine.run.lineage import Ledger
from engine.run.observer import Observer, Source, Watcher
from engine.run.report import Report
from engine.run.services import Guard, Services
from engine.run.stopping import Stopper
from engine.run.worker import Worker
from engine.sdk.http import HttpClient
from engine.sdk.results import BATCH_SIZE
from engine.sdk.scripts import ScriptExecutor
from engine.sdk.views import View

if TYPE_CHECKING:
    from engine.run.breaking import Breaker
    from engine.run.taps import Taps
    from engine.run.tracing import Tracer

R = TypeVar("R")


async def run_plan(
    plan: Plan,
    registry: Registry,
    identity: RunIdentity,
    *,
    observer: Observer,
    scripts: ScriptExecutor,
    inputs: Mapping[str, Source] | None = None,
    ledger: Ledger | None = None,
    http: HttpClient | None = None,
    files: ProjectFiles | None = None,
    accounts: Accounts | None = None,
    stopper: Stopper | None = None,
    parent: Execution | None = None,
    calls: CallTree | None = None,
    load: Load = load_yaml,
    guard: Guard | None = None,
    caller: str = "",
    taps: Taps | None = None,
    breaker: Breaker | None = None,
    elsewhere: Elsewhere | None = None,
    tracer: Tracer | None = None,
) -> tuple[Report, EngineError | None]:
    """Run a plan to its end, or this process's part of it.

    `inputs` maps an open input, as `label.view` or `label`, to its items. A live source is started
    once everything is done that needs none of its batches, so that a model, for example, is loaded
    before the first request. With a `ledger`, documents carry their requests, as in an ultra task.
    `http`, `files` and `accounts` replace the run's own; a child run shares the services of its
    `parent`, masks its secrets, and is one of its `calls`; the snap `caller` runs it. `load` reads
    the files of other pipelines that it runs. A `guard` decides what each snap may reach.
    `taps` show what crosses some views; a `breaker` decides about documents that fail. The stages
    that `elsewhere` takes run in other processes. A `tracer` collects the spans of requests.

    Returns the report, and the error that stopped the pipeline, if any. Raises ConfigurationError,
    before anything starts, if the inputs do not match.
    """
    crossed = observer.crossed if isinstance(observer, Watcher) else None
    shared = None if parent is None else parent.services
    services = Services(
        plan, scripts, observer.show, http, files, crossed, accounts, shared, guard, caller
    )
    secrets = None if parent is None else parent.secrets
    execution = Execution(
        plan,
        identity,
        services,
        registry,
        load=load,
        ledger=ledger,
        outer_secrets=secrets,
        calls=calls,
        breaker=breaker,
        tracer=tracer,
    )
    fed = inputs_by_port(plan, inputs or {})
    remote: Mapping[Stage, RemoteStage] = {}
    if elsewhere is not None:
        remote = elsewhere.stages(execution)
    stopper = stopper or Stopper()
    run = _Run(plan, registry, execution, observer, fed, stopper, remote)
    if taps is not None:
        taps.open(execution, run.hosts)
    started = perf_counter()
    try:
        _open_error_pipeline(execution)
        failure = await run.run()
    except asyncio.CancelledError:
        if (failure := stopper.take_expiry()) is None:
            run.report.status = "stopped"
            raise
        run.report_failure(failure)
    finally:
        stopper.end()
        services.close()
        run.account(perf_counter() - started)
        observer.finished(run.report)
    return run.report, failure


def _open_error_pipeline(execution: Execution) -> None:
    if execution.plan.error_pipeline is not None:
        from engine.run.error_pipeline import ErrorPipeline  # few pipelines have one

        execution.error_pipeline = ErrorPipeline(execution)


class _Run:
    """The moving parts of one run: a host, an inbox and a task for each stage."""

    def __init__(
        self,
        plan: Plan,
        registry: Registry,
        execution: Execution,
        observer: Observer,
        fed: Mapping[Port, Source],
        stopper: Stopper,
        remote: Mapping[Stage, RemoteStage],
    ) -> None:
        self._plan = plan
        self._execution = execution
        self._observer = observer
        self._fed = fed
        self._stopper = stopper
        self._open_outputs = frozenset(plan.open_outputs)
        self._ledger = execution.ledger
        self._tasks: dict[Stage, asyncio.Task[None]] = {}
        self._feeders: list[asyncio.Task[None]] = []
        self._failure: EngineError | None = None
        self._remote = remote
        self.hosts = {
            stage: StageHost(stage, registry, execution)
            for stage in plan.stages
            if stage not in remote
        }
        self._inboxes = {stage: inbox_of(plan.routes, stage) for stage in plan.stages}
        self._direct: frozenset[Stage] = frozenset()
        self._hasty: dict[Stage, HastyStage] = {}
        self._targets = plan.routes.targets
        self._taking: Awaitable[None] | None = None
        """What the stage that has caused the last output should wait for."""

        accounts = [account for host in self.hosts.values() for account in host.statistics]
        accounts += [account for host in remote.values() for account in host.statistics]
        statistics = {account.label: account for account in accounts}
        self.report = Report(
            pipeline=plan.name,
            ruuid=execution.identity.ruuid,
            snaps=[statistics[snap.label] for snap in plan.snaps],
            links=plan.links,
            warnings=plan.warnings,
            parameters=execution.captured_parameters(),
        )
        self._all_open = asyncio.Barrier(max(1, len(plan.stages)))

    async def run(self) -> EngineError | None:
        loop = asyncio.get_running_loop()
        self._execution.on_failure = partial(_call_in, loop, self._fail_waiting)
        try:
            async with asyncio.TaskGroup() as tasks:
                for stage in self._plan.stages:
                    self._tasks[stage] = tasks.create_task(self._run_stage(stage), name=stage.name)
                for stage, feeds in self._plan.routes.feeds.items():
                    for feed in feeds:
                        if feed.source is None:
                            feeder = tasks.create_task(self._feed(stage, feed.view))
                            self._feeders.append(feeder)
        except BaseExceptionGroup as group:
            error = first_error(group)
            if not isinstance(error, EngineError):
                self.report_failure(error)
                raise error from None
            self._failure = self._failure or error
        if self._execution.error_pipeline is not None:
            of_errors = await self._execution.error_pipeline.end()
            self._failure = self._failure or of_errors
        if self._failure is None:
            self.report.status = "completed"
        else:
            self.report_failure(self._failure)
        return self._failure

    def report_failure(self, error: BaseException) -> None:
        self.report.status, self.report.failure = "failed", str(error) or type(error).__name__

    def _fail_waiting(self, label: str, failure: EngineError) -> None:
        """A snap failed while it was waiting for documents."""
        for stage, inbox in self._inboxes.items():
            if label in stage.labels:
                inbox.fail(failure)

    def account(self, seconds: float) -> None:
        """Complete the report: snaps that were still running have been stopped."""
        self.report.seconds = seconds
        for snap in self.report.snaps:
            if snap.status == "running":
                snap.status = "stopped"

    async def _run_stage(self, stage: Stage) -> None:
        if stage in self._remote:
            await self._run_elsewhere(stage, self._remote[stage])
            return
        host, inbox = self.hosts[stage], self._inboxes[stage]
        caller = self._caller(stage, host)
        try:
            await caller.call(host.open)
            await self._wait_for_all()
            try:
                await self._work(stage, host, caller)
            except EngineError as error:
                self._fail(stage, error)
        finally:
            self._end_outputs(stage)
            inbox.close()
            await caller.close(host.close)

    async def _run_elsewhere(self, stage: Stage, remote: RemoteStage) -> None:
        inbox = self._inboxes[stage]
        try:
            await remote.open()
            await self._wait_for_all()
            try:
                await remote.work(inbox, self._deliver)
                if self._failure is None:
                    await remote.finish(self._deliver)
            except EngineError as error:
                self._fail(stage, error)
        finally:
            self._end_outputs(stage)
            inbox.close()

    async def _work(self, stage: Stage, host: StageHost, caller: Worker | Inline) -> None:
        inbox = self._inboxes[stage]
        await self._send(caller, host.start())
        while waiting := await inbox.take(self._most_at_once(caller)):
            batches = joined(waiting) if host.flows else waiting
            results = (outputs_of(host, view, batch) for view, batch in batches)
            await self._send(caller, chain.from_iterable(results))
        if self._failure is None:
            await self._send(caller, host.finish())

    def _fail(self, stage: Stage, error: EngineError) -> None:
        """Stop the supply of documents; later stages process what they have received.

        An ultra pipeline fails at once: its requests are redelivered to another instance.
        """
        if self._ledger is not None:
            raise error
        self._failure = self._failure or error
        sources = [self._tasks[other] for other in sources_of(self._plan, stage)]
        for task in (*self._feeders, *sources):
            task.cancel()

    def _most_at_once(self, caller: Worker | Inline) -> int:
        """Batches that a stage takes at once; in an ultra task, no answer waits for another's."""
        return caller.at_once if self._ledger is None else 1

    def _caller(self, stage: Stage, host: StageHost) -> Worker | Inline:
        if stage in self._plan.routes.waiting:
            return Worker(stage.name, host.interrupt)
        return Inline(self._stopper)

    async def _wait_for_all(self) -> None:
        """Wait until every snap is open, so that with a wrong setting nothing starts."""
        if await self._all_open.wait() == 0:
            self._observer.started(self.report, self._execution.secrets)

    async def _send(self, caller: Worker | Inline, outputs: Outputs) -> None:
        more = True
        while more:
            batches, failure, more = await caller.gather(outputs)
            for port, batch in batches:
                await self._deliver(port, batch)
            if failure is not None:
                raise failure

    async def _deliver(self, port: Port, batch: Batch) -> None:
        target = self._targets.get(port)
        if not batch.items:
            await asyncio.sleep(0)  # an empty batch separates two slices
        elif self._direct:
            self._pass_on(port, batch)
            if self._taking is not None:
                taking, self._taking = self._taking, None
                await taking
        elif target is not None:
            await self._inboxes[target.stage].put(target.view, batch)
        elif port in self._open_outputs:
            taken = self._observer.output(port, batch)
            await (asyncio.sleep(0) if taken is None else taken)
        elif self._ledger is not None:
            self._ledger.leave(batch.complete_lineage())  # the snap that it would feed is disabled

    def _push(self, stage: Stage, view: str, batch: Batch) -> None:
        """Pass a batch to a stage now; a stage that never waits processes it immediately."""
        if stage in self._direct:
            for port, given in self.hosts[stage].process(view, batch):
                self._pass_on(port, given)
        elif (hasty := self._hasty.get(stage)) is not None:
            hasty.push(view, batch)
        else:
            self._inboxes[stage].put_at_once(view, batch)

    def _pass_on(self, port: Port, batch: Batch) -> bool:
        """Pass a batch on now; whether more may follow at once."""
        target = self._targets.get(port)
        if target is not None:
            self._push(target.stage, target.view, batch)
        elif port in self._open_outputs:
            self._taking = self._observer.output(port, batch) or self._taking
        elif self._ledger is not None:
            self._ledger.leave(batch.complete_lineage())
        return self._taking is None

    def _end_outputs(self, stage: Stage) -> None:
        for target in self._plan.routes.leaving(stage).values():
            self._inboxes[target.stage].end(target.view)

    async def _feed(self, stage: Stage, view: View) -> None:
        """Feed an open input with the caller's items, or else with its view's default."""
        port, inbox = Port(stage.labels[0], view.name), self._inboxes[stage]
        source = self._fed.get(port)
        try:
            if isinstance(source, Iterator):
                await self._read(source, inbox, port.view)
            elif isinstance(source, AsyncIterator):
                async for given in source:
                    await inbox.put(port.view, Batch(given))
            elif source is not None and not isinstance(source, Sequence):
                assert self._plan.routes.prelude is not None  # there is one live input
                await self._play(self._plan.routes.prelude)
                self._direct = frozenset(self._plan.stages) - self._plan.routes.waiting
                self._hasty = hasty_stages(
                    self._plan.routes, self.hosts, self._inboxes, self._pass_on
                )
                await source.run(partial(self._push, stage, port.view))
            else:
                is_empty = view.unlinked == "nothing" or view.type == "binary"
                default: Sequence[Item] = [] if is_empty else [{}]
                items = iter(default if source is None else source)
                while some := list(islice(items, BATCH_SIZE)):
                    await inbox.put(port.view, Batch(some))
        finally:
            inbox.end(port.view)

    async def _read(self, batches: Iterator[list[Item]], inbox: Inbox, view: str) -> None:
        """Feed a view from an iterator that may block."""
        reader = Worker(f"input of {view}", interrupt=lambda: None)
        try:
            while (items := await reader.call(next, batches, None)) is not None:
                if items:
                    await inbox.put(view, Batch(items))
        finally:
            reader.stop()

    async def _play(self, prelude: Prelude) -> None:
        """Wait until everything that needs no live item has run and been received."""
        if prelude.first:
            await asyncio.wait([self._tasks[stage] for stage in prelude.first])
        for stage in prelude.then:
            await self._inboxes[stage].idle()


def _call_in(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *args: Any) -> None:
    """Call a function in the loop, from any thread, unless the loop is closed."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(function, *args)
