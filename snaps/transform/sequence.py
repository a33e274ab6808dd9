"""Generate a sequence of numbers, or number the documents of the input."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import count, islice

from engine.sdk import (
    BATCH_SIZE,
    Batch,
    DataError,
    Document,
    Evaluated,
    Example,
    ExecutionError,
    Foreign,
    Issue,
    Lineage,
    ReadPaths,
    Settings,
    Snap,
    View,
    Views,
    setting,
)
from snaps.shared.bounds import check_bounds


class SequenceSettings(Settings):
    initial_value: Evaluated[int] = setting(
        default=Evaluated(value=1, kind=int),
        help="The first number. An expression may use parameters.",
    )
    step: Evaluated[int] = setting(
        default=Evaluated(value=1, kind=int),
        help="How much each number is above the one before it. An expression may use parameters.",
    )
    number_of_documents: Evaluated[int] = setting(
        default=Evaluated(value=1, kind=int),
        help="How many documents to generate; with a link to the input, there is one for each "
        "input document. An expression may use parameters.",
        example=100,
    )
    pass_through: bool = setting(
        default=False, help="Add the number to the input document; otherwise it stands alone."
    )


class Sequence(Snap[SequenceSettings]):
    since = "0.4.0"
    about = """
    The number is in the field `value`, which replaces a field of that name in the input document.
    In an ultra task each instance counts for itself.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-sequence",
        "Sequence",
        version=1,
        settings={
            "initialValueProp": "initial_value",
            "stepValueProp": "step",
            "numberOfDocumentsProp": "number_of_documents",
            "passThroughProp": "pass_through",
        },
        ignored=("numberOfDocumentProp",),
    )
    views = Views(inputs=(View("input", unlinked="starts by itself"),))
    plain = True
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "three numbers",
            settings={"initial_value": 10, "step": 5, "number_of_documents": 3},
            expect=[{"value": 10}, {"value": 15}, {"value": 20}],
        ),
        Example(
            "the documents of the input get a number",
            settings={"pass_through": True},
            given=[{"name": "Ada"}, {"name": "Alan"}],
            expect=[{"name": "Ada", "value": 1}, {"name": "Alan", "value": 2}],
        ),
    )

    @classmethod
    def reads(cls, settings: SequenceSettings) -> ReadPaths | None:
        return None if settings.pass_through else frozenset()

    @classmethod
    def known_output(cls, settings: SequenceSettings) -> list[Document]:
        return [] if settings.pass_through else [{"value": 1}]

    @classmethod
    def check(cls, settings: SequenceSettings) -> Iterable[Issue]:
        return check_bounds(settings, "number_of_documents")

    def open(self) -> None:
        self._numbers = count(self._value("initial_value"), self._value("step"))

    def process_batch(self, view: str, batch: Batch) -> Batch | Iterator[Mapping[str, Batch]]:
        if not self.context.linked("input"):
            return self._generated(batch.lineage[0] if batch.lineage else None)
        numbers = islice(self._numbers, len(batch))
        if self.settings.pass_through:
            pairs = zip(batch.items, numbers, strict=True)
            return batch.with_items([_numbered(document, number) for document, number in pairs])
        return batch.with_items([{"value": number} for number in numbers])

    def _generated(self, line: Lineage | None) -> Iterator[Mapping[str, Batch]]:
        numbers = islice(self._numbers, max(0, self._value("number_of_documents")))
        while documents := [{"value": number} for number in islice(numbers, BATCH_SIZE)]:
            yield {"output": Batch(documents, None if line is None else [line] * len(documents))}

    def _value(self, name: str) -> int:
        setting: Evaluated[int] = getattr(self.settings, name)
        try:
            return self.context.value(setting, {})
        except DataError as error:
            raise ExecutionError(f"{name} cannot be computed: {error}") from error


def _numbered(document: Document, number: int) -> Document:
    numbered = {**document, "value": number}
    if "value" in document:  # the number is the last field
        del numbered["value"]
        numbered["value"] = number
    return numbered
