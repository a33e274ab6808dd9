"""Which snaps may pass rows to each other instead of documents: from a parser to a formatter.

Between them may be snaps that keep some documents or make others of fields that are known. As long
as rows are passed, nobody has the whole document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.expressions.steps import DecodeRows, EncodeRows, Keep, Make
from engine.plan.plan import PlannedLink, PlannedSnap
from engine.sdk.views import ERROR_VIEW


def row_runs(
    order: Sequence[str], snaps: Mapping[str, PlannedSnap], links: Sequence[PlannedLink]
) -> dict[str, tuple[str, ...]]:
    """For each parser that may give rows, the labels from it to the formatter that takes them."""
    into: dict[str, list[PlannedLink]] = {label: [] for label in order}
    following: dict[str, list[PlannedLink]] = {label: [] for label in order}
    for link in links:
        into[link.target.label].append(link)
        if link.source.view != ERROR_VIEW.name:
            following[link.source.label].append(link)

    def next_of(label: str) -> str:
        """The only snap that gets what leaves a snap, if it gets nothing else."""
        after = following[label]
        if len(snaps[label].outputs) != 1 or len(after) != 1 or after[0].spills:
            return ""
        target = after[0].target.label
        is_alone = len(into[target]) == 1 and len(snaps[target].inputs) == 1
        return target if is_alone else ""

    found = {}
    for label in order:
        if not isinstance(_only_step(snaps[label]), DecodeRows) or len(snaps[label].inputs) != 1:
            continue
        run = [label]
        while after := next_of(run[-1]):
            run.append(after)
            if snaps[after].sees_counts:
                break
            if isinstance(_only_step(snaps[after]), EncodeRows):
                found[label] = tuple(run)
            if not _passes_rows(snaps[after]):
                break
    return found


def _only_step(snap: PlannedSnap) -> object:
    return snap.steps[0] if len(snap.steps) == 1 else None


def _passes_rows(snap: PlannedSnap) -> bool:
    """Whether it keeps or makes documents, and reads known fields only."""
    return isinstance(_only_step(snap), Keep | Make) and snap.facts.reads is not None
