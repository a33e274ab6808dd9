"""`engine run --break-on-error`: a prompt at each document that fails.

It reads from the terminal itself and not from standard input, which may feed the run. The prompt
may be in a thread of its own while Ctrl-C arrives in the main thread, so waiting for a line can be
ended.
"""

from __future__ import annotations

import asyncio
import os
import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from engine.cli import terminal_columns
from engine.cli.eval import value_text
from engine.cli.preview_values import tree
from engine.cli.wrapping import fitted, wrapped
from engine.errors import ConfigurationError, ExpressionError
from engine.plan.plan import PlannedSnap
from engine.run.breaking import Breaker, Decision, FailedDocument
from engine.run.stopping import Stopper
from engine.visible import visible

TERMINAL = "/dev/tty"

_MOST_LINES = 20
"""Lines of a snap in the pipeline file that are shown."""

_CHOICES: dict[str, Decision] = {
    **dict.fromkeys(("", "c", "continue"), "continue"),
    **dict.fromkeys(("s", "skip"), "skip"),
    **dict.fromkeys(("a", "all"), "all"),
    **dict.fromkeys(("q", "stop", "quit", "exit"), "stop"),
}

_HELP = """continue (c, Enter)  go on as the snap's on_error says: {on_error}
skip (s)             drop the document and go on
all (a)              go on, and do not stop at further documents
stop (q, Ctrl-D)     end the run
EXPRESSION           its value for the document, such as $id; also: eval EXPRESSION
document (d)         show the document again"""


class PromptTerminal(Protocol):
    def write(self, text: str) -> None: ...
    def read_line(self) -> str | None:
        """The next line; None if there will be no more."""
        ...


class OpenTerminal:
    """The terminal of the process, whatever its standard streams are."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._read, self._wake = os.pipe()
        self._rest = b""

    def write(self, text: str) -> None:
        data = text.encode(errors="replace")
        while data:
            data = data[os.write(self._descriptor, data) :]

    def read_line(self) -> str | None:
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._descriptor, self._read], [], [])
            data = b"" if self._read in ready else os.read(self._descriptor, 4096)
            if not data:
                return None
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode(errors="replace")

    def end(self) -> None:
        """Let whoever waits for a line, now or later, get none. From a signal handler, too."""
        os.write(self._wake, b"x")

    def close(self) -> None:
        for descriptor in (self._descriptor, self._read, self._wake):
            os.close(descriptor)


class Breaking:
    """What a run needs that stops at failed documents. Its `stopper` ends the prompt, too."""

    def __init__(self, terminal: OpenTerminal) -> None:
        self.breaker = Breaker(BreakPrompt(terminal).ask)
        self.stopper = PromptStopper(terminal)


class PromptStopper(Stopper):
    def __init__(self, terminal: OpenTerminal) -> None:
        super().__init__()
        self._terminal = terminal

    def interrupt(self, loop: asyncio.AbstractEventLoop, cancel: Callable[[], object]) -> None:
        self._terminal.end()
        super().interrupt(loop, cancel)


@contextmanager
def breaking() -> Iterator[Breaking]:
    """Raises ConfigurationError if the process has no terminal."""
    try:
        descriptor = os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        raise ConfigurationError(
            "--break-on-error needs a terminal, and this process has none"
        ) from None
    terminal = OpenTerminal(descriptor)
    try:
        yield Breaking(terminal)
    finally:
        terminal.close()


class BreakPrompt:
    """Shows a failed document, and asks what to do with it."""

    def __init__(self, terminal: PromptTerminal) -> None:
        self._terminal = terminal

    def ask(self, failed: FailedDocument) -> Decision:
        self._show(failed)
        while True:
            self._terminal.write("continue, skip, all, stop, an expression, or ? > ")
            line = self._terminal.read_line()
            if line is None:
                self._terminal.write("\n")
                return "stop"
            decision = self._answer(line.strip(), failed)
            if decision is not None:
                return decision

    def _answer(self, line: str, failed: FailedDocument) -> Decision | None:
        word = line.lower()
        if word in ("?", "h", "help"):
            self._print(_HELP.format(on_error=failed.snap.on_error))
        elif word in ("d", "document"):
            self._show_document(failed)
        elif word in _CHOICES:
            decision = _CHOICES[word]
            if decision == "skip" and not failed.may_skip:
                self._print("the run cannot go on after this failure, so the document stays")
                return None
            return decision
        else:
            self._evaluate(line.removeprefix("eval ").strip(), failed)
        return None

    def _evaluate(self, text: str, failed: FailedDocument) -> None:
        try:
            self._print(value_text(failed.evaluate(text)))
        except ExpressionError as error:
            self._print(str(error))

    def _show(self, failed: FailedDocument) -> None:
        columns = terminal_columns()
        self._print(f"\n{fitted(failed.message, columns)}\n")
        settings = [wrapped(line, columns, 9) for line in source_of(failed.snap)]
        if settings:
            self._print("\n".join([f"{failed.snap.where.path}:", *settings, ""]))
        self._show_document(failed)

    def _show_document(self, failed: FailedDocument) -> None:
        if failed.document is None:
            self._print("the snap had no document")
            return
        lines = tree(failed.document, terminal_columns() - 2) if failed.document else ["{}"]
        self._print("\n".join(["the document:", *(f"  {line}" for line in lines)]))

    def _print(self, text: str) -> None:
        self._terminal.write(f"{visible(text)}\n")


def source_of(snap: PlannedSnap) -> Iterator[str]:
    """The lines of the snap in the pipeline file, with their numbers; none of another format."""
    where = snap.where
    try:
        lines = Path(where.path).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return
    indent = None
    for number, line in enumerate(lines[where.line - 1 :][:_MOST_LINES], where.line):
        depth = len(line) - len(line.lstrip())
        if indent is None:
            indent = depth
        elif line.strip() and depth <= indent:
            return
        if line.strip():
            yield f"  {number:>3}  {line}"
