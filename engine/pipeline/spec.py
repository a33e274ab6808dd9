"""The content of a pipeline file as frozen plain values, with the place of every key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from engine.errors import Problem
from engine.locations import Location
from engine.pipeline.source import KeyPath as KeyPath
from engine.pipeline.source import Source

OnError = Literal["stop", "discard", "route"]
Mode = Literal["validate_and_execute", "execute_only", "disabled"]


class ParameterSpec(msgspec.Struct, frozen=True):
    """A declared parameter. Its value is always a string; None means that there is no default.

    With `capture`, the report of a run shows its value.
    """

    name: str
    where: Location
    default: str | None = None
    required: bool = False
    secret: bool = False
    capture: bool = False
    description: str = ""


class SnapSpec(msgspec.Struct, frozen=True):
    """One snap as written: `settings` are plain YAML values without the engine's own keys.

    `on_error` is None where the file does not set it. `title` is what error documents and
    `snap.label` call it; empty: its label. `unsupported` are settings that an import from SnapLogic
    had to leave out. With `open_input`, an input view that usually needs a link may be without one,
    as an open input of the pipeline; without `open_output`, what leaves through output views
    without a link is discarded. `incomplete`: some of its lines could not be read as YAML, so
    missing settings are not reported.
    """

    label: str
    type: str
    where: Location
    settings: Mapping[str, Any] = msgspec.field(default_factory=dict)
    on_error: OnError | None = None
    mode: Mode = "validate_and_execute"
    title: str = ""
    unsupported: Mapping[str, Any] = msgspec.field(default_factory=dict)
    open_input: bool = False
    open_output: bool = True
    incomplete: bool = False


class PortSpec(msgspec.Struct, frozen=True):
    """One end of a link as written; `view` is empty for the default view."""

    label: str
    view: str
    where: Location

    def __str__(self) -> str:
        return f"{self.label}.{self.view}" if self.view else self.label


class LinkSpec(msgspec.Struct, frozen=True):
    source: PortSpec
    target: PortSpec


class LibrarySpec(msgspec.Struct, frozen=True):
    """An expression library: the file that the pipeline imports as `lib.<name>`."""

    name: str
    file: str
    where: Location


class PipelineSpec(msgspec.Struct, frozen=True):
    """A pipeline file as written.

    `problems` are the mistakes in YAML and shape found while loading. What could not be read is
    left out: a snap without a known type has the type "". `error_pipeline` are plain YAML values.
    `lenient`: a mistake in an expression fails only the documents that reach it.
    """

    name: str
    path: str
    source: Source
    description: str = ""
    parameters: tuple[ParameterSpec, ...] = ()
    libraries: tuple[LibrarySpec, ...] = ()
    error_pipeline: Mapping[str, Any] | None = None
    lenient: bool = False
    snaps: Mapping[str, SnapSpec] = msgspec.field(default_factory=dict)
    links: tuple[LinkSpec, ...] = ()
    problems: tuple[Problem, ...] = ()
