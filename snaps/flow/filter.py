"""Pass on the documents for which an expression is true; drop the others."""

from __future__ import annotations

from itertools import repeat

from engine.sdk import (
    NO_LINEAGE,
    Batch,
    DataError,
    Document,
    Example,
    Expression,
    Foreign,
    Keep,
    Lineage,
    ReadPaths,
    Settings,
    Snap,
    Step,
    exact_decimals,
    paths_read,
    setting,
)
from snaps.shared.conditions import refuse_other_than_boolean


class FilterSettings(Settings):
    filter: Expression = setting(
        help="The condition, which must be true or false; any other value fails the pipeline.",
        example="$age >= 18",
    )
    null_safe_access: bool = setting(
        default=False,
        help="Read a missing path as null; otherwise it fails the document.",
    )


class Filter(Snap[FilterSettings]):
    since = "0.1.0"
    about = """
    The expression must be `true` or `false`; any other value stops the pipeline. A document
    that is dropped counts as answered: in an ultra task its request gets an empty response.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-flow-filter",
        "Filter",
        version=2,
        settings={
            "filterExpression": "filter",
            "nullSafeAccess": "null_safe_access",
        },
    )
    stateful = False
    plain = True
    changes_input = False
    shares_output = False
    passes_on = True
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

    @classmethod
    def reads(cls, settings: FilterSettings) -> ReadPaths | None:
        return paths_read([settings.filter])

    @classmethod
    def steps(cls, settings: FilterSettings) -> tuple[Step, ...]:
        return (Keep(settings.filter.text, settings.null_safe_access),)

    def open(self) -> None:
        settings = self.settings
        self._holds = self.context.function(settings.filter, null_safe=settings.null_safe_access)

    def process_batch(self, view: str, batch: Batch) -> Batch:
        with exact_decimals():
            return self._kept(batch)

    def _kept(self, batch: Batch) -> Batch:
        holds, keeps_lineage = self._holds, batch.lineage is not None
        kept: list[Document] = []
        kept_lineage: list[Lineage] = []
        ended: list[Lineage] = []
        for document, line in zip(batch.items, batch.lineage or repeat(NO_LINEAGE), strict=False):
            try:
                verdict = holds(document)
            except DataError as error:
                self.context.failed(error, document, line)
                continue
            if verdict is True:
                kept.append(document)
                if keeps_lineage:
                    kept_lineage.append(line)
            elif verdict is False:
                ended.append(line)
            else:
                refuse_other_than_boolean(f"the filter {self.settings.filter.text!r}", verdict)
        if len(kept) == len(batch):
            return batch
        if ended:
            self.context.dropped(len(ended), ended)
        return Batch(kept, kept_lineage if keeps_lineage else None)
