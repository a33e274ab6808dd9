"""Runs `hook.execute()` in a thread, and answers each row with what the script writes meanwhile.

The two threads never run at the same time. The script's runs until it needs another row, or has
ended; then the conversation takes what was written, and goes on when the next row arrives.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from ..failure import describe
from ..results import plain
from . import java, python2
from .documents import java_value, plain_copy

Answer = list[dict[str, Any]]
Write = Callable[[str, Any], None]

OUTPUT, ERROR, FAILED = "output", "error", "failed"
"""The only key of each document in an answer: what it is."""


class NoSuchElementException(Exception):  # noqa: N818  # Java's name
    """`input.next()` was called although the input has ended."""


class Conversation:
    """Has the functions of a script that is called row by row.

    With `requests`, each row belongs to a request: only `output.write(row, document)` is allowed,
    with the row that was read last.
    """

    def __init__(self, name: str, *, requests: bool) -> None:
        self._name = name
        self._requests = requests
        self._script_may_run = threading.Semaphore(0)
        self._engine_may_run = threading.Semaphore(0)
        self._next: dict[str, Any] | None = None
        self._current: dict[str, Any] | None = None
        self._has_ended = False
        self._is_over = False
        self._written: Answer = []

    def names(self) -> dict[str, Any]:
        """What a script finds in its namespace."""
        java.install()
        write, error = self._write_output, self._write_error
        given = {"input": Input(self), "output": Output(write), "error": Error(error), "log": Log()}
        return {**python2.names(), **given}

    def functions(self, namespace: dict[str, Any]) -> dict[str, Any]:
        """What the engine calls, once the module code of the script has run."""
        hook = namespace.get("hook")
        if not callable(getattr(hook, "execute", None)):
            raise ValueError(
                "the script must end with hook = TransformScript(input, output, error, log), an "
                "object with the method execute()"
            )
        self._thread = threading.Thread(target=self._execute, args=(hook,), daemon=True)
        return {
            "snaplogic_init": self._start,
            "snaplogic_process": self._process,
            "snaplogic_final": self._finish,
        }

    # In the thread of the engine's calls -------------------------------------------------------

    def _start(self) -> Answer:
        self._thread.start()
        self._engine_may_run.acquire()
        return self._taken()

    def _process(self, row: dict[str, Any]) -> Answer:
        if not self._is_over:  # else the script has ended before its input
            self._next = row
            self._let_script_run()
        return self._taken()

    def _finish(self) -> Answer:
        self._has_ended = True
        if not self._is_over:
            self._let_script_run()
        return self._taken()

    def _let_script_run(self) -> None:
        self._script_may_run.release()
        self._engine_may_run.acquire()

    def _taken(self) -> Answer:
        written, self._written = self._written, []
        return written

    # In the script's thread --------------------------------------------------------------------

    def _execute(self, hook: Any) -> None:
        try:
            try:
                hook.execute()
            finally:
                cleanup = getattr(hook, "cleanup", None)
                if callable(cleanup):
                    cleanup()
        except BaseException as error:  # noqa: BLE001  # a script may raise anything
            failure = describe(error, self._name, getattr(hook.execute, "__func__", None))
            self._written.append({FAILED: list(failure)})
        self._is_over = True
        self._engine_may_run.release()

    def has_next(self) -> bool:
        """Waits until there is another row, or the input has ended."""
        if self._next is None and not self._has_ended:
            self._current = None
            self._engine_may_run.release()
            self._script_may_run.acquire()
        return self._next is not None

    def next(self) -> dict[str, Any]:
        if not self.has_next():
            raise NoSuchElementException("the input has ended; ask input.hasNext() first")
        self._current, self._next = java_value(self._next), None
        assert self._current is not None  # has_next says so
        return self._current

    def _write_output(self, documents: tuple[Any, ...]) -> None:
        if self._requests:
            self._check_origin(documents)
        self._written.append({OUTPUT: _document(documents[-1], "output.write")})

    def _write_error(self, error: Any) -> None:
        document = {"error": error} if isinstance(error, str) else _document(error, "error.write")
        self._written.append({ERROR: document})

    def _check_origin(self, documents: tuple[Any, ...]) -> None:
        if len(documents) == 1:
            raise ValueError(
                "output.write needs two arguments in an ultra task, the input document first, so "
                "that the request gets its response: output.write(in_doc, doc)"
            )
        if documents[0] is not self._current or self._current is None:
            raise ValueError(
                "the first argument of output.write must be the document that input.next() "
                "returned last: in an ultra task, each is answered before the next is read"
            )


class Input:
    """The script's input view."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    def hasNext(self) -> bool:  # noqa: N802  # Java's name
        return self._conversation.has_next()

    def next(self) -> dict[str, Any]:
        return self._conversation.next()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while self.hasNext():
            yield self.next()


class Output:
    """The script's output view."""

    def __init__(self, write: Callable[[tuple[Any, ...]], None]) -> None:
        self._write = write

    def write(self, *documents: Any) -> None:
        """`write(document)`, or `write(origin, document)`."""
        if not 1 <= len(documents) <= 2:
            raise TypeError(f"output.write takes 1 or 2 documents, not {len(documents)}")
        self._write(documents)


class Error:
    """The script's error view."""

    def __init__(self, write: Callable[[Any], None]) -> None:
        self._write = write

    def write(self, *documents: Any) -> None:
        """`write(error)` or `write(origin, error)`, where the error is a map or a string."""
        if not 1 <= len(documents) <= 2:
            raise TypeError(f"error.write takes 1 or 2 arguments, not {len(documents)}")
        self._write(documents[-1])


class Log:
    """The script's logger; what it gets is shown as a line of the script's output."""

    def info(self, text: Any, *values: Any) -> None:
        print(_filled(text, values))  # noqa: T201

    def debug(self, text: Any, *values: Any) -> None:
        print(f"debug: {_filled(text, values)}")  # noqa: T201

    def warn(self, text: Any, *values: Any) -> None:
        print(f"warning: {_filled(text, values)}")  # noqa: T201

    def error(self, text: Any, *values: Any) -> None:
        print(f"error: {_filled(text, values)}")  # noqa: T201

    warning = warn
    trace = debug


def _filled(text: Any, values: tuple[Any, ...]) -> str:
    """The text with values in place of `{}`, as SLF4J does it; others follow."""
    filled = str(text)
    for value in values:
        place = "{}" in filled
        filled = filled.replace("{}", str(value), 1) if place else f"{filled} {value}"
    return filled


def _document(document: Any, what: str) -> dict[str, Any]:
    """A copy, since the script may go on with the same map; raises TypeError if it is none."""
    copied = plain_copy(document)
    if not isinstance(copied, dict):
        raise TypeError(f"{what} takes a map, not {type(document).__name__}")
    plain(copied, "")  # raises TypeError at the script's own line for what cannot be sent
    return copied
