"""The names of test files, by which commands tell them from pipeline files."""

from __future__ import annotations

from pathlib import Path

SUFFIXES = (".test.yaml", ".test.yml")


def is_test_file(path: str | Path) -> bool:
    """Whether its name is that of a test file."""
    return Path(path).name.endswith(SUFFIXES)
