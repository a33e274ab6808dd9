"""The script as a program: one namespace, its hooks, and its answers to rows.

The result of a hook is added to the outbox before the next call, in its state at that moment.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from time import monotonic
from types import ModuleType
from typing import Any, TypeVar

from . import failure, tracker
from .current import CurrentRequest
from .encoding import ENCODING_ERRORS, FailedError, Failure, encode_value
from .failure import ScriptRaisedError
from .flat import FlatDocuments
from .replies import Outbox, Unsendable
from .results import documents
from .rows import Entry, HookResult
from .state import COMBINE, FINAL, INIT, LOADING, ROW, SINCE, State
from .yielding import Yielding, is_generator

Rows = list[dict[str, Any]]
T = TypeVar("T")


class Program:
    """Runs the source of a script and calls its hooks, in one namespace, as SnapLogic does."""

    def __init__(
        self,
        opening: dict[str, Any],
        pipe: dict[str, Any],
        state: State,
        outbox: Outbox,
        cancelled: Callable[[int], bool],
    ) -> None:
        self._source = opening["source"]
        self._modules = opening["modules"]
        self._name = name = opening["name"]
        self._style = opening["style"]
        self._timed = opening["timeout"] is not None
        self._combines = opening["combines"]
        folder = opening["folder"]
        self._state = state
        self._outbox = outbox
        self._flat = FlatDocuments()
        self._yielding = Yielding(outbox, state, cancelled)
        self._tracker: tracker.Tracker | None = None
        module = ModuleType(failure.MODULE)
        sys.modules[failure.MODULE] = module  # for pickle and dataclasses to find its classes
        self._globals = module.__dict__
        self._globals |= {"snaplogic_pipe": pipe, "tmp_root": pipe["tmp_root"]}
        self._request = CurrentRequest(pipe)
        sys.argv = [name]
        if folder and Path(folder).is_dir():
            self._globals["__file__"] = str(Path(folder) / Path(name).name)
            sys.path.insert(0, folder)

    def start(self) -> None:
        """Run the module code and `snaplogic_init`; raises ScriptRaisedError."""
        failure.show_source(self._name, self._source)
        self._state.enter(LOADING)
        _offer(self._modules)
        try:
            self._run_module_code()
        except BaseException as error:  # a script may raise anything
            raise ScriptRaisedError(failure.describe(error, self._name)) from error
        if self._combines and not callable(self._globals.get("snaplogic_combine")):
            raise ScriptRaisedError(
                (
                    f"Python script error in {self._name}",
                    "final is 'combined', but the script does not define snaplogic_combine",
                    "define snaplogic_combine(documents) in the script, or remove the setting",
                    "",
                )
            )
        self._call_once("snaplogic_init", INIT)

    def _run_module_code(self) -> None:
        if self._style == "functions":
            code = compile(self._source, self._name, "exec", dont_inherit=True)
            exec(code, self._globals)  # noqa: S102  # running user code is this process's purpose
            return
        from .hooked import Conversation, compiled  # few scripts read their input themselves

        conversation = Conversation(self._name, requests=self._style == "hook for requests")
        self._globals |= conversation.names()
        exec(compiled(self._source, self._name), self._globals)  # noqa: S102  # as above
        self._globals |= conversation.functions(self._globals)

    def finish(self) -> None:
        """Run `snaplogic_final`; raises ScriptRaisedError."""
        self._call_once("snaplogic_final", FINAL)

    def combine(self, finals: Rows) -> None:
        """Give the documents of `snaplogic_final` of all copies to `snaplogic_combine`; raises
        ScriptRaisedError."""
        self._call_once("snaplogic_combine", COMBINE, finals)

    def _call_once(self, name: str, phase: int, *given: Rows) -> None:
        hook = self._globals.get(name)
        if hook is None:
            return
        result = self._guarded(hook, phase, lambda: documents(hook(*given), name))
        try:
            for document in [result] if isinstance(result, dict) else result or ():
                self._outbox.add(document)
        except Unsendable as error:
            raise ScriptRaisedError(failure.unsendable(error, self._name, hook)) from error

    def _guarded(self, hook: Any, phase: int, call: Callable[[], T]) -> T:
        self._state.enter(phase)
        try:
            return call()
        except BaseException as error:  # a script may raise anything
            raise ScriptRaisedError(failure.describe(error, self._name, hook)) from error

    @property
    def takes_batches(self) -> bool:
        return callable(self._globals.get("snaplogic_process_batch"))

    def answer(self, rows: Rows, again: Callable[[], Rows]) -> None:
        """Add one answer per row to the outbox, a failure if the script failed on the row.

        `again` returns fresh copies of the rows, as a batch function that raises may have changed
        them.
        """
        batched, single = self._hooks()
        if batched is not None:
            self._answer_batch(batched, single, rows, again)
        else:
            self._answer_rows(single, rows)

    def _hooks(self) -> tuple[Callable[..., Any] | None, Any]:
        """The function for batches and the one for rows, if the script has them."""
        batched = self._globals.get("snaplogic_process_batch")
        single = self._globals.get("snaplogic_process")
        if callable(batched):
            return batched, single
        if callable(single):
            return None, single
        raise ScriptRaisedError(
            (
                f"Python script error in {self._name}",
                "there are rows to process, but the script does not define snaplogic_process",
                "define snaplogic_process(row) in the script",
                "",
            )
        )

    def _answer_rows(self, hook: Callable[..., Any], rows: Rows) -> None:
        # For the most common result, a flat document like the ones before it, this loop does what
        # `documents` and `add` do, because each call for each row counts.
        answer, pieces, room = self._outbox.add, self._outbox.pieces, self._outbox.room
        encode, append, timed, is_flat = encode_value, pieces.append, self._timed, self._flat.check
        cells, first = self._state.begin_rows()
        for number, row in enumerate(rows, first):
            cells[ROW] = number
            if timed:
                cells[SINCE] = monotonic()
            try:
                result = hook(row)
                if result.__class__ is dict and is_flat(result):
                    try:
                        piece = encode(result)
                    except ENCODING_ERRORS:
                        answer(result)
                    else:
                        append(piece) if len(piece) <= room else answer(result)
                elif result is None:
                    answer(None)
                elif is_generator(result):
                    self._yielding.run(result, None)
                    answer(None)
                else:
                    given = documents(result, "snaplogic_process")
                    answer(given)
                    if isinstance(given, dict) and given is result:
                        self._flat.missed(result)
                        is_flat = self._flat.check
            except BaseException as error:  # noqa: BLE001  # a script may raise anything
                answer(self._failed(error, hook))

    def _answer_batch(
        self, batched: Callable[..., Any], single: Any, rows: Rows, again: Callable[[], Rows]
    ) -> None:
        count = len(rows)
        self._state.begin_batch(count)
        try:
            results = batched(rows)
        except BaseException as error:  # noqa: BLE001  # a script may raise anything
            if callable(single):
                self._state.end_batch(done=False)
                self._answer_rows(single, again())
                return
            results = []
            failed: FailedError | None = self._failed(error, batched)
        else:
            failed = self._misshapen(batched, results, count)
        self._state.end_batch(done=True)
        if failed is not None:
            for _ in range(count):
                self._outbox.add(failed)
            return
        for result in results:
            try:
                self._outbox.add(documents(result, "each result of snaplogic_process_batch"))
            except (TypeError, ValueError, *Unsendable) as error:
                self._outbox.add(self._failed(error, batched))

    def _failed(self, error: BaseException, hook: Any) -> FailedError:
        return FailedError(*self._failure(error, hook))

    def _failure(self, error: BaseException, hook: Any) -> Failure:
        if isinstance(error, Unsendable):
            return failure.unsendable(error, self._name, hook)
        return failure.describe(error, self._name, hook)

    def _misshapen(self, hook: Callable[..., Any], results: Any, count: int) -> FailedError | None:
        if isinstance(results, list) and len(results) == count:
            return None
        got = f"a list of {len(results)}" if isinstance(results, list) else type(results).__name__
        problem = TypeError(
            "snaplogic_process_batch must return a list with one result per row: "
            f"it got {count} rows and returned {got}"
        )
        return self._failed(problem, hook)

    def settle(
        self, rows: Rows, numbers: list[int], ids: list[str], again: Callable[[], Rows]
    ) -> None:
        """Add the outcomes of rows, these or earlier ones, to the outbox as they become known.

        A number identifies a row from now on; it is negative if no request awaits that row. `ids`
        are those of the requests, or empty. A row without an outcome is kept by the script. `rows`
        is emptied, as our references would count as keeping the rows.
        """
        batched, single = self._hooks()
        tracked = self._tracked()
        if batched is None:
            self._settle_rows(tracked, single, rows, numbers, ids)
        else:
            self._request.are(ids)
            if not self._settle_batch(tracked, (batched, single), rows, numbers):
                self._settle_rows(tracked, single, again(), numbers, ids)
        self._request.is_none()

    def _tracked(self) -> tracker.Tracker:
        if self._tracker is None:
            self._tracker = tracker.Tracker(self._name, self._outbox)
            tracker.use(self._tracker)
        return self._tracker

    def finish_tracked(self) -> None:
        """Run `snaplogic_final` and report the outcomes of all rows; raises ScriptRaisedError."""
        tracked, name = self._tracked(), "snaplogic_final"
        hook = self._globals.get(name) or (lambda: None)
        given = self._guarded(hook, FINAL, lambda: tracked.parse(hook(), name))
        tracked.finish(given, hook)

    def _settle_rows(
        self,
        tracked: tracker.Tracker,
        hook: Callable[..., Any],
        rows: Rows,
        numbers: list[int],
        ids: list[str],
    ) -> None:
        cells, first = self._state.begin_rows()
        rows.reverse()
        requests = zip(numbers, ids or repeat(""), strict=False)
        for count, (number, request) in enumerate(requests, first):
            cells[ROW] = count
            self._request.is_one(request)
            if self._timed:
                cells[SINCE] = monotonic()
            entry = tracked.begin(number, rows.pop())
            failed = given = result = None
            try:
                result = hook(entry.row)
                if is_generator(result):
                    self._yielding.run(result, number)
                    tracked.end_parts(entry)
                    result = None
                    continue
                if not tracked.settle_simple([entry], [result]):
                    given = tracked.parse(result, "snaplogic_process")
            except BaseException as error:  # noqa: BLE001  # a script may raise anything
                failed = self._failure(error, hook)
            # From here on the exception is gone, and with it the frames that refer to the row.
            result = None
            if failed is not None:
                tracked.fail([entry], failed)
            elif given is not None:
                tracked.settle(entry, given, hook)

    def _settle_batch(
        self,
        tracked: tracker.Tracker,
        hooks: tuple[Callable[..., Any], Any],
        rows: Rows,
        numbers: list[int],
    ) -> bool:
        """Returns False if the rows must be passed to the script one by one."""
        batched, single = hooks
        count = len(rows)
        self._state.begin_batch(count)
        entries = [tracked.begin(*pair) for pair in zip(numbers, rows, strict=True)]
        rows.clear()
        results: Any = None
        failed: FailedError | None = None
        raised = False
        try:
            results = batched([entry.row for entry in entries])
        except BaseException as error:  # noqa: BLE001  # a script may raise anything
            failed, raised = self._failed(error, batched), True
        else:
            failed = self._misshapen(batched, results, count)
        if raised and callable(single) and not tracked.any_kept(entries):
            self._state.end_batch(done=False)
            tracked.forget(entries)
            return False
        self._state.end_batch(done=True)
        if failed is not None:
            del results
            tracked.fail(entries, failed.args)
            return True
        if tracked.settle_simple(entries, results):
            return True
        pairs = zip(entries, results, strict=True)
        givens = [self._parsed(tracked, batched, *pair) for pair in pairs]
        del results
        if count == 1 and givens[0] is not None:
            tracked.settle(entries[0], givens[0], batched)
        else:
            tracked.settle_batch(entries, givens, batched)
        return True

    def _parsed(
        self, tracked: tracker.Tracker, hook: Callable[..., Any], entry: Entry, result: Any
    ) -> HookResult | None:
        """One result of a batch; None if it is invalid, in which case its row has failed."""
        try:
            return tracked.parse(result, "each result of snaplogic_process_batch")
        except (TypeError, ValueError, *Unsendable) as error:
            tracked.fail_one(entry, self._failure(error, hook))
            return None


def _offer(modules: list[dict[str, str]]) -> None:
    if modules:
        from .modules import offer  # takes longer to import than most scripts need to start

        offer(modules)
