"""Collects test files for pytest: each case is a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ConfigurationError
from engine.registry import Registry, discover
from engine.testing.cases.preparing import Prepared, prepare
from engine.testing.cases.reading import load_tests
from engine.testing.cases.result import CaseResult
from engine.testing.cases.running import run_case
from engine.visible import visible_line

_REGISTRY = pytest.StashKey[Registry]()


class CaseFailedError(Exception):
    """The case did not end as it expects."""

    def __init__(self, result: CaseResult) -> None:
        super().__init__(result)
        self.result = result

    def __str__(self) -> str:
        return "\n".join(map(str, self.result.failures))


class CaseFile(pytest.File):
    """A test file."""

    def collect(self) -> Iterator[CaseItem]:
        stash = self.config.stash
        if _REGISTRY not in stash:
            stash[_REGISTRY] = discover()
        try:
            prepared, problems = prepare(load_tests(_shown(self.path)), stash[_REGISTRY])
        except ConfigurationError as error:
            raise self.CollectError(str(error)) from None
        if problems:
            raise self.CollectError("\n".join(map(str, problems)))
        for each in prepared:
            item: CaseItem = CaseItem.from_parent(self, name=visible_line(each.case.name))
            item.prepared = each
            yield item


class CaseItem(pytest.Item):
    """A case."""

    prepared: Prepared

    def runtest(self) -> None:
        result = run_case(self.prepared, update=self.config.getoption("snapline_update"))
        if not result.passed:
            raise CaseFailedError(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, CaseFailedError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, self.prepared.case.where.line - 1, self.name


def _shown(path: Path) -> str:
    """The path as a user would write it here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
