"""Pass on the documents for which an expression is true; drop the others."""

from __future__ import annotations

from itertools import compress
from typing import Any

import msgspec

from engine.sdk import (
    Batch,
    DataError,
    Example,
    ExecutionError,
    Expression,
    Settings,
    Snap,
    setting,
)


class FilterSettings(Settings):
    filter: Expression = setting(
        help="The condition, which must give true or false; anything else fails the pipeline.",
        example="$age >= 18",
    )
    null_safe_access: bool = setting(
        default=False,
        help="Read a missing path as null, where it otherwise fails the document.",
    )


class Filter(Snap[FilterSettings]):
    stateful = False
    examples = (
        Example(
            "only adults pass",
            settings={"filter": "$age >= 18"},
            given=[{"age": 17}, {"age": 18}],
            expect=[{"age": 18}],
        ),
        Example(
            "a missing field is null",
            settings={"filter": "$token == null", "null_safe_access": True},
            given=[{"name": "a"}, {"name": "b", "token": "x"}],
            expect=[{"name": "a"}],
        ),
    )

    def open(self) -> None:
        settings = self.settings
        self._holds = self.context.function(settings.filter, null_safe=settings.null_safe_access)

    def process_batch(self, view: str, batch: Batch) -> Batch:
        verdicts, failed = self._judge(batch)
        if not all(value is True for value in verdicts):
            return self._kept(batch, verdicts, failed)
        return batch

    def _judge(self, batch: Batch) -> tuple[list[Any], set[int]]:
        """What the expression gives for each document, and where it failed (there it is False)."""
        verdicts: list[Any] = []
        failed: set[int] = set()
        documents = iter(batch.items)
        while len(verdicts) < len(batch.items):
            try:
                verdicts.extend(map(self._holds, documents))
            except DataError as error:
                position = len(verdicts)
                self.context.failed(error, batch.items[position], batch.lineage_of(position))
                verdicts.append(False)
                failed.add(position)
        if not _TRUTHS.issuperset(map(type, verdicts)):
            self._refuse(next(value for value in verdicts if value.__class__ is not bool))
        return verdicts, failed

    def _kept(self, batch: Batch, verdicts: list[bool], failed: set[int]) -> Batch:
        kept = list(compress(batch.items, verdicts))
        lineage = batch.lineage
        if count := len(verdicts) - len(kept) - len(failed):
            ended = (
                [lineage[i] for i, true in enumerate(verdicts) if not true and i not in failed]
                if lineage is not None
                else ()
            )
            self.context.dropped(count, ended)
        return Batch(kept, None if lineage is None else list(compress(lineage, verdicts)))

    def _refuse(self, value: Any) -> None:
        raise ExecutionError(
            f"the filter {self.settings.filter.text!r} must give true or false, "
            f"but gave {_shown(value)}; compare it with something, for example with == or !="
        )


_TRUTHS = frozenset((bool,))


def _shown(value: Any) -> str:
    """The value as a user writes it, cut if it is long."""
    text = msgspec.json.encode(value, enc_hook=repr).decode()
    return f"{text[:60]}…" if len(text) > 60 else text
