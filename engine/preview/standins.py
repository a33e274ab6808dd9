"""What stands in for a snap that a preview does not run: it counts what reaches it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from engine.documents import Batch, Item, StreamStart
from engine.errors import EngineError
from engine.preview.not_run import NotRun
from engine.preview.quotas import ENOUGH_BYTES, Quota
from engine.run.context import SnapContext
from engine.sdk.results import Emission, To
from engine.sdk.settings import Evaluated
from engine.sdk.settings import shown as quoted

_MOST_NAMES = 3
"""Values of a setting that are shown, such as names of files."""

_FIELD = re.compile(r"\{(\w+)\}")


class StandIn(NotRun):
    """Goes before the class of a snap that must not run.

    `preview_reason`: why, if that is not because it writes.
    """

    preview_quota: Quota
    preview_reason = ""

    def open(self) -> None:
        self.__values: dict[str, dict[str, None]] = {name: {} for name in _fields(self.would)}

    def start(self) -> Iterable[Item | To]:
        return ()

    def process_batch(self, view: str, batch: Batch) -> Emission:
        self.preview_quota.count(batch)
        for item in batch.items:
            if isinstance(item, StreamStart):
                self.__note(item.header)
            elif isinstance(item, dict):
                self.__note(item)
        if self.preview_quota.is_full:
            self.preview_quota.end()
        return ()

    def finish(self) -> Iterable[Item | To | Batch]:
        return ()

    def interrupt(self) -> None:
        """Nothing can block."""

    def close(self) -> None:
        """Nothing is open."""

    def __note(self, document: dict[str, Any]) -> None:
        """Remember where the document would go."""
        for name, values in self.__values.items():
            setting = getattr(self.settings, name, None)
            if not isinstance(setting, Evaluated):
                continue
            try:
                value = self.context.value(setting, document)
            except EngineError as error:
                value = f"(failed: {error})"
            values[str(value)] = None

    def preview_note(self) -> str:
        """What it would have done, or why it did not run, without secrets."""
        assert isinstance(self.context, SnapContext)  # a preview is a run
        return self.context.execution.secrets.mask_text(self.__text())

    def __text(self) -> str:
        if self.preview_reason:
            return f"not run: {self.preview_reason}"
        if not (self.preview_quota.documents or self.preview_quota.streams):
            return "would do nothing: no documents reached it"
        return f"would {_FIELD.sub(lambda found: self.__shown(found[1]), self.would)}"

    def __shown(self, name: str) -> str:
        if name == "items":
            return self.__items()
        values = list(self.__values.get(name, ()))
        more = f" and {len(values) - _MOST_NAMES:,} more" if len(values) > _MOST_NAMES else ""
        return ", ".join(map(quoted, values[:_MOST_NAMES])) + more

    def __items(self) -> str:
        if self.preview_quota.streams:
            is_cut = self.preview_quota.size >= ENOUGH_BYTES
            size = "more than 1 MiB" if is_cut else _counted(self.preview_quota.size, "byte")
            return f"{_counted(self.preview_quota.streams, 'binary stream')} ({size})"
        return _counted(self.preview_quota.documents, "document")


def _fields(template: str) -> list[str]:
    return [name for name in _FIELD.findall(template) if name != "items"]


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
