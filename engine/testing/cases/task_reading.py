"""Read which task a case hosts: that of a task file, or one with the keys of the case."""

from __future__ import annotations

from pathlib import Path

from engine.errors import ConfigurationError
from engine.pipeline.environment import FROM_ENVIRONMENT
from engine.pipeline.source import KeyPath
from engine.sdk.settings import shown
from engine.tasks.definition.task import Task
from engine.tasks.definition.task_file import load_task
from engine.testing.cases.settings import HostedTaskSettings
from engine.testing.cases.source_reader import SourceReader

_OF_THE_FILE = ("type", "name", "filtered_status", "status_from_document")


def read_task(
    reader: SourceReader, path: KeyPath, given: HostedTaskSettings, pipeline: str
) -> Task | None:
    """The task; None if there is a mistake. Parameters from the environment have no value."""
    if given.file is None:
        return Task(
            name=given.name,
            pipeline=pipeline,
            path=reader.source.text.path,
            type=given.type,
            filtered_status=given.filtered_status,
            status_from_document=given.status_from_document,
        )
    for key in _OF_THE_FILE:
        if reader.value((*path, key)) is not None:
            message = f"{key!r} comes from the task file"
            reader.report("bad-setting", (*path, key), message, f"remove {key!r}", at_key=True)
    task = _of_file(reader, (*path, "file"), reader.folder / given.file)
    if task is None:
        return None
    if Path(task.pipeline).resolve() != Path(pipeline).resolve():
        message = f"the task hosts another pipeline: {shown(task.pipeline)}"
        hint = f"name a task that hosts {pipeline}, which this file tests"
        reader.report("bad-setting", (*path, "file"), message, hint)
    return task


def _of_file(reader: SourceReader, path: KeyPath, file: Path) -> Task | None:
    try:
        found = load_task(file, environment=None)
    except ConfigurationError as error:
        reader.report("missing-file", path, str(error))
        return None
    errors = [problem for problem in found.problems if problem.severity == "error"]
    reader.problems += [problem for problem in errors if problem not in reader.problems]
    task = found.task
    if task is not None and task.type == "scheduled":
        message = "a scheduled task gets no requests"
        hint = "name the file of an ultra or a triggered task, or test the pipeline without 'task'"
        reader.report("bad-setting", path, message, hint)
        return None
    if task is not None and task.response == "stream":
        message = "the task streams its responses, which a case cannot compare"
        reader.report("bad-setting", path, message, "give 'type' and 'name' instead of 'file'")
        return None
    return task


def parameters_of(task: Task) -> dict[str, str]:
    """The values that the task file holds itself."""
    return {name: value for name, value in task.parameters.items() if FROM_ENVIRONMENT not in value}
