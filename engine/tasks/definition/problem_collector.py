"""The problems of one task file, gathered with their locations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.errors import Problem, Severity
from engine.locations import Location
from engine.pipeline.nodes import Entry, Table
from engine.pipeline.source import KeyPath, Source


class ProblemCollector:
    """Adds to `problems`, each at the location of its value."""

    def __init__(self, source: Source, problems: list[Problem]) -> None:
        self.source = source
        self.problems = problems

    def keys(self) -> Mapping[str, Entry]:
        """The top-level keys of the file."""
        return self.source.root.entries if isinstance(self.source.root, Table) else {}

    def report(
        self,
        code: str,
        path: KeyPath,
        message: str,
        hint: str = "",
        *,
        at_key: bool = False,
        severity: Severity = "error",
    ) -> None:
        if not path or path[0] not in self.keys():  # a missing key has no location
            where = Location(self.source.text.path)
        else:
            where = self.source.where_key(path) if at_key else self.source.where(path)
        self.problems.append(Problem(code, where, message, hint, severity))

    def parsed(self, path: KeyPath, value: Any, parse: Callable[[Any], Any]) -> Any:
        """What `parse` returns; or None, and a problem with the text of its ValueError."""
        try:
            return parse(value)
        except ValueError as error:
            message, _, hint = str(error).partition("; ")
            self.report("bad-setting", path, f"{str(path[-1])!r}: {message}", hint)
            return None
