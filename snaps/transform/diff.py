"""Compare the documents of two sorted inputs by key: which were added, removed or changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from engine.sdk import (
    Batch,
    Columns,
    Document,
    Example,
    Foreign,
    Issue,
    Path,
    Settings,
    Snap,
    To,
    View,
    Views,
    check_memory,
    memory_setting,
    parse_size,
    same,
    setting,
)
from snaps.transform.shared.sorted_input import SortedInput

_EMITTED = 512


class DiffSettings(Settings):
    sort_paths: tuple[Path, ...] = setting(
        help="The key of a document, by which both inputs are sorted.", example=["$id"]
    )
    sort_order: Literal["ascending", "descending"] = setting(
        default="ascending", help="The order in which both inputs are sorted."
    )
    memory: int | str = memory_setting()


class Diff(Snap[DiffSettings]):
    since = "0.4.0"
    about = """
    Documents of both inputs with the same key are a pair: they are `unmodified` if they are equal
    at any depth, else `modified`, which gets the new one. A document without a partner is an
    insertion if it is new, and a deletion if it is original. An output without a link is left out.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-diff",
        "Diff",
        version=1,
        settings={"sortPaths[].sortPath": "sort_paths[]", "sortOrder": "sort_order"},
        ignored=("outputViewMapProp", "minimumMemory", "outOfResourceTimeout"),
        views={
            "inputNew": "new",
            "inputOriginal": "original",
            "outputDeletions": "deletions",
            "outputInsertions": "insertions",
            "outputModified": "modified",
            "outputUnmodified": "unmodified",
        },
    )
    views = Views(
        inputs=(View("new", unlinked="refused"), View("original", unlinked="refused")),
        outputs=(
            View("deletions", optional=True),
            View("insertions", optional=True),
            View("modified", optional=True),
            View("unmodified", optional=True),
        ),
    )
    loses_lineage = "waits for the next documents of both inputs"
    plain = True
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "a price has changed, an article is new, another is gone",
            settings={"sort_paths": ["$id"]},
            given={
                "new": [{"id": 1, "price": 5}, {"id": 2, "price": 7}, {"id": 4, "price": 1}],
                "original": [{"id": 1, "price": 5}, {"id": 2, "price": 6}, {"id": 3, "price": 9}],
            },
            expect={
                "unmodified": [{"id": 1, "price": 5}],
                "modified": [{"id": 2, "price": 7}],
                "deletions": [{"id": 3, "price": 9}],
                "insertions": [{"id": 4, "price": 1}],
            },
        ),
    )

    @classmethod
    def check(cls, settings: DiffSettings) -> Iterable[Issue]:
        if not settings.sort_paths:
            yield Issue(("sort_paths",), "there is no key to compare by", "add a path such as $id")
        yield from check_memory(settings.memory)

    def open(self) -> None:
        self._new, self._original = self._input("new"), self._input("original")

    def _input(self, view: str) -> SortedInput:
        settings = self.settings
        return SortedInput(
            view,
            Columns(self.context, settings.sort_paths),
            descending=settings.sort_order == "descending",
            null_matches=True,
            memory=parse_size(settings.memory) // 2,
            advice="sort it by the key, for example with a Sort in front",
        )

    def process_batch(self, view: str, batch: Batch) -> Iterator[dict[str, Batch]]:
        (self._new if view == "new" else self._original).put(batch)
        found: dict[str, list[Document]] = {}
        count = 0
        for output, document in self._compared():
            found.setdefault(output, []).append(document)
            count += 1
            if count >= _EMITTED:
                yield {name: Batch(documents) for name, documents in found.items()}
                found, count = {}, 0
        yield {name: Batch(documents) for name, documents in found.items()}

    def finish(self) -> Iterator[To]:
        for output, document in self._compared():
            yield To(output, document)
        for output, rest in (("insertions", self._new), ("deletions", self._original)):
            while rest.load():
                yield To(output, rest.document)
                rest.advance()

    def close(self) -> None:
        self._new.close()
        self._original.close()

    def _compared(self) -> Iterator[tuple[str, Document]]:
        """What can be said as long as documents of both inputs have arrived."""
        new, original = self._new, self._original
        comes_before = new.comes_before
        while new.load() and original.load():
            key, other = new.key, original.key
            if key == other:
                is_same = same(new.document, original.document)
                yield ("unmodified" if is_same else "modified"), new.document
                new.advance()
                original.advance()
            elif comes_before(key, other):
                yield "insertions", new.document
                new.advance()
            else:
                yield "deletions", original.document
                original.advance()
