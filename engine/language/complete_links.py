"""Labels and views in a link: those that exist, the ones that fit first."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import msgspec

from engine.documents import ViewType
from engine.language.answers import Completion, TextEdit
from engine.language.here import Here
from engine.language.workspace import Document
from engine.pipeline.links import ARROW, LinkPart, link_part_at
from engine.pipeline.spec import PipelineSpec
from engine.plan.views import Side, declared_view
from engine.sdk.views import ERROR_VIEW, View

_FITS, _LINKED, _UNKNOWN, _OTHER_TYPE, _CYCLE = range(5)
"""Ranks of labels and views: whether the types agree, and whether there is a link already."""


def is_link(here: Here) -> bool:
    """Whether the cursor is in an item of `links`."""
    is_place = here.path[:1] == ("links",) and len(here.path) == 2
    return is_place and here.spot.part == "value" and here.offset is not None


def complete_link(here: Here) -> list[Completion]:
    offset = here.offset or 0
    link = _Link(here, here.written, offset, link_part_at(here.written, offset))
    if link.part.is_view_at(offset):
        return list(_views(link))
    if link.typed.endswith(" ") and link.typed.strip() in link.spec.snaps:
        edit = here.edit(here.index, here.index, f"{ARROW} ")
        return [Completion(ARROW, "keyword", edit, asks_again=True)]
    return list(_labels(link))


class _Link(msgspec.Struct, dict=True):
    """The link that is being typed, and the end of it that the cursor is in."""

    here: Here
    text: str
    offset: int
    part: LinkPart

    @property
    def spec(self) -> PipelineSpec:
        return self.here.document.spec

    @property
    def typed(self) -> str:
        """What precedes the cursor of the label, or of the view after its dot."""
        typed = self.text[self.part.start : self.offset]
        is_view = self.part.is_view_at(self.offset)
        return typed.partition(".")[2].lstrip() if is_view else typed

    @property
    def side(self) -> Side:
        """Which side of a snap the link end at the cursor is; after an arrow, the input."""
        return "output" if self.part.place == 0 else "input"

    @property
    def ends(self) -> list[str]:
        return [each.strip() for each in self.text.split(ARROW)]

    @property
    def before(self) -> str:
        """The label before the arrow that precedes the cursor; empty at the start."""
        return self.ends[self.part.place - 1].partition(".")[0] if self.part.place else ""

    @property
    def other_type(self) -> ViewType | None:
        """What the other end of the link carries, if it is known."""
        place = self.part.place
        other = place - 1 if place else 1
        if other >= len(self.ends):
            return None
        label, _, name = self.ends[other].partition(".")
        name = name if place <= 1 else ""  # in the middle of a chain, a view is that of the input
        views = self.views(label, "output" if place else "input")
        view = _chosen(views, name) if views else None
        return None if view is None else view.type

    def views(self, label: str, side: Side) -> tuple[View, ...] | None:
        return views_on_side(self.here.document, label, side)

    @cached_property
    def linked(self) -> dict[str, list[str]]:
        """For each snap, the views on this side that links name; empty for its default view."""
        found: dict[str, list[str]] = {}
        for each in self.spec.links:
            port = each.source if self.side == "output" else each.target
            found.setdefault(port.label, []).append(port.view)
        return found

    def edit(self, text: str) -> TextEdit:
        """Put a label or view in place of what is written of it."""
        end = self.offset
        while end < len(self.text) and self.text[end] not in ".-" and self.text[end] > " ":
            end += 1
        index = self.here.index
        return self.here.edit(index - len(self.typed), index + end - self.offset, text)


def views_on_side(document: Document, label: str, side: Side) -> tuple[View, ...] | None:
    """The views of a snap on one side, with the error view; None if they are unknown."""
    spec = document.spec.snaps.get(label)
    views = None if spec is None else document.workspace.views_of(spec)
    if views is None:
        return None
    return views.inputs if side == "input" else (*views.outputs, ERROR_VIEW)


def _labels(link: _Link) -> Iterator[Completion]:
    other, above = link.other_type, _above(link)
    for label, spec in link.spec.snaps.items():
        views = link.views(label, link.side)
        rank = _UNKNOWN
        if views is not None:
            regular = [view for view in views if view is not ERROR_VIEW]
            if not regular or label == link.before:
                continue
            is_other_type = other is not None and all(view.type != other for view in regular)
            rank = _LINKED if link.linked.get(label) else _FITS
            rank = _OTHER_TYPE if is_other_type else rank
        rank = _CYCLE if label in above else rank
        yield Completion(label, "label", link.edit(label), spec.type, rank=rank)


def _above(link: _Link) -> set[str]:
    """The snaps from which links lead to the end before the cursor: linking them makes a cycle."""
    if link.part.place == 0:
        return set()
    sources: dict[str, list[str]] = {}
    for each in link.spec.links:
        sources.setdefault(each.target.label, []).append(each.source.label)
    found: set[str] = set()
    pending = [each.partition(".")[0] for each in link.ends[: link.part.place]]
    while pending:
        label = pending.pop()
        if label not in found:
            found.add(label)
            pending += sources.get(label, ())
    return found


def _views(link: _Link) -> Iterator[Completion]:
    label = link.part.label
    declared = link.views(label, link.side) or ()
    linked, other = link.linked.get(label, ()), link.other_type
    for view in declared:
        name = view.name
        if view.many:
            members = [each for each in linked if each and declared_view(declared, each) == view]
            free = (f"{view.name}{number}" for number in range(len(members) + 1))
            name = next(each for each in free if each not in members)
        rank = _LINKED if name in linked else _FITS
        if other is not None and view.type != other:
            rank = _OTHER_TYPE
        detail = "documents" if view.type == "document" else "binary stream"
        help_ = f"Items with `{view.condition}`." if view.condition else ""
        yield Completion(name, "view", link.edit(name), detail, help_, rank)


def _chosen(views: tuple[View, ...], name: str) -> View | None:
    """The view of that name, or the default one."""
    return declared_view(views, name) if name else next(iter(views), None)
