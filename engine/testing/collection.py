"""Collects files of installed snap packages for pytest: each check of a snap is a test."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors import EngineError, NotASnapError, UnusableSnapError
from engine.registry import SnapFile, discover
from engine.registry.loading import load
from engine.run.failures import explain
from engine.testing.conformance import Check, conformance_checks, example_checks


def installed_files() -> dict[Path, SnapFile]:
    """The files that contain the snaps of installed packages, by path."""
    files = (file for file in discover().files if file.snap_name or file.misplaced)
    return {Path(file.path).resolve(): file for file in files}


class SnapModule(pytest.File):
    """A file that contains a snap."""

    file: SnapFile

    def collect(self) -> Iterator[SnapCheck]:
        if self.file.misplaced:
            raise self.CollectError(self.file.misplaced)
        try:
            snap = load(self.file)
        except NotASnapError:  # some other class in its own file
            return
        except UnusableSnapError as error:
            raise self.CollectError(str(error)) from error
        everything = self.config.getoption("snap_conformance")
        for check in conformance_checks(snap) if everything else example_checks(snap):
            item: SnapCheck = SnapCheck.from_parent(self, name=f"{snap.__name__}: {check.title}")
            item.check = check
            yield item


class SnapCheck(pytest.Item):
    """One check of a snap, in its own project folder."""

    check: Check

    def runtest(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.check.run(Path(folder).resolve())

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        error = excinfo.value
        if isinstance(error, AssertionError):
            return str(error)
        if isinstance(error, EngineError):  # its text shows the snap's own code; ours is no help
            return explain(error)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name
