"""Exchange rows and columns: each field of the input becomes a document."""

from __future__ import annotations

from collections.abc import Iterator

from engine.sdk import (
    Batch,
    DataError,
    Document,
    Example,
    Foreign,
    Path,
    Settings,
    Snap,
    setting,
    to_text,
)


class TransposeSettings(Settings):
    header_field: Path | None = setting(
        default=None,
        help="The field whose values become the names of the new fields; by default they are "
        "`value1`, `value2` and so on.",
        example="$quarter",
    )
    name_field: str = setting(default="field", help="The new field with the name of the old one.")


class Transpose(Snap[TransposeSettings]):
    since = "0.4.0"
    about = """
    It waits for the end of its input, and the table must fit in memory. Only fields at the top
    level count, in the order in which they first appear. A field that a document lacks is null.
    """
    foreign = Foreign("com-snaplogic-snaps-transform-transpose", "Transpose")
    loses_lineage = "makes each document from those of several requests"
    plain = True
    changes_input = False
    examples = (
        Example(
            "quarters become columns",
            settings={"header_field": "$quarter"},
            given=[
                {"quarter": "Q1", "north": 5, "south": 7},
                {"quarter": "Q2", "north": 6, "south": 8},
            ],
            expect=[{"field": "north", "Q1": 5, "Q2": 6}, {"field": "south", "Q1": 7, "Q2": 8}],
        ),
        Example(
            "columns get numbers",
            given=[{"a": 1, "b": 2}, {"a": 3}],
            expect=[
                {"field": "a", "value1": 1, "value2": 3},
                {"field": "b", "value1": 2, "value2": None},
            ],
        ),
    )

    def open(self) -> None:
        header = self.settings.header_field
        self._header = None if header is None else self.context.path(header)
        self._rows: dict[str, Document] = {}

    def process_batch(self, view: str, batch: Batch) -> None:
        for position, document in enumerate(batch.items):
            try:
                self._rows[self._name(document)] = document
            except DataError as error:
                self.context.failed(error, document, batch.lineage_of(position))

    def finish(self) -> Iterator[Document]:
        header = self._header.names if self._header is not None else ()
        names = dict.fromkeys(name for row in self._rows.values() for name in row)
        for name in names:
            if (name,) != header:
                values = {column: row.get(name) for column, row in self._rows.items()}
                yield {self.settings.name_field: name, **values}

    def _name(self, document: Document) -> str:
        """The name of the column that a document becomes."""
        if self._header is None:
            return f"value{len(self._rows) + 1}"
        name = to_text(self._header.get(document))
        if name in self._rows or name == self.settings.name_field:
            raise DataError(
                "cannot transpose the document",
                f"there is already a column {name!r}",
                "use a header_field whose values differ",
            )
        return name
