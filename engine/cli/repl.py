"""The prompt of `engine eval`: expressions line by line, with history and completion of names."""

from __future__ import annotations

import atexit
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from engine.cli.eval import read_document, show
from engine.errors import ConfigurationError
from engine.expressions.functions import FAMILIES, GLOBALS, METHODS, NAMESPACES, Declaration

try:
    import readline
except ImportError:  # not available on every platform
    readline = None  # type: ignore[assignment]

_MEMBER = re.compile(r"([\w$]+)\.(\w*)$")
_HELP = """:doc JSON|FILE   set the document
:doc             show the document
:help NAME       describe a function
:quit            quit (or Ctrl-D)"""
_SET_DOCUMENT = "set one with :doc JSON or :doc FILE"
_BANNER = "Enter an expression, :help or :quit"
_COMMANDS = {"help": ":help", "?": ":help", "exit": ":quit", "quit": ":quit", ":q": ":quit"}


class Repl:
    def __init__(self, evaluate: Callable[..., Any], document: Any) -> None:
        self.evaluate = evaluate
        self.document = document

    def run(self) -> int:
        interactive = sys.stdin.isatty()
        if interactive and readline is not None:
            self._prepare_readline()
        if interactive:
            print(_BANNER)
        failed = False
        for written in self._lines("> " if interactive else ""):
            line = _COMMANDS.get(written, written)
            if line == ":quit":
                break
            failed |= self._answer(line) != 0
        return int(failed and not interactive)

    def _lines(self, prompt: str) -> Iterator[str]:
        while True:
            try:
                line = input(prompt).strip()
            except EOFError:
                return
            except KeyboardInterrupt:
                print()
                continue
            if line:
                yield line

    def _answer(self, line: str) -> int:
        if not line.startswith(":"):
            without_document = _SET_DOCUMENT if self.document is None else ""
            return show(lambda: self.evaluate(line, self.document), without_document)
        command, _, rest = line.partition(" ")
        if command == ":doc":
            return self._document_command(rest.strip())
        print(describe(rest.strip()) if command == ":help" and rest.strip() else _HELP)
        return 0

    def _document_command(self, given: str) -> int:
        if not given:
            return show(lambda: self.document)
        try:
            self.document = read_document(given)
        except ConfigurationError as error:
            print(error, file=sys.stderr)
            return 2
        return 0

    # --- history and completion ---

    def _prepare_readline(self) -> None:
        history = _history_file()
        try:
            history.parent.mkdir(parents=True, exist_ok=True)
            if history.exists():
                readline.read_history_file(history)
        except OSError:
            return
        readline.set_history_length(1000)
        atexit.register(_save_history, history)
        readline.set_completer_delims(" \t\n+-*/%<>=!&|?:,;()[]{}'\"")
        readline.set_completer(self.complete)
        readline.parse_and_bind("tab: complete")

    def complete(self, word: str, number: int) -> str | None:
        """The completion of `word` with this number, as readline asks for it."""
        found = self.completions(word)
        return found[number] if number < len(found) else None

    def completions(self, word: str) -> list[str]:
        """Completions of `word`: fields, functions, namespace members, methods."""
        if member := _MEMBER.search(word):
            stem = word[: member.start(2)]
            names = self._members(stem[:-1])
            return sorted(stem + name for name in names if name.startswith(member[2]))
        if word.startswith("$"):
            fields = self.document if isinstance(self.document, dict) else {}
            return sorted(f"${name}" for name in fields if f"${name}".startswith(word))
        known = [*GLOBALS.functions, *NAMESPACES, "pipe", "snap", "lib", "match", "typeof"]
        return sorted(name for name in known if name.startswith(word))

    def _members(self, owner: str) -> list[str]:
        if owner in NAMESPACES:
            return [*NAMESPACES[owner].functions, *NAMESPACES[owner].constants]
        value = self._field(owner)
        fields = list(value) if isinstance(value, dict) else []
        methods = [n for n, types in METHODS.items() if value is None or type(value) in types]
        return fields + methods

    def _field(self, owner: str) -> Any:
        """The value of `$a.b`; null if it is not found."""
        value = self.document
        for name in owner.removeprefix("$").split("."):
            if name:
                value = value.get(name) if isinstance(value, dict) else None
        return value if owner.startswith("$") else None


def describe(name: str) -> str:
    """Help and examples of all functions called `name` (`trim`, `Math.round`)."""
    found = [
        _described(family.title, declaration)
        for family in FAMILIES
        for declaration in (*family.functions.values(), *family.methods.values())
        if declaration.name == name.rpartition(".")[2]
        and (not family.namespace or name.rpartition(".")[0] in ("", family.namespace))
    ]
    return "\n".join(found) or f"there is no function `{name}`"


def _described(title: str, declaration: Declaration) -> str:
    lines = [f"{declaration.signature}  [{title}]  {declaration.help}"]
    lines += (
        f"    {example.text}  ->  {json.dumps(example.result, ensure_ascii=False)}"
        for example in declaration.examples
    )
    return "\n".join(lines)


def _history_file() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "snapline" / "expressions"


def _save_history(path: Path) -> None:
    try:
        readline.write_history_file(path)
    except OSError:
        return
