"""The interface through which a snap runs other pipelines, inside the same process.

A child run is fed and read by the snap that started it, in one thread: `exchange` passes items on
and yields what the child has emitted in the meantime.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from engine.documents import NO_LINEAGE, Item, Lineage, Value, ViewType
from engine.sdk.files import Name
from engine.sdk.settings import Evaluated

PIPELINE_SUFFIXES = ("", ".yaml", ".yml", ".slp")
"""What may be left out of the name of a pipeline's file."""


class ChildReference(msgspec.Struct, frozen=True):
    """A setting, at `path` of a snap's settings, that names a pipeline which the snap runs.

    `parameters` are the names of those that it gives, in the setting at `parameters_path`; with
    `inherits`, others come from the pipeline that runs it.
    """

    path: tuple[str | int, ...]
    pipeline: Evaluated[str]
    parameters_path: tuple[str | int, ...] = ("parameters",)
    parameters: frozenset[str] = frozenset()
    inherits: bool = False


class ChildView(msgspec.Struct, frozen=True):
    """An open view of a child: its name is `label.view`."""

    name: str
    type: ViewType


class ChildRun(Protocol):
    """One execution of a child. Use it from one thread; only `stop` may be called from another."""

    @property
    def run_id(self) -> str:
        """The child's `pipe.ruuid`."""
        ...

    def exchange(
        self, items: Sequence[Item] = (), *, view: str = "", last: bool = False
    ) -> Iterator[tuple[str, Sequence[Item]]]:
        """Pass items to an open input (by default the first), and yield what the child emits, as
        (open output, items): until it wants more items, or with `last` until it has ended.

        Raises DataError if the child fails, and ExecutionError if it was stopped.
        """
        ...

    def stop(self) -> None:
        """End the child as soon as possible. Does nothing if it has ended."""
        ...


class ChildPipeline(Protocol):
    """A pipeline that has been found and checked."""

    @property
    def name(self) -> str: ...
    @property
    def inputs(self) -> tuple[ChildView, ...]: ...
    @property
    def outputs(self) -> tuple[ChildView, ...]: ...
    @property
    def parameters(self) -> Mapping[str, Value]:
        """The parameters that it declares, with the values that a task file presets."""
        ...

    def start(
        self,
        parameters: Mapping[str, Value],
        *,
        from_data: frozenset[str] = frozenset(),
        label: str = "",
        timeout: float | None = None,
        lineage: Lineage = NO_LINEAGE,
    ) -> ChildRun:
        """Start a run. A parameter that is not a string is passed on as JSON text.

        Those in `from_data` have values that come from documents, so they cannot name files outside
        of the folder that the child's author wrote. `label` names the run in what it shows. After
        `timeout` seconds, the run is stopped and counts as failed. It belongs to the request of
        that `lineage`, if there is one. Raises DataError if a parameter
        is missing or not declared, or if pipelines call each other without end.
        """
        ...


class ChildPipelines(Protocol):
    """Finds the pipelines that a snap may run."""

    def find(self, name: Name) -> ChildPipeline:
        """The pipeline in that file; `.yaml` need not be written.

        Raises DataError if there is none, or if it has mistakes.
        """
        ...
