"""All problems of a document: those of `engine validate`, with their ranges."""

from __future__ import annotations

from pathlib import Path

from engine.errors import Problem, Where
from engine.language.answers import Diagnostic, Target
from engine.language.positions import Position, Range, units_in
from engine.language.workspace import Document
from engine.pipeline.nodes import Node, Scalar


def diagnose(document: Document) -> list[Diagnostic]:
    """Errors and warnings in the order of `engine validate`."""
    return [_diagnostic(problem, document) for problem in document.problems]


def range_of(where: Where, document: Document) -> Range:
    """The range of a place in the document."""
    text = document.source.text
    line = min(max(where.line - 1, 0), len(text.starts) - 1)
    start = text.starts[line] + where.column - 1
    return document.lines.range(start, start + where.length)


def _diagnostic(problem: Problem, document: Document) -> Diagnostic:
    where, elsewhere = problem.where, None
    if where.path == document.path:
        place = range_of(where, document)
    else:
        place = _naming(where.path, document)
        elsewhere = Target(_full_path(where.path, document), _range_elsewhere(where))
    return Diagnostic(
        place, problem.code, problem.message, problem.hint, problem.severity, elsewhere
    )


def _range_elsewhere(where: Where) -> Range:
    """The range of a place in another file, as far as the place itself tells."""
    line = getattr(where, "source_line", "")
    column = where.column - 1
    start, end = units_in(line[:column]), units_in(line[: column + where.length])
    return Range(Position(where.line - 1, start), Position(where.line - 1, end))


def _full_path(path: str, document: Document) -> str:
    """The path of a file that a problem names relative to the document, or to this process."""
    beside = document.folder / path
    return str(beside if beside.is_file() else Path(path).absolute())


def _naming(path: str, document: Document) -> Range:
    """Where the document names a file, such as a library or an account; else its first line."""
    names = {path, Path(path).name, Path(path).stem}
    found = document.source.root and _scalar_with(names, document.source.root)
    if found:
        return document.lines.range(found.start.index, found.end.index)
    return document.lines.range(0, document.lines.line_around(0)[1])


def _scalar_with(names: set[str], root: Node) -> Scalar | None:
    """The first value that is one of the names, or a path that ends with one."""
    pending = [root]
    while pending:
        node = pending.pop()
        if not isinstance(node, Scalar):
            pending.extend(reversed(node.children()))
        elif node.text in names or Path(node.text).name in names:
            return node
    return None
