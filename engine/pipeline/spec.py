"""What a pipeline file says: frozen plain values, and the place of every key in the text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.locations import Location

OnError = Literal["stop", "discard", "route"]
Mode = Literal["validate_and_execute", "execute_only", "disabled"]
KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """A declared parameter. Its value is always a text; None means that there is no default."""

    name: str
    where: Location
    default: str | None = None
    required: bool = False
    secret: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class SnapSpec:
    """One snap as written: `settings` are plain YAML values without the engine's own keys.

    `on_error` is None where the file does not say.
    """

    label: str
    type: str
    where: Location
    settings: Mapping[str, Any] = field(default_factory=dict)
    on_error: OnError | None = None
    mode: Mode = "validate_and_execute"


@dataclass(frozen=True, slots=True)
class PortSpec:
    """One end of a link as written; `view` is empty for the default view."""

    label: str
    view: str
    where: Location

    def __str__(self) -> str:
        return f"{self.label}.{self.view}" if self.view else self.label


@dataclass(frozen=True, slots=True)
class LinkSpec:
    source: PortSpec
    target: PortSpec


@dataclass(frozen=True, slots=True)
class LibrarySpec:
    """An expression library: the file that the pipeline imports as `lib.<name>`."""

    name: str
    file: str
    where: Location
