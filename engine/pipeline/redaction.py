"""Keep secrets out of the problems that are reported for a file that may hold some.

A line is shown only if it belongs to a known key that holds no secret: a misspelt key could be any
of those that do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from engine.errors import Problem
from engine.locations import Location
from engine.pipeline.nodes import Entry, Table
from engine.pipeline.source import Source

_QUOTING_CODES = ("yaml-error", "yaml-tag", "yaml-alias", "bad-number")
"""Codes whose messages or hints quote the value."""

_PLACE_ONLY = re.compile(r"YAML does not allow |this quote is |this '[{\[]' is (?:never )?closed")
_INDENT = re.compile(r"'(\w+)' is indented by \d+(?: spaces?)?, but '(\w+)' (?:above|below) it")


class Redaction(msgspec.Struct, frozen=True):
    """What may be quoted of a kind of file, such as `a task file`: the top-level keys whose lines
    may be `shown`, and those that must stay `hidden`."""

    what: str
    shown: tuple[str, ...]
    hidden: tuple[str, ...]

    def redacted(self, source: Source, problems: Iterable[Problem]) -> list[Problem]:
        """The problems by location; none quotes a line that may hold a secret."""
        shown = self._shown_lines(source)
        redacted = [p if p.where.line in shown else self._without_values(p) for p in problems]
        return sorted(redacted, key=lambda problem: (problem.where.line, problem.where.column))

    def _without_values(self, problem: Problem) -> Problem:
        where = problem.where
        if isinstance(where, Location):
            where = msgspec.structs.replace(where, source_line="")
        if problem.code not in _QUOTING_CODES or self._quotes_no_value(problem):
            return msgspec.structs.replace(problem, where=where)
        hint = "put the whole value in quotes; the line is not shown, since it may hold a secret"
        message = f"not valid YAML for {self.what}"
        return msgspec.structs.replace(problem, where=where, message=message, hint=hint)

    def _quotes_no_value(self, problem: Problem) -> bool:
        """Whether the message of a YAML problem names only places and known keys."""
        if _PLACE_ONLY.match(problem.message):
            return True
        found = _INDENT.match(problem.message)
        return found is not None and set(found.groups()) <= {*self.shown, *self.hidden}

    def _shown_lines(self, source: Source) -> set[int]:
        """Numbers of lines, from 1."""
        if not isinstance(source.root, Table):
            # the file could not be read, so a line must look harmless by itself
            hidden = "|".join(map(re.escape, self.hidden)) or "(?!)"
            is_shown = re.compile(rf"(?:{'|'.join(self.shown)})\s*:(?!.*(?:{hidden}))")
            lines = enumerate(source.text.lines, 1)
            return {number for number, line in lines if is_shown.match(line)}
        shown: set[int] = set()
        hidden_lines: set[int] = set()
        for key, entry in source.root.entries.items():
            (shown if key in self.shown else hidden_lines).update(_lines_of(entry))
        return shown - hidden_lines


def _lines_of(entry: Entry) -> range:
    """The lines of an entry. For YAML, a map or list in block style ends at the next key."""
    end = entry.value.end
    last = end.line if end.column else end.line - 1
    return range(entry.key.start.line + 1, max(last, entry.key.start.line) + 2)
