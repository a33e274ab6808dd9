"""The error pipeline of a run: it gets the error documents of all snaps (reference, section 2).

It runs once beside the run, also if there are no errors. In an ultra task it runs once for each
error document, and its output is the response to the requests of that document.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Any

from engine.documents import Document, Item, Lineage
from engine.errors import ConfigurationError, DataError, EngineError, ExecutionError
from engine.expressions import compile_expression
from engine.run.children import Child, Children, Run
from engine.run.execution import Execution
from engine.run.files.access import SnapFiles
from engine.run.lineage import Ledger
from engine.sdk.files import FileName
from engine.sdk.settings import Evaluated, NoSettings

LABEL = "error_pipeline"


class ErrorPipeline:
    """Passes error documents to the pipeline that the plan names. `send` may be called from any
    thread. Raises ConfigurationError if the pipeline cannot take them."""

    def __init__(self, execution: Execution) -> None:
        settings = execution.plan.error_pipeline
        assert settings is not None  # the caller has looked
        self._execution = execution
        self._ledger = execution.ledger
        self._pending: set[Future[EngineError | None]] = set()
        files = SnapFiles(execution.services.files, LABEL, NoSettings(), None)
        try:
            name = str(_value(settings.pipeline, execution))
            base = "" if execution.depends_on_data(settings.pipeline) else None
            self._child = Children(execution, LABEL, files).find(FileName(name, base))
            self._parameters = {
                key: _value(value, execution) for key, value in settings.parameters.items()
            }
            self._from_data = frozenset(
                key
                for key, value in settings.parameters.items()
                if execution.depends_on_data(value)
            )
            self._check()
            self._run = None if self._ledger is not None else self._start(_discard)
        except DataError as error:
            raise ConfigurationError(f"the error pipeline cannot start: {error}") from error

    def send(self, document: Document, lineage: Lineage) -> None:
        """Pass on an error document; in an ultra task, for these requests."""
        if self._run is not None:
            self._run.feed([document])
        elif self._ledger is not None:
            ended = _Reply(self._ledger, lineage, document).to(self._start)
            self._pending.add(ended)
            ended.add_done_callback(self._pending.discard)

    async def end(self) -> EngineError | None:
        """Wait until it has processed everything; why it failed, if it did."""
        for reply in list(self._pending):
            await asyncio.wrap_future(reply)
        if self._run is None:
            return None
        self._run.end()
        failure = await asyncio.wrap_future(self._run.ended)
        return None if failure is None else ExecutionError(f"the error pipeline failed: {failure}")

    def _start(self, taker: Any) -> Run:
        return self._child.start(
            self._parameters, from_data=self._from_data, label=f"{LABEL}/", taker=taker
        )

    def _check(self) -> None:
        """The reference's rules: it takes documents; in an ultra task it answers with one."""
        child, documents = self._child, ["document"]
        if [view.type for view in child.inputs] != documents:
            raise DataError(_place(child), "it needs exactly one open input, for documents")
        if self._ledger is not None and [view.type for view in child.outputs] != documents:
            raise DataError(
                _place(child),
                "in an ultra task it needs exactly one open output, which answers the request",
            )


class _Reply:
    """The answer of an error pipeline to the requests of one error document."""

    def __init__(self, ledger: Ledger, lineage: Lineage, error: Document) -> None:
        self._ledger = ledger
        self._lineage = lineage
        self._error = error

    def to(self, start: Any) -> Future[EngineError | None]:
        """Start a run for the error document, which keeps the requests open until it ends."""
        self._ledger.enter([self._lineage])
        try:
            run: Run = start(self._take)
        except DataError:
            self._ledger.fail(self._lineage, self._error)
            self._ledger.leave([self._lineage])
            raise
        run.ended.add_done_callback(self._finish)
        run.feed([self._error])
        run.end()
        return run.ended

    def _take(self, view: str, items: Any) -> None:
        for item in items:
            self._ledger.answer(self._lineage, [item])

    def _finish(self, ended: Future[EngineError | None]) -> None:
        if ended.cancelled() or ended.exception() or ended.result() is not None:
            self._ledger.fail(self._lineage, self._error)
        self._ledger.leave([self._lineage])


def _discard(view: str, items: list[Item]) -> None:
    """Nobody receives what an error pipeline emits, except in an ultra task."""


def _place(child: Child) -> str:
    return f"the pipeline {child.name!r} cannot be an error pipeline"


def _value(setting: Evaluated[Any], execution: Execution) -> Any:
    if setting.expression is None:
        return setting.value
    return compile_expression(setting.expression.text, scope=execution.scope({}))({})
