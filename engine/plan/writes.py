"""Two snaps that write one file: one of them would destroy the other's work."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from engine.expressions import analyse, paths_read
from engine.expressions.nodes import Name
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
        if label in left_out:
            continue
        for written in snap.written:
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
    """The same key for two names of one file; None if names cannot be compared."""
    if name.expression is not None:
        return f"= {name.expression.text}" if _is_fixed(name.expression.text) else None
    if not name.value or "\0" in name.value:
        return None
    file = local_path(name.value, folder, project)
    return name.value if file is None else os.path.realpath(file)


def _is_fixed(expression: str) -> bool:
    """Whether an expression has one value in a run: it reads only parameters and `pipe`.

    Not the document, nor what differs between snaps (`snap.label`) or calls (`Date.now()`).
    """
    found = analyse(expression)
    if found.node is None or found.errors or paths_read(expression) != frozenset():
        return False
    names = {node.name for node in found.node.walk() if isinstance(node, Name)}
    return all(name.startswith("_") or name == "pipe" for name in names)


def _text(name: Evaluated[str]) -> str:
    return shown(name.value or "") if name.expression is None else shown(name.expression.text)
