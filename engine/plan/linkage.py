"""Checks of the pipeline as a graph: cycles, missing links, error views, isolated snaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from engine.hints import Addition, Hint, NewValue
from engine.pipeline.spec import SnapSpec
from engine.plan import graph
from engine.plan.collector import ProblemCollector
from engine.plan.plan import OnErrorPlanned
from engine.plan.snaps import ResolvedSnap, check_inputs
from engine.plan.views import ResolvedLink, Side, declared_view, views_as_linked
from engine.sdk.views import ERROR_VIEW, View


def check_linkage(
    snaps: Mapping[str, ResolvedSnap], links: Sequence[ResolvedLink], collector: ProblemCollector
) -> None:
    """Report what is wrong with the pipeline as a graph."""
    _check_cycles(snaps, links, collector)
    linked = _Linked(links)
    for snap in snaps.values():
        _check_error_view(snap.spec, linked, collector)
    if links_may_be_lost(collector):
        return  # such a link might have joined any of them
    doubtful = _labels_of_lost_links(links, collector)
    for label, snap in snaps.items():
        if label in doubtful or not snap.spec.type:
            continue
        if _wants_links(snap, linked, collector):
            continue
        if snap.views is not None:
            inputs = views_as_linked(snap.views.inputs, linked.ends.get(label, ()))
            check_inputs(snap, [view.name for view in inputs], collector)
            _check_purpose(snap, linked, collector)
        if len(snaps) > 1 and label not in linked.labels:
            hint = "link it, or remove it"
            collector.report(
                "unlinked-snap", snap.spec.where, f"nothing is linked to '{label}'", hint, "warning"
            )


def links_may_be_lost(collector: ProblemCollector) -> bool:
    """Whether there may be links that could not be read, between any snaps."""
    place = collector.spec.source.where(("links",))
    return bool(collector.spec.source.lost) or any(
        problem.code in ("bad-link", "unknown-label")
        or (problem.code == "wrong-type" and problem.where == place)
        or (problem.code == "unknown-key" and not collector.spec.links)
        for problem in (*collector.spec.problems, *collector.problems)
    )


def on_error_of(
    spec: SnapSpec, links: Iterable[ResolvedLink], *, has_error_pipeline: bool
) -> OnErrorPlanned:
    """What the file says; otherwise `route` if the error view is linked, else the error pipeline if
    there is one, else `stop`.

    `links` are those that start at the snap.
    """
    if spec.on_error is not None:
        return spec.on_error
    if any(link.source is ERROR_VIEW for link in links):
        return "route"
    return "error_pipeline" if has_error_pipeline else "stop"


class _Linked:
    """Which views have links, by snap."""

    def __init__(self, links: Sequence[ResolvedLink]) -> None:
        self.labels = {label for link in links for label in link.labels}
        self.views: dict[Side, dict[str, set[str]]] = {"input": {}, "output": {}}
        self.ends: dict[str, list[View]] = {}
        self.error_links: dict[str, ResolvedLink] = {}
        for link in links:
            start, end = link.labels
            if link.source is not None:
                self.views["output"].setdefault(start, set()).add(link.source.name)
            if link.target is not None:
                self.views["input"].setdefault(end, set()).add(link.target.name)
                self.ends.setdefault(end, []).append(link.target)
            if link.source is ERROR_VIEW:
                self.error_links.setdefault(start, link)

    def count(self, label: str, side: Side, views: Sequence[View], family: View) -> int:
        """How many members of a family, one of the `views` of the snap, have links."""
        names = self.views[side].get(label, ())
        return sum(declared_view(views, name) == family for name in names)


def _check_cycles(
    snaps: Mapping[str, ResolvedSnap], links: Sequence[ResolvedLink], collector: ProblemCollector
) -> None:
    edges = [link.labels for link in links]
    labels = list(snaps)
    if len(graph.order(labels, edges)) == len(labels):
        return
    for cycle in graph.cycles(labels, edges):
        closing = max(
            (link for link in links if link.labels in cycle),
            key=lambda link: (link.spec.target.where.line, link.spec.target.where.column),
        )
        names = " -> ".join([cycle[0][0], *(end for _, end in cycle)])
        message = f"these snaps form a cycle: {names}"
        hint = "a pipeline flows one way; remove one of these links"
        collector.report("cycle", closing.spec.target.where, message, hint)


def _check_error_view(spec: SnapSpec, linked: _Linked, collector: ProblemCollector) -> None:
    link = linked.error_links.get(spec.label)
    if spec.on_error == "route" and link is None:
        where = collector.setting(spec.label, ("on_error",))
        message = f"documents that fail in '{spec.label}' go to its error view, which has no link"
        hint = f"link it ('{spec.label}.error -> ...'), or set 'on_error: discard'"
        hint = Hint(hint, [NewValue("discard")])
        collector.report("unlinked-error-view", where, message, hint, "warning")
    elif link is not None and spec.on_error in ("stop", "discard"):
        message = (
            f"'{spec.label}.error' is linked but never receives anything: "
            f"'{spec.label}' has 'on_error: {spec.on_error}'"
        )
        path = collector.path_of(spec.label, ())
        hint = "set 'on_error: route', or remove the link"
        hint = Hint(hint, [Addition("on_error", "route", path)])
        collector.report("error-view-not-routed", link.spec.source.where, message, hint)


def _labels_of_lost_links(links: Sequence[ResolvedLink], collector: ProblemCollector) -> set[str]:
    """Snaps named by broken links: their missing links may only be a consequence of that."""
    valid = {id(link.spec) for link in links if link.source and link.target}
    lost = [link for link in collector.spec.links if id(link) not in valid]
    return {port.label for link in lost for port in (link.source, link.target)}


def _wants_links(snap: ResolvedSnap, linked: _Linked, collector: ProblemCollector) -> bool:
    """Report each view that must have links and has too few."""
    before = len(collector.problems)
    if snap.views is not None:
        for view in snap.views.inputs:
            _check_count(snap, "input", view, linked, collector)
            if not snap.spec.open_input and _is_missed(snap.spec.label, view, linked):
                message = f"{_name(snap)} needs a link to its input view '{view.name}'"
                hint = f"{_link_hint(snap, 'input')}; if a caller feeds it, set 'open_input: true'"
                collector.report("unlinked-input", snap.spec.where, message, hint)
        for view in snap.views.outputs:
            _check_count(snap, "output", view, linked, collector)
    return len(collector.problems) > before


def _check_purpose(snap: ResolvedSnap, linked: _Linked, collector: ProblemCollector) -> None:
    """Warn of a snap without effects of which no output is linked: its work would be lost."""
    label, outputs = snap.spec.label, snap.views.outputs if snap.views else ()
    is_linked = label in linked.views["input"] and not linked.views["output"].get(label)
    if is_linked and outputs and all(view.optional for view in outputs):
        if snap.snap_class is None or snap.snap_class.writes:
            return
        names = ", ".join(f"'{label}.{view.name}'" for view in outputs)
        message = f"no output of {_name(snap)} is linked, so what it finds is discarded"
        where = snap.spec.where
        collector.report("unlinked-snap", where, message, f"link one of: {names}", "warning")


def _check_count(
    snap: ResolvedSnap, side: Side, view: View, linked: _Linked, collector: ProblemCollector
) -> None:
    if not view.many or snap.views is None:
        return
    declared = snap.views.inputs if side == "input" else snap.views.outputs
    have = linked.count(snap.spec.label, side, declared, view)
    if have >= view.minimum:
        return
    least = f"at least {view.minimum} link{'s' if view.minimum > 1 else ''}"
    message = f"{_name(snap)} needs {least} on its {side} views but has {have}"
    collector.report("too-few-links", snap.spec.where, message, _link_hint(snap, side))


def _is_missed(label: str, view: View, linked: _Linked) -> bool:
    refused = view.unlinked == "refused" and not view.optional and not view.many
    return refused and not linked.views["input"].get(label, set()) & {view.name}


def _name(snap: ResolvedSnap) -> str:
    return f"'{snap.spec.label}' ({snap.spec.type})"


def _link_hint(snap: ResolvedSnap, side: Side) -> str:
    label = snap.spec.label
    link = f"... -> {label}" if side == "input" else f"{label} -> ..."
    return f"add '{link}' to 'links:'"
