"""Which snaps of a plan may run as one function: a parser of JSON lines, and what follows.

A run begins with a snap that decodes JSON lines, and includes the snaps that get all their
documents from it. It ends at one point: a snap that encodes, or one that makes new documents for a
snap without steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from engine.expressions.steps import DecodeJson, DecodeRows, EncodeJson, EncodeRows, Keep, Make
from engine.plan.plan import PlannedLink, PlannedSnap
from engine.plan.row_runs import row_runs
from engine.sdk.views import ERROR_VIEW


def fused_runs(
    order: Sequence[str], snaps: Mapping[str, PlannedSnap], links: Iterable[PlannedLink]
) -> dict[str, tuple[str, ...]]:
    """For each snap that begins a run, the labels of the run in topological order."""
    links = [link for link in links if link.target.label in snaps]
    finder = _Finder(order, snaps, links)
    found = {label: finder.run_from(label) for label in order if finder.begins(label)}
    found |= row_runs(order, snaps, links)
    return {label: run for label, run in found.items() if run}


_BEGINNINGS = DecodeJson | DecodeRows


class _Finder:
    def __init__(
        self,
        order: Sequence[str],
        snaps: Mapping[str, PlannedSnap],
        links: Sequence[PlannedLink],
    ) -> None:
        self._order = order
        self._snaps = snaps
        self._into: dict[str, list[PlannedLink]] = {label: [] for label in order}
        self._from: dict[str, list[PlannedLink]] = {label: [] for label in order}
        for link in links:
            self._into[link.target.label].append(link)
            if link.source.view != ERROR_VIEW.name:
                self._from[link.source.label].append(link)

    def begins(self, label: str) -> bool:
        snap = self._snaps[label]
        decodes = bool(snap.steps) and isinstance(snap.steps[0], DecodeJson)
        return decodes and not snap.sees_counts

    def run_from(self, label: str) -> tuple[str, ...]:
        members = self._reached(label)
        last = [member for member in members if self._encodes(member)]
        if len(last) == 1 and self._leads_only_to(members, last[0]):
            return tuple(members)
        return self._chain(label, members)

    def _reached(self, label: str) -> list[str]:
        """The snap, and those with steps that get documents from members only."""
        members = {label: None}
        for other in self._order:
            steps = self._snaps[other].steps
            if other in members or not steps or isinstance(steps[0], _BEGINNINGS | EncodeRows):
                continue
            if self._snaps[other].sees_counts:  # which are exact between two calls only
                continue
            entering = self._into[other]
            if entering and all(
                link.source.label in members
                and link.source.view != ERROR_VIEW.name
                and not self._encodes(link.source.label)
                and not link.spills
                for link in entering
            ):
                members[other] = None
        return list(members)

    def _encodes(self, label: str) -> bool:
        return isinstance(self._snaps[label].steps[-1], EncodeJson)

    def _leads_only_to(self, members: Sequence[str], last: str) -> bool:
        """Whether every output of the members but the last is linked, and only to members."""
        for label in members:
            if label == last:
                continue
            linked = {link.source.view for link in self._from[label]}
            if any(view.name not in linked for view in self._snaps[label].outputs):
                return False
            if any(link.target.label not in members for link in self._from[label]):
                return False
        return len(members) > 1

    def _chain(self, label: str, members: Sequence[str]) -> tuple[str, ...]:
        """The members in a row, up to the last one that makes new documents."""
        row = [label]
        ends = 0
        while True:
            following = self._from[row[-1]]
            outputs = self._snaps[row[-1]].outputs
            if len(outputs) != 1 or len(following) != 1:
                break
            after = following[0].target.label
            if after not in members or len(self._into[after]) != 1:
                break
            step = self._snaps[after].steps[-1]
            if not isinstance(step, Keep | Make):
                break
            row.append(after)
            makes = isinstance(step, Make) and not step.pass_through
            if makes or (ends and isinstance(step, Keep)):
                ends = len(row)
        return tuple(row[:ends])
