"""Graph functions: topological order, reachability, cycles, and chains for stages."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush

Edge = tuple[str, str]


def order(labels: Sequence[str], edges: Iterable[Edge]) -> list[str]:
    """Labels in topological order, otherwise as given. Snaps in cycles are left out."""
    place = {label: position for position, label in enumerate(labels)}
    after: dict[str, list[str]] = {label: [] for label in labels}
    waiting = dict.fromkeys(labels, 0)
    for start, end in edges:
        after[start].append(end)
        waiting[end] += 1
    ready = [place[label] for label in labels if not waiting[label]]
    heapify(ready)
    ordered = []
    while ready:
        label = labels[heappop(ready)]
        ordered.append(label)
        for follower in after[label]:
            waiting[follower] -= 1
            if not waiting[follower]:
                heappush(ready, place[follower])
    return ordered


def cycles(labels: Sequence[str], edges: Sequence[Edge]) -> list[list[Edge]]:
    """One cycle, as its edges in turn, of each group of snaps that feed each other."""
    import networkx  # a third of the engine's start, for a rare mistake

    graph = networkx.DiGraph()
    graph.add_nodes_from(labels)
    graph.add_edges_from(edges)
    groups = [group for group in networkx.strongly_connected_components(graph) if len(group) > 1]
    place = {label: position for position, label in enumerate(labels)}
    groups.sort(key=lambda group: min(place[label] for label in group))
    return [
        networkx.find_cycle(graph.subgraph(group), source=min(group, key=place.__getitem__))
        for group in groups
    ]


def downstream(starts: Iterable[str], edges: Sequence[Edge]) -> set[str]:
    """The snaps themselves and everything downstream of them."""
    after: dict[str, list[str]] = {}
    for start, end in edges:
        after.setdefault(start, []).append(end)
    reached: set[str] = set()
    waiting = list(starts)
    while waiting:
        label = waiting.pop()
        if label not in reached:
            reached.add(label)
            waiting.extend(after.get(label, ()))
    return reached


class Connections:
    """Which snaps are connected with a marked one, in either direction, if one snap is left out.

    One depth-first search numbers the snaps; what is below a snap has a run of numbers, and leaves
    the rest when that snap is taken out unless a link leads around it (Hopcroft and Tarjan, 1973).
    """

    def __init__(self, edges: Iterable[Edge], marked: Collection[str]) -> None:
        beside: dict[str, list[str]] = {}
        for start, end in edges:
            beside.setdefault(start, []).append(end)
            beside.setdefault(end, []).append(start)
        self._number: dict[str, int] = {}
        self._end: dict[str, int] = {}  # after the last number below a snap
        self._root: dict[str, str] = {}
        self._cut_off: dict[str, list[tuple[int, int]]] = {}  # runs that only this snap connects
        for root in beside:
            if root not in self._number:
                self._search(root, beside)
        self._marks = [0]  # by number: how many snaps with lower ones are marked
        for label in self._number:
            self._marks.append(self._marks[-1] + (label in marked))
        self._marked_around = {label: self._count_around(label) for label in self._number}

    def reach_marked(self, start: str, without: str) -> bool:
        """Whether `start` is connected with a marked snap, or is one, if `without` is left out."""
        number, below = self._number[start], self._cut_off[without]
        last = bisect_right(below, number, key=lambda run: run[0]) - 1
        if last >= 0 and number < below[last][1]:
            return self._marked_in(*below[last]) > 0
        return self._marked_around[without] > 0

    def _count_around(self, label: str) -> int:
        """The marked snaps in what is left around a snap, without what only this snap connects."""
        root, number = self._root[label], self._number[label]
        apart = [(number, number + 1), *self._cut_off[label]]
        whole = self._marked_in(self._number[root], self._end[root])
        return whole - sum(self._marked_in(*run) for run in apart)

    def _marked_in(self, first: int, end: int) -> int:
        return self._marks[end] - self._marks[first]

    def _search(self, root: str, beside: Mapping[str, Sequence[str]]) -> None:
        lowest: dict[str, int] = {}  # the lowest number beside a snap or one below it
        path: list[tuple[str, Iterator[str]]] = []

        def enter(label: str) -> None:
            lowest[label] = self._number[label] = len(self._number)
            self._root[label] = root
            self._cut_off[label] = []
            path.append((label, iter(beside[label])))

        enter(root)
        while path:
            label, others = path[-1]
            following = next(others, None)
            if following is None:
                path.pop()
                self._end[label] = len(self._number)
                if path:
                    above = path[-1][0]
                    lowest[above] = min(lowest[above], lowest[label])
                    if lowest[label] >= self._number[above]:
                        self._cut_off[above].append((self._number[label], self._end[label]))
            elif following in self._number:
                lowest[label] = min(lowest[label], self._number[following])
            else:
                enter(following)


def chains(ordered: Sequence[str], joined: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Runs of snaps in which `joined` leads from each to the next, in the order of their heads."""
    inner = set(joined.values())
    runs = []
    for label in ordered:
        if label in inner:
            continue
        run = [label]
        while run[-1] in joined:
            run.append(joined[run[-1]])
        runs.append(tuple(run))
    return runs
