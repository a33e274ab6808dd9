"""A pipeline file in which somebody is typing: the line with the cursor is finished, so that what
is around it can be read."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from engine.errors import Problem
from engine.late_regex import late_regex
from engine.pipeline.cursor import Spot, spot_at
from engine.pipeline.load import compose_text, parse
from engine.pipeline.nodes import Items, Node, Scalar, Table
from engine.pipeline.source import Source
from engine.pipeline.spec import PipelineSpec
from engine.pipeline.text import Text
from engine.pipeline.yaml_lines import entry_lines, line_above, parse_line

PLACEHOLDER = "__here__"
_KEY = late_regex(
    r"""(?:-[ ]+)*(?:[^\s#'"{}\[\],&*!|>%@`:-][^\s:{}\[\],'"]*|\$[^\s:{}\[\],'"]*)[ ]*"""
)


def parse_at(text: str, index: int, path: str = "pipeline.yaml") -> tuple[PipelineSpec, Spot]:
    """The pipeline around the cursor, which is before the character at `index`, and what is there.

    An empty line, or an item without a value, holds PLACEHOLDER as its key or value; a key without
    its colon is a key. Problems of what was put in are left out.
    """
    spec = parse(finished(text, index), path)
    problems = tuple(each for each in spec.problems if not _is_about_placeholder(each))
    return msgspec.structs.replace(spec, problems=problems), spot_at(spec.source, index)


def finished(text: str, index: int) -> str:
    """The text with the line of the cursor finished; what precedes the cursor stays as it is."""
    start = max(text.rfind(mark, 0, index) for mark in "\r\n") + 1
    ends = (text.find(mark, index) for mark in "\r\n")
    end = min((found for found in ends if found >= 0), default=len(text))
    line = text[start:end]
    written = line.strip()
    if written in ("", "-"):
        if _is_inside_scalar(text, index):
            return text
        space = " " if line.endswith("-") else ""
        colon = "" if written else ":"
        return f"{text[:index]}{space}{PLACEHOLDER}{colon}{text[index:]}"
    if _KEY.fullmatch(written) and not written.startswith("-"):
        if _is_inside_scalar(text, index):
            return text
        at = max(index, start + len(line.rstrip()))
        return f"{text[:at]}:{text[at:]}"
    return text


def _is_inside_scalar(text: str, index: int) -> bool:
    """Whether the line continues a value that begins on a line above it."""
    lines = Text.of("", text)
    number = lines.at_index(index).line - 1
    source, _ = compose_text(_entry_around(lines.lines, number), "")
    return source.root is not None and _continues(source, source.root, number)


def _entry_around(lines: Sequence[str], number: int) -> str:
    """The largest entry around a line that is inside a top-level one, with its line numbers.

    A top-level key that does not just open a map or list is the entry itself.
    """
    line, indent = number, len(lines[number]) - len(lines[number].lstrip(" "))
    if not lines[number].strip():
        above = line_above(lines, number)
        line, indent = (number, 0) if above is None else (above.number, above.indent)
    found = [line]
    for upper in range(line - 1, -1, -1):
        if not indent:
            break
        each = parse_line(upper, lines[upper])
        if not each.is_empty and each.indent < indent:
            found.append(upper)
            indent = each.indent
    outermost = parse_line(found[-1], lines[found[-1]])
    if len(found) > 1 and not outermost.indent and outermost.key and not outermost.value:
        found.pop()
    entry = entry_lines(lines, found[-1])
    return "\n" * entry.start + "\n".join(lines[entry.start : max(entry.stop, number + 1)])


def _continues(source: Source, node: Node, line: int) -> bool:
    if not node.start.line <= line <= node.end.line:
        return False
    if isinstance(node, Scalar):
        return node.start.line < line and (
            node.style != "" or source.text.lines[line].strip() != ""
        )
    if isinstance(node, Items | Table):
        return any(_continues(source, child, line) for child in node.children())
    return False


def _is_about_placeholder(problem: Problem) -> bool:
    column = problem.where.column - 1
    line = getattr(problem.where, "source_line", "")
    return PLACEHOLDER in problem.message or line.startswith(PLACEHOLDER, column)
