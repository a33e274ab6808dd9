"""What links leave undone: cycles, views that want a link, error views, snaps on their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from engine.pipeline.spec import OnError, SnapSpec
from engine.plan import graph
from engine.plan.findings import Findings
from engine.plan.snaps import ResolvedSnap
from engine.plan.views import ResolvedLink
from engine.sdk.views import ERROR_VIEW, View


def check_linkage(
    snaps: Mapping[str, ResolvedSnap], links: Sequence[ResolvedLink], findings: Findings
) -> None:
    """Report what is wrong with the pipeline as a graph."""
    _check_cycles(snaps, links, findings)
    linked = _Linked(links)
    for snap in snaps.values():
        _check_error_view(snap.spec, linked, findings)
    if any(problem.code == "bad-link" for problem in findings.spec.problems):
        return  # what a link that cannot be read would join is not known
    doubtful = _labels_of_lost_links(links, findings)
    for label, snap in snaps.items():
        if label in doubtful or not snap.spec.type:
            continue
        wanting = list(_wanting(snap, linked))
        for code, message, hint in wanting:
            findings.report(code, snap.spec.where, message, hint)
        if not wanting and len(snaps) > 1 and label not in linked.labels:
            hint = "link it, or remove it"
            findings.report(
                "unlinked-snap", snap.spec.where, f"no link touches '{label}'", hint, "warning"
            )


def on_error_of(spec: SnapSpec, links: Sequence[ResolvedLink]) -> OnError:
    """What the file says; without a word a linked error view means `route`, else `stop`."""
    if spec.on_error is not None:
        return spec.on_error
    return "route" if _Linked(links).error_link(spec.label) else "stop"


class _Linked:
    """Which views have links."""

    def __init__(self, links: Sequence[ResolvedLink]) -> None:
        self.labels = {label for link in links for label in link.labels}
        self.inputs = {(link.labels[1], link.target.name) for link in links if link.target}
        self.outputs = {(link.labels[0], link.source.name): link for link in links if link.source}

    def error_link(self, label: str) -> ResolvedLink | None:
        return self.outputs.get((label, ERROR_VIEW.name))

    def count(self, label: str, side: str, family: View) -> int:
        views = self.inputs if side == "input" else self.outputs
        known = len(family.name)
        return sum(
            1
            for owner, name in views
            if owner == label and name.startswith(family.name) and name[known:].isdigit()
        )


def _check_cycles(
    snaps: Mapping[str, ResolvedSnap], links: Sequence[ResolvedLink], findings: Findings
) -> None:
    edges = [link.labels for link in links]
    labels = list(snaps)
    if len(graph.order(labels, edges)) == len(labels):
        return
    for cycle in graph.cycles(labels, edges):
        closing = next(link for link in reversed(links) if link.labels in cycle)
        names = " -> ".join([cycle[0][0], *(end for _, end in cycle)])
        message = f"the snaps feed each other in a circle: {names}"
        hint = "a pipeline flows one way; remove one of these links"
        findings.report("cycle", closing.spec.target.where, message, hint)


def _check_error_view(spec: SnapSpec, linked: _Linked, findings: Findings) -> None:
    link = linked.error_link(spec.label)
    if spec.on_error == "route" and link is None:
        where = findings.setting(spec.label, ("on_error",))
        message = f"documents that fail in '{spec.label}' go to its error view, which has no link"
        hint = f"link it ('{spec.label}.error -> ...'), or say 'on_error: discard'"
        findings.report("unlinked-error-view", where, message, hint, "warning")
    elif link is not None and spec.on_error in ("stop", "discard"):
        message = (
            f"'{spec.label}.error' is linked, but gets nothing: "
            f"'{spec.label}' has 'on_error: {spec.on_error}'"
        )
        hint = "say 'on_error: route', or remove the link"
        findings.report("error-view-not-routed", link.spec.source.where, message, hint)


def _labels_of_lost_links(links: Sequence[ResolvedLink], findings: Findings) -> set[str]:
    """Snaps named by links that lead nowhere: what they lack may only follow from that."""
    sound = {id(link.spec) for link in links if link.source and link.target}
    lost = [link for link in findings.spec.links if id(link) not in sound]
    return {port.label for link in lost for port in (link.source, link.target)}


def _wanting(snap: ResolvedSnap, linked: _Linked) -> Iterator[tuple[str, str, str]]:
    """Code, message and hint for each view that must have links and has too few."""
    if snap.views is None:
        return
    name = f"'{snap.spec.label}' ({snap.spec.type})"
    for side, views in (("input", snap.views.inputs), ("output", snap.views.outputs)):
        for view in views:
            if view.many:
                have = linked.count(snap.spec.label, side, view)
                if have < view.minimum:
                    message = (
                        f"{name} needs {_links(view.minimum)} at its {side} views and has {have}"
                    )
                    yield "too-few-links", message, _link_hint(snap.spec.label, side)
            elif side == "input" and _is_missed(snap.spec.label, view, linked):
                message = f"{name} needs a link at its input view '{view.name}'"
                yield "unlinked-input", message, _link_hint(snap.spec.label, side)


def _is_missed(label: str, view: View, linked: _Linked) -> bool:
    refused = view.unlinked == "refused" and not view.optional
    return refused and (label, view.name) not in linked.inputs


def _links(count: int) -> str:
    return "at least 1 link" if count == 1 else f"at least {count} links"


def _link_hint(label: str, side: str) -> str:
    link = f"... -> {label}" if side == "input" else f"{label} -> ..."
    return f"add '{link}' to 'links:'"
