"""Wait for all documents of all inputs, and pass them on in one document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from engine.sdk import Batch, Document, Example, Foreign, Settings, Snap, View, Views, setting

Content = Literal["all_input_documents", "count_and_final_document", "count_and_first_document"]


class GateSettings(Settings):
    output_content: Content = setting(
        default="all_input_documents",
        help="What the output holds of each input: a list of its documents, or a map with their "
        "`count` and the final or first `document`.",
    )
    ignore_empty_stream: bool = setting(
        default=False, help="Pass on nothing if no input had a document."
    )


class Gate(Snap[GateSettings]):
    since = "0.4.0"
    about = """
    Use it to go on only when everything before has been done. The output document has a field for
    each input, named like the view: `orders -> gate.orders`, or `input0`, `input1` and so on.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-flow-gate",
        "Gate",
        version=1,
        settings={
            "outputDocContent": "output_content",
            "ignoreEmptyStream": "ignore_empty_stream",
        },
        choices={
            "outputDocContent": {
                "All input documents": "all_input_documents",
                "Document count and final document for each input": "count_and_final_document",
                "Document count and first document for each input": "count_and_first_document",
            }
        },
    )
    views = Views(inputs=(View("input", many=True, named=True, minimum=1, unlinked="refused"),))
    loses_lineage = "waits for all documents, so no request would get its response"
    plain = True
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "the documents of two inputs",
            given={"orders": [{"id": 1}, {"id": 2}], "customers": []},
            expect=[{"orders": [{"id": 1}, {"id": 2}], "customers": []}],
        ),
        Example(
            "how many there were, and the last one",
            settings={"output_content": "count_and_final_document"},
            given={"written": [{"file": "a"}, {"file": "b"}]},
            expect=[{"written": {"count": 2, "document": {"file": "b"}}}],
        ),
    )

    def open(self) -> None:
        self._counts = dict.fromkeys(self.context.inputs, 0)
        self._held: dict[str, list[Document]] = {view: [] for view in self.context.inputs}

    def process_batch(self, view: str, batch: Batch) -> None:
        content, held = self.settings.output_content, self._held[view]
        self._counts[view] += len(batch)
        if content == "all_input_documents":
            held += batch.items
        elif content == "count_and_final_document":
            held[:] = batch.items[-1:]
        elif not held:
            held += batch.items[:1]

    def finish(self) -> Iterator[Document]:
        if any(self._counts.values()) or not self.settings.ignore_empty_stream:
            yield {view: self._content(view) for view in self.context.inputs}

    def _content(self, view: str) -> Any:
        held = self._held[view]
        if self.settings.output_content == "all_input_documents":
            return held
        return {"count": self._counts[view], "document": held[0] if held else None}
