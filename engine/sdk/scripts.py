"""The interface to a script executor, which runs a user's Python code in a separate process.

A snap gets an executor from its context; tests use a fake. The snap sees rows and answers, never a
process, a pipe or a socket.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, Protocol

import msgspec

from engine.documents import Document
from engine.errors import DataError, ExecutionError

InstallPolicy = Literal["install", "check", "refuse"]
ScriptStyle = Literal["functions", "hook", "hook for requests"]


_MARKED = re.compile("\x1e([!-~]{1,128})\x1e")


def without_mark(line: str) -> tuple[str, str]:
    """A line that a script has printed, and the id of the request that it was working on, if any.

    See engine.script.child.current.
    """
    if line[:1] == "\x1e" and (found := _MARKED.match(line)):
        return line[found.end() :], found[1]
    return line, ""


class ScriptModule(msgspec.Struct, frozen=True):
    """Source code that a script imports as `name`; tracebacks show it as `file`."""

    name: str
    file: str
    source: str


class Script(msgspec.Struct, frozen=True):
    """A Remote Python script and how it is to be run.

    `name` is shown in tracebacks. On this machine, `folder` is where sibling modules of the script
    are, and `directory` where it runs; `modules` can be imported wherever it runs. `requirements`
    are pip requirements, installed before the script starts. Scripts that name the same
    `environment` share it; without a name, a script has its own, identified by its `owner`, the
    snap that runs it. `constraints` is the text of a pip constraints file for every installation.
    `install` says what `SLTool.ensure` and the requirements may do: `install`
    what is missing, `check` (warn and continue), or `refuse` (fail). `timeout` limits one call into
    the script, in seconds; None: no limit. `memory` is its memory limit in bytes. `variables` are
    environment variables in addition to those that every script gets. `pipe` becomes
    `snaplogic_pipe`. The numbers of rows are int and float, or if `exact` int and Decimal.
    With `marks`, lines that it prints for a request have its id (see `without_mark`).
    With `trusted`, `SLTool.decode` makes any object that a text names.
    `style` says what the script defines: `functions` as `snaplogic_process`, or a `hook` that reads
    its input itself, as SnapLogic's Script snap has it; a `hook for requests` must say which row
    each document answers. The documents of a hook come as `{"output": document}`, `{"error":
    document}`, or `{"failed": [error, reason, resolution, stacktrace]}` if it raised.
    A script that `combines` must define `snaplogic_combine`.
    `executor` is empty for a child of this process, or else `host:port` of an
    `engine executor`, which requires `token`.
    """

    source: str
    name: str = "script.py"
    folder: str = ""
    directory: str = ""
    modules: tuple[ScriptModule, ...] = ()
    requirements: tuple[str, ...] = ()
    constraints: str = ""
    environment: str = ""
    owner: str = ""
    install: InstallPolicy = "install"
    timeout: float | None = None
    memory: int | None = None
    variables: dict[str, str] = msgspec.field(default_factory=dict)
    pipe: dict[str, Any] = msgspec.field(default_factory=dict)
    exact: bool = False
    trusted: bool = False
    marks: bool = False
    style: ScriptStyle = "functions"
    combines: bool = False
    executor: str = ""
    token: str = ""


ScriptAnswer = Document | list[Document] | None | DataError
"""A script's answer to one row: a document, several, None if it dropped the row, or an error.

A script that yields documents gives parts before its answer, which is then None, an empty list or
an error. A part is the list [True, documents]."""


def part_of(answer: ScriptAnswer) -> list[Document] | None:
    """The documents of a part, perhaps none so far; None for a complete answer."""
    part: Any = answer
    return part[1] if part.__class__ is list and part and part[0] is True else None


Outcome = tuple[int, ScriptAnswer]
"""The number of a finished row, and the answer to it (see HeldRows)."""


class ScriptError(DataError):
    """The script failed on one row, or in `snaplogic_final`; `stacktrace` shows its own frames."""

    def __init__(
        self, error: str, reason: str = "", resolution: str = "", stacktrace: str = ""
    ) -> None:
        super().__init__(error, reason, resolution)
        self.args = (error, reason, resolution, stacktrace)
        self.stacktrace = stacktrace


class ScriptFailure(ExecutionError):  # noqa: N818  # the script has failed, not one document
    """The script cannot continue. `stacktrace` has its own frames, or its last lines of output."""

    def __init__(
        self, error: str, reason: str = "", resolution: str = "", stacktrace: str = ""
    ) -> None:
        super().__init__(error)
        self.args = (error, reason, resolution, stacktrace)
        self.error = error
        self.reason = reason
        self.resolution = resolution
        self.stacktrace = stacktrace

    def __str__(self) -> str:
        return ": ".join(part for part in (self.error, self.reason) if part)


class ScriptSession(Protocol):
    """One run of one script. Every method but `interrupt` blocks until the script has answered.

    Answers to rows arrive in parts, within milliseconds of being made. Consume all parts before
    calling the next method.

    A script that cannot go on (it raises while it is loaded or in `snaplogic_init`, it dies, is
    killed, hangs past its timeout, or its executor is gone) raises ScriptFailure, an
    ExecutionError; an exception in `snaplogic_final` or `snaplogic_combine` raises ScriptError, a
    DataError; one in `snaplogic_process` is that row's answer.
    """

    def connect(self) -> None:
        """Start the script's process, which installs what the script needs, but does not load it.

        `start` does this if it has not been done.
        """
        ...

    def start(self) -> list[Document]:
        """Load the script and call `snaplogic_init`; its documents."""
        ...

    def process(self, rows: list[Document]) -> Iterator[list[ScriptAnswer]]:
        """One answer per row, in order, part by part, without drop documents."""
        ...

    def identify(self, key: str) -> None:
        """The rows from now on belong to the chunk of that key, which may come again, with the same
        key, if a copy of the script is lost."""
        ...

    def finish(self) -> list[Document]:
        """Call `snaplogic_final`; its documents."""
        ...

    def combine(self, finals: list[Document]) -> list[Document]:
        """Give these documents of `snaplogic_final`, perhaps of several copies, to
        `snaplogic_combine`; its documents."""
        ...

    def process_tracked(
        self,
        rows: list[Document],
        numbers: list[int],
        ids: Sequence[str] = (),
        patience: float | None = None,
    ) -> Iterator[list[Outcome]]:
        """The outcomes of rows, these or earlier ones, when a request waits for each of them.

        A number identifies a row from now on; it is negative if no request waits for that row. A
        row with a positive number and no outcome is kept by the script, and gets its outcome later.
        `ids` are those of the requests, for the script and as marks of what it prints (see
        `without_mark`). After `patience`, in seconds, with nothing to report, an empty list comes
        once; asking for the next part waits.
        """
        ...

    def cancel(self, number: int) -> None:
        """Nobody waits for the answer to this row: a script that yields is closed at its next step.

        Called between the parts of `process_tracked`.
        """
        ...

    def finish_tracked(self) -> Iterator[list[Outcome]]:
        """Call `snaplogic_final` after `process_tracked`; the outcomes of all remaining rows.

        Documents that answer no row have the number 0.
        """
        ...

    def interrupt(self) -> None:
        """End the child at once. Called from another thread while a method above blocks."""
        ...

    def close(self) -> None:
        """End the child and remove its temporary folder. May be called twice."""
        ...


class ScriptExecutor(Protocol):
    """Starts sessions.

    `output` gets each line that the script prints, without its line end, immediately. It is called
    from a separate thread, while a session method blocks or between two of them. `lost` is called
    from a separate thread, at most once, if the script ends while no session method is in progress.
    """

    def open(
        self,
        script: Script,
        output: Callable[[str], None],
        lost: Callable[[ScriptFailure], None] = ...,
    ) -> ScriptSession: ...
