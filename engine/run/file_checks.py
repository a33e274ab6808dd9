"""Files that a snap names for the whole run: what could not be read or written is told at once.

Otherwise a missing folder would only be noticed when the first stream arrives, perhaps after hours
of work. It is a warning, as nobody knows before whether a stream will arrive, and what scripts,
other snaps and other programs will have changed by then. Only a snap that starts by itself reads
its file for certain: without the file, the run does not start, unless a snap may create it.
"""

from __future__ import annotations

import os

from engine.errors import DataError
from engine.expressions import fixed_beginning
from engine.plan.folders import local_path
from engine.plan.graph import downstream
from engine.plan.plan import PlannedSnap, Port
from engine.registry import SnapClass
from engine.run.context import SnapContext
from engine.run.execution import Execution
from engine.sdk.files import FileName, WrittenFile
from engine.sdk.settings import Evaluated
from engine.sdk.snap import Snap


def check_files(snap: SnapClass, planned: PlannedSnap, context: SnapContext) -> None:
    """Warn of files that cannot be read or written as things are.

    Raise DataError if the run would certainly fail. Failures that `on_error`, an ultra task or
    retries handle are left to them.
    """
    if planned.on_error != "stop" or context.in_ultra or not context.execution.is_first_copy:
        return
    for written in snap.files_written(planned.settings):
        try:
            _check_written(written, context)
        except DataError as error:
            _warn(error, context)
    for read in snap.files_read(planned.settings):
        name, is_complete = _known(read.name, context)
        if not is_complete or read.retries:
            continue
        try:
            context.files.check_readable(name)
        except DataError as error:
            if _is_made(name, planned, context.execution):
                continue
            if _starts_by_itself(planned, context.execution):
                raise
            _warn(error, context)


def _warn(error: DataError, context: SnapContext) -> None:
    context.show(
        f"warning: {error}, so the snap fails when something arrives, unless that changes first; "
        f"{error.resolution}"
    )


def _starts_by_itself(planned: PlannedSnap, execution: Execution) -> bool:
    ports = [Port(planned.label, view.name) for view in planned.inputs]
    return bool(ports) and set(ports) <= set(execution.plan.starting_inputs)


def _check_written(written: WrittenFile, context: SnapContext) -> None:
    name, is_complete = _known(written.name, context)
    if is_complete:
        context.files.check_writable(name, written)
        return
    folder = name.text[: name.text.rfind("/") + 1]
    if folder and not written.allow_outside:
        context.files.check_folder(FileName(folder), written)


def _known(setting: Evaluated[str], context: SnapContext) -> tuple[FileName, bool]:
    """What is known of a name before there are documents, and whether that is all of it."""
    if setting.expression is None:
        return FileName(setting.value or ""), bool(setting.value)
    text, is_complete = fixed_beginning(
        setting.expression.text, scope=context.scope, data_parameters=context.data_parameters
    )
    return FileName(text), is_complete and bool(text)


def _is_made(name: FileName, planned: PlannedSnap, execution: Execution) -> bool:
    """Whether a snap may create the file, or wait until somebody else has; those downstream of its
    reader come too late. A run that another one started cannot know what that one does."""
    plan = execution.plan
    if plan.error_pipeline is not None or execution.calls is not None:
        return True
    edges = [(link.source.label, link.target.label) for link in plan.links]
    later = downstream([planned.label], edges)
    return any(
        snap.label not in later and _may_make(name, execution.registry[snap.type], snap, execution)
        for snap in plan.snaps
    )


def _may_make(name: FileName, snap: SnapClass, planned: PlannedSnap, execution: Execution) -> bool:
    settings = planned.settings
    if written := list(snap.files_written(settings)):
        return any(_may_be(name, file, execution) for file in written)
    if snap.makes_files or any(snap.children(settings)):
        return True
    if any(snap.files_read(settings)):
        return False
    return planned.facts.blocking or planned.facts.writes or _runs_code(snap)


def _may_be(name: FileName, written: WrittenFile, execution: Execution) -> bool:
    """Whether a file that is written may be the one of that name, or one that belongs to it."""
    if written.name.value is None:
        return True
    wanted = _real_path(name.text, execution)
    made = _real_path(written.name.value, execution)
    if wanted == made or wanted == f"{made}.header":
        return True
    return written.is_folder and wanted.startswith(made.rstrip("/") + "/")


def _real_path(name: str, execution: Execution) -> str:
    path = local_path(name, execution.plan.folder, execution.plan.project)
    return name if path is None else os.path.realpath(path)


def _runs_code(snap: SnapClass) -> bool:
    """Whether a snap runs Python of the user."""
    return snap.python_code.__func__ is not Snap.python_code.__func__  # type: ignore[attr-defined]
