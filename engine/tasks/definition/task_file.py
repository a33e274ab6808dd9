"""Read a task file into a Task, gathering all problems, as for a pipeline file."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from engine.errors import ConfigurationError, InvalidPipelineError, Problem
from engine.locations import Location
from engine.pipeline.load import compose_text, is_platform_export, read
from engine.pipeline.nodes import Node, Scalar, Table
from engine.pipeline.source import Source
from engine.pipeline.text import Text
from engine.sdk.settings import nearest_hint, settings_of
from engine.tasks.definition.redaction import redacted
from engine.tasks.definition.settings import TaskSettings
from engine.tasks.definition.task import Task, TaskType
from engine.tasks.definition.task_reader import NAME, TaskReader

_TOP_LEVEL_KEY = re.compile(r"^([A-Za-z_]\w*)\s*:", re.MULTILINE)
_PIPELINE_KEYS = ("snaps", "links", "libraries")
_TASK_NAME = re.compile(r"(?:^|[._-])task\.ya?ml$", re.IGNORECASE)


class TaskFile(msgspec.Struct, frozen=True):
    """A task file as read: the task, or None if there are errors, and all problems.

    `type` and `pipeline`, a path, are set as far as they are known. `named` are the parameters that
    have a value, or None if unknown; `empty` are those whose value in the file is empty, and
    `written_out` those whose value is in the file itself, not in the environment.
    """

    path: str
    source: Source
    task: Task | None = None
    type: TaskType | None = None
    pipeline: str = ""
    named: tuple[str, ...] | None = None
    empty: frozenset[str] = frozenset()
    written_out: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()

    def text_of_parameter(self, name: str) -> str:
        """The value as written, with every `${env:NAME}` left in; empty if there is none."""
        node: Node | None = self.source.root
        for key in ("parameters", name):
            entry = node.entries.get(key) if isinstance(node, Table) else None
            node = entry.value if entry else None
        return node.text if isinstance(node, Scalar) else ""

    def with_parameters(
        self, given: Mapping[str, str], environment: Mapping[str, str] | None = os.environ
    ) -> TaskFile:
        """The same file with these values in place of its own, which then need not be valid."""
        if isinstance(self.source.root, Table):
            return parse_task(self.source.text.whole, self.path, environment, given)
        if self.task is None:
            return self
        parameters = {**self.task.parameters, **given}
        task = msgspec.structs.replace(self.task, parameters=parameters)
        return msgspec.structs.replace(self, task=task, named=tuple(parameters))


def load_task(path: str | Path, environment: Mapping[str, str] | None = os.environ) -> TaskFile:
    """The task of a file. Raises ConfigurationError if the file cannot be opened.

    `environment` fills in each `${env:NAME}`. With None they stay as written: for a check on a
    machine that will not host the task.
    """
    return parse_task(read(path, "task file"), str(path), environment)


def parse_task(
    text: str | bytes,
    path: str = "task.yaml",
    environment: Mapping[str, str] | None = os.environ,
    given: Mapping[str, str] | None = None,
) -> TaskFile:
    """The task in a YAML text; all problems are in `problems`. Raises nothing.

    `given` are values of parameters that override those of the text.
    """
    source, problems = compose_text(text, path)
    if any(problem.code == "yaml-error" for problem in problems):
        source = Source(source.text)  # do not guess what a file with secrets was meant to say
    if source.root is None:
        problems = problems or [_empty(path)]
        return TaskFile(path, source, problems=tuple(redacted(source, problems)))
    reader = TaskReader(source, environment, problems, given or {})
    task = reader.task()
    return TaskFile(
        path=path,
        source=source,
        task=task,
        type=reader.type,
        pipeline=reader.pipeline,
        named=reader.named,
        empty=frozenset(reader.empty),
        written_out=frozenset(reader.written_out),
        problems=tuple(redacted(source, reader.problems)),
    )


def task_of_pipeline(path: str | Path, parameters: Mapping[str, str] | None = None) -> TaskFile:
    """An ultra task, named after the file, for a pipeline that is hosted without a task file."""
    name = _legal_name(Path(path).stem)
    task = Task(name=name, pipeline=str(path), path=str(path), parameters=dict(parameters or {}))
    return TaskFile(
        path=str(path),
        source=Source(Text.of(str(path), "")),
        task=task,
        type=task.type,
        pipeline=str(path),
        named=tuple(task.parameters),
    )


def load_file(path: str | Path, environment: Mapping[str, str] | None = os.environ) -> TaskFile:
    """The task of a task file or of a pipeline file. Raises nothing: see `problems`."""
    try:
        return load_task(path, environment) if is_task_file(path) else task_of_pipeline(path)
    except InvalidPipelineError as error:
        problems = error.problems
    except ConfigurationError as error:
        problems = (Problem("missing-file", Location(str(path)), str(error)),)
    return TaskFile(str(path), Source(Text.of(str(path), "")), problems=problems)


def is_task_file(path: str | Path) -> bool:
    """Whether the file is a task file rather than a pipeline file.

    Raises InvalidPipelineError if it is neither, ConfigurationError if it cannot be opened.
    """
    source, problems = compose_text(read(path, "file"), str(path))
    return is_task(source, is_empty=source.root is None and not problems)


def is_task(source: Source, *, is_empty: bool = False) -> bool:
    """Whether this is a task rather than a pipeline. Raises InvalidPipelineError if it is neither.

    Name and folder decide only if the content does not.
    """
    keys, path = _keys(source), Path(source.text.path)
    if "snaps" in keys or is_platform_export(source):
        return False
    if "type" in keys or _names_a_file(source, path):
        return True
    if any(key in keys for key in _PIPELINE_KEYS):
        return False
    if _is_called_task(path):
        return True
    raise InvalidPipelineError([_neither(source.text.path, keys, is_empty=is_empty)])


def _is_called_task(path: Path) -> bool:
    return path.absolute().parent.name == "tasks" or bool(_TASK_NAME.search(path.name))


def _neither(path: str, keys: Iterable[str], *, is_empty: bool) -> Problem:
    near = [nearest_hint(key, ("snaps", *settings_of(TaskSettings))) for key in keys]
    hint = next(filter(None, near), "see docs/pipeline-files.md and docs/tasks.md")
    message = (
        f"the file is {'empty: it is ' if is_empty else ''}neither a pipeline file, which has "
        "'snaps', nor a task file, which has 'type' and 'pipeline'"
    )
    code = "empty-file" if is_empty else "wrong-type"
    return Problem(code, Location(path), message, hint)


def _keys(source: Source) -> list[str]:
    """The top-level keys, or what looks like them if the file is not valid YAML."""
    if isinstance(source.root, Table):
        return list(source.root.entries)
    return [] if source.root else _TOP_LEVEL_KEY.findall(source.text.whole)


def _names_a_file(source: Source, path: Path) -> bool:
    """Whether `pipeline` is the path of a file; in a pipeline file it is the name."""
    entry = source.root.entries.get("pipeline") if isinstance(source.root, Table) else None
    if entry is None or not isinstance(entry.value, Scalar):
        return False
    name = entry.value.text
    return name.endswith((".yaml", ".yml")) or (path.parent / name).is_file()


def _legal_name(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", plain).strip("-")
    return name[:100] if NAME.fullmatch(name[:100]) else "pipeline"


def _empty(path: str) -> Problem:
    hint = "a task needs at least 'type:' and 'pipeline:'"
    return Problem("empty-file", Location(path), "the task file is empty", hint)
