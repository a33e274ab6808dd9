"""Descriptions of failures: the texts of an error, and the user's own code in a traceback."""

from __future__ import annotations

import linecache
import traceback
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

from engine.errors import ChildFailedError, DataError, EngineError, ExpressionError
from engine.plan.plan import PlannedSnap
from engine.sdk.results import MISTAKE_IN_SNAP

_NO_VALUE = "an expression of the pipeline has no valid value for this document"
SEE_LOG = "see the server's log"
_ENGINE = str(Path(__file__).parent.parent)
_SHOWN_AT_ENDS = 10
"""Calls shown at each end of a long trace."""

_SHOWN_OF_GROUP = 5
"""Exceptions of a group that a message names."""

_Frame = tuple[str, int, str]
"""File, line and function."""


class BrokenSnapError(DataError):
    """A snap raised an exception that is not an engine error; `stacktrace` shows its own code."""

    def __init__(self, error: str, reason: str, resolution: str, stacktrace: str) -> None:
        super().__init__(error, reason, resolution)
        self.args = (error, reason, resolution, stacktrace)
        self.stacktrace = stacktrace

    def __str__(self) -> str:
        return self.reason


def broken_snap(label: str, snap_class: type[Any], error: BaseException) -> BrokenSnapError:
    """The error for a document on which a snap's code raised an exception."""
    text = _text_of(error)
    if isinstance(error, BaseExceptionGroup):
        text = "; ".join([text, *map(_text_of, error.exceptions[:_SHOWN_OF_GROUP])])
    remedy, stacktrace = _place(_frames(error.__traceback__), _file_of(snap_class))
    return BrokenSnapError(f"the snap {label!r} failed", text, remedy, stacktrace)


def _text_of(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def explain(error: BaseException) -> str:
    """The full text of an error: what, why, what to do, and the user's own trace if it has one."""
    stacktrace = str(getattr(error, "stacktrace", "")).rstrip()
    resolution = getattr(error, "resolution", "")
    text = str(error)
    parts = [text, stacktrace]
    if resolution and resolution not in text:
        parts.append(f"  hint: {resolution}")
    return "\n".join(part for part in parts if part)


def texts_for_callers(snap: PlannedSnap, error: EngineError) -> tuple[str, str, str]:
    """Error, reason and resolution as the callers of a hosted pipeline get them.

    They see neither the pipeline's expressions nor places in files of the server.
    """
    failed = f"the snap {snap.label!r} failed"
    if isinstance(error, BrokenSnapError):
        return failed, error.reason, SEE_LOG
    if isinstance(error, ChildFailedError):
        return error.for_callers
    texts = failed, str(error), ""
    if isinstance(error, DataError):
        texts = error.error, error.reason, error.resolution
    quoted = [repr(placed.text) for placed in snap.expressions]
    if isinstance(error, ExpressionError) or any(each in text for each in quoted for text in texts):
        return failed, _NO_VALUE, SEE_LOG
    return texts


def full_trace(error: BaseException) -> str:
    """All frames of an exception, for debugging a snap; empty for an error of the engine."""
    if isinstance(error, EngineError):
        return ""
    return "".join(traceback.format_exception(error)).rstrip()


def _frames(trace: TracebackType | None) -> tuple[_Frame, ...]:
    """The frames that are not the engine's, outermost first."""
    frames = []
    while trace is not None:
        code = trace.tb_frame.f_code
        if not code.co_filename.startswith(_ENGINE):
            frames.append((code.co_filename, trace.tb_lineno, code.co_name))
        trace = trace.tb_next
    return tuple(frames)


@lru_cache(64)
def _place(frames: tuple[_Frame, ...], own_file: str) -> tuple[str, str]:
    """What to do, and the stacktrace, for the frames of a snap in that file.

    Cached, because many documents may fail at the same place.
    """
    own = [frame for frame in frames if frame[0] == own_file]
    remedy = MISTAKE_IN_SNAP
    if last := (own or frames)[-1:]:
        file, line, _ = last[0]
        remedy = f"{remedy}; fix it in {file}, line {line}"
    elif own_file:
        remedy = f"{remedy}; fix it in {own_file}"
    return remedy, "".join(_folded(frames)).rstrip()


def _folded(frames: Sequence[_Frame]) -> Iterator[str]:
    """The frames as text; of a long trace, such as that of an endless recursion, both ends."""
    omitted = len(frames) - 2 * _SHOWN_AT_ENDS
    if omitted > 0:
        yield from (_shown(*frame) for frame in frames[:_SHOWN_AT_ENDS])
        yield f"  [{omitted:,} more calls]\n"
        frames = frames[-_SHOWN_AT_ENDS:]
    yield from (_shown(*frame) for frame in frames)


def _file_of(snap_class: type[Any]) -> str:
    """The source file of a snap; empty if its class does not come from a file."""
    for name in ("process", "feed", "process_batch"):
        code = getattr(getattr(snap_class, name, None), "__code__", None)
        if code is not None and not code.co_filename.startswith(_ENGINE):
            return str(code.co_filename)
    return ""


def _shown(file: str, line: int, name: str) -> str:
    source = linecache.getline(file, line).strip()
    place = f'  File "{file}", line {line}, in {name}\n'
    return f"{place}    {source}\n" if source else place


def first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that stopped the run: preferably an EngineError among the exceptions."""
    errors = [
        first_error(error) if isinstance(error, BaseExceptionGroup) else error
        for error in group.exceptions
    ]
    return next((error for error in errors if isinstance(error, EngineError)), errors[0])
