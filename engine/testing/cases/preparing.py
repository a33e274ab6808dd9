"""Check the cases of a file against their pipeline, and make each of them ready to run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from engine.documents import Item, copied
from engine.errors import ConfigurationError, ExecutionError, InvalidPipelineError, Problem
from engine.pipeline import PipelineSpec, load
from engine.pipeline.source import KeyPath
from engine.plan import check_spec, compile_spec
from engine.plan.folders import local_path
from engine.plan.plan import Plan, PlannedSnap, Port
from engine.registry import Registry
from engine.run.parameters import resolve_parameters
from engine.sdk.results import Result
from engine.sdk.settings import nearest_hint, shown
from engine.sdk.views import ERROR_VIEW
from engine.testing.cases.case import Case, Expectation, Given, MockedSnap, TestFile
from engine.testing.cases.documents import GivenError, items_of
from engine.testing.cases.source_reader import label_hint
from engine.testing.mocks import Mock, declared_output, output_type, views_of, with_mocks


class Watched(msgspec.Struct, frozen=True):
    """An expectation with what it is about: ports that items left, or that they reached.

    Of a snap with several inputs, `label` tells that all that reached it counts.
    """

    expectation: Expectation
    left: tuple[Port, ...] = ()
    reached: Port | None = None
    label: str = ""


class Prepared(msgspec.Struct, frozen=True):
    """A case that can run; without a plan only the diagnostics of its pipeline are compared.

    `original` is the pipeline without mocks, and `found` are its problems.
    """

    file: TestFile
    case: Case
    registry: Registry
    original: PipelineSpec
    found: tuple[Problem, ...]
    plan: Plan | None = None
    inputs: Mapping[str, Sequence[Item]] = {}
    watched: tuple[Watched, ...] = ()


def prepare(file: TestFile, registry: Registry) -> tuple[list[Prepared], list[Problem]]:
    """The cases of a file, and all mistakes in them in the order of the file."""
    problems = list(file.problems)
    if file.source.lost or not file.cases:
        return [], problems
    try:
        spec = load(file.pipeline)
    except ConfigurationError as error:
        path: KeyPath = ("pipeline",)
        hint = "name the pipeline's file with 'pipeline:', relative to this file"
        missing = Problem("missing-file", file.source.where(path), str(error), hint)
        return [], [*problems, missing]
    prepared = []
    for case in file.cases:
        checker = _Checker(file, case, spec, registry)
        prepared.append(checker.prepared())
        problems += checker.problems
    return prepared, sorted(problems, key=lambda each: (each.where.line, each.where.column))


class _Checker:
    def __init__(self, file: TestFile, case: Case, spec: PipelineSpec, registry: Registry) -> None:
        self.file = file
        self.case = case
        self.spec = spec
        self.registry = registry
        self.problems: list[Problem] = []

    def prepared(self) -> Prepared:
        mocks = self._mocks()
        self._check_labels()
        spec, registry = with_mocks(self.spec, self.registry, mocks)
        try:
            plan = compile_spec(spec, registry).with_all_fields()
            found: Iterable[Problem] = plan.warnings
        except InvalidPipelineError as error:
            plan, found = None, error.problems
        if self.case.diagnostics is not None:  # mocks hide what is wrong with their snaps
            found = check_spec(self.spec, self.registry)
        prepared = Prepared(self.file, self.case, registry, self.spec, tuple(found), plan)
        if plan is None:
            return prepared
        self._check_parameters(plan)
        return msgspec.structs.replace(
            prepared, inputs=self._inputs(plan), watched=tuple(self._watched(plan))
        )

    # Labels and parameters

    def _check_labels(self) -> None:
        for place, label in enumerate(self.case.allow):
            if label not in self.spec.snaps:
                self._report_label((*self.case.path, "allow", place), label)

    def _check_parameters(self, plan: Plan) -> None:
        declared = [spec.name for spec in plan.parameters]
        unknown = [name for name in self.case.parameters if name not in declared]
        path = (*self.case.path, "parameters")
        for name in unknown:
            hint = nearest_hint(name, declared) or f"the parameters are: {_listed(declared)}"
            message = f"the pipeline has no parameter {shown(name)}"
            self._report("unknown-parameter", (*path, name), message, hint, at_key=True)
        is_triggered = self.case.task is not None and self.case.task.task.type == "triggered"
        if is_triggered or not self.case.runs:
            return  # callers give the others, or nobody needs them
        missing = [
            spec.name
            for spec in plan.parameters
            if spec.required and spec.default is None and spec.name not in self.case.parameters
        ]
        for name in missing:
            message, hint = f"the parameter {name!r} is required", "add it to 'parameters:'"
            self._report("missing-parameter", path, message, hint, at_key=True)
        if not unknown and not missing:
            try:
                resolve_parameters(plan.parameters, self.case.parameters)
            except ConfigurationError as error:
                message, _, hint = str(error).partition("; ")
                self._report("bad-setting", path, message, hint, at_key=True)

    # Mocks

    def _mocks(self) -> dict[str, Mock]:
        mocks: dict[str, Mock] = {}
        for label, mocked in self.case.mocks.items():
            if label not in self.spec.snaps:
                self._report_label(mocked.path, label, at_key=True)
            elif mocked.exchanges is None:
                mocks[label] = self._mock(label, mocked)
        return mocks

    def _mock(self, label: str, mocked: MockedSnap) -> Mock:
        if mocked.fails:
            return ExecutionError(mocked.fails)
        if mocked.each:
            return _Answers(mocked.each)
        return {
            name: self._items(given, self._mock_type(label, name, given))
            for name, given in mocked.outputs.items()
        }

    def _mock_type(self, label: str, name: str, given: Given) -> Any:
        if name == ERROR_VIEW.name:
            return "document"
        views = views_of(self.spec.snaps[label], self.registry)
        linked = [link.source.view for link in self.spec.links if link.source.label == label]
        declared = declared_output(self.spec, self.registry, label, name)
        if name and views is not None and declared is None and name not in linked:
            known = [*(view.name for view in views.outputs), ERROR_VIEW.name]
            self._report_view(given.path, f"{label}.{name}", known, "output view", at_key=True)
        return output_type(self.spec, self.registry, label, name)

    # Inputs

    def _inputs(self, plan: Plan) -> dict[str, list[Item]]:
        path = (*self.case.path, "input")
        inputs = {}
        for name, given in self.case.inputs.items():
            port = self._open_input(plan, name, given, path)
            if port is not None:
                views = {view.name: view.type for view in plan.snap(port.label).inputs}
                inputs[str(port)] = self._items(given, views[port.view])
        return inputs

    def _open_input(self, plan: Plan, name: str, given: Given, path: KeyPath) -> Port | None:
        ports = plan.open_inputs
        names = [str(port) for port in ports]
        if not name and len(ports) == 1:
            return ports[0]
        for port in ports if name else ():
            if name in (str(port), port.label):
                return port
        if not ports:
            message = "the pipeline has no open input"
            hint = "remove 'input'; to replace what a snap puts out, mock it"
        elif not name:
            message = f"the pipeline has several open inputs: {_listed(names)}"
            hint = f"give a map, such as 'input: {{{ports[0].label}: [...]}}'"
        else:
            message = f"{shown(name)} is not an open input"
            known = [*names, *(port.label for port in ports)]
            hint = nearest_hint(name, known) or f"the open inputs are: {_listed(names)}"
        self._report("unknown-view", given.path, message, hint, at_key=True)
        return None

    def _items(self, given: Given, kind: Any) -> list[Item]:
        try:
            return items_of(given, kind)
        except GivenError as error:
            self._report("wrong-type", error.path, error.message, error.hint)
            return []

    # Expectations

    def _watched(self, plan: Plan) -> Iterator[Watched]:
        for expectation in self.case.expectations:
            watched = self._found(plan, expectation)
            if watched is not None:
                yield watched

    def _found(self, plan: Plan, expectation: Expectation) -> Watched | None:
        target = expectation.target
        if target == "output":
            return self._open_output(plan, expectation)
        if target == "errors":
            ports = tuple(Port(s.label, ERROR_VIEW.name) for s in plan.snaps if _has_errors(s))
            return Watched(expectation, left=ports)
        label, _, view = target.partition(".")
        snap = next((snap for snap in plan.snaps if snap.label == label), None)
        if snap is None:
            self._report_label(expectation.path, label, at_key=True)
            return None
        inputs, outputs = [view.name for view in snap.inputs], [view.name for view in snap.outputs]
        if _has_errors(snap):
            outputs.append(ERROR_VIEW.name)
        if not view and inputs:
            return Watched(expectation, label=label)
        if view in outputs:
            return Watched(expectation, left=(Port(label, view),))
        if view in inputs:
            return Watched(expectation, reached=Port(label, view))
        if not view:
            message = f"nothing reaches '{label}', which has no input view"
            hint = f"for what it puts out, write '{label}.{(outputs or ['output'])[0]}'"
            self._report("unknown-view", expectation.path, message, hint, at_key=True)
        elif view == ERROR_VIEW.name:
            message = f"no error document leaves '{label}'"
            hint = "set 'on_error: route' in the pipeline, or link its error view"
            self._report("unknown-view", expectation.path, message, hint, at_key=True)
        else:
            known = [*inputs, *outputs]
            self._report_view(expectation.path, target, known, "view", at_key=True)
        return None

    def _open_output(self, plan: Plan, expectation: Expectation) -> Watched | None:
        ports = plan.open_outputs
        if len(ports) == 1:
            return Watched(expectation, left=ports)
        if ports:
            names = _listed(map(str, ports))
            message, hint = f"the pipeline has several open outputs: {names}", "name one of them"
        else:
            message = "the pipeline has no open output"
            hint = "for what reaches a snap, write its label"
        self._report("unknown-view", expectation.path, message, hint, at_key=True)
        return None

    # Problems

    def _report_label(self, path: KeyPath, label: str, *, at_key: bool = False) -> None:
        hint = label_hint(label, self.spec.snaps, has_views=at_key)
        message = f"the pipeline has no snap labelled {shown(label)}"
        self._report("unknown-label", path, message, hint, at_key=at_key)

    def _report_view(
        self, path: KeyPath, target: str, known: Sequence[str], what: str, *, at_key: bool
    ) -> None:
        label, _, view = target.partition(".")
        hint = nearest_hint(view, known) or f"its {what}s are: {_listed(known)}"
        message = f"{shown(label)} has no {what} {shown(view)}"
        self._report("unknown-view", path, message, hint, at_key=at_key)

    def _report(
        self, code: str, path: KeyPath, message: str, hint: str = "", *, at_key: bool = False
    ) -> None:
        source = self.file.source
        where = source.where_key(path) if at_key else source.where(path)
        self.problems.append(Problem(code, where, message, hint))


class _Answers:
    """Answers each document with the next of some lists of documents; the last one repeats."""

    def __init__(self, answers: Sequence[Sequence[dict[str, Any]]]) -> None:
        self._answers = answers
        self._next = 0

    def __call__(self, document: dict[str, Any]) -> Result:
        answer = self._answers[min(self._next, len(self._answers) - 1)]
        self._next += 1
        return [copied(document) for document in answer]


def _has_errors(snap: PlannedSnap) -> bool:
    return snap.on_error == "route"


def files_permitted(plan: Plan, registry: Registry) -> dict[str, frozenset[str]]:
    """The files that a snap may read because they belong to the pipeline, such as templates."""
    found = {}
    for snap in plan.snaps:
        names = (name for _, name in registry[snap.type].files_needed(snap.settings))
        found[snap.label] = frozenset(full_path(name, plan) for name in names)
    return found


def full_path(name: str, plan: Plan) -> str:
    """The full path of a file that a pipeline names; a URL stays one."""
    path = local_path(name, plan.folder, plan.project)
    return name if path is None else os.path.abspath(path)  # noqa: PTH100  # links stay


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
