"""Links as written, `a -> b.view -> c`, split into pairs of ports."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import msgspec

from engine.errors import Problem
from engine.pipeline.foreign_keys import arrow_hint
from engine.pipeline.source import KeyPath, Source
from engine.pipeline.spec import LinkSpec, PortSpec
from engine.sdk.settings import shown

ARROW = "->"
_HINT = "write 'a -> b', or 'a.view -> b.view' to name views"


def read_links(
    source: Source, path: KeyPath, text: str, problems: list[Problem]
) -> Iterator[LinkSpec]:
    """The links of one chain. In the middle of it a view names the snap's input."""
    before = len(problems)
    ports = list(_ports(source, path, text, problems))
    if len(problems) > before:
        return
    if len(ports) < 2:
        message = f"{shown(text)} is not a link: it has no '{ARROW}'"
        hint = arrow_hint(text) or _HINT
        problems.append(Problem("bad-link", source.where(path), message, hint))
    for position, (first, second) in enumerate(pairwise(ports)):
        start = first if position == 0 else PortSpec(first.label, "", first.where)
        yield LinkSpec(start, second)


class LinkPart(msgspec.Struct, frozen=True):
    """One end in the text of a link: the label, and the view if a dot follows it.

    `place` counts the ends of the chain from 0. `start` is the offset of the label in the text.
    """

    place: int
    label: str
    view: str | None
    start: int

    def is_view_at(self, offset: int) -> bool:
        """Whether the place before the character at `offset` is in the view."""
        return self.view is not None and offset > self.start + len(self.label)


def link_part_at(text: str, offset: int) -> LinkPart:
    """The end of a link around the place before the character at `offset` of its text."""
    before = text[:offset]
    place = before.count(ARROW)
    begin = before.rfind(ARROW) + len(ARROW) if place else 0
    part = text[begin:].split(ARROW, 1)[0]
    label, dot, view = part.strip().partition(".")
    start = begin + len(part) - len(part.lstrip())
    return LinkPart(place, label, view if dot else None, start)


def _ports(source: Source, path: KeyPath, text: str, problems: list[Problem]) -> Iterator[PortSpec]:
    inside = source.inside(path)
    offset = 0
    for part in text.split(ARROW):
        name = part.strip()
        start = offset + len(part) - len(part.lstrip()) if name else offset
        where = inside(start, len(name))
        label, dot, view = name.partition(".")
        if not name:
            message = f"a snap is missing before or after '->' in {shown(text)}"
            problems.append(Problem("bad-link", where, message, _HINT))
        elif name[-1] in "-=" or name[0] in ">,[":
            message = f"the arrow of a link is '{ARROW}'"
            hint = arrow_hint(text) or _HINT
            problems.append(Problem("bad-link", where, message, hint))
        elif not label or (dot and not view) or "." in view:
            message = f"{shown(name)} is not a link end"
            hint = "write LABEL or LABEL.VIEW"
            problems.append(Problem("bad-link", where, message, hint))
        else:
            yield PortSpec(label, view, where)
        offset += len(part) + len(ARROW)
