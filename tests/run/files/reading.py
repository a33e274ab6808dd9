"""Reads files as snaps do."""

from __future__ import annotations

from engine.run.files import ProjectFiles


def read(files: ProjectFiles, url: str) -> bytes:
    return b"".join(files.read(url))
