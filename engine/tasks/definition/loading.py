"""Load the files to serve into checked tasks with their plans."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from engine.errors import ConfigurationError, InvalidPipelineError, Problem
from engine.pipeline import load
from engine.plan import compile_spec
from engine.plan.plan import Plan
from engine.registry import Registry
from engine.run.parameters import resolve_parameters
from engine.sdk.settings import nearest_hint
from engine.tasks.definition.check import (
    check_names,
    check_task,
    comes_from_callers,
    is_missing,
)
from engine.tasks.definition.task import Task
from engine.tasks.definition.task_file import TaskFile, load_file

Warn = Callable[[Problem], None]


class Overrides(msgspec.Struct, frozen=True, kw_only=True):
    """Settings from the command line, which override those of the files."""

    parameters: Mapping[str, str] = {}
    instances: int | None = None
    allowed_origins: tuple[str, ...] = ()


class Loaded(msgspec.Struct, frozen=True):
    """A task that can be hosted."""

    task: Task
    plan: Plan


def load_tasks(
    paths: Sequence[str],
    registry: Registry,
    overrides: Overrides,
    warn: Warn,
    only: str | None = None,
) -> list[Loaded]:
    """All tasks of these files, or the one of `only`; `warn` is called with each warning.

    Raises InvalidPipelineError with the errors of all files; or ConfigurationError, with the same
    errors in its message, if no pipeline has one of the parameters of the command line.
    """
    files = [load_file(path) for path in paths]
    files, mistakes = _with_overrides(files, overrides)
    names = check_names(files)
    if only is not None:
        files, mistakes = [file for file in files if file.path == only], []
        names = [problem for problem in names if problem.where.path == only]
    problems = [problem for file in files for problem in check_task(file, registry)]
    problems += names
    errors = [problem for problem in problems if problem.severity == "error"]
    if mistakes:
        raise ConfigurationError("\n".join([*mistakes, *map(str, errors)]))
    if errors:
        raise InvalidPipelineError(errors)
    for problem in problems:
        warn(problem)
    return [_load(file.task, registry) for file in files if file.task is not None]


def load_for_description(paths: Sequence[str], registry: Registry, warn: Warn) -> list[Loaded]:
    """The tasks of these files, on a machine that need not host them: values may be missing.

    Raises InvalidPipelineError.
    """
    files = [load_file(path, environment=None) for path in paths]
    found = [problem for file in files for problem in check_task(file, registry)]
    problems = [each for each in (*found, *check_names(files)) if each.code != "missing-parameter"]
    if any(problem.severity == "error" for problem in problems):
        raise InvalidPipelineError(problems)
    for problem in problems:
        warn(problem)
    return [_load(file.task, registry) for file in files if file.task is not None]


def _load(task: Task, registry: Registry) -> Loaded:
    return Loaded(task, compile_spec(load(task.pipeline), registry))


def _with_overrides(
    files: Sequence[TaskFile], overrides: Overrides
) -> tuple[list[TaskFile], list[str]]:
    """The files with the overrides applied, and a message for each parameter that none has."""
    declared: dict[str, None] = {}
    changed = []
    all_known = True
    for file in files:
        names = _declared(file)
        all_known = all_known and names is not None
        declared |= dict.fromkeys(names or ())
        given = {
            name: value
            for name, value in overrides.parameters.items()
            if names is None or name in names
        }
        changed.append(_changed(file.with_parameters(given), overrides))
    mistakes = []
    for name in overrides.parameters:
        if all_known and name not in declared:
            known = (
                nearest_hint(name, declared) or f"their parameters: {', '.join(declared) or 'none'}"
            )
            mistakes.append(f"no pipeline has a parameter {name!r}; {known}")
    return changed, mistakes


def _changed(file: TaskFile, overrides: Overrides) -> TaskFile:
    if file.task is None:
        return file
    task = file.task
    if overrides.instances is not None:
        task = msgspec.structs.replace(task, instances=overrides.instances)
    if overrides.allowed_origins:
        task = msgspec.structs.replace(task, allowed_origins=overrides.allowed_origins)
    return msgspec.structs.replace(file, task=task)


def _declared(file: TaskFile) -> list[str] | None:
    """The parameters of the pipeline; None if it cannot be read, which check_task reports."""
    try:
        spec = load(file.pipeline)
    except ConfigurationError:
        return None
    is_valid = all(problem.severity != "error" for problem in spec.problems)
    return [parameter.name for parameter in spec.parameters] if is_valid else None


def check_parameters(loaded: Loaded) -> None:
    """Raises ConfigurationError if the pipeline would not start with these parameters."""
    task, declared = loaded.task, loaded.plan.parameters
    claimed = {} if task.jwt is None else task.jwt.parameters
    from_callers = {
        parameter.name: "given by the caller"
        for parameter in declared
        if is_missing(parameter, task.parameters)
        and (parameter.name in claimed or comes_from_callers(task.type, parameter))
    }
    try:
        resolve_parameters(declared, {**task.parameters, **from_callers})
    except ConfigurationError as error:
        raise ConfigurationError(f"the task {task.name!r} of '{task.path}': {error}") from None
