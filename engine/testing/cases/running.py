"""Run a prepared case, and compare what came of it with what it expects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from time import perf_counter

import msgspec

from engine.documents import Item
from engine.errors import EngineError
from engine.expressions import Scope, scope_with_libraries
from engine.pipeline.source import KeyPath
from engine.plan.hosting import check_triggered, check_ultra
from engine.plan.plan import Plan
from engine.run.secrets import Secrets
from engine.sdk.http import HttpResponse
from engine.testing.cases.case import Case, HostedTask
from engine.testing.cases.checking import (
    Finding,
    Snapshots,
    check_expectation,
    check_file,
    check_response,
)
from engine.testing.cases.coverage import Hits, hits_of
from engine.testing.cases.executing import Run, guard_of, run_plan_of
from engine.testing.cases.guarding import CaseGuard
from engine.testing.cases.preparing import Prepared, Watched, full_path
from engine.testing.cases.recording import Recorder
from engine.testing.cases.result import PIPELINE_HAS_ERRORS, CaseResult, Failure
from engine.visible import visible_line

_SHOWN_FAILURE_LINES = 12


def run_case(prepared: Prepared, *, update: bool = False, coverage: bool = False) -> CaseResult:
    """Run a case; with `update`, its snapshots become what the run puts out.

    With `coverage`, the result tells what of the pipeline it has run.
    """
    started = perf_counter()
    case = prepared.case
    judge = _Judge(prepared, update=update, coverage=coverage)
    judge.check()
    return CaseResult(
        path=prepared.file.path,
        name=case.name,
        where=case.where,
        failures=tuple(judge.failures),
        seconds=perf_counter() - started,
        notes=tuple(judge.notes),
        pipeline=prepared.original.path,
        hits=tuple(judge.hits.items()),
    )


class _Judge:
    """Collects the failures of a case."""

    def __init__(self, prepared: Prepared, *, update: bool, coverage: bool) -> None:
        self.prepared = prepared
        self.case: Case = prepared.case
        self.failures: list[Failure] = []
        self.notes: list[str] = []
        self.hits: Hits = {}
        self._measures = coverage
        self._snapshots = Snapshots(Secrets(), self._note_snapshot if update else None)
        self._scope = Scope()

    def check(self) -> None:
        case, plan = self.case, self.prepared.plan
        if case.diagnostics is not None:
            self._check_diagnostics(case.diagnostics)
            if plan is None:
                return
        if plan is None:
            errors = [each for each in self.prepared.found if each.severity == "error"]
            lines = [line for each in errors for line in str(each).splitlines()]
            self._fail(case.path, PIPELINE_HAS_ERRORS, lines)
            return
        if case.task is not None and not self._can_be_hosted(plan, case.task):
            return
        if not case.runs:
            return
        self._scope = _scope_of(plan, case)
        guard = self._guard(plan)
        if self.failures:
            return
        run = run_plan_of(self.prepared, plan, guard)
        secrets = run.recorder.secrets.without(case.parameters.values())
        self._snapshots = self._snapshots._replace(secrets=secrets)
        if self._measures:
            self.hits = hits_of(plan, self.prepared.original, run.recorder, self._scope)
        if guard.refusals:
            self._report_refusals(guard)
            return
        self._check_failure(run.failure)
        if run.failure is None or case.failure is not None:
            self._check_responses(run.responses)
            self._check_documents(run)
            self._check_files(plan, run.written)

    def _can_be_hosted(self, plan: Plan, task: HostedTask) -> bool:
        kind = task.task.type
        check = check_ultra if kind == "ultra" else check_triggered
        problems = [problem for problem in check(plan) if problem.severity == "error"]
        if problems:
            lines = [line for problem in problems for line in str(problem).splitlines()]
            what = "an ultra task" if kind == "ultra" else "a triggered task"
            self._fail(task.path, f"the pipeline cannot be hosted as {what}", lines)
        return not problems

    def _note_snapshot(self, name: str) -> None:
        self.notes.append(f"wrote the snapshot {name}")

    # The run

    def _guard(self, plan: Plan) -> CaseGuard:
        guard = guard_of(self.prepared, plan)
        self._report_refusals(guard)
        return guard

    def _report_refusals(self, guard: CaseGuard) -> None:
        for label, action, hint in guard.refusals:
            top, *inner = label.split("/")
            who = f"the snap {top!r}"
            if inner:
                who = f"the snap {inner[-1]!r} of the pipeline that {top!r} runs"
            enough = f" ({top}: [] is enough, as only mocks follow it)"
            other = f"mock {top!r}{enough * self._leads_to_mocks(top)}, or add it to 'allow:'"
            self._fail(
                self.case.path,
                f"{who} {action}, and is neither mocked nor allowed",
                [f"hint: {f'{hint}, ' if hint else ''}{other}"],
            )

    def _leads_to_mocks(self, label: str) -> bool:
        """Whether only mocks get what the snap puts out, and do not look at it."""
        links = self.prepared.original.links
        targets = [link.target.label for link in links if link.source.label == label]
        mocks = (self.case.mocks.get(target) for target in targets)
        return bool(targets) and all(mock is not None and mock.outputs for mock in mocks)

    # What came of it

    def _check_diagnostics(self, expected: tuple[str, ...]) -> None:
        found = self.prepared.found
        if sorted(expected) == sorted(problem.code for problem in found):
            return
        lines = [line for problem in found for line in str(problem).splitlines()]
        names = ", ".join(expected) or "none"
        message = f"diagnostics: expected {names}, got {', '.join(p.code for p in found) or 'none'}"
        self._fail((*self.case.path, "expect", "diagnostics"), message, lines)

    def _check_failure(self, failure: EngineError | None) -> None:
        expected, path = self.case.failure, (*self.case.path, "expect", "failure")
        if failure is None and expected is not None:
            self._fail(path, "failure: the run was expected to fail, but it completed")
        elif failure is not None and expected is None:
            lines = str(failure).splitlines()[:_SHOWN_FAILURE_LINES]
            self._fail(self.case.path, "the run failed", lines)
        elif expected is not None and expected not in str(failure):
            lines = str(failure).splitlines()[:_SHOWN_FAILURE_LINES]
            self._fail(path, f"failure: the run failed, but not with {expected!r}", lines)

    def _check_responses(self, responses: Sequence[HttpResponse | None]) -> None:
        if self.case.task is None:
            return
        requests, schema = self.case.task.requests, self.case.task.task.output_schema
        for sent, response in zip(requests, responses, strict=True):
            self._add(check_response(sent, response, schema))

    def _check_documents(self, run: Run) -> None:
        for watched in self.prepared.watched:
            items = list(_items(watched, run.recorder))
            self._add(check_expectation(watched.expectation, items, self._scope, self._snapshots))

    def _check_files(self, plan: Plan, written: Mapping[str, bytes]) -> None:
        contents = {full_path(name, plan): content for name, content in written.items()}
        for file in self.case.written:
            content = contents.get(full_path(file.name, plan))
            if (content is not None) != file.exists:
                what = "was not written" if content is None else "was written"
                names = ", ".join(written) or "none"
                self._fail(file.path, f"{file.name}: the file {what}", [f"files written: {names}"])
            elif content is not None:
                self._add(check_file(file, content, self._scope, self._snapshots))

    def _add(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self._fail(*finding)

    def _fail(self, path: KeyPath, message: str, details: Sequence[str] = ()) -> None:
        where = self.prepared.file.source.where_key(path)
        mask = self._snapshots.secrets.mask_text
        shown = tuple(visible_line(mask(line)) for line in details)
        self.failures.append(Failure(where, visible_line(mask(message)), shown))


def _scope_of(plan: Plan, case: Case) -> Scope:
    """What expressions of the test file see: the parameters and libraries of the pipeline."""
    given = case.parameters
    scope = scope_with_libraries(
        {spec.name: given.get(spec.name, spec.default) for spec in plan.parameters},
        [(library.name, library.text) for library in plan.libraries],
        case.timezone,
    )
    return msgspec.structs.replace(scope, now=case.now)


def _items(watched: Watched, recorder: Recorder) -> Iterator[Item]:
    if watched.label:
        yield from recorder.arrivals.get(watched.label, ())
    elif watched.reached is not None:
        yield from recorder.reached.get(watched.reached, ())
    for port in watched.left:
        yield from recorder.left.get(port, ())
