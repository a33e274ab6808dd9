"""What a run needs of a task file: the pipeline, and the parameters that the task presets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from engine.errors import ConfigurationError
from engine.pipeline.environment import fill_in
from engine.pipeline.load import compose_text, read
from engine.pipeline.nodes import Node, Scalar, Table, plain


class TaskReference(msgspec.Struct, frozen=True):
    """The path of the pipeline, and the parameters with `${env:NAME}` filled in."""

    pipeline: str
    parameters: Mapping[str, str]


def read_task(path: str) -> TaskReference | None:
    """The task in that file; None if it is not a task file.

    Raises ConfigurationError if it cannot be read, or reads a variable that is not set. All other
    mistakes are found by `engine validate`.
    """
    source, _ = compose_text(read(path, "file"), path)
    root = source.root
    if not isinstance(root, Table) or "snaps" in root.entries or "type" not in root.entries:
        return None
    named = _value(root, "pipeline")
    if not isinstance(named, Scalar):
        raise ConfigurationError(f"the task {path!r} names no pipeline; check it: engine validate")
    table = _value(root, "parameters")
    given = plain(table) if isinstance(table, Table) else {}
    parameters = {name: _filled(path, name, value) for name, value in given.items()}
    return TaskReference(str(Path(path).parent / named.text), parameters)


def _value(table: Table, key: str) -> Node | None:
    entry = table.entries.get(key)
    return None if entry is None else entry.value


def _filled(path: str, name: str, value: object) -> str:
    filled, unset = fill_in(str(value), os.environ)
    if unset:
        raise ConfigurationError(
            f"the task {path!r}: the parameter {name!r} reads the environment variable "
            f"{unset[0]!r}, which is not set"
        )
    return filled
