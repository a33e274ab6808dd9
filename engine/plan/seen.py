"""Which parts of a request's document are read before it reaches a snap that decodes JSON text.

Parts that no snap reads may stay JSON text on the way (RawJson). Error documents still show them:
the runtime decodes what it puts there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from engine.expressions import path_moved, paths_read
from engine.expressions.steps import Keep, Make, Merge, Share, Step
from engine.plan.plan import PlannedSnap, Port

Path = tuple[str, ...]
Paths = frozenset[Path]

EVERYTHING: Paths = frozenset({()})


def paths_seen(
    order: Sequence[str],
    snaps: Mapping[str, PlannedSnap],
    links: Mapping[Port, Port],
    open_inputs: Sequence[Port],
) -> Paths:
    """The paths, in the documents of the only open input, at or below which a snap reads.

    Everything, unless documents or parts of them reach an input that takes JSON text. `order` is
    topological, `links` lead from outputs to inputs.
    """
    if len(open_inputs) != 1:
        return EVERYTHING
    arriving: dict[Port, list[_Part]] = {open_inputs[0]: [_Part((), ())]}
    tracker = _ReadTracker()
    is_taken = False
    for label in order:
        for view in snaps[label].inputs:
            parts = arriving.get(Port(label, view.name), [])
            if view.takes_json_text:
                is_taken = is_taken or bool(parts)
                continue
            for step in snaps[label].steps or (None,):
                parts = tracker.after(step, parts)
            for output in snaps[label].outputs:
                target = links.get(Port(label, output.name))
                if target is None:
                    tracker.see_all(parts)
                else:
                    arriving[target] = [*arriving.get(target, ()), *parts]
    return frozenset(tracker.seen) if is_taken else EVERYTHING


class _Part:
    """A part of the request's document: where it is now, and where it was in the request."""

    def __init__(self, place: Path, source: Path) -> None:
        self.place = place
        self.source = source

    def below(self, path: Path) -> Path | None:
        """The source of what is at `path`; None if that is not in this part."""
        if path[: len(self.place)] == self.place:
            return self.source + path[len(self.place) :]
        return None


class _ReadTracker:
    def __init__(self) -> None:
        self.seen: set[Path] = set()

    def see_all(self, parts: Iterable[_Part]) -> None:
        self.seen.update(part.source for part in parts)

    def after(self, step: Step | None, parts: list[_Part]) -> list[_Part]:
        """The parts after a step, which may read some of them. None: an unknown step."""
        if isinstance(step, Keep):
            self._evaluate(step.condition, parts)
            return parts
        if isinstance(step, Make):
            return self._made(step, parts)
        if isinstance(step, Share | Merge):
            return parts
        self.see_all(parts)
        return []

    def _made(self, step: Make, parts: list[_Part]) -> list[_Part]:
        given = parts if step.pass_through else []
        rows = [(path_moved(target), text) for target, text in step.rows]
        made: list[tuple[Path | None, list[_Part]]] = [(None, given)]
        for target, text in rows:
            path = path_moved(text)
            if path is None or target is None:
                self._evaluate(text, parts)
            else:
                made.append((target, _moved(parts, path, target)))
        for own, moved in made:  # the other rows may write into it
            for target, _ in rows:
                if target is None:
                    self.see_all(moved)
                elif target != own:
                    self._look(target, moved)
        targets = [target for target, _ in rows]
        for own, moved in made:
            if own is not None and targets.count(own) > 1:
                self.see_all(moved)
        return [part for _, moved in made for part in moved]

    def _evaluate(self, text: str, parts: list[_Part]) -> None:
        paths = paths_read(text)
        if paths is None:
            self.see_all(parts)
        for path in paths or ():
            self._look(path, parts)

    def _look(self, path: Path, parts: list[_Part]) -> None:
        for part in parts:
            inside = part.below(path)
            if inside is not None:
                self.seen.add(inside)
            elif part.place[: len(path)] == path:
                self.seen.add(part.source)


def _moved(parts: Iterable[_Part], path: Path, target: Path) -> list[_Part]:
    """The parts at or below `path`, which is moved to `target`."""
    moved: list[_Part] = []
    for part in parts:
        inside = part.below(path)
        if inside is not None:
            moved.append(_Part(target, inside))
        elif part.place[: len(path)] == path:
            moved.append(_Part(target + part.place[len(path) :], part.source))
    return moved
