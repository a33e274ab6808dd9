"""Facts of a run that few expressions ask for, and that take time to find out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from engine.plan.plan import PlannedSnap


class LateFacts(Mapping[str, Any]):
    """The facts that `find` returns; it is called when somebody looks at one."""

    def __init__(self, find: Callable[[], Mapping[str, Any]]) -> None:
        self._find = find

    def __getitem__(self, name: str) -> Any:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    @cached_property
    def _found(self) -> Mapping[str, Any]:
        return self._find()


def snap_info(snap: PlannedSnap) -> dict[str, Any]:
    """What expressions see as `snap`; they encode the label for URLs (expression reference, 11)."""
    return {
        "label": snap.title,
        "inputViews": {view.name: {"name": view.name} for view in snap.inputs},
        "outputViews": {view.name: {"name": view.name} for view in snap.outputs},
        "errorViews": {},
        "in": {"totalCount": 0},
        "out": {"totalCount": 0},
        "error": {"totalCount": 0},
    }
