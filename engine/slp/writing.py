"""Write imported files into a folder: none outside it, and none over another without being told."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from engine.errors import ConfigurationError
from engine.slp.imported import ImportedFile

_MAX_NAMED = 5


def write_files(files: Iterable[ImportedFile], folder: Path, *, force: bool) -> list[Path]:
    """Write all files, or none: raises ConfigurationError if one would be overwritten."""
    targets = [(_inside(folder, file.name), file.content) for file in files]
    existing = [path for path, content in targets if path.exists() and not _holds(path, content)]
    if existing and not force:
        named = ", ".join(f"'{path}'" for path in existing[:_MAX_NAMED])
        more = f" and {len(existing) - _MAX_NAMED} more" if len(existing) > _MAX_NAMED else ""
        raise ConfigurationError(
            f"nothing was written, because these files exist: {named}{more}; "
            "choose another folder, or overwrite them with --force"
        )
    try:
        for path, content in targets:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        raise ConfigurationError(f"cannot write {error.filename!r}: {error.strerror}") from None
    return [path for path, _ in targets]


def _inside(folder: Path, name: str) -> Path:
    path = folder / name
    root = folder.resolve()
    if not path.resolve().is_relative_to(root):
        raise ConfigurationError(f"'{path}' is outside of the folder '{folder}'")
    return path


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False
