"""A preview as JSON lines, for other programs: the items of each view, and counts for each snap."""

from __future__ import annotations

from typing import Any, TextIO

import msgspec

from engine.documents import Document
from engine.plan.plan import Port
from engine.preview import Changes, Preview, SnapChange, SnapPreview, StreamPreview, ViewPreview
from engine.run.tap_lines import document_line, stream_line
from engine.visible import visible, visible_json


def print_lines(preview: Preview, out: TextIO, err: TextIO, changes: Changes | None = None) -> None:
    """Lines to `out`; what would have been done, and failures, to `err` too. `changes` are those
    since the last preview."""
    safe = visible_json if out.isatty() else str
    for snap in preview.snaps:
        for view in snap.views:
            for number, item in zip(view.numbers, view.items, strict=True):
                out.write(f"{safe(_item(snap.label, view, number, item))}\n")
        changed = {} if changes is None else {"changes": _changes(changes[snap.label])}
        out.write(f"{_json(_counts(snap) | changed)}\n")
        for text in filter(None, (snap.note, snap.failure)):
            err.write(f"{visible(f'{snap.label}: {text}')}\n")
    for note in filter(None, (*preview.notes, preview.reuse_note)):
        err.write(f"{visible(note)}\n")
    if preview.failure and not any(snap.failure for snap in preview.snaps):
        err.write(f"{visible(preview.failure)}\n")
    out.flush()


def _item(label: str, view: ViewPreview, number: int, item: Document | StreamPreview) -> str:
    port = Port(label, view.view)
    if isinstance(item, StreamPreview):
        return stream_line(port, number, item.header, item.start, item.size).decode()
    return document_line(port, number, item).decode()


def _counts(snap: SnapPreview) -> dict[str, Any]:
    counts: dict[str, Any] = {
        "label": snap.label,
        "snap": snap.type,
        "in": snap.documents_in,
        "out": snap.documents_out,
        "dropped": snap.dropped,
        "errors": snap.errors,
    }
    reused = {"reused": True} if snap.is_reused else {}
    texts = {"dropped_by": snap.dropped_by, "note": snap.note, "failure": snap.failure}
    return counts | reused | {name: text for name, text in texts.items() if text}


def _changes(snap: SnapChange) -> dict[str, Any]:
    return {
        view: {"new": len(each.added), "changed": len(each.changed), "gone": each.removed}
        for view, each in snap.views.items()
        if each
    }


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
