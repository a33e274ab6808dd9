"""Lines of YAML taken apart into indentation, key and value."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from engine.late_regex import late_regex
from engine.pipeline.yaml_issue import MEANINGS

_ENTRY = late_regex(
    r"""(?P<indent>[ ]*)(?P<dashes>(?:-[ ]+)*)"""
    r"""(?:(?P<key>"[^"]*"|'[^']*'|[^\s#'"{}\[\],&*!|>%@`-][^:#]*?|[$-][^:#\s]*)[ ]*:(?:[ ]+|$))?"""
    r"""(?P<value>.*)"""
)
_COMMENT = late_regex(r"(?:^|\s)#.*$")


class YamlLine(msgspec.Struct, frozen=True):
    """A line taken apart: `key` and `value` as written, with the columns at which they start."""

    number: int
    text: str
    indent: int
    item: bool
    key: str
    key_column: int
    value: str
    value_column: int

    @property
    def is_empty(self) -> bool:
        return not self.text.strip() or self.text.lstrip().startswith("#")

    @property
    def name(self) -> str:
        """The key, or what a line without one is called in a message."""
        return brief(self.key.strip("'\"") or ("-" if self.item else self.value))


def brief(text: str, limit: int = 80) -> str:
    """The text for a message, cut if it is long."""
    return f"{text[:limit]}…" if len(text) > limit else text


def parse_line(number: int, text: str) -> YamlLine:
    found = _ENTRY.fullmatch(text)
    assert found is not None  # every part of the pattern may be empty
    has_key = found["key"] is not None
    return YamlLine(
        number=number,
        text=text,
        indent=len(text) - len(text.lstrip(" ")),
        item=bool(found["dashes"]) or text.strip() == "-",
        key=found["key"] or "",
        key_column=found.start("key") if has_key else found.start("value"),
        value=_COMMENT.sub("", found["value"]).rstrip(),
        value_column=found.start("value"),
    )


def line_above(lines: Sequence[str], number: int) -> YamlLine | None:
    """The nearest line above that is not empty."""
    for above in range(number - 1, -1, -1):
        line = parse_line(above, lines[above])
        if not line.is_empty:
            return line
    return None


def entry_lines(lines: Sequence[str], number: int) -> range:
    """A line and those below it that are indented more than it is."""
    indent = parse_line(number, lines[number]).indent
    end = number + 1
    for below in range(number + 1, len(lines)):
        line = parse_line(below, lines[below])
        if line.is_empty:
            continue
        if line.indent <= indent:
            break
        end = below + 1
    return range(number, end)


def quoted(value: str) -> str:
    """A hint with the value in quotes."""
    value = value.strip()
    if not value:
        return ""
    if len(value) > 100:
        return "put the whole value in quotes"
    return "put the whole value in quotes: '{}'".format(value.replace("'", "''"))


def value_hint(value: str) -> str:
    """The hint for a value that begins with a YAML indicator; empty if it does not."""
    if value[:1] not in MEANINGS:
        return ""
    return f"a value that begins with {value[0]} {MEANINGS[value[0]]} in YAML; {quoted(value)}"
