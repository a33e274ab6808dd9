"""Quick fixes: the changes that the hints of problems propose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from engine.errors import Problem
from engine.hints import Addition, Fix, LineChange, NewValue, Repair, Replacement, fixes_of
from engine.language.additions import with_key
from engine.language.answers import Diagnostic, TextEdit
from engine.language.diagnose import diagnose
from engine.language.positions import Range
from engine.language.replacements import with_text, with_value
from engine.language.workspace import Document
from engine.pipeline.load import compose_text

_LONGEST_TITLE = 80
Change = tuple[int, int, str]
"""Put a text in place of the characters from one index to another."""


class QuickFix(msgspec.Struct, frozen=True):
    """Edits of the document that mend the problem of a diagnostic."""

    title: str
    diagnostic: Diagnostic
    edits: tuple[TextEdit, ...]
    is_preferred: bool = False


def quick_fixes(document: Document, place: Range) -> list[QuickFix]:
    """Those for the problems that touch the place."""
    found: list[QuickFix] = []
    for problem, diagnostic in zip(document.problems, diagnose(document), strict=True):
        touches = diagnostic.range.start <= place.end and place.start <= diagnostic.range.end
        if touches and diagnostic.elsewhere is None:
            found += _fixes(document, problem, diagnostic)
    return found


def _fixes(document: Document, problem: Problem, diagnostic: Diagnostic) -> Iterator[QuickFix]:
    fixes = fixes_of(problem.hint)
    start, end = map(document.lines.index, diagnostic.range)
    for fix in fixes:
        changes = _changes(document, fix, start, end, problem.code)
        if changes and _helps(document, changes, fix):
            edits = tuple(
                TextEdit(document.lines.range(first, last), text) for first, last, text in changes
            )
            yield QuickFix(_title(fix, problem), diagnostic, edits, is_preferred=len(fixes) == 1)


def _changes(
    document: Document, fix: Fix, start: int, end: int, code: str
) -> Sequence[Change] | None:
    source = document.source
    if isinstance(fix, Replacement):
        return with_text(source, start, end, fix, is_last=code == "unknown-view")
    if isinstance(fix, NewValue):
        return with_value(source, start, end, fix.yaml)
    if isinstance(fix, Addition):
        return with_key(source, start, fix)
    return [_change(document, each) for each in fix.changes]


def _change(document: Document, change: LineChange) -> Change:
    start = document.source.text.starts[change.line] + change.column
    return start, start + change.removed, change.added


def _helps(document: Document, changes: Sequence[Change], fix: Fix) -> bool:
    """Whether the file has no new mistakes in its YAML after the changes; one less if it had one
    that they repair."""
    _, problems = compose_text(changed(document.text, changes), document.path)
    _, before = compose_text(document.text, document.path)
    return len(problems) <= len(before) - isinstance(fix, Repair)


def changed(text: str, changes: Sequence[Change]) -> str:
    """The text after all changes, which do not overlap."""
    for start, end, new in sorted(changes, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _title(fix: Fix, problem: Problem) -> str:
    if isinstance(fix, Replacement):
        return f"Replace '{fix.old}' with '{fix.new}'" if fix.old else f"Write '{fix.new}'"
    if isinstance(fix, NewValue):
        return f"Write {fix.yaml}"
    if isinstance(fix, Addition):
        place = f" to '{fix.path[0]}'" if fix.path is not None and len(fix.path) == 1 else ""
        return f"Add '{fix.key}'{place}"
    hint = str(problem.hint)
    return hint[:1].upper() + hint[1:] if len(hint) <= _LONGEST_TITLE else "Repair the YAML"
