"""A task against its pipeline, and tasks against each other."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from pathlib import Path

from engine.errors import ConfigurationError, Problem
from engine.locations import Location
from engine.pipeline import PipelineSpec, load
from engine.pipeline.nodes import Table
from engine.pipeline.spec import ParameterSpec
from engine.plan import Plan, check_spec, compile_spec
from engine.plan.hosting import check_triggered, check_ultra
from engine.registry import SnapClass
from engine.sdk.settings import nearest_hint, shown
from engine.tasks.files.discretion import discreet
from engine.tasks.files.files import TaskFile
from engine.tasks.files.task import Task, TaskType


def check_task(
    file: TaskFile, registry: Mapping[str, SnapClass], *, project: str | None = None
) -> list[Problem]:
    """All mistakes of a task file, then those of its pipeline; warnings are among them.

    The last of them say why the pipeline cannot be hosted as a task of this type.
    """
    if not file.pipeline:
        return list(file.problems)
    try:
        spec = load(file.pipeline)
    except ConfigurationError as error:
        return discreet(file.source, [*file.problems, _unreadable(file, str(error))])
    readable = all(problem.severity != "error" for problem in spec.problems)
    of_parameters = _parameters(file, spec) if readable else ()
    own = discreet(file.source, [*file.problems, *of_parameters])
    problems = [*own, *check_spec(spec, registry, project=project)]
    if file.task is not None and all(problem.severity != "error" for problem in problems):
        plan = compile_spec(spec, registry, project=project)
        problems += _FITNESS[file.task.type](plan)
    return problems


_FITNESS: dict[TaskType, Callable[[Plan], list[Problem]]] = {
    "ultra": check_ultra,
    "triggered": check_triggered,
    "scheduled": lambda plan: [],
}


def check_names(files: Iterable[TaskFile]) -> list[Problem]:
    """A problem for each task whose name another has: their URLs would be the same."""
    first: dict[str, TaskFile] = {}
    problems = []
    for file in files:
        if file.task is None:
            continue
        other = first.setdefault(file.task.name, file)
        if other is not file:
            message = f"the task {shown(file.task.name)} is there already, from {other.path!r}"
            hint = "give each task a 'name:' of its own, a pipeline in a task file"
            where = _key(file, "name")
            problems += discreet(file.source, [Problem("duplicate-name", where, message, hint)])
    return problems


def _unreadable(file: TaskFile, message: str) -> Problem:
    where = file.source.where(("pipeline",))
    hint = "" if Path(file.pipeline).exists() else "it is looked for beside the task file"
    return Problem("missing-file", where, message, hint)


def _parameters(file: TaskFile, spec: PipelineSpec) -> Iterator[Problem]:
    if file.task is None:
        return
    given = file.task.parameters
    declared = {parameter.name: parameter for parameter in spec.parameters}
    for name in given:
        where = file.source.where_key(("parameters", name))
        if name not in declared:
            message = f"the pipeline {spec.path!r} has no parameter {shown(name)}"
            hint = nearest_hint(name, declared) or f"it has: {', '.join(declared) or 'none'}"
            yield Problem("unknown-parameter", where, message, hint)
        elif declared[name].secret and name in file.written_out:
            message = f"the value of the secret parameter {shown(name)} stands in the file"
            yield Problem("secret-in-file", where, message, "use ${env:NAME}", "warning")
    for parameter in declared.values():
        if is_missing(parameter, given) and not comes_from_callers(file.task, parameter):
            where = _key(file, "parameters")
            message = f"the pipeline needs a value for the parameter {shown(parameter.name)}"
            hint = f"give --param {parameter.name}=VALUE"
            if file.source.root is not None:
                hint = f"{hint}, or add '{parameter.name}: VALUE' to 'parameters:'"
            if parameter.description:
                hint = f"{hint} ({parameter.description})"
            yield Problem("missing-parameter", where, message, hint)


def is_missing(parameter: ParameterSpec, given: Container[str]) -> bool:
    return parameter.required and parameter.default is None and parameter.name not in given


def comes_from_callers(task: Task, parameter: ParameterSpec) -> bool:
    """Whether each call may bring a value: to a triggered task, unless it is a secret."""
    return task.type == "triggered" and not parameter.secret


def _key(file: TaskFile, key: str) -> Location:
    """The place of a key at the top; without it, that of the file."""
    root = file.source.root
    here = isinstance(root, Table) and key in root.entries
    return file.source.where((key,)) if here else Location(file.path)
