"""The script as a program: one namespace, its hooks, and its answers to rows."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from . import failure
from .results import Result, documents
from .state import FINAL, INIT, LOADING, State

Rows = list[dict[str, Any]]
Answers = list[Result]
Failures = list[tuple[int, failure.Failure]]


class ScriptRaisedError(Exception):
    """The script cannot go on; `failure` says why."""

    def __init__(self, failure: failure.Failure) -> None:
        super().__init__(failure)
        self.failure = failure


class Program:
    """Runs the text of a script and calls its hooks, in one namespace as SnapLogic does."""

    def __init__(self, opening: dict[str, Any], pipe: dict[str, Any], state: State) -> None:
        self._source = opening["source"]
        self._name = name = opening["name"]
        self._timed = opening["timeout"] is not None
        folder = opening["folder"]
        self._state = state
        module = ModuleType(failure.MODULE)
        sys.modules[failure.MODULE] = module  # so that pickle and dataclasses find its classes
        self._globals = module.__dict__
        self._globals |= {"snaplogic_pipe": pipe, "tmp_root": pipe["tmp_root"]}
        sys.argv = [name]
        if folder and Path(folder).is_dir():
            self._globals["__file__"] = str(Path(folder) / Path(name).name)
            sys.path.insert(0, folder)

    def start(self) -> Rows:
        """Run the module code and `snaplogic_init`; raises ScriptRaisedError."""
        failure.show_source(self._name, self._source)
        self._state.enter(LOADING)
        try:
            code = compile(self._source, self._name, "exec", dont_inherit=True)
            exec(code, self._globals)  # noqa: S102  # this is what the process is for
        except BaseException as error:  # whatever a script raises is its answer
            raise ScriptRaisedError(failure.describe(error, self._name)) from error
        return self._call_once("snaplogic_init", INIT)

    def finish(self) -> Rows:
        """Run `snaplogic_final`; raises ScriptRaisedError."""
        return self._call_once("snaplogic_final", FINAL)

    def _call_once(self, name: str, phase: int) -> Rows:
        hook = self._globals.get(name)
        if hook is None:
            return []
        self._state.enter(phase)
        try:
            result = documents(hook(), name)
        except BaseException as error:
            raise ScriptRaisedError(failure.describe(error, self._name, hook)) from error
        return [] if result is None else [result] if isinstance(result, dict) else result

    def answer(self, rows: Rows, again: Callable[[], Rows]) -> tuple[Answers, Failures]:
        """One answer per row, None where it failed, and the failures by position.

        `again` gives the rows afresh, for a batch function that has changed them and then raised.
        """
        whole = self._globals.get("snaplogic_process_batch")
        single = self._globals.get("snaplogic_process")
        if callable(whole):
            return self._answer_batch(whole, single, rows, again)
        if callable(single):
            return self._answer_rows(single, rows)
        raise ScriptRaisedError(
            (
                f"Python script error in {self._name}",
                "the script has no function snaplogic_process, and there are rows to process",
                "Define snaplogic_process(row) in the script.",
                "",
            )
        )

    def _answer_rows(self, hook: Callable[..., Any], rows: Rows) -> tuple[Answers, Failures]:
        answers: Answers = []
        failures: Failures = []
        keep, next_row = answers.append, self._state.rows(self._timed)
        for place, row in enumerate(rows):
            next_row()
            try:
                result = hook(row)
                keep(None if result is None else documents(result, "snaplogic_process"))
            except BaseException as error:  # noqa: BLE001
                keep(None)
                failures.append((place, failure.describe(error, self._name, hook)))
        return answers, failures

    def _answer_batch(
        self, whole: Callable[..., Any], single: Any, rows: Rows, again: Callable[[], Rows]
    ) -> tuple[Answers, Failures]:
        count = len(rows)
        self._state.begin_batch(count)
        try:
            results = whole(rows)
        except BaseException as error:  # noqa: BLE001
            if callable(single):
                self._state.end_batch(done=False)
                return self._answer_rows(single, again())
            results = []
            told: failure.Failure | None = failure.describe(error, self._name, whole)
        else:
            told = self._misshapen(whole, results, count)
        self._state.end_batch(done=True)
        if told is not None:
            return [None] * count, [(place, told) for place in range(count)]
        return self._documents_of_each(whole, results)

    def _misshapen(
        self, hook: Callable[..., Any], results: Any, count: int
    ) -> failure.Failure | None:
        if isinstance(results, list) and len(results) == count:
            return None
        got = f"a list of {len(results)}" if isinstance(results, list) else type(results).__name__
        problem = TypeError(
            "snaplogic_process_batch must return a list with one result per row: "
            f"there were {count} rows, and it returned {got}"
        )
        return failure.describe(problem, self._name, hook)

    def _documents_of_each(
        self, hook: Callable[..., Any], results: list[Any]
    ) -> tuple[Answers, Failures]:
        answers: Answers = []
        failures: Failures = []
        for place, result in enumerate(results):
            try:
                answers.append(documents(result, "each result of snaplogic_process_batch"))
            except (TypeError, ValueError, RecursionError) as error:
                answers.append(None)
                failures.append((place, failure.describe(error, self._name, hook)))
        return answers, failures
