"""Readable messages for YAML errors, aimed at the mistakes that people make in pipeline files.

The parser reports where it gave up, which is often not where the mistake is. So the lines around
that place are examined, and the parser's own message never reaches the user.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec
import yaml

from engine.hints import LineChange
from engine.pipeline.repairs import RepairedText
from engine.pipeline.text import Mark
from engine.pipeline.yaml_continuations import (
    begins_with_operator,
    continuation,
    second_key_below,
)
from engine.pipeline.yaml_escapes import escape_issue
from engine.pipeline.yaml_flow import flow_issue, value_end
from engine.pipeline.yaml_indents import indent_message, misplaced, shifted
from engine.pipeline.yaml_issue import YamlIssue, sign_hint
from engine.pipeline.yaml_lines import (
    YamlLine,
    brief,
    line_above,
    parse_line,
    quoted,
    value_hint,
)
from engine.pipeline.yaml_quotes import quote_over_lines
from engine.pipeline.yaml_tabs import odd_indentation
from engine.sdk.settings import shown

_TOO_DEEP_FOR_THE_PARSER = "maximum nesting depth"
_SIGNS = {
    "scanning a tag": "!",
    "parsing a tag": "!",
    "scanning an anchor": "&",
    "scanning an alias": "*",
}
_NO_SPACE = re.compile(r"""(?P<before>\s*(?:-\s+)*)(?P<key>[\w$.-]+|"[^"]*"|'[^']*'):(?=\S)""")
_EQUALS = re.compile(r"\s*(?:-\s+)*(?P<key>[A-Za-z_]\w*)\s*(?P<sign>=)(?!=)\s*\S")
_OPENERS = {"}": "{", "]": "["}


def is_too_deep(error: yaml.YAMLError) -> bool:
    """Whether the parser itself refused the depth: it reads ahead of the events that we count."""
    return _TOO_DEEP_FOR_THE_PARSER in str(getattr(error, "problem", None))


def issue_of(text: RepairedText, error: yaml.YAMLError) -> YamlIssue:
    """The user's mistake behind an error of the YAML parser."""
    detail = str(getattr(error, "problem", None) or error)
    context = str(getattr(error, "context", None) or "")
    lines = [text.line(number) for number in range(len(text.original.lines))]
    place = _mark(lines, getattr(error, "problem_mark", None))
    begun = _mark(lines, getattr(error, "context_mark", None)) or place
    place = place or begun or Mark(0, 0, 0)
    begun = begun or place
    issue = _ErrorReader(lines, begun, place).issue(context, detail)
    return _in_the_file(issue, text)


def _mark(lines: Sequence[str], mark: Any) -> Mark | None:
    if mark is None:
        return None
    if mark.line >= len(lines):
        return Mark(0, len(lines) - 1, len(lines[-1]))
    return Mark(0, mark.line, mark.column)


def _in_the_file(issue: YamlIssue, text: RepairedText) -> YamlIssue:
    """The issue, found in the repaired text, with its columns in the original file."""

    def column(line: int, column: int) -> int:
        return text.mark(line, column).column

    return msgspec.structs.replace(
        issue,
        column=column(issue.line, issue.column),
        repair=[
            msgspec.structs.replace(change, column=column(change.line, change.column))
            for change in issue.repair
        ],
    )


class _ErrorReader:
    """Examines the lines around the places that the parser reports."""

    def __init__(self, lines: Sequence[str], begun: Mark, place: Mark) -> None:
        self.lines = lines
        self.begun = begun
        self.place = place
        self.line = parse_line(place.line, lines[place.line])

    def issue(self, context: str, detail: str) -> YamlIssue:
        if odd := odd_indentation(self.lines, self.place):
            return odd
        if "escape" in detail or "hexdec" in detail:  # libyaml's spelling
            return escape_issue(self.lines, self.place)
        if "quoted scalar" in context:
            return self._open_quote(self.begun)
        if quote := quote_over_lines(self.lines, self.place):
            return self._open_quote(quote)
        for construct, sign in _SIGNS.items():
            if construct in context:
                return self._sign(sign)
        if "block scalar" in context:
            return self._block()
        if "flow" in context:
            return flow_issue(self.lines, self.begun, self.place)
        if "cannot start any token" in detail:
            return self._no_token()
        if "simple key" in context:
            return self._no_colon(parse_line(self.begun.line, self.lines[self.begun.line]))
        if self._starts_its_line() and (
            wrong := second_key_below(self.lines, self.line) or self._above() or self._indent()
        ):
            return wrong
        if "mapping values are not allowed" in detail:
            return self._second_key()
        return self._rest()

    def _open_quote(self, opening: Mark) -> YamlIssue:
        text = self.lines[opening.line]
        sign = text[opening.column : opening.column + 1]
        end = len(text.rstrip())
        if "{" in text[: opening.column]:
            end = len(text[:end].rstrip("}], "))
        message = "this quote is never closed"
        if self.place.line < len(self.lines) - 1 and self.place.line > opening.line:
            message = f"this quote is not closed until line {self.place.line + 1}"
        hint = "close it with the same quote"
        return YamlIssue(
            opening.line,
            opening.column,
            message,
            hint,
            length=max(1, end - opening.column),
            repair=[LineChange(opening.line, end, 0, sign)],
        )

    def _sign(self, sign: str) -> YamlIssue:
        line = parse_line(self.begun.line, self.lines[self.begun.line])
        if line.indent == self.begun.column and (continued := continuation(self.lines, line)):
            return continued
        message = f"the value that begins with {sign} is not valid YAML"
        column = self.begun.column
        repair, length = _quote_from(line, column), value_end(line.text, column) - column
        return YamlIssue(line.number, column, message, sign_hint(sign), length, repair)

    def _block(self) -> YamlIssue:
        line = parse_line(self.begun.line, self.lines[self.begun.line])
        if line.indent == self.begun.column and (continued := continuation(self.lines, line)):
            return continued
        value = line.text[self.begun.column : value_end(line.text, self.begun.column)]
        return YamlIssue(
            line.number,
            self.begun.column,
            f"'{value[:1]}' starts a block of lines in YAML, so nothing may follow it here",
            quoted(value),
            length=len(value),
            repair=_quote_from(line, self.begun.column),
        )

    def _no_token(self) -> YamlIssue:
        column = self.place.column
        text = self.line.text
        message = f"a YAML value cannot begin with '{text[column : column + 1]}'"
        repair, value = _quote_from(self.line, column), text[column : value_end(text, column)]
        return YamlIssue(self.line.number, column, message, quoted(value), len(value), repair)

    def _no_colon(self, line: YamlLine) -> YamlIssue:
        """A line that is neither a key nor part of the value above it."""
        text = line.text
        if line.value.startswith("//") or line.value == "...":
            message = "comments start with '#' in YAML, not with '//'"
            if line.value == "...":
                message = "'...' ends the YAML document, but more lines follow"
            end = line.value_column + len(line.value)
            repair = [LineChange(line.number, line.value_column, len(line.value))]
            column, length = line.value_column, end - line.value_column
            hint = "write '#'" if line.value != "..." else "remove the line"
            return YamlIssue(line.number, column, message, hint, length, repair)
        if found := _NO_SPACE.match(text):
            column = found.end()
            return YamlIssue(
                line.number,
                column - 1,
                f"a space is missing after '{brief(found['key'])}:'",
                f"write '{brief(found['key'])}: {brief(text[column:].strip())}'",
                repair=[LineChange(line.number, column, 0, " ")],
            )
        if re.match(r"\s*-[^\s-]", text):
            return YamlIssue(
                line.number,
                line.indent,
                "a space is missing after '-'",
                f"write '- {brief(text.strip()[1:])}'",
                repair=[LineChange(line.number, line.indent + 1, 0, " ")],
            )
        if (found := _EQUALS.match(text)) and not begins_with_operator(text.strip()):
            key, rest = found["key"], text[found.end("sign") :].strip()
            return YamlIssue(
                line.number,
                found.start("sign"),
                f"expected ':' after '{brief(key)}', got '='",
                f"write '{brief(key)}: {brief(rest)}'",
                repair=[LineChange(line.number, found.start("sign"), 1, ": ")],
            )
        return continuation(self.lines, line) or self._missing_colon(line)

    def _missing_colon(self, line: YamlLine) -> YamlIssue:
        end = line.value_column + len(line.value)
        above = line_above(self.lines, line.number)
        if above is not None and above.item and 0 < above.indent == line.indent:
            return YamlIssue(
                line.number,
                line.indent,
                f"a '-' is missing before {shown(line.value)}, which follows the items of a list",
                f"write '- {brief(line.value)}'",
                length=len(line.value),
                repair=[LineChange(line.number, line.indent, 0, "- ")],
            )
        return YamlIssue(
            line.number,
            line.value_column,
            f"{shown(line.value)} is neither a key, which ends with ':', nor part of a value",
            f"write '{brief(line.value)}:' if it is a key",
            length=len(line.value),
            repair=[LineChange(line.number, end, 0, ":")],
        )

    def _starts_its_line(self) -> bool:
        """Whether the parser stopped at the start of the line, or at its only key."""
        before = self.line.text[: self.place.column]
        return not before.strip(" -") or (
            bool(self.line.key) and self.place.column <= self.line.value_column
        )

    def _above(self) -> YamlIssue | None:
        """The line above should have been a key that this line belongs to."""
        above = line_above(self.lines, self.line.number)
        if above is None or above.key or above.item:
            return None
        if _NO_SPACE.match(above.text) or above.value.startswith(("//", "...")):
            return self._no_colon(above)
        is_parent = above.indent < self.line.indent and " " not in above.value
        is_half_typed = above.indent == self.line.indent and self._is_first_key(above)
        return self._missing_colon(above) if is_parent or is_half_typed else None

    def _is_first_key(self, line: YamlLine) -> bool:
        """Whether a line stands where the first key of a map is expected, and this line goes on."""
        before = line_above(self.lines, line.number)
        is_expected = before is None or (
            before.indent < line.indent and bool(before.key) and not before.value
        )
        return is_expected and bool(self.line.key) and " " not in line.value

    def _indent(self) -> YamlIssue | None:
        found = misplaced(self.lines, self.line.number)
        if found is None or not (self.line.key or self.line.item):
            return None
        level, target = found
        if not self.line.indent:  # this line is at the top level
            return self._too_deep_above(level)
        message, hint = indent_message(self.line, level)
        return YamlIssue(
            self.line.number,
            self.line.indent,
            message,
            hint,
            length=len(self.line.name),
            repair=shifted(self.lines, self.line.number, target),
        )

    def _too_deep_above(self, level: YamlLine) -> YamlIssue:
        """The lines above are indented although their sibling, this line, is not."""
        return YamlIssue(
            level.number,
            level.indent,
            f"'{level.name}' is indented by {level.indent}, but '{self.line.name}' below it by 0",
            "start it at the beginning of the line",
            length=len(level.name),
            repair=[
                LineChange(number, 0, level.indent)
                for number in range(self.line.number)
                if parse_line(number, self.lines[number]).indent >= level.indent
            ],
        )

    def _second_key(self) -> YamlIssue:
        line = self.line
        message = "YAML reads the ': ' here as a second key on this line"
        before = line.text[line.value_column : self.place.column]
        key = re.search(r"\S\s+([A-Za-z_]\w*)$", before)
        hint = value_hint(line.value) or quoted(line.value)
        if key and "?" not in before and line.key:
            hint = f"start '{brief(key[1])}' on a line of its own, or {hint}"
            return YamlIssue(line.number, self.place.column, message, hint)
        repair = _quote_from(line, line.value_column) if line.key else ()
        return YamlIssue(line.number, self.place.column, message, hint, repair=repair)

    def _rest(self) -> YamlIssue:
        line, column = self.line, self.place.column
        sign = line.text[column : column + 1]
        if sign and sign in "}]" and not _has_opening(line.text[:column], sign):
            return YamlIssue(
                line.number,
                column,
                f"this '{sign}' has no matching '{_OPENERS[sign]}'",
                f"remove the '{sign}'",
                repair=[LineChange(line.number, column, 1)],
            )
        if re.fullmatch(r"'.*\w'\w.*'", line.value):
            twice = line.value[1:-1].replace("'", "''")
            return YamlIssue(
                line.number,
                line.value_column,
                "the quote inside this value ends it",
                f"double a quote inside '...': '{brief(twice)}'",
                length=len(line.value),
                repair=_quote_from(line, line.value_column),
            )
        inside = line.text[line.value_column : column]
        if line.value[:1] in ("{", "[") and _is_open(inside):
            message = f"this is not part of the '{line.value[0]}' that opens before it"
            hint = "between brackets, put a value that holds : , { } [ or ] in quotes"
            return YamlIssue(line.number, column, message, hint)
        if hint := value_hint(line.value):
            message = "unexpected text after the end of the value"
            repair = _quote_from(line, line.value_column)
            return YamlIssue(line.number, column, message, hint, repair=repair)
        if not (line.key or line.item) and line.value:
            return continuation(self.lines, line) or self._missing_colon(line)
        message = "this line does not fit the lines above"
        return YamlIssue(line.number, column, message, "check its indentation, quotes and brackets")


def _quote_from(line: YamlLine, column: int) -> list[LineChange]:
    """The value that begins at a column, in quotes."""
    end = value_end(line.text, column)
    value = line.text[column:end]
    inner = [LineChange(line.number, column + at, 0, "'") for at, c in enumerate(value) if c == "'"]
    return [LineChange(line.number, column, 0, "'"), *inner, LineChange(line.number, end, 0, "'")]


def _is_open(text: str) -> bool:
    return any(_has_opening(text, closer) for closer in "}]")


def _has_opening(text: str, closer: str) -> bool:
    opener = _OPENERS[closer]
    return text.count(opener) > text.count(closer)
