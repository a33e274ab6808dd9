"""Run pipelines from Python."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from engine.api.checking import Pipeline, compile_plan, spec_of
from engine.documents import Batch, Item
from engine.errors import ConfigurationError, EngineError
from engine.numbers import with_decimals, with_floats
from engine.plan import Plan, Port
from engine.registry import Registry, discover
from engine.run.identity import identify
from engine.run.observer import Observer, Watcher
from engine.run.report import Report
from engine.run.runner import run_plan
from engine.run.secrets import Secrets
from engine.run.stopping import Stopper, limited_to, stopped_by
from engine.sdk.http import HttpClient

if TYPE_CHECKING:
    from engine.cluster.cores import Workers
    from engine.cluster.placement import Placement
    from engine.run.breaking import Breaker
    from engine.run.taps import Taps

Show = Callable[[str, str], None]
R = TypeVar("R")


def run(
    pipeline: Pipeline | Plan,
    registry: Registry | None = None,
    *,
    parameters: Mapping[str, str] | None = None,
    inputs: Mapping[str, Sequence[Item] | Iterator[list[Item]]] | None = None,
    show: Show | None = None,
    timezone: str = "UTC",
    http: HttpClient | None = None,
    exact: bool = False,
    workers: Workers = 1,
    timeout: float | None = None,
) -> Report:
    """Run a pipeline to its end; the report contains what left through its open outputs.

    `inputs` maps an open input (`label` or `label.view`) to its documents. `show` gets a snap's
    label and each line that it prints. `http` sends the requests of its snaps instead of the
    engine's own client; `engine.testing.CannedHttp` is one for tests. A float in `inputs` counts as
    its shortest decimal; the numbers of the outputs are int and float, or with `exact` int and
    Decimal. A run that has not ended after `timeout` seconds is stopped, and has failed. Raises
    InvalidPipelineError, ConfigurationError, or the ExecutionError that stopped the pipeline.
    Ctrl-C stops the run, also while a snap works on a document; KeyboardInterrupt is raised once
    the snaps are closed.
    """
    _refuse_within_a_loop()
    stopper = Stopper()
    running = start(
        pipeline,
        registry,
        parameters=parameters,
        inputs=inputs,
        observer=_OutputCollector(show, exact=exact),
        timezone=timezone,
        http=http,
        stopper=stopper,
        workers=workers,
        timeout=timeout,
    )
    if _hears_ctrl_c():
        running = _stopped_by_ctrl_c(running, stopper)
    report, failure = asyncio.run(running)
    if failure is not None:
        raise failure
    return report


async def start(
    pipeline: Pipeline | Plan,
    registry: Registry | None = None,
    *,
    observer: Observer | None = None,
    parameters: Mapping[str, str] | None = None,
    inputs: Mapping[str, Sequence[Item] | Iterator[list[Item]]] | None = None,
    timezone: str = "UTC",
    http: HttpClient | None = None,
    stopper: Stopper | None = None,
    exact: bool = False,
    taps: Taps | None = None,
    breaker: Breaker | None = None,
    workers: Workers = 1,
    placement: Placement | None = None,
    resources: Mapping[str, Mapping[str, float]] | None = None,
    timeout: float | None = None,
) -> tuple[Report, EngineError | None]:
    """Run a pipeline inside an event loop; its report, and the error if it failed.

    `observer` sees lines, outputs and the end (engine.run.observer), and all batches if it has a
    method `crossed`. Without one the report collects what leaves through open outputs, with numbers
    as `run` returns them; an observer gets them as int and Decimal. A signal handler may stop the
    run through `stopper` while a snap keeps the event loop busy. `taps` (engine.run.taps) show what
    crosses some views; a `breaker` (engine.run.breaking) decides about documents that fail.
    `workers` and `timeout` as in `run`; a `placement` (engine.cluster.placement) says where the
    workers are, and `resources` what each worker of a snap needs there, by label.
    """
    from engine.script.executor import Executor

    registry = discover() if registry is None else registry
    plan = pipeline if isinstance(pipeline, Plan) else compile_plan(pipeline, registry)
    identity = identify(plan, parameters or {}, timezone=timezone)
    options: dict[str, Any] = {
        "observer": observer or _OutputCollector(exact=exact),
        "scripts": Executor(),
        "inputs": inputs,
        "http": http,
        "stopper": stopper or Stopper(),
        "load": spec_of,
        "taps": taps,
        "breaker": breaker,
    }
    with limited_to(timeout, options["stopper"]):
        if workers == 1 and placement is None:
            return await run_plan(plan, registry, identity, **options)
        _refuse_with_workers(options)
        from engine.cluster.running import run_spread  # most runs need one core

        return await run_spread(
            plan,
            registry,
            identity,
            workers=workers,
            placement=placement,
            needs=resources or {},
            options=options,
        )


def _refuse_with_workers(options: Mapping[str, Any]) -> None:
    """What belongs to this process does not reach the workers."""
    for name in ("http", "taps", "breaker"):
        if options[name] is not None:
            raise ConfigurationError(f"{name!r} cannot be used together with several workers")
    if isinstance(options["observer"], Watcher):
        raise ConfigurationError(
            "an observer with 'crossed' cannot be used together with several workers"
        )


def _hears_ctrl_c() -> bool:
    """Whether Ctrl-C is ours: not in a thread, nor in a program that has a handler of its own."""
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler


async def _stopped_by_ctrl_c(running: Coroutine[Any, Any, R], stopper: Stopper) -> R:
    again = partial(signal.default_int_handler, signal.SIGINT, None)
    try:
        with stopped_by([signal.SIGINT], stopper, again):
            return await running
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def _refuse_within_a_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise ConfigurationError(
        "api.run cannot be called while an event loop runs, as in a notebook; "
        "write `await api.start(...)` there"
    )


class _OutputCollector:
    """An observer that collects the outputs of the pipeline in the report."""

    def __init__(self, show: Show | None = None, *, exact: bool) -> None:
        self.outputs: dict[str, list[Item]] = {}
        self._with_numbers = with_decimals if exact else with_floats
        self._show = show

    def started(self, report: Report, secrets: Secrets) -> None:
        """Nothing to keep."""

    def show(self, label: str, text: str, request_id: str = "") -> None:
        if self._show is not None:
            self._show(label, text)

    def output(self, port: Port, batch: Batch) -> None:
        self.outputs.setdefault(str(port), []).extend(map(self._with_numbers, batch.items))

    def finished(self, report: Report) -> None:
        report.outputs = self.outputs
