"""Makes the result of a preview from the counts of the run and what was recorded."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from engine.documents import Document
from engine.errors import ConfigurationError, EngineError, ExecutionError, SnapFailedError
from engine.pipeline.pin_files import pin_file
from engine.pipeline.spec import PipelineSpec
from engine.plan import Plan, Port
from engine.plan.graph import order
from engine.plan.plan import PlannedSnap
from engine.preview.numbering import Followed
from engine.preview.pins import Pins
from engine.preview.recorder import Entries, Recorder
from engine.preview.result import Preview, SnapPreview, StreamPreview, ViewPreview
from engine.preview.reuse import Reuse
from engine.run.open_outputs import encoded
from engine.run.report import SnapStatistics
from engine.sdk.views import ERROR_VIEW

_NOTHING = Entries()


class PreviewPlan(msgspec.Struct, frozen=True):
    """A plan for a preview. `stopping` are the snaps where an error would stop a run; `only` is the
    view of the last snap that is shown (None: all); `followed` the document to follow, if any;
    `pins` are what leaves snaps that must not run."""

    spec: PipelineSpec
    plan: Plan
    stopping: Collection[str]
    only: Port | None
    followed: Followed | None
    pins: Pins = Pins()


class Notes(msgspec.Struct, frozen=True):
    """What a snap would have done or why it did not run, and the same of the snaps of pipelines
    that it runs."""

    own: str = ""
    inner: tuple[str, ...] = ()


class Summary:
    def __init__(
        self,
        planned: PreviewPlan,
        recorder: Recorder,
        reuse: Reuse,
        notes: Mapping[str, Notes],
        limit: int,
    ) -> None:
        self._plan = plan = planned.plan
        self._planned = planned
        self._recorder = recorder
        self._secrets = recorder.secrets
        self._limit = limit
        self._targets = {link.source: link.target for link in plan.links}
        self._snaps = {snap.label: snap for snap in plan.snaps}
        self._reuse = reuse
        self._notes = notes

    def preview(
        self, counts: list[SnapStatistics], failure: EngineError | None, notices: Sequence[str]
    ) -> Preview:
        by_label = {snap.label: snap for snap in counts}
        labels = order(list(by_label), [(a.label, b.label) for a, b in self._targets.items()])
        at = failure.label if isinstance(failure, SnapFailedError) else ""
        mask = self._secrets.mask_text
        labels = [label for label in labels if label not in self._reuse.outside]
        snaps = [self._snap(by_label[each], failure if each == at else None) for each in labels]
        inner = (note for label in labels for note in self._notes.get(label, Notes()).inner)
        if self._planned.followed is not None:
            snaps = self._way_of(self._planned.followed, snaps, by_label)
        return Preview(
            pipeline=self._plan.name,
            limit=self._limit,
            snaps=snaps,
            notes=list(dict.fromkeys((*inner, *notices))),
            failure="" if failure is None or at else mask(str(failure)),
        )

    def _snap(self, snap: SnapStatistics, failure: EngineError | None) -> SnapPreview:
        views = [view.name for view in self._snaps[snap.label].outputs]
        ports = [Port(snap.label, view) for view in (*views, ERROR_VIEW.name)]
        shown = [port for port in ports if self._is_shown(port, snap)]
        return SnapPreview(
            label=snap.label,
            type=snap.type,
            documents_in=snap.documents_in,
            documents_out=snap.documents_out,
            dropped=snap.dropped,
            errors=snap.errors,
            views=[self._view(port, snap, len(views)) for port in shown],
            dropped_by=self._dropped_by(snap.label) if snap.dropped else "",
            note=self._note(snap.label),
            is_reused=snap.label in self._reuse.known,
            has_run=snap.label not in self._reuse.replays,
            failure=self._failure(snap, failure),
        )

    def _note(self, label: str) -> str:
        if label in self._reuse.pinned:
            return f"not run: what leaves it is pinned in {Path(pin_file(self._plan.path)).name}"
        if label in self._reuse.unneeded:
            return "not run: it feeds only snaps that are pinned"
        return self._notes.get(label, Notes()).own

    def _dropped_by(self, label: str) -> str:
        """The only expression of a snap."""
        expressions = self._snaps[label].expressions
        return expressions[0].text if len(expressions) == 1 else ""

    def _failure(self, snap: SnapStatistics, failure: EngineError | None) -> str:
        if failure is not None:
            return self._secrets.mask_text(str(failure))
        is_pinned = snap.label in self._reuse.pinned
        if snap.errors and snap.label in self._planned.stopping and not is_pinned:
            return "a run stops at the first error here: link its error view, or set on_error"
        return self._refusal(snap.label)

    def _refusal(self, label: str) -> str:
        """The error with which a run would end at an open output of the snap; empty if it would
        not."""
        for port in self._plan.open_outputs:
            items = self._recorder.entries.get(port, _NOTHING).items if port.label == label else ()
            try:
                for item in items:
                    if isinstance(item, dict):
                        encoded(port, item)
            except ExecutionError as error:
                return self._secrets.mask_text(str(error))
        return ""

    def _is_shown(self, port: Port, snap: SnapStatistics) -> bool:
        only = self._planned.only
        if only is not None and port.label == only.label and port != only:
            return False
        is_error = port.view == ERROR_VIEW.name
        return not is_error or port in self._targets or bool(snap.outputs.get(port.view))

    def _view(self, port: Port, snap: SnapStatistics, outputs: int) -> ViewPreview:
        target = self._targets.get(port)
        planned = self._snaps[port.label].outputs
        is_binary = any(view.name == port.view and view.type == "binary" for view in planned)
        is_default = outputs == 1 and port.view != ERROR_VIEW.name
        entries = self._recorder.entries.get(port, _NOTHING)
        return ViewPreview(
            view=port.view,
            name=port.label if is_default else str(port),
            target="" if target is None else self._target_name(target),
            type="binary" if is_binary else "document",
            count=snap.outputs.get(port.view, 0),
            numbers=entries.numbers[: self._limit],
            items=[self._masked(item) for item in entries.items[: self._limit]],
        )

    def _target_name(self, target: Port) -> str:
        is_default = len(self._snaps[target.label].inputs) == 1
        return target.label if is_default else str(target)

    def _masked(self, item: Document | StreamPreview) -> Document | StreamPreview:
        if isinstance(item, StreamPreview):
            start = self._secrets.mask_start(item.start)
            return StreamPreview(self._secrets.mask(item.header), start, item.size)
        masked: Document = self._secrets.mask(item)
        return masked

    def _way_of(
        self,
        followed: Followed,
        snaps: Sequence[SnapPreview],
        counts: dict[str, SnapStatistics],
    ) -> list[SnapPreview]:
        """The snaps that a document passed, with its own counts."""
        origin = counts[followed.label]
        passed = origin.documents_in if followed.is_input else origin.documents_out
        if passed < followed.number:
            verb = "reached" if followed.is_input else "left"
            raise ConfigurationError(
                f"--doc: there is no document {followed.number:,}, as only {passed:,} {verb} "
                f"{followed.label!r}"
            )
        way = []
        for snap in snaps:
            arrived = sum(
                len(self._recorder.entries.get(source, _NOTHING).items)
                for source, target in self._targets.items()
                if target.label == snap.label
            )
            if snap.label == followed.label:
                arrived = int(followed.is_input)
            if arrived or snap.label == followed.label:
                way.append(self._passed(snap, arrived))
        return way

    def _loss(self, snap: PlannedSnap) -> str:
        """Why what leaves the snap cannot be traced to its documents; empty if it can."""
        ports = (Port(snap.label, view.name) for view in snap.outputs)
        entries = [each for port in ports if (each := self._recorder.entries.get(port))]
        if entries and not any(each.has_lineage for each in entries):
            return snap.facts.loses_lineage or "does not say which documents its output comes from"
        return snap.facts.loses_lineage

    def _passed(self, snap: SnapPreview, arrived: int) -> SnapPreview:
        views = [
            msgspec.structs.replace(view, count=len(view.items))
            for view in snap.views
            if view.items
        ]
        errors = sum(view.count for view in views if view.view == ERROR_VIEW.name)
        left = sum(view.count for view in views) - errors
        planned = self._snaps[snap.label]
        is_gone = bool(arrived and not views and planned.outputs and not snap.note)
        loses = self._loss(planned) if is_gone else ""
        is_dropped = is_gone and not loses
        return msgspec.structs.replace(
            snap,
            documents_in=arrived,
            documents_out=left,
            dropped=int(is_dropped),
            errors=errors,
            views=views,
            dropped_by=self._dropped_by(snap.label) if is_dropped else "",
            note=f"cannot be followed further: the snap {loses}"
            if is_gone and loses
            else snap.note,
            failure=snap.failure if errors else "",
        )
