"""Check a task file against its pipeline, and task files against each other."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path

from engine.errors import ConfigurationError, Problem
from engine.locations import Location
from engine.pipeline import PipelineSpec, load
from engine.pipeline.environment import fill_in
from engine.pipeline.nodes import Table
from engine.pipeline.spec import ParameterSpec
from engine.plan import Plan, check_spec, compile_spec
from engine.plan.hosting import check_scheduled, check_stream, check_triggered, check_ultra
from engine.registry import Registry
from engine.sdk.settings import nearest_hint, shown
from engine.tasks.definition.redaction import redacted
from engine.tasks.definition.task import TaskType
from engine.tasks.definition.task_file import TaskFile, is_task_file, load_task


def check_task(file: TaskFile, registry: Registry, *, project: str | None = None) -> list[Problem]:
    """All problems of a task file, then those of its pipeline, warnings included.

    The last ones say why the pipeline cannot be hosted as a task of this type.
    """
    if not file.pipeline:
        return list(file.problems)
    try:
        spec = load(file.pipeline)
    except ConfigurationError as error:
        return redacted(file.source, [*file.problems, _unreadable(file, str(error))])
    if _is_task_file(spec):
        return redacted(file.source, [*file.problems, _task_as_pipeline(file)])
    of_parameters = () if _has_error(spec.problems) else _parameters(file, spec)
    own = redacted(file.source, [*file.problems, *of_parameters])
    problems = check_spec(spec, registry, project=project)
    if file.type is not None and not _has_error(problems):
        plan = compile_spec(spec, registry, project=project)
        problems = [*problems, *_CHECKS[file.type](plan)]
        if file.task is not None and file.task.response == "stream":
            problems += check_stream(plan)
        if file.task is not None and file.task.input_schema is not None:
            problems += redacted(file.source, _input_schema(file, plan))
    return [*own, *problems]


def _input_schema(file: TaskFile, plan: Plan) -> Iterator[Problem]:
    """A problem if requests have no body that could be checked."""
    if plan.open_inputs and not plan.takes_binary(plan.open_inputs[0]):
        return
    where = file.source.where_key(("input_schema",))
    message = "'input_schema' needs an open input for documents, which the pipeline does not have"
    hint = "leave it out, or let the pipeline take documents"
    yield Problem("task-type", where, message, hint)


def _has_error(problems: Iterable[Problem]) -> bool:
    return any(problem.severity == "error" for problem in problems)


def _is_task_file(spec: PipelineSpec) -> bool:
    """Whether the file named as the pipeline is a task file."""
    if not _has_error(spec.problems) or spec.source.root is None:
        return False
    try:
        return is_task_file(spec.path)
    except ConfigurationError:
        return False


def _task_as_pipeline(file: TaskFile) -> Problem:
    message = f"{file.pipeline!r} is a task file, not a pipeline"
    hint = "name a pipeline file, which has 'snaps:'"
    if hosted := load_task(file.pipeline, None).pipeline:
        hint = f"{hint}; the pipeline of that task is {hosted!r}"
    return Problem("wrong-type", file.source.where(("pipeline",)), message, hint)


_CHECKS: dict[TaskType, Callable[[Plan], list[Problem]]] = {
    "ultra": check_ultra,
    "triggered": check_triggered,
    "scheduled": check_scheduled,
}


def check_names(files: Iterable[TaskFile]) -> list[Problem]:
    """A problem for each task whose name is taken: both would have the same URL."""
    first: dict[str, TaskFile] = {}
    problems = []
    for file in files:
        if file.task is None:
            continue
        other = first.setdefault(file.task.name, file)
        if other is not file:
            message = f"there is already a task {shown(file.task.name)}, from {other.path!r}"
            hint = "give each task its own 'name:'; for a pipeline file, write a task file"
            where = _key(file, "name")
            problems += redacted(file.source, [Problem("duplicate-name", where, message, hint)])
    return problems


def _unreadable(file: TaskFile, message: str) -> Problem:
    where = file.source.where(("pipeline",))
    hint = "" if Path(file.pipeline).exists() else "the path is relative to the task file"
    return Problem("missing-file", where, message, hint)


def _parameters(file: TaskFile, spec: PipelineSpec) -> Iterator[Problem]:
    if file.named is None:
        return
    declared = {parameter.name: parameter for parameter in spec.parameters}
    jwt = None if file.task is None else file.task.jwt
    from_claims = () if jwt is None else tuple(jwt.parameters)
    paths = [("parameters", name) for name in file.named]
    for path in [*paths, *(("jwt", "parameters", name) for name in from_claims)]:
        name = path[-1]
        if name not in declared:
            message = f"the pipeline {spec.path!r} has no parameter {shown(name)}"
            hint = (
                nearest_hint(name, declared) or f"its parameters: {', '.join(declared) or 'none'}"
            )
            yield Problem("unknown-parameter", file.source.where_key(path), message, hint)
        elif path[0] == "parameters":
            yield from _given(file, declared[name])
    kind = file.type or "triggered"  # the type that requires the least
    for parameter in declared.values():
        if is_missing(parameter, (*file.named, *from_claims)) and not comes_from_callers(
            kind, parameter
        ):
            yield _missing(file, parameter)


def _given(file: TaskFile, parameter: ParameterSpec) -> Iterator[Problem]:
    name = parameter.name
    where = file.source.where_key(("parameters", name))
    if not parameter.secret:
        return
    if name in file.empty and parameter.required:
        message = f"the secret parameter {shown(name)} is empty, so it protects nothing"
        yield Problem("unset-variable", where, message, _hint_for_empty(file, name))
    elif name in file.written_out:
        message = f"the value of the secret parameter {shown(name)} is written in the file"
        yield Problem("secret-in-file", where, message, "use ${env:NAME}", "warning")


def _hint_for_empty(file: TaskFile, name: str) -> str:
    variables = fill_in(file.text_of_parameter(name), {})[1]
    if not variables:
        return "give it a value; for a secret use ${env:NAME}"
    return f"it reads {' and '.join(variables)}; set a value before you start the engine"


def _missing(file: TaskFile, parameter: ParameterSpec) -> Problem:
    name = parameter.name
    message = f"the pipeline needs a value for the parameter {shown(name)}"
    hint = f"give --param {name}=VALUE"
    if file.source.root is not None:
        value = "${env:NAME}" if parameter.secret else "VALUE"
        hint = f"{hint}, or add '{name}: {value}' to 'parameters:'"
    if parameter.description:
        hint = f"{hint} ({parameter.description})"
    return Problem("missing-parameter", _key(file, "parameters"), message, hint)


def is_missing(parameter: ParameterSpec, given: Container[str]) -> bool:
    return parameter.required and parameter.default is None and parameter.name not in given


def comes_from_callers(kind: TaskType, parameter: ParameterSpec) -> bool:
    """Whether a call may give the value: for a triggered task, unless the parameter is secret."""
    return kind == "triggered" and not parameter.secret


def _key(file: TaskFile, key: str) -> Location:
    """The location of a top-level key, or of the file if the key is missing."""
    root = file.source.root
    here = isinstance(root, Table) and key in root.entries
    return file.source.where((key,)) if here else Location(file.path)
