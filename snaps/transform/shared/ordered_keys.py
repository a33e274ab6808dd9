"""The keys of an input that the user says is sorted."""

from __future__ import annotations

from collections.abc import Callable
from operator import gt, lt
from typing import Any

from engine.sdk import Column, ExecutionError, excerpt, ranked

Key = tuple[Any, ...]


class OrderedKeys:
    """Keys of documents, batch by batch. They can be compared with those of other inputs."""

    def __init__(self, view: str, *, descending: bool, null_greater: bool, advice: str) -> None:
        self.comes_before: Callable[[Any, Any], bool] = gt if descending else lt
        self._view = view
        self._null_greater = null_greater
        self._advice = advice
        self._number = 0
        self._last: Key | None = None

    def of(self, columns: list[Column]) -> list[Key]:
        """The keys of the next documents. Raises ExecutionError if they are not in order.

        Null may be anywhere: what is sorted elsewhere may order it in another way.
        """
        orders = [ranked(column, null_greater=self._null_greater) for column in columns]
        rows: list[Key] = list(zip(*orders, strict=True))
        keys = rows
        if any(None in column for column in columns):
            keys = [
                key
                for key, row in zip(rows, zip(*columns, strict=True), strict=True)
                if None not in row
            ]
        if self._last is not None:
            keys = [self._last, *keys]
        if any(map(self.comes_before, keys[1:], keys)):
            self._refuse(columns)
        if keys:
            self._last = keys[-1]
        self._number += len(rows)
        return rows

    def _refuse(self, columns: list[Column]) -> None:
        last = self._last
        rows = zip(*(ranked(column) for column in columns), strict=True)
        for place, key in enumerate(rows):
            values = [column[place] for column in columns]
            if None in values:
                continue
            if last is not None and self.comes_before(key, last):
                word = "descending" if self.comes_before is gt else "ascending"
                raise ExecutionError(
                    f"the documents of the input {self._view!r} are not in {word} order: document "
                    f"{self._number + place + 1} has the key {', '.join(map(excerpt, values))}; "
                    f"{self._advice}"
                )
            last = key
