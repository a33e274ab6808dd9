"""Reports a mistake in the YAML, repairs or removes the lines, and lets the parser go on."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from engine.errors import Problem
from engine.hints import Hint, Repair
from engine.pipeline.repairs import RepairedText
from engine.pipeline.yaml_errors import is_too_deep, issue_of
from engine.pipeline.yaml_issue import YamlIssue, too_deep
from engine.pipeline.yaml_lines import entry_lines, parse_line

MAX_REPAIRS = 25
_FINISHING = (":", "}")
"""What finishes a line that somebody is still typing: more of it may be missing."""

MAX_REPARSED = 1_000_000
"""Characters parsed again in total; in a larger file only the first mistake is reported."""


class Repairer:
    """Repairs a text step by step and adds each mistake found on the way to `problems`.

    A mistake in a repaired line, or next to a line that was left out, is taken as a consequence of
    the first one: it is not reported, and more lines are left out.
    """

    def __init__(self, text: RepairedText, problems: list[Problem]) -> None:
        self.problems = problems
        self._text = text
        self._steps = 0
        self._left_out: range = range(0)
        self._mended: set[int] = set()

    def repair(self, error: yaml.YAMLError) -> bool:
        """Whether there is a changed text to try."""
        issue = issue_of(self._text, error)
        if is_too_deep(error):
            place = self._text.original.at(issue.line, issue.column)
            self.problems.append(too_deep(place))
            return False
        follows = self._follows(issue)
        if not follows:
            self._report(issue)
        self._steps += 1
        parsed_again = self._steps * len(self._text.original.whole)
        if self._steps > MAX_REPAIRS or parsed_again > MAX_REPARSED:
            return False
        if issue.repair and not follows:
            self._text.apply(issue.repair)
            self._text.damage |= {
                each.line for each in issue.repair if each.added.strip() in _FINISHING
            }
            self._mended |= {change.line for change in issue.repair} | {issue.line}
            return True
        return self._leave_out(issue.line)

    def _follows(self, issue: YamlIssue) -> bool:
        near = range(self._left_out.start - 1, self._left_out.stop + 1)
        return issue.line in self._mended or bool(self._left_out and issue.line in near)

    def _report(self, issue: YamlIssue) -> None:
        where = self._text.original.at(issue.line, issue.column, issue.length)
        hint = issue.hint
        if issue.repair and hint:
            hint = Hint(hint, [Repair(tuple(issue.repair))])
        self.problems.append(Problem("yaml-error", where, issue.message, hint))

    def _leave_out(self, number: int) -> bool:
        """Empty the entry that the line is in, or the next larger one if it is empty already."""
        for block in self._blocks_around(number):
            if any(self._text.line(line).strip() for line in block):
                self._text.empty(block)
                self._left_out = block
                return True
        return False

    def _blocks_around(self, number: int) -> Iterator[range]:
        """The entry of a line, then its parent's children, then the parent as well, and so on."""
        lines = self._text.original.lines
        block = entry_lines(lines, number)
        yield block
        while (parent := self._parent(block.start)) is not None:
            block = entry_lines(lines, parent)
            yield block[1:]
            yield block

    def _parent(self, number: int) -> int | None:
        lines = self._text.original.lines
        indent = parse_line(number, lines[number]).indent
        for above in range(number - 1, -1, -1):
            line = parse_line(above, lines[above])
            if not line.is_empty and line.indent < indent:
                return above
        return None
