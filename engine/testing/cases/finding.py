"""Find the test files that paths stand for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.errors import ConfigurationError
from engine.pipeline.case_files import SUFFIXES, is_test_file
from engine.sdk.near_files import nearest_path

_FOREIGN_FOLDERS = ("node_modules", "__pycache__")


def find_tests(paths: Sequence[str]) -> list[str]:
    """The test files of these files and folders, each once.

    A pipeline's file stands for the test file beside it. Raises ConfigurationError if a path has no
    test file.
    """
    found: dict[str, None] = {}
    for name in paths:
        files = list(_files_of(Path(name)))
        if not files:
            raise ConfigurationError(f"the folder {name!r} contains no test files (*{SUFFIXES[0]})")
        found |= dict.fromkeys(map(str, files))
    return list(found)


def _files_of(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from _walk(path)
    elif not path.exists():
        near = nearest_path(path)
        hint = "" if near is None else f"; did you mean '{near}'?"
        raise ConfigurationError(f"there is no file or folder '{path}'{hint}")
    elif is_test_file(path):
        yield path
    else:
        yield _beside(path)


def _beside(pipeline: Path) -> Path:
    tests = [pipeline.with_name(f"{pipeline.stem}{end}") for end in SUFFIXES]
    existing = next(filter(Path.is_file, tests), None)
    if existing is None:
        raise ConfigurationError(f"there is no test file '{tests[0]}' for '{pipeline}'")
    return existing


def _walk(folder: Path) -> Iterator[Path]:
    """Test files at any depth, in order, without hidden folders and those of other tools."""
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or entry.name in _FOREIGN_FOLDERS:
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry)
        elif is_test_file(entry):
            yield entry
