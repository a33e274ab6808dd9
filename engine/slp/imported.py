"""What an import made of a file: new files, and what could not be carried over."""

from __future__ import annotations

from typing import Literal

import msgspec

Status = Literal["supported", "partly", "unknown"]


class ImportedSnap(msgspec.Struct, frozen=True):
    """How a snap fared. `lacks` says what is not supported, by stored key."""

    name: str
    label: str
    class_id: str
    type: str
    status: Status
    is_disabled: bool
    lacks: dict[str, str]
    unknown_keys: tuple[str, ...]


class ImportedFile(msgspec.Struct, frozen=True):
    """A file that an import makes; `name` is relative to the project."""

    name: str
    kind: Literal["pipeline", "script", "task", "account", "library"]
    content: bytes
    warnings: tuple[str, ...] = ()


class ImportedPipeline(msgspec.Struct, frozen=True):
    """`files` are by path relative to the pipeline; `warnings` do not stop it from running."""

    name: str
    text: str
    snaps: tuple[ImportedSnap, ...]
    files: dict[str, bytes] = msgspec.field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def lacking(self) -> list[ImportedSnap]:
        """The snaps that keep it from running."""
        return [snap for snap in self.snaps if snap.status != "supported" and not snap.is_disabled]
