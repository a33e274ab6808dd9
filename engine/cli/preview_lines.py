"""A preview as JSON lines, for other programs: the items of each view, and counts for each snap."""

from __future__ import annotations

import base64
from typing import Any, TextIO

import msgspec

from engine.documents import Document
from engine.errors import DataError
from engine.preview import Preview, SnapPreview, StreamPreview, ViewPreview
from engine.sdk import to_json


def print_lines(preview: Preview, out: TextIO, err: TextIO) -> None:
    """Lines to `out`; what would have been done, and failures, to `err` too."""
    for snap in preview.snaps:
        for view in snap.views:
            for number, item in zip(view.numbers, view.items, strict=True):
                out.write(f"{_item(snap.label, view, number, item)}\n")
        out.write(f"{_json(_counts(snap))}\n")
        for text in filter(None, (snap.note, snap.failure)):
            err.write(f"{snap.label}: {text}\n")
    for note in preview.notes:
        err.write(f"{note}\n")
    if preview.failure and not any(snap.failure for snap in preview.snaps):
        err.write(f"{preview.failure}\n")
    out.flush()


def _item(label: str, view: ViewPreview, number: int, item: Document | StreamPreview) -> str:
    place: dict[str, Any] = {"label": label, "view": view.view, "number": number}
    if isinstance(item, StreamPreview):
        form, start = _start(item.start)
        size = {"size": item.size, form: start}
        return f'{_json(place)[:-1]},"header":{_document(item.header)},{_json(size)[1:]}'
    return f'{_json(place)[:-1]},"document":{_document(item)}}}'


def _start(data: bytes) -> tuple[str, str]:
    """The beginning of a stream: as text if it is valid UTF-8, up to a character that is cut."""
    for cut in range(4):
        try:
            return "text", data[: len(data) - cut].decode()
        except UnicodeDecodeError:
            continue
    return "base64", base64.b64encode(data).decode()


def _document(document: Document) -> str:
    try:
        return to_json(document).decode()
    except DataError as error:  # such as a number that JSON cannot hold
        return _json({"unreadable": error.reason})


def _counts(snap: SnapPreview) -> dict[str, Any]:
    counts: dict[str, Any] = {
        "label": snap.label,
        "snap": snap.type,
        "in": snap.documents_in,
        "out": snap.documents_out,
        "dropped": snap.dropped,
        "errors": snap.errors,
    }
    texts = {"dropped_by": snap.dropped_by, "note": snap.note, "failure": snap.failure}
    return counts | {name: text for name, text in texts.items() if text}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
