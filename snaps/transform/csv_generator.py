"""Make documents from CSV written in the pipeline, as a template."""

from __future__ import annotations

from collections.abc import Iterable

from engine.sdk import (
    DataError,
    Document,
    Example,
    Foreign,
    Issue,
    Settings,
    Snap,
    View,
    Views,
    excerpt,
    setting,
)
from snaps.shared.csv_columns import CsvColumns, names_in
from snaps.shared.csv_rows import CsvDialect, CsvRows
from snaps.shared.velocity.template import Template, mistakes_in, parameters_in


class CSVGeneratorSettings(Settings):
    text: str = setting(
        help="CSV, with the names of the columns in the first line. `$_name` is a parameter, "
        "`$field.sub[0]` a value of the input document; an unknown reference stays as it is "
        "written. `##` begins a comment; `#if`, `#foreach` and `#set` are those of Velocity.",
        example="id,name\n1,Ada\n2,Grace",
    )


class CSVGenerator(Snap[CSVGeneratorSettings]):
    since = "0.4.0"
    about = """
    Each line after the first becomes a document, whose values are strings. Values are separated by
    commas and may be in double quotes; spaces around them are removed. Without a link to its input
    it runs once, otherwise once for each document.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-csvgenerator",
        "CSV Generator",
        version=1,
        settings={"editable_content": "text"},
    )
    views = Views(inputs=(View("input", unlinked="starts by itself"),))
    stateful = False
    plain = True
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "two documents",
            settings={"text": 'id,name\n1,Ada\n2,"Hopper, Grace"'},
            expect=[{"id": "1", "name": "Ada"}, {"id": "2", "name": "Hopper, Grace"}],
        ),
        Example(
            "a template is filled in for each input document",
            settings={"text": "id,region\n#foreach($id in $ids)\n$id,$_region\n#end"},
            given=[{"ids": [7, 8]}],
            parameters={"region": "eu"},
            expect=[{"id": "7", "region": "eu"}, {"id": "8", "region": "eu"}],
        ),
    )

    @classmethod
    def check(cls, settings: CSVGeneratorSettings) -> Iterable[Issue]:
        return mistakes_in(settings.text, _documents_in)

    @classmethod
    def parameters_read(
        cls, settings: CSVGeneratorSettings
    ) -> Iterable[tuple[tuple[str | int, ...], str, int, bool]]:
        return parameters_in(settings.text, "text")

    def open(self) -> None:
        self._template = Template(self.settings.text)

    def process(self, document: Document) -> list[Document]:
        return _documents_in(self._template.filled(document, self.context.parameters))


def _documents_in(text: str) -> list[Document]:
    reader = CsvRows(CsvDialect())
    rows = [*reader.feed(text.lstrip("\r\n\ufeff")), *reader.end()]
    if reader.error:
        raise _refusal(reader.error_line, reader.error, "close the quote")
    filled = [row for row in rows if row]
    if not filled:
        raise _refusal(1, "there is no header", "write the names of the columns in the first line")
    columns = CsvColumns(names_in(filled[0], validate=True))
    for number, row in enumerate(filled[1:], 2):
        if len(row) > len(columns.names):
            problem = f"it has {len(row)} values, but there are {len(columns.names)} columns"
            raise _refusal(
                number, f"{problem}: {excerpt(row, 200)}", "put values with commas in double quotes"
            )
    return [columns.document(row) for row in filled[1:]]


def _refusal(line: int, reason: str, resolution: str) -> DataError:
    return DataError(f"cannot parse line {line} of the CSV text", reason, resolution)
