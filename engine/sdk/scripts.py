"""What a snap may ask of a script executor: run a user's Python in a process of its own.

The runtime hands an executor to the snap through its context; a test hands in a fake. The snap
sees rows and answers, never a process, a pipe or a socket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, Protocol

import msgspec

from engine.documents import Document
from engine.errors import DataError, ExecutionError

InstallPolicy = Literal["install", "check", "refuse"]


class ScriptModule(msgspec.Struct, frozen=True):
    """A text that a script imports as `name`; tracebacks show it as `file`."""

    name: str
    file: str
    source: str


class Script(msgspec.Struct, frozen=True):
    """A Remote Python script and how it is to be run.

    `name` is shown in tracebacks. `folder` is where sibling modules of the script lie, and
    `directory` where it runs, if it runs on this machine; `modules` can be imported wherever it
    runs. `requirements` are pip requirement texts that are installed before the script starts.
    Scripts that name the same `environment` share one; without a name, a script has one of its own,
    known by its `owner`, the snap that runs it.
    `constraints` is the text of a constraints file of pip, to which every installation keeps.
    `install` is what `SLTool.ensure` and the requirements may do: `install` what is missing,
    `check` (warn and go on), or `refuse` (fail). `timeout` is the longest time, in seconds, that
    one call into the script may take; None waits for ever. `memory` is the most bytes that it may
    have. `variables` are environment variables beside the few that every script gets. `pipe`
    becomes `snaplogic_pipe`.
    `executor` is empty for a child of this process, else `host:port` of `engine executor`, which
    wants `token`.
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
    executor: str = ""
    token: str = ""


ScriptAnswer = Document | list[Document] | None | DataError
"""What a script made of one row: a document, several, None if it dropped it, or its error."""

Outcome = tuple[int, ScriptAnswer]
"""The number of a row that is done with, and what became of it (see HeldRows)."""


class ScriptError(DataError):
    """The script failed on one row, or in `snaplogic_final`; `stacktrace` shows its own frames."""

    def __init__(
        self, error: str, reason: str = "", resolution: str = "", stacktrace: str = ""
    ) -> None:
        super().__init__(error, reason, resolution)
        self.args = (error, reason, resolution, stacktrace)
        self.stacktrace = stacktrace


class ScriptFailure(ExecutionError):  # noqa: N818  # the script is done for, not one document
    """The script cannot go on. `stacktrace` holds its own frames, or the last lines it printed."""

    def __init__(
        self, error: str, reason: str = "", resolution: str = "", stacktrace: str = ""
    ) -> None:
        super().__init__(error, reason, resolution, stacktrace)
        self.error = error
        self.reason = reason
        self.resolution = resolution
        self.stacktrace = stacktrace

    def __str__(self) -> str:
        return ": ".join(part for part in (self.error, self.reason) if part)


class ScriptSession(Protocol):
    """One run of one script. Every method but `interrupt` blocks until the script has answered.

    What a script makes of rows comes in parts, each within milliseconds of its making; the next
    method may be called when all parts have been taken.

    A script that cannot go on (it raises while it is loaded or in `snaplogic_init`, it dies, is
    killed, hangs past its timeout, or its executor is gone) raises ScriptFailure, an
    ExecutionError; an exception in `snaplogic_final` raises ScriptError, a DataError; one in
    `snaplogic_process` is that row's answer.
    """

    def start(self) -> list[Document]:
        """Load the script and call `snaplogic_init`; its documents."""
        ...

    def process(self, rows: list[Document]) -> Iterator[list[ScriptAnswer]]:
        """One answer per row, in order, part by part. Drop documents are already taken out."""
        ...

    def finish(self) -> list[Document]:
        """Call `snaplogic_final`; its documents."""
        ...

    def process_tracked(self, rows: list[Document], numbers: list[int]) -> Iterator[list[Outcome]]:
        """The outcomes of rows, these or earlier ones, where somebody waits for each of them.

        A number stands for a row from now on; it is negative if nobody waits for that row. A row
        with a positive number and no outcome is kept by the script, and gets its outcome later.
        """
        ...

    def finish_tracked(self) -> Iterator[list[Outcome]]:
        """Call `snaplogic_final` after `process_tracked`; the outcomes of all rows left.

        Documents that answer no row come with the number 0.
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

    `output` gets each line that the script prints, without its line end, at once: it is called
    from another thread than the session's, while a session method blocks or between two of them.
    `lost` is called from another thread, at most once, when the script ends while no method of the
    session is under way.
    """

    def open(
        self,
        script: Script,
        output: Callable[[str], None],
        lost: Callable[[ScriptFailure], None] = ...,
    ) -> ScriptSession: ...
