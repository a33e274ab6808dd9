"""What is different between two previews of a pipeline."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from engine.preview.codec import pack
from engine.preview.result import Preview, SnapPreview, StreamPreview, ViewPreview


class ViewChange(msgspec.Struct, frozen=True):
    """`added` and `changed` are positions among the items of a view, `removed` counts those of the
    earlier preview that are gone."""

    added: Collection[int] = ()
    changed: Collection[int] = ()
    removed: int = 0

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    def __str__(self) -> str:
        counts = [(self.changed, "changed"), (self.added, "new")]
        texts = [f"{len(found):,} {word}" for found, word in counts if found]
        return ", ".join([*texts, *([f"{self.removed:,} gone"] if self.removed else [])])


class SnapChange(msgspec.Struct, frozen=True):
    """The changes of the views of a snap. `is_changed`: of these, or of its counts and messages."""

    views: Mapping[str, ViewChange]
    is_changed: bool


Changes = Mapping[str, SnapChange]
"""The changes of all snaps that are shown, by label."""


def changes(before: Preview, after: Preview) -> Changes:
    known = {snap.label: snap for snap in before.snaps}
    return {snap.label: _of_snap(known.get(snap.label), snap) for snap in after.snaps}


def _of_snap(before: SnapPreview | None, after: SnapPreview) -> SnapChange:
    earlier = {} if before is None else {view.view: view for view in before.views}
    later = {view.view for view in after.views}
    views = {view.view: _of_view(earlier.get(view.view), view) for view in after.views}
    is_changed = before is None or earlier.keys() != later or _facts(before) != _facts(after)
    return SnapChange(views, is_changed or any(views.values()))


def _facts(snap: SnapPreview) -> tuple[object, ...]:
    counts = snap.documents_in, snap.documents_out, snap.dropped, snap.errors
    targets = [(view.view, view.target) for view in snap.views]
    return *counts, snap.type, snap.note, snap.failure, snap.dropped_by, targets


def _of_view(before: ViewPreview | None, after: ViewPreview) -> ViewChange:
    earlier = [] if before is None else [_packed(item) for item in before.items]
    later = [_packed(item) for item in after.items]
    if earlier == later:
        return ViewChange()
    from difflib import SequenceMatcher  # few previews are compared

    added: list[int] = []
    changed: list[int] = []
    removed = 0
    for kind, begin, end, first, last in SequenceMatcher(None, earlier, later, False).get_opcodes():
        if kind != "equal":
            replaced = min(end - begin, last - first)
            changed += range(first, first + replaced)
            added += range(first + replaced, last)
            removed += end - begin - replaced
    return ViewChange(added, changed, removed)


def _packed(item: object) -> bytes:
    value = [item.header, item.start, item.size] if isinstance(item, StreamPreview) else item
    try:
        return pack(value)
    except (TypeError, ValueError, OverflowError):  # a snap put out what no document may hold
        return repr(value).encode(errors="replace")
