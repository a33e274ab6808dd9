"""The part of a preview that earlier previews have done already."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from engine.documents import Document, ViewType
from engine.plan import Port
from engine.preview.holding import Holder
from engine.preview.keys import Keys
from engine.preview.recorder import Entries, Recorder
from engine.preview.result import StreamPreview
from engine.preview.reuse import Chooser, Items, Reuse
from engine.preview.store import Held, HeldSnap, HeldView, Store, UnreadableError
from engine.preview.summary import Notes, PreviewPlan
from engine.preview.tracing import Traces
from engine.registry import Registry
from engine.run.report import SnapStatistics


class Keeping:
    """What one preview takes from the file of the pipeline, and puts there.

    `reads`: whether it uses what is there. `writes`: whether it replaces it.
    """

    def __init__(
        self,
        planned: PreviewPlan,
        registry: Registry,
        parameters: Mapping[str, str | None],
        settings: tuple[object, ...],
        input_files: Mapping[str, str],
        limit: int,
        *,
        reads: bool,
        writes: bool,
    ) -> None:
        self.notices: list[str] = []
        self._planned = planned
        self._limit = limit
        self._writes = writes
        self._store = Store(planned.plan.path, planned.plan.project)
        self._held = self._load() if reads else Held(os.urandom(16))
        self._keys = Keys(
            planned.spec, planned.plan, registry, parameters, settings, input_files, self._held.salt
        )

    def _load(self) -> Held:
        try:
            return self._store.load() or Held(os.urandom(16))
        except (OSError, UnreadableError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is damaged or outdated"
            self.notices.append(f"the last preview cannot be used, so all snaps run: {why}")
            return Held(os.urandom(16))

    @property
    def salt(self) -> bytes:
        return self._held.salt

    def choose(self, pins: Mapping[str, Items], start: str) -> Reuse:
        """What need not run. Raises ConfigurationError."""
        return Chooser(self._planned.plan, self._held, self._keys, pins, start).choose()

    def files_behind(self, reuse: Reuse) -> set[str]:
        """The files that the snaps read which did not run."""
        held = (self._held.snaps[label] for label in reuse.known)
        return {file.name for snap in held for file in snap.files if file.kind != "variable"}

    def recall(
        self,
        reuse: Reuse,
        recorder: Recorder,
        counts: Sequence[SnapStatistics],
        notes: dict[str, Notes],
    ) -> list[SnapStatistics]:
        """The counts of all snaps. What is held of those that did not run goes into `recorder` and
        `notes`."""
        recalled = []
        for each in counts:
            if each.label in reuse.known:
                each = self._recall(self._held.snaps[each.label], each, recorder, notes)
            elif each.label in reuse.replays:  # it has looked at nothing that reached it
                each = msgspec.structs.replace(each, inputs=dict.fromkeys(each.inputs, 0))
            recalled.append(each)
        return recalled

    def _recall(
        self,
        held: HeldSnap,
        counts: SnapStatistics,
        recorder: Recorder,
        notes: dict[str, Notes],
    ) -> SnapStatistics:
        notes[counts.label] = Notes(held.note, held.inner_notes)
        for name in held.outputs:
            recorder.entries.pop(Port(counts.label, name), None)
        for name, view in held.views.items():
            recorder.entries[Port(counts.label, name)] = _entries(view)
        return SnapStatistics(
            counts.label,
            counts.type,
            inputs=held.inputs,
            outputs=held.outputs,
            dropped=held.dropped,
            errors=held.errors,
            status="completed",
        )

    def save(
        self,
        reuse: Reuse,
        recorder: Recorder,
        traces: Traces,
        counts: Sequence[SnapStatistics],
        notes: Mapping[str, Notes],
    ) -> None:
        """Keep what the preview found for the next one."""
        if not self._writes:
            return
        holder = Holder(self._planned.plan, self._keys, reuse, recorder, traces, self._limit)
        held = holder.held(
            self._held,
            frozenset(self._planned.spec.snaps),
            {each.label: each for each in counts},
            notes,
        )
        try:
            self._store.save(held)
        except OSError as error:
            self.notices.append(f"nothing is kept for the next preview: {error.strerror}")


def _entries(view: HeldView) -> Entries:
    entries = Entries()
    entries.count = view.count
    entries.numbers = list(view.numbers)
    entries.items = [_shown(view.type, item) for item in view.unpacked()]
    return entries


def _shown(kind: ViewType, item: Any) -> Document | StreamPreview:
    if kind == "binary":
        header, start, size, _ = item
        return StreamPreview(header, start, size)
    document: Document = item
    return document
