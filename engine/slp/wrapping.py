"""Free text as the lines of YAML comments."""

from __future__ import annotations

import textwrap

_WIDTH = 96


def comment_lines(text: str) -> list[str]:
    """A text as lines of comments: printable, and wrapped."""
    lines: list[str] = []
    for line in text.expandtabs(2).splitlines():
        visible = "".join(c if c.isprintable() else " " for c in line).rstrip()
        lines += textwrap.wrap(visible, _WIDTH, break_long_words=False) or [""]
    while lines and not lines[-1]:
        lines.pop()
    return lines
