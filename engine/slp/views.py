"""The views of a stored snap and their names in our links."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.sdk.facts import Foreign
from engine.sdk.views import ERROR_VIEW, View, Views
from engine.slp.export_file import StoredSnap, StoredView

_NAME = re.compile(r"[^\s.>-]([^.>-]*[^\s.>-])?")


class ViewNames:
    """Names the views of one stored snap; a name is empty where a link need not give it.

    `views` are those of our snap, or None if it is not supported: then the stored names stay.
    """

    def __init__(
        self, stored: StoredSnap, views: Views | None, foreign: Foreign | None, *, passes_on: bool
    ) -> None:
        self.stored = stored
        self.views = views
        self.foreign = foreign
        self.passes_on = passes_on

    def output(self, view_id: str) -> str | None:
        """The name of an output; None if our snap has no such view."""
        if any(view.id == view_id for view in self.stored.errors) or view_id == "error0":
            return ERROR_VIEW.name
        return self._name(view_id, self.stored.outputs, self.views.outputs if self.views else None)

    def input(self, view_id: str) -> str | None:
        return self._name(view_id, self.stored.inputs, self.views.inputs if self.views else None)

    def full_name(self, view_id: str, side: str) -> str:
        """The name of a view even where a link need not give it."""
        found = self.input(view_id) if side == "input" else self.output(view_id)
        if found or self.views is None:
            return found or view_id
        declared = self.views.inputs if side == "input" else self.views.outputs
        if not declared:
            return side
        stored = self.stored.inputs if side == "input" else self.stored.outputs
        place = next((i for i, view in enumerate(stored) if view.id == view_id), 0)
        return f"{declared[0].name}{place}" if declared[0].many else declared[0].name

    @property
    def input_family(self) -> str:
        """The family of inputs whose numbers matter; empty if there is none."""
        inputs = self.views.inputs if self.views else ()
        is_family = len(inputs) == 1 and inputs[0].many and not self._is_neutral(inputs[0])
        return inputs[0].name if is_family else ""

    def rank(self, view_id: str) -> int:
        """The place of an input in the order of links, if that tells inputs apart."""
        ids = [view.id for view in self.stored.inputs]
        return ids.index(view_id) if self.input_family and view_id in ids else 0

    def _is_neutral(self, family: View) -> bool:
        """Whether it does not matter which member of a family a link has."""
        return self.passes_on and not family.named

    def _name(
        self, view_id: str, stored: Sequence[StoredView], ours: tuple[View, ...] | None
    ) -> str | None:
        place = next((i for i, view in enumerate(stored) if view.id == view_id), None)
        if ours is None:
            return "" if place == 0 or len(stored) < 2 else view_id
        found = self._ours(view_id, stored, ours, place or 0)
        if found is None:
            return None
        is_first = bool(ours) and found == ours[0].name
        is_plain = len(ours) == 1 or found in ("input", "output")  # others say what they carry
        return "" if is_first and is_plain else found

    def _ours(
        self,
        view_id: str,
        stored: Sequence[StoredView],
        ours: tuple[View, ...],
        place: int,
    ) -> str | None:
        named = self.foreign.views.get(view_id) if self.foreign else None
        if named:
            return named
        label = next((view.label for view in stored if view.id == view_id), view_id)
        for view in ours:
            if label == view.name and not view.many:
                return view.name
        if len(ours) == 1 and ours[0].many:
            return self._member(ours[0], label, place)
        return ours[place].name if place < len(ours) else None

    def _member(self, family: View, label: str, place: int) -> str:
        if self._is_neutral(family):
            return family.name
        if family.named and _NAME.fullmatch(label):
            return label
        return f"{family.name}{place}"
