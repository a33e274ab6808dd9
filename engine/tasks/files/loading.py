"""From the files that are to be served to checked tasks with their plans."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from engine.errors import ConfigurationError, InvalidPipelineError, Problem
from engine.pipeline import load
from engine.plan import compile_spec
from engine.plan.plan import Plan
from engine.registry import SnapClass
from engine.run.parameters import resolve_parameters
from engine.sdk.settings import nearest_hint
from engine.tasks.files.check import (
    check_names,
    check_task,
    comes_from_callers,
    is_missing,
)
from engine.tasks.files.files import TaskFile, is_task_file, load_task, task_of_pipeline
from engine.tasks.files.task import Task

Warn = Callable[[Problem], None]


class Overrides(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says, before what the files say."""

    parameters: Mapping[str, str] = {}
    instances: int | None = None
    allowed_origins: tuple[str, ...] = ()


class Loaded(msgspec.Struct, frozen=True):
    """A task that can be hosted."""

    task: Task
    plan: Plan


def load_tasks(
    paths: Sequence[str],
    registry: Mapping[str, SnapClass],
    overrides: Overrides,
    warn: Warn,
) -> list[Loaded]:
    """All tasks of these files; `warn` gets what is doubtful.

    Raises InvalidPipelineError with all mistakes of all files, ConfigurationError for a file that
    cannot be read and for parameters that fit none.
    """
    files = [_read(path) for path in paths]
    files, mistakes = _with_overrides(files, overrides)
    problems = [problem for file in files for problem in check_task(file, registry)]
    problems += check_names(files)
    errors = [problem for problem in problems if problem.severity == "error"]
    if mistakes:
        raise ConfigurationError("\n".join(mistakes))
    if errors:
        raise InvalidPipelineError(errors)
    for problem in problems:
        warn(problem)
    return [_load(file.task, registry) for file in files if file.task is not None]


def _read(path: str) -> TaskFile:
    return load_task(path) if is_task_file(path) else task_of_pipeline(path)


def _load(task: Task, registry: Mapping[str, SnapClass]) -> Loaded:
    return Loaded(task, compile_spec(load(task.pipeline), registry))


def _with_overrides(
    files: Sequence[TaskFile], overrides: Overrides
) -> tuple[list[TaskFile], list[str]]:
    """The files with what the command line says, and the parameters of it that fit none."""
    declared: dict[str, None] = {}
    changed = []
    for file in files:
        names = _declared(file)
        declared |= dict.fromkeys(names)
        given = {name: each for name, each in overrides.parameters.items() if name in names}
        changed.append(_changed(file.with_parameters(given), overrides))
    mistakes = []
    for name in overrides.parameters:
        if name not in declared:
            known = nearest_hint(name, declared) or f"they have: {', '.join(declared) or 'none'}"
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


def _declared(file: TaskFile) -> list[str]:
    try:
        return [parameter.name for parameter in load(file.pipeline).parameters]
    except ConfigurationError:
        return []  # check_task says what is wrong with the file


def check_parameters(loaded: Loaded) -> None:
    """Raises ConfigurationError if the pipeline would not start with these parameters."""
    task, declared = loaded.task, loaded.plan.parameters
    from_callers = {
        parameter.name: "given by the caller"
        for parameter in declared
        if comes_from_callers(task, parameter) and is_missing(parameter, task.parameters)
    }
    resolve_parameters(declared, {**task.parameters, **from_callers})
