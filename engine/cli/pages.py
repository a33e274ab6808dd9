"""Pages of help for a terminal of any width, and as plain text for a pipe."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from engine.cli import terminal_columns
from engine.cli.columns import columns
from engine.cli.problems import has_colours
from engine.cli.wrapping import wrapped
from engine.visible import cells

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[([^]]+)\]\([^)]*\)")
_NARROW = 60
"""Below this width, a list has its descriptions under the names."""


class Page:
    """Prints headings, paragraphs, terms and code; `code` in texts is coloured on a terminal."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console: Console = Console(
            file=sys.stdout, width=terminal_columns(), highlight=False, markup=False
        )
        self._is_terminal = sys.stdout.isatty()
        self._has_colours = has_colours(sys.stdout)

    def title(self, text: str, note: str = "") -> None:
        self._print(self._text(f"{text}   {note}".rstrip(), bold=len(text)))

    def heading(self, text: str) -> None:
        self._console.print()
        self._print(self._text(text, bold=len(text)))

    def paragraph(self, text: str, indent: int = 0) -> None:
        """One paragraph, or several with empty lines between them, filled to the width."""
        for position, part in enumerate(text.split("\n\n")):
            if position:
                self._console.print()
            self._print(self._marked_up(" ".join(part.split())), indent)

    def term(self, name: str, facts: str, indent: int = 2) -> None:
        """A name and what is said of it on the same line, if there is room."""
        line = self._text(f"{name}  ", bold=len(name))
        line.append_text(self._marked_up(facts))
        self._print(line, indent, hanging=2)

    def code(self, lines: Iterable[str], indent: int = 4) -> None:
        """Lines as they are: a terminal wraps them, so they can be copied."""
        for line in lines:
            style = "cyan" if self._has_colours else ""
            self._console.print(" " * indent + line, style=style, soft_wrap=True)

    def example(self, expression: str, result: str, indent: int = 2) -> None:
        """An expression and its result, below each other if there is too little room."""
        room = self._console.width - indent
        if self._is_terminal and cells(f"{expression}  {result}") > room:
            self.code([expression, f"  {result}"], indent)
        else:
            self.code([f"{expression}  {result}"], indent)

    def data(self, line: str, hanging: int, indent: int = 4) -> None:
        """A line of data; a terminal shows what it has no room for on further lines."""
        width = self._console.width if self._is_terminal else 0
        shown = wrapped(" " * indent + line, width, indent + hanging)
        self._console.print(shown, soft_wrap=True)

    def gap(self) -> None:
        self._console.print()

    def table(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """Rows of group, name and text: by group on a terminal, one line each in a pipe."""
        if not self._is_terminal:
            print(columns([(name, group, text) for group, name, text in rows]))
            return
        last = None
        for group, name, text in rows:
            if group != last:
                if last is not None:
                    self._console.print()
                self._print(self._text(group, bold=len(group)))
            last = group
            self._row(name, text, max(len(each[1]) for each in rows))

    def _row(self, name: str, text: str, width: int) -> None:
        """A name and its text in two columns, or below each other if there is little room."""
        start = min(width, self._console.width // 2) + 4
        if self._console.width < _NARROW or len(name) > start - 4:
            self._print(self._text(name), 2)
            self._print(self._marked_up(text), 4 if self._console.width < _NARROW else start)
            return
        line = self._text(f"  {name}".ljust(start))
        for position, part in enumerate(self._filled(self._marked_up(text), start)):
            self._console.print(line if position == 0 else " " * start, part, sep="")

    def _print(self, text: Text, indent: int = 0, hanging: int = 0) -> None:
        """Print filled lines; all but the first are indented by `hanging` more."""
        for position, line in enumerate(self._filled(text, indent + hanging)):
            self._console.print(" " * (indent + (hanging if position else 0)), line, sep="")

    def _filled(self, text: Text, used: int) -> Iterator[Text]:
        """The lines of a text in the width that is left beside `used` columns."""
        for line in text.wrap(self._console, max(self._console.width - used, 10)):
            line.rstrip()
            yield line

    def _text(self, text: str, bold: int = 0) -> Text:
        from rich.text import Text

        found = Text(text)
        found.stylize("bold", 0, bold)
        return found

    def _marked_up(self, text: str) -> Text:
        """The text with its `code` in colour, or in backquotes where there are no colours."""
        from rich.text import Text

        text = _LINK.sub(r"\1", text).replace("*", "") if "](" in text else text
        if not self._has_colours:
            return Text(text)
        found = Text()
        for position, part in enumerate(_CODE.split(text)):
            found.append(part, style="cyan" if position % 2 else "")
        return found


def print_json(entries: object) -> None:
    """Entries as indented JSON; Decimals keep their digits."""
    encoded = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode(entries)
    print(msgspec.json.format(encoded, indent=2).decode())


def folded(text: str) -> str:
    """A name for comparison: without capitals, separators and parentheses."""
    return re.sub(r"[\W_]", "", text).lower()


def has_words(words: Sequence[str], *texts: str) -> bool:
    """Whether every word is a part of one of the texts, whatever its capitals."""
    everything = "\n".join(texts).lower()
    return all(word.lower() in everything for word in words)
