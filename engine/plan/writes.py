"""Two snaps that write one file: one of them would destroy the other's work."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from engine.errors import ExpressionSyntaxError
from engine.expressions import paths_read
from engine.plan import graph
from engine.plan.collector import ProblemCollector
from engine.plan.folders import local_path
from engine.plan.snaps import ResolvedSnap
from engine.plan.views import ResolvedLink
from engine.sdk.files import WrittenFile
from engine.sdk.settings import Evaluated, shown


def check_writes(
    snaps: Mapping[str, ResolvedSnap],
    links: Sequence[ResolvedLink],
    collector: ProblemCollector,
    folder: str,
    project: str,
) -> None:
    """Report files that two snaps write, as far as the names can be compared."""
    disabled = [label for label, snap in snaps.items() if snap.spec.mode == "disabled"]
    left_out = graph.downstream(disabled, [link.labels for link in links])
    first: dict[str, tuple[str, WrittenFile]] = {}
    for label, snap in snaps.items():
        if snap.snap_class is None or snap.settings is None or label in left_out:
            continue
        for written in snap.snap_class.files_written(snap.settings):
            key = _key(written.name, folder, project)
            if key is None:
                continue
            owner, other = first.setdefault(key, (label, written))
            if owner != label and not (written.shared and other.shared):
                collector.report(
                    "written-twice",
                    collector.setting(label, written.path),
                    f"the snap {owner!r} also writes {_text(written.name)}",
                    "give each snap its own file, or let both append to it",
                )


def _key(name: Evaluated[str], folder: str, project: str) -> str | None:
    """The same key for two names of one file; None if the name depends on the document."""
    if name.expression is not None:
        try:
            reads = paths_read(name.expression.text)
        except ExpressionSyntaxError:
            return None
        return f"= {name.expression.text}" if reads == frozenset() else None
    if not name.value or "\0" in name.value:
        return None
    file = local_path(name.value, folder, project)
    return name.value if file is None else os.path.normpath(file)


def _text(name: Evaluated[str]) -> str:
    return shown(name.value or "") if name.expression is None else shown(name.expression.text)
