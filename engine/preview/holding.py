"""Turns what a preview recorded into what is held for the next one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from time import time
from typing import Any

import msgspec

from engine.documents import ViewType
from engine.plan import Plan, Port
from engine.plan.graph import order
from engine.plan.plan import PlannedSnap
from engine.preview.codec import pack
from engine.preview.keys import Keys
from engine.preview.recorder import Entries, Recorder
from engine.preview.result import StreamPreview
from engine.preview.reuse import Reuse, id_of, links_to
from engine.preview.store import MAX_FILE, Held, HeldSnap, HeldView
from engine.preview.summary import Notes
from engine.preview.tracing import Traces
from engine.run.report import SnapStatistics

MAX_VIEW = 4 << 20
"""Bytes of one view."""

_OVERHEAD = 1 << 20
"""Bytes of a file for everything but documents."""

_encoder = msgspec.msgpack.Encoder()


class Holder:
    """Makes what is held after one preview, from the earlier one."""

    def __init__(
        self,
        plan: Plan,
        keys: Keys,
        reuse: Reuse,
        recorder: Recorder,
        traces: Traces,
        limit: int,
    ) -> None:
        self._plan = plan
        self._keys = keys
        self._reuse = reuse
        self._recorder = recorder
        self._traces = traces
        self._limit = limit
        self._links = links_to(plan)
        self._ids = dict(reuse.ids)
        self._room = MAX_FILE - _OVERHEAD
        self._now = time()

    def held(
        self,
        earlier: Held,
        labels: frozenset[str],
        counts: Mapping[str, SnapStatistics],
        notes: Mapping[str, Notes],
    ) -> Held:
        """`labels` are those of the pipeline: what is held of other snaps is forgotten."""
        snaps = {label: snap for label, snap in earlier.snaps.items() if label in labels}
        planned = {snap.label: snap for snap in self._plan.snaps}
        unchanged = self._reuse.replays.keys() - self._reuse.pinned
        edges = [(link.source.label, link.target.label) for link in self._plan.links]
        for snap in self._plan.snaps:
            kept = snaps.get(snap.label) if snap.label in unchanged else None
            self._room -= 0 if kept is None else sum(len(v.items) for v in kept.views.values())
        for label in order(list(planned), edges):
            if label not in unchanged:
                note = notes.get(label, Notes())
                snaps[label] = self._snap(planned[label], counts[label], note)
        return Held(earlier.salt, snaps)

    def _snap(self, snap: PlannedSnap, counts: SnapStatistics, note: Notes) -> HeldSnap:
        views = dict(self._views(snap, counts))
        is_pinned = snap.label in self._reuse.pinned
        runs_pipelines = not is_pinned and self._keys.runs_pipelines(snap)
        files = self._traces.files_of(snap.label, runs_pipelines=runs_pipelines)
        mask = self._recorder.secrets.mask_text
        if any(mask(file.name) != file.name for file in files or ()):
            files = None  # names that hold secrets are not stored
        is_whole = counts.status == "completed" and files is not None
        if runs_pipelines and counts.errors:
            is_whole = False  # what a pipeline lacks may be anywhere
        found = b""
        if is_pinned:
            found = self._reuse.ids[snap.label]
        elif is_whole and all(self._is_shown(view) for view in views.values()):
            found = id_of(self._keys.of(snap), self._links[snap.label], self._ids, files or ())
        self._ids[snap.label] = found
        return HeldSnap(
            id=found,
            at=self._now,
            type=snap.type,
            inputs=counts.inputs,
            outputs=counts.outputs,
            dropped=counts.dropped,
            errors=counts.errors,
            views=views,
            note=note.own,
            inner_notes=note.inner,
            files=files or (),
            varies=self._keys.varies(snap) or snap.label in self._traces.varying,
            line=snap.where.line,
        )

    def _is_shown(self, view: HeldView) -> bool:
        """Whether all that a preview shows of it is held."""
        return len(view.numbers) >= min(view.count, self._limit)

    def _views(self, snap: PlannedSnap, counts: SnapStatistics) -> Iterator[tuple[str, HeldView]]:
        types = {view.name: view.type for view in snap.outputs}
        for name, count in counts.outputs.items():
            entries = self._recorder.entries.get(Port(snap.label, name))
            if entries is not None:
                yield name, self._view(entries, types.get(name, "document"), count, counts)

    def _view(
        self, entries: Entries, kind: ViewType, count: int, counts: SnapStatistics
    ) -> HeldView:
        room = min(MAX_VIEW, self._room)
        packed: list[msgspec.Raw] = []
        is_exact, size = True, 0
        for position, item in enumerate(entries.items):
            value, as_it_was = self._value(item, entries, position)
            try:
                data = pack(value)
            except (TypeError, ValueError, OverflowError, RecursionError):
                break  # a snap put out what no document may hold
            if size + len(data) > room:
                break
            size += len(data)
            is_exact &= as_it_was
            packed.append(msgspec.Raw(data))
        self._room -= size
        is_complete = is_exact and len(packed) == count and counts.status == "completed"
        numbers = tuple(entries.numbers[: len(packed)])
        return HeldView(kind, count, numbers, msgspec.Raw(_encoder.encode(packed)), is_complete)

    def _value(self, item: Any, entries: Entries, position: int) -> tuple[Any, bool]:
        """What is held of an item, and whether it is as it was."""
        secrets = self._recorder.secrets
        if not isinstance(item, StreamPreview):
            masked = secrets.mask(item)
            return masked, masked is item or masked == item
        content = entries.contents[position]
        header = secrets.mask(item.header)
        is_exact = header == item.header and content is not None
        if content is not None and secrets.mask_bytes(content) != content:
            content, is_exact = None, False
        return [header, secrets.mask_bytes(item.start), item.size, content], is_exact
