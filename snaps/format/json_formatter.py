"""Write documents as JSON: one array, one object per line, or one stream per document."""

from __future__ import annotations

from collections.abc import Iterable

from engine.sdk import (
    Batch,
    DataError,
    Document,
    Emission,
    EncodeJson,
    Example,
    Expression,
    Foreign,
    Header,
    Issue,
    Item,
    Path,
    Settings,
    Snap,
    Step,
    StreamEnd,
    StreamStart,
    TargetPath,
    Value,
    View,
    Views,
    prettified,
    setting,
    to_json,
    to_json_lines,
)
from snaps.format.shared.in_parts import written_in_parts


class JSONFormatterSettings(Settings):
    format_each_document: bool = setting(
        default=False,
        help="Write one stream per document, holding only the object; otherwise one stream with an "
        "array of all documents.",
    )
    json_lines: bool = setting(
        default=False, help="Write one object per line, each ending in a newline, and no array."
    )
    pretty_print: bool = setting(
        default=False, help="Indent by two spaces, one value per line, as SnapLogic does."
    )
    ignore_empty_stream: bool = setting(
        default=False,
        help="Write nothing if there are no documents; otherwise an empty array or stream.",
    )
    content_path: Path = setting(
        default=Path("$"), help="The part of each document to write.", example="$.content"
    )
    header: dict[TargetPath, Expression] = setting(
        default={},
        help="Further fields of the stream's header: target path to expression, evaluated on the "
        "first document of the stream.",
        example={"$['content-disposition']": "'attachment; filename=' + $name"},
    )


class JSONFormatter(Snap[JSONFormatterSettings]):
    since = "0.1.0"
    about = """
    All documents become one stream that holds an array, or with `json_lines` one object per line.
    With `format_each_document` each becomes a separate stream, for example to write one file per
    document.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-jsonformatter",
        "JSON Formatter",
        version=2,
        settings={
            "formatSingleDocument": "format_each_document",
            "jsonLines": "json_lines",
            "prettyPrint": "pretty_print",
            "ignoreEmptyStream": "ignore_empty_stream",
            "contentPath": "content_path",
            "header[].targetPath": "header[].key",
            "header[].expression": "header[].value",
        },
        defaults={"charset": "UTF-8"},
        ignored=("deriveSchemaLimit",),
        unsupported={
            "charset": "another charset than UTF-8",
            "schema": "a JSON schema",
            "supportTypeExts": "dates with type information",
        },
    )
    views = Views(outputs=(View("output", "binary"),))
    single = True
    plain = True
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "one array of all documents",
            given=[{"id": 1}, {"id": 2}],
            expect=[
                StreamStart({"content-type": "application/json"}),
                b'[{"id":1},{"id":2}',
                b"]",
                StreamEnd(),
            ],
        ),
        Example(
            "JSON lines",
            settings={"json_lines": True},
            given=[{"id": 1}, {"id": 2}],
            expect=[
                StreamStart({"content-type": "application/x-ndjson"}),
                b'{"id":1}\n{"id":2}\n',
                StreamEnd(),
            ],
        ),
        Example(
            "one stream per document",
            settings={"format_each_document": True, "content_path": "$.content"},
            given=[{"content": {"id": 1}}],
            expect=[
                StreamStart({"content-type": "application/json"}),
                b'{"id":1}',
                StreamEnd(),
            ],
        ),
    )

    @classmethod
    def loses_lineage_for(cls, settings: JSONFormatterSettings) -> str:
        if settings.format_each_document:
            return ""
        return "puts all documents into one stream; set format_each_document to true"

    @classmethod
    def check(cls, settings: JSONFormatterSettings) -> Iterable[Issue]:
        if settings.json_lines and settings.pretty_print:
            yield Issue(
                ("pretty_print",),
                "in JSON lines, each document is on a single line",
                "set json_lines or pretty_print, not both",
            )

    @classmethod
    def steps(cls, settings: JSONFormatterSettings) -> tuple[Step, ...]:
        is_plain = settings.json_lines and not settings.format_each_document
        return (EncodeJson(),) if is_plain and _writes_documents(settings) else ()

    def open(self) -> None:
        settings = self.settings
        self._begun = False
        self._content = (
            None if _writes_documents(settings) else self.context.path(settings.content_path)
        )
        rows = [(path.text, item) for path, item in settings.header.items()]
        self._fields = self.context.mapping(rows) if rows else None

    def process_batch(self, view: str, batch: Batch) -> Emission:
        try:
            return self._written(batch)
        except DataError as error:
            return written_in_parts(self.context, self.default_output, self._written, batch, error)

    def finish(self) -> Iterable[Item]:
        settings = self.settings
        if settings.format_each_document or (settings.ignore_empty_stream and not self._begun):
            return
        if not self._begun:
            yield StreamStart(self._plain_header())
        if not settings.json_lines:
            yield self._ending()
        yield StreamEnd()

    def _written(self, batch: Batch) -> Batch:
        """The pieces for a batch. If a document cannot be written, raises DataError before doing
        anything."""
        content = self._content
        items = batch.items if content is None else [content.get(each) for each in batch.items]
        lines = _lines(items)
        if self.settings.format_each_document:
            return self._one_stream_each(lines, batch)
        if self._begun:
            return Batch([self._body(lines, b",")])
        header = self._header(batch.items[0])
        self._begun = True
        return Batch([StreamStart(header), self._body(lines, b"[")])

    def _one_stream_each(self, lines: bytes, batch: Batch) -> Batch:
        pieces: list[Item] = []
        places: list[int] = []
        for position, line in enumerate(lines.split(b"\n")[:-1]):
            header = self._header(batch.items[position])
            pieces += StreamStart(header), self._single(line), StreamEnd()
            places += position, position, position
        return batch.at(places, pieces)

    def _single(self, line: bytes) -> bytes:
        if self.settings.json_lines:
            return line + b"\n"
        return prettified(line) if self.settings.pretty_print else line

    def _body(self, lines: bytes, opening: bytes) -> bytes:
        """The next part of the one stream; `opening` precedes the elements of an array."""
        if self.settings.json_lines:
            return lines
        elements = lines[:-1].replace(b"\n", b",")
        if self.settings.pretty_print:
            elements = prettified(b"[%b]" % elements)[1:-2]
        return opening + elements

    def _ending(self) -> bytes:
        if not self._begun:
            return b"[]"
        return b"\n]" if self.settings.pretty_print else b"]"

    def _header(self, document: Document) -> Header:
        header = self._plain_header()
        return header if self._fields is None else header | self._fields(document)

    def _plain_header(self) -> Header:
        lines = self.settings.json_lines
        return {"content-type": "application/x-ndjson" if lines else "application/json"}


def _writes_documents(settings: JSONFormatterSettings) -> bool:
    """Whether the content is the documents themselves, not a part of each."""
    return settings.content_path.text.strip() in ("", "$")


def _lines(values: list[Value]) -> bytes:
    """The values as lines of JSON. Raises DataError if one has no JSON form."""
    lines = to_json_lines(values)
    if lines is not None:
        return lines
    if len(values) == 1:
        return to_json(values[0]) + b"\n"
    raise DataError("cannot write the documents as JSON", "one of them has no JSON form")
