"""What a preview found, as plain data without secrets."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from engine.documents import Document, Header, ViewType


class StreamPreview(msgspec.Struct):
    """The beginning of a binary stream; `size` is what was read of it."""

    header: Header
    start: bytes = b""
    size: int = 0


class ViewPreview(msgspec.Struct):
    """What left an output or error view. `target` is the other end of its link, if it has one.

    `numbers` are those of the items among all that left the view.
    """

    view: str
    name: str
    target: str
    type: ViewType
    count: int
    numbers: Sequence[int]
    items: Sequence[Document | StreamPreview]


class SnapPreview(msgspec.Struct):
    """One snap. `dropped_by` is the expression that drops documents, if there is only one.

    `note` says what it would have done, or why it did not run; `failure` why a run fails there. If
    `is_reused`, it has not run, and this is what the last preview found.
    """

    label: str
    type: str
    documents_in: int
    documents_out: int
    dropped: int
    errors: int
    views: Sequence[ViewPreview] = ()
    dropped_by: str = ""
    note: str = ""
    failure: str = ""
    is_reused: bool = False
    has_run: bool = True


class Preview(msgspec.Struct):
    """A preview. `notes` are about snaps of other pipelines that this one runs; `failure` is the
    error that stopped it, if it belongs to no snap. `files` are those that it was made from."""

    pipeline: str
    limit: int
    snaps: Sequence[SnapPreview]
    notes: Sequence[str] = ()
    failure: str = ""
    files: Sequence[str] = ()

    @property
    def reuse_note(self) -> str:
        """How many snaps did not run; empty if all did."""
        reused = sum(snap.is_reused for snap in self.snaps)
        if not reused:
            return ""
        ran = sum(snap.has_run for snap in self.snaps)
        return f"{_counted(reused)} from the last preview, {f'{ran:,}' if ran else 'none'} run"

    @property
    def has_failed(self) -> bool:
        """Whether a run with these documents would fail."""
        return bool(self.failure) or any(snap.failure for snap in self.snaps)


def _counted(snaps: int) -> str:
    return f"{snaps:,} snap{'' if snaps == 1 else 's'}"
