"""The kinds of files that users write, told apart by their names and contents."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Literal

from engine.errors import ConfigurationError, Problem
from engine.pipeline.case_files import is_test_file
from engine.pipeline.load import compose_text, spec_from
from engine.pipeline.pin_files import is_pin_file
from engine.pipeline.source import Source
from engine.pipeline.spec import PipelineSpec

FileKind = Literal["pipeline", "task", "account", "test", "pins"]


def is_export(path: str | Path) -> bool:
    """Whether a file is a pipeline exported from SnapLogic."""
    return str(path).lower().endswith(".slp")


class UserFile:
    """The text of a file, composed once, whatever is asked about it."""

    def __init__(self, path: str, text: str | bytes) -> None:
        self.path = path
        self.text = text

    @cached_property
    def _composed(self) -> tuple[Source, list[Problem]]:
        return compose_text(self.text, self.path)

    @property
    def source(self) -> Source:
        """The keys and values of the file, with their places."""
        return self._composed[0]

    @cached_property
    def spec(self) -> PipelineSpec:
        """The file as a pipeline."""
        source, problems = self._composed
        return spec_from(source, list(problems))

    @cached_property
    def kind(self) -> FileKind:
        """What the file is; if that is not clear, a pipeline."""
        from engine.pipeline.account_file import is_account  # slow imports; not all commands ask
        from engine.tasks.definition.task_file import is_task

        text = self.text if isinstance(self.text, bytes) else self.text.encode("utf-8", "replace")
        if is_test_file(self.path):
            return "test"
        if is_pin_file(self.path):
            return "pins"
        if is_account(text, self.path):
            return "account"
        try:
            return "task" if is_task(self.source) else "pipeline"
        except ConfigurationError:
            return "pipeline"
