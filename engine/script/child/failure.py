"""An exception of a script, described in terms of the author's own code.

Frames of the engine are left out, source lines are shown although the script and its modules are
not read from files, and the reason names the script's own line even if the exception was raised
deep inside a library.
"""

from __future__ import annotations

import linecache
import traceback
from pathlib import Path
from types import CodeType
from typing import Any

from .encoding import Failure, NotSendableError
from .memory import limit
from .pip_runs import InstallError
from .protocol import FrameTooLargeError, amount

MODULE = "snaplogic_script"
_OWN_MODULES = (MODULE, "snapline_child")
_HIDDEN = (str(Path(__file__).parent), "<frozen importlib")
_MISTAKES = (
    *(ArithmeticError, AttributeError, ImportError),
    *(LookupError, NameError, SyntaxError, TypeError),
)
"""Exceptions that usually mean a mistake in the code, rather than in data, files or the machine."""

_FRAMES = 1_000
"""The last frames that a traceback keeps: a script may raise Python's limit on recursion, and a
million frames would take minutes to describe."""

_REASON_LIMIT = 4_000
_TRACE_LIMIT = 64_000

_shown: set[str] = set()


class ScriptRaisedError(Exception):
    """The script cannot go on; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = _sendable(failure)


def show_source(name: str, source: str) -> None:
    """Let tracebacks show the name and lines of a script or module that is not read from a file."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    _shown.add(name)


def describe(error: BaseException, name: str, hook: Any = None) -> Failure:
    """The failure for an exception in the script `name`.

    `hook` is the function to blame if the traceback has only frames of the engine.
    """
    trace = traceback.TracebackException.from_exception(error, limit=-_FRAMES)
    _drop_own_frames(trace)
    code = getattr(hook, "__code__", None)
    if not trace.stack and isinstance(code, CodeType):
        frame = traceback.FrameSummary(code.co_filename, code.co_firstlineno, code.co_name)
        trace.stack = traceback.StackSummary.from_list([frame])
    place = _syntax_place(error) or _raised_place(trace, name)
    reason = _reason(error, trace)
    return _sendable(
        (
            f"Python script error in {name}",
            f"{_cut(reason, _REASON_LIMIT)} ({place})" if place else _cut(reason, _REASON_LIMIT),
            _resolution(error, trace),
            _cut("".join(trace.format()), _TRACE_LIMIT),
        )
    )


def place_of(hook: Any, name: str) -> str:
    """`name, line 12`, where the function begins; only the name if that is not known."""
    code = getattr(hook, "__code__", None)
    return f"{name}, line {code.co_firstlineno}" if isinstance(code, CodeType) else name


def unsendable(
    error: FrameTooLargeError | NotSendableError, name: str, hook: Any = None
) -> Failure:
    """The failure to send in place of a result that cannot be sent, of a function of `name`."""
    is_large = isinstance(error, FrameTooLargeError)
    return (
        f"could not pass on the result of {getattr(hook, '__name__', 'the script')}",
        f"{error} ({place_of(hook, name)})",
        f"return {'smaller documents' if is_large else 'documents of valid, plain values'}",
        "",
    )


def _sendable(failure: Failure) -> Failure:
    """The texts as valid Unicode: a lone surrogate is written as an escape."""
    error, reason, resolution, trace = (
        text.encode("utf-8", "backslashreplace").decode() for text in failure
    )
    return error, reason, resolution, trace


def _drop_own_frames(trace: traceback.TracebackException) -> None:
    chain = [trace, *(getattr(trace, "exceptions", None) or ())]
    for link in chain:
        frames = [frame for frame in link.stack if not frame.filename.startswith(_HIDDEN)]
        link.stack = traceback.StackSummary.from_list(frames)
        for earlier in (link.__cause__, link.__context__):
            if earlier is not None:
                _drop_own_frames(earlier)


def _reason(error: BaseException, trace: traceback.TracebackException) -> str:
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    text = "".join(trace.format_exception_only()).strip()
    if isinstance(error, MemoryError) and limit() is not None:
        text = f"{text.rstrip(': ')}: the script's limit is {amount(limit() or 0)}"
    module = type(error).__module__
    return text.removeprefix(f"{module}.") if module.startswith(_OWN_MODULES) else text


def _syntax_place(error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.lineno:
        return f"{error.filename}, line {error.lineno}"
    return ""


def _raised_place(trace: traceback.TracebackException, name: str) -> str:
    """The script's last line in the trace, and that of the module that it called, if any."""
    frames = [frame for frame in trace.stack if frame.filename in _shown]
    own = [place for place, frame in enumerate(frames) if frame.filename == name]
    named = [frames[own[-1]]] if own else []
    if frames and frames[-1].filename != name:
        named.append(frames[-1])
    return ", through ".join(f"{frame.filename}, line {frame.lineno}" for frame in named)


def _resolution(error: BaseException, trace: traceback.TracebackException) -> str:
    if isinstance(error, InstallError):
        return error.resolution
    if isinstance(error, ModuleNotFoundError) and error.name:
        library = error.name.partition(".")[0]
        return (
            "add the library to the snap's requirements (or your own file to its modules), or call "
            f"slt.ensure({library!r}) before the script imports it"
        )
    if isinstance(error, SystemExit):
        return "the script must return instead of ending its process"
    if isinstance(error, MemoryError):
        how = "raise memory" if limit() is not None else "run it on a larger machine"
        return f"keep less in memory, or {how}"
    if trace.stack and (trace.stack[-1].line or "").split(" ")[0] == "raise":
        return ""  # the script's own message says it all
    if isinstance(error, FileNotFoundError) and _is_relative(error.filename):
        return f"relative file names are resolved in {Path.cwd()}, the folder of the pipeline"
    return "correct the script at this line" if isinstance(error, _MISTAKES) else ""


def _is_relative(name: Any) -> bool:
    return isinstance(name, str) and not Path(name).is_absolute()


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]} … ({len(text)} characters)"
