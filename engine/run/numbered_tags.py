"""The tags of the requests of an ultra task, by the numbers that documents carry as lineage."""

from __future__ import annotations

from collections.abc import Iterable

from engine.request_tags import NO_TAG, RequestTag

KEPT = 10_000
"""Tags that are kept at least: a document may fail after its request has been answered."""


class NumberedTags:
    """Forgets the oldest ones. May be read from any thread."""

    def __init__(self) -> None:
        self._tags: dict[int, RequestTag] = {}

    def add(self, number: int, tag: RequestTag) -> None:
        tags = self._tags
        tags[number] = tag
        if len(tags) >= 2 * KEPT:
            self._tags = dict(list(tags.items())[KEPT:])

    def of(self, number: int) -> RequestTag:
        return self._tags.get(number, NO_TAG)

    def ids(self, numbers: Iterable[int]) -> str:
        """The ids of the requests that a document belongs to, separated by commas."""
        found = [tag.id for number in sorted(numbers) if (tag := self._tags.get(number))]
        return ", ".join(found)
