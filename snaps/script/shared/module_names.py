"""The names by which a script imports its modules."""

from __future__ import annotations

import keyword
import sys
from collections.abc import Iterator
from pathlib import PurePath

from engine.sdk import Issue


def module_name(file: str) -> str:
    """The name by which a script imports the file."""
    return PurePath(file).stem


def misnamed_modules(files: tuple[str, ...]) -> Iterator[Issue]:
    """An issue for each file in the setting `modules` that cannot be imported by its name."""
    taken: set[str] = set()
    for place, name in enumerate(map(module_name, files)):
        problem = f"another module is also named {name!r}" if name in taken else _misnamed(name)
        if problem:
            yield Issue(("modules", place), problem, "rename the file")
        taken.add(name)


def _misnamed(name: str) -> str:
    if not name.isidentifier() or keyword.iskeyword(name) or name in ("__init__", "__main__"):
        return f"{name!r} is not a name that Python can import"
    if name == "snaplogic":
        return f"{name!r} would hide the library of that name, which provides SLTool"
    if name in sys.stdlib_module_names:
        return f"{name!r} would hide the module of that name in Python's standard library"
    return ""
