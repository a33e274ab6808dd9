"""Keep tokens and secrets out of the problems that are reported for a task file.

Only the pipeline knows which parameters are secret, and a misspelt key could be any of them. So a
line is shown only if it belongs to a known key that holds no secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from engine.errors import Problem
from engine.locations import Location
from engine.pipeline.nodes import Entry, Table
from engine.pipeline.source import Source
from engine.sdk.settings import settings_of
from engine.tasks.files.settings import TaskSettings

SECRET_KEYS = ("parameters", "bearer_token")
_OPEN_KEYS = tuple(key for key in settings_of(TaskSettings) if key not in SECRET_KEYS)
_OPEN_LINE = re.compile(rf"(?:{'|'.join(_OPEN_KEYS)})\s*:(?!.*(?:{'|'.join(SECRET_KEYS)}))")
_QUOTING_CODES = ("yaml-error", "yaml-tag", "yaml-alias", "bad-number")
"""Codes whose messages or hints quote the value."""

_PLACE_ONLY = re.compile(r"YAML does not allow |this quote is |this '[{\[]' is (?:never )?closed")
_INDENT = re.compile(r"'(\w+)' is indented by \d+(?: spaces?)?, but '(\w+)' (?:above|below) it")


def redacted(source: Source, problems: Iterable[Problem]) -> list[Problem]:
    """The problems by location; none quotes a line that may hold a secret."""
    shown = _shown_lines(source)
    redacted = [p if p.where.line in shown else _without_values(p) for p in problems]
    return sorted(redacted, key=lambda problem: (problem.where.line, problem.where.column))


def _without_values(problem: Problem) -> Problem:
    where = problem.where
    if isinstance(where, Location):
        where = msgspec.structs.replace(where, source_line="")
    if problem.code not in _QUOTING_CODES or _quotes_no_value(problem):
        return msgspec.structs.replace(problem, where=where)
    hint = "put the whole value in quotes; the line is not shown, since it may hold a secret"
    message = "not valid YAML for a task file"
    return msgspec.structs.replace(problem, where=where, message=message, hint=hint)


def _quotes_no_value(problem: Problem) -> bool:
    """Whether the message of a YAML problem names only places and known keys."""
    if _PLACE_ONLY.match(problem.message):
        return True
    found = _INDENT.match(problem.message)
    return found is not None and set(found.groups()) <= settings_of(TaskSettings).keys()


def _shown_lines(source: Source) -> set[int]:
    """Numbers of lines, from 1."""
    if not isinstance(source.root, Table):
        lines = enumerate(source.text.lines, 1)
        return {number for number, line in lines if _OPEN_LINE.match(line)}
    shown: set[int] = set()
    hidden: set[int] = set()
    for key, entry in source.root.entries.items():
        (shown if key in _OPEN_KEYS else hidden).update(_lines_of(entry))
    return shown - hidden


def _lines_of(entry: Entry) -> range:
    """The lines of an entry. For YAML, a map or list in block style ends at the next key."""
    end = entry.value.end
    last = end.line if end.column else end.line - 1
    return range(entry.key.start.line + 1, max(last, entry.key.start.line) + 2)
