"""Files that a snap names for the whole run: what could never be read or written is found at once.

Otherwise a missing folder would only be noticed when the first stream arrives, perhaps after hours
of work. A run is refused only if it would certainly fail. So nothing is refused if `on_error` or an
ultra task handles failures, if the snap retries, or if another snap may change what is wrong before
the file is used: one that writes there, runs another pipeline, or runs a script that may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from engine.errors import DataError
from engine.expressions import fixed_beginning
from engine.late_regex import late_regex
from engine.plan.folders import local_path
from engine.plan.graph import downstream
from engine.plan.plan import PlannedSnap
from engine.plan.python_code import source_of
from engine.registry import SnapClass
from engine.run.context import SnapContext
from engine.run.execution import Execution
from engine.sdk.files import FileName, WrittenFile
from engine.sdk.settings import Evaluated
from engine.sdk.snap import Snap

_MAKES_FOLDERS = late_regex(
    r"\b(?:mkdirs?|makedirs|shutil|rename\w*|symlink\w*|unpack\w*|extract\w*|subprocess|system"
    r"|popen|spawn\w*|exec\w*|eval|import_module|__import__|saved_model|export|ModelCheckpoint"
    r"|TensorBoard|snapshot_download)\b"
)
"""Names in a script that may create a folder, or start something that may."""


def check_files(snap: SnapClass, planned: PlannedSnap, context: SnapContext) -> None:
    """Raise DataError if the run would certainly fail at a file; warn if it probably would."""
    if planned.on_error != "stop" or context.in_ultra:
        return
    for written in snap.files_written(planned.settings):
        try:
            _check_written(written, context)
        except DataError as error:
            if not written.retries and not any(_makers(planned, context.execution, _may_mend)):
                raise
            context.show(
                f"warning: {error}, unless another snap changes that first; {error.resolution}"
            )
    for read in snap.files_read(planned.settings):
        name, is_complete = _known(read.name, context)
        if not is_complete or read.retries:
            continue
        try:
            context.files.check_readable(name)
        except DataError:
            # Often an earlier snap writes the file, so there is nothing to warn of.
            if not any(_makers(planned, context.execution, _may_make(name, context.execution))):
                raise


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


_May = Callable[[SnapClass, PlannedSnap, Execution], bool]


def _makers(planned: PlannedSnap, execution: Execution, may: _May) -> Iterator[str]:
    """The snaps that may change what is wrong; those downstream come too late."""
    plan = execution.plan
    edges = [(link.source.label, link.target.label) for link in plan.links]
    later = downstream([planned.label], edges)
    for snap in plan.snaps:
        if snap.label not in later and may(execution.registry[snap.type], snap, execution):
            yield snap.label


def _may_mend(snap: SnapClass, planned: PlannedSnap, execution: Execution) -> bool:
    """Whether a snap may create a folder, remove a file or the like."""
    if snap.makes_files or any(snap.children(planned.settings)):
        return True
    written = list(snap.files_written(planned.settings))
    if written:
        return any(file.creates_folder for file in written)
    return (planned.facts.writes and not snap.reaches) or _has_code(
        snap, planned, execution, only_folders=True
    )


def _may_make(name: FileName, execution: Execution) -> _May:
    """Whether a snap may create that file, or wait until somebody else has."""
    plan = execution.plan
    wanted = local_path(name.text, plan.folder, plan.project)

    def may(snap: SnapClass, planned: PlannedSnap, execution: Execution) -> bool:
        settings = planned.settings
        if written := list(snap.files_written(settings)):
            values = [file.name.value for file in written]
            return any(
                value is None or local_path(value, plan.folder, plan.project) == wanted
                for value in values
            )
        if any(snap.files_read(settings)):
            return False
        makes = snap.makes_files or planned.facts.blocking or planned.facts.writes
        return makes or _has_code(snap, planned, execution, only_folders=False)

    return may


def _has_code(
    snap: SnapClass, planned: PlannedSnap, execution: Execution, *, only_folders: bool
) -> bool:
    """Whether a snap runs Python of the user; with `only_folders`, only such that makes folders."""
    if snap.python_code.__func__ is Snap.python_code.__func__:  # type: ignore[attr-defined]
        return False
    codes = list(snap.python_code(planned.settings))
    plan = execution.plan
    for code in codes if only_folders else ():
        source = source_of(code, plan.folder, plan.project)
        if source is None or _MAKES_FOLDERS.search(source[1]):
            return True
    return not only_folders or not codes  # without code, the script comes from a view
