"""Links as chains `a -> b -> c`, in the order in which one reads a pipeline.

A chain follows the first output of each snap for as long as it can; further outputs and inputs
start chains of their own. Snaps are listed in the order in which the chains mention them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

_WIDTH = 96


class Edge(msgspec.Struct):
    """A link; a view is empty where it need not be named.

    `rank` is the place of the input where the order of links tells inputs apart, otherwise 0.
    """

    source: str
    out: str
    target: str
    into: str
    rank: int = 0


Chain = list[Edge]


def chains_of(order: Sequence[str], edges: Sequence[Edge]) -> list[Chain]:
    """Every edge once. `order` are all snaps, as they should be taken up; `edges` those of a snap
    in the order of its outputs."""
    chains = _in_order_of_inputs(_Chains(order, edges).found)
    return chains_in_order(edge for chain in chains for edge in chain)


def chains_in_order(edges: Iterable[Edge]) -> list[Chain]:
    """The edges as chains without changing their order."""
    chains: list[Chain] = []
    for edge in edges:
        last = chains[-1][-1] if chains else None
        if last is not None and last.target == edge.source and not (last.rank or edge.out):
            chains[-1].append(edge)
        else:
            chains.append([edge])
    return chains


def _in_order_of_inputs(chains: list[Chain]) -> list[Chain]:
    """The chains, moved so that the first input of a snap is linked before its second one."""
    for _ in chains:
        first: dict[tuple[str, int], int] = {}
        for place, chain in enumerate(chains):
            for edge in chain:
                first.setdefault((edge.target, edge.rank), place)
        late = [_last_before(chain[-1], first) for chain in chains]
        early = next((place for place, last in enumerate(late) if last > place), None)
        if early is None:
            break
        chains.insert(late[early], chains.pop(early))
    return chains


def _last_before(edge: Edge, first: Mapping[tuple[str, int], int]) -> int:
    """The last chain that links an earlier input of the same snap; -1 if there is none."""
    return max((first.get((edge.target, rank), -1) for rank in range(edge.rank)), default=-1)


def reading_order(order: Sequence[str], chains: Iterable[Chain]) -> list[str]:
    """All snaps, in the order in which the chains mention them; then those without links."""
    mentioned = [end for chain in chains for edge in chain for end in (edge.source, edge.target)]
    return list(dict.fromkeys([*mentioned, *order]))


def without_needless_numbers(chains: Iterable[Chain], families: Mapping[str, str]) -> None:
    """Drop the input names of snaps whose links would get the same ones by their order.

    `families` holds the name of the family of inputs for each snap that has one.
    """
    by_target: dict[str, list[Edge]] = {}
    for chain in chains:
        for edge in chain:
            by_target.setdefault(edge.target, []).append(edge)
    for target, family in families.items():
        edges = by_target.get(target, [])
        if all(edge.into == f"{family}{number}" for number, edge in enumerate(edges)):
            for edge in edges:
                edge.into = ""


def chain_lines(chains: Iterable[Chain], names: Mapping[str, str]) -> Iterator[str]:
    """The text of each chain; a long one is continued in a line that starts with its last snap."""
    for chain in chains:
        line = ""
        for edge in chain:
            source = names[edge.source] + (f".{edge.out}" if edge.out else "")
            target = names[edge.target] + (f".{edge.into}" if edge.into else "")
            if not line:
                line = f"{source} -> {target}"
            elif len(line) + len(target) + 4 > _WIDTH:
                yield line
                line = f"{source} -> {target}"
            else:
                line += f" -> {target}"
        yield line


class _Chains:
    def __init__(self, order: Sequence[str], edges: Sequence[Edge]) -> None:
        self.found: list[Chain] = []
        self.left: dict[str, list[Edge]] = {snap: [] for snap in order}
        for edge in edges:
            self.left[edge.source].append(edge)
        targets = {edge.target for edge in edges}
        starts = [snap for snap in order if snap not in targets]
        for snap in [*starts, *order]:  # a snap on a cycle has no start before it
            self._follow_all(snap)

    def _follow_all(self, start: str) -> None:
        """The chains of all edges that can be reached from a snap, depth first."""
        waiting = [start]
        while waiting:
            snap = waiting.pop()
            if not self.left[snap]:
                continue
            chain = self._follow(self.left[snap].pop(0))
            self.found.append(chain)
            passed = [snap, *(edge.target for edge in chain)]
            if self._is_early(chain[-1]):
                passed.pop()
            waiting.extend(each for each in reversed(passed) if self.left[each])

    def _is_early(self, edge: Edge) -> bool:
        """Whether its snap is to be followed later: from a link to its first input."""
        return bool(edge.rank) and any(
            other.target == edge.target and not other.rank
            for edges in self.left.values()
            for other in edges
        )

    def _follow(self, edge: Edge) -> Chain:
        chain = [edge]
        while not chain[-1].rank and (edges := self.left[chain[-1].target]):
            following = next((each for each in edges if not each.out), None)
            if following is None:
                break
            edges.remove(following)
            chain.append(following)
        return chain
