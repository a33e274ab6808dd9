"""Write documents as JSON: one array, one object per line, or one stream per document."""

from __future__ import annotations

from collections.abc import Iterable

from engine.sdk import (
    Batch,
    DataError,
    Document,
    Example,
    Expression,
    Foreign,
    Header,
    Issue,
    Item,
    Path,
    Settings,
    Snap,
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


class JSONFormatterSettings(Settings):
    format_each_document: bool = setting(
        default=False,
        help="Write one stream for each document, holding the object alone; else one stream with "
        "an array of all documents.",
    )
    json_lines: bool = setting(
        default=False, help="Write one object per line, each line with its end, and no array."
    )
    pretty_print: bool = setting(
        default=False, help="Indent by two spaces, one value per line, as SnapLogic does."
    )
    ignore_empty_stream: bool = setting(
        default=False,
        help="Write nothing if no document comes; else an empty array or a stream without lines.",
    )
    content_path: Path = setting(
        default=Path("$"), help="The part of each document that is written.", example="$.content"
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
    With `format_each_document` each becomes a stream of its own, as a snap behind it that writes
    a file per document needs.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-jsonformatter",
        "JSON Formatter",
        settings={
            "formatSingleDocument": "format_each_document",
            "jsonLines": "json_lines",
            "prettyPrint": "pretty_print",
            "ignoreEmptyStream": "ignore_empty_stream",
            "contentPath": "content_path",
            "header": "header",
        },
        columns={"header": ("targetPath", "expression")},
    )
    views = Views(outputs=(View("output", "binary"),))
    single = True
    plain = True
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
                "a document of JSON lines stands on one line",
                "set json_lines or pretty_print, not both",
            )

    def open(self) -> None:
        settings = self.settings
        self._begun = False
        whole = settings.content_path.text.strip() in ("", "$")
        self._content = None if whole else self.context.path(settings.content_path)
        rows = [(path.text, item) for path, item in settings.header.items()]
        self._fields = self.context.mapping(rows) if rows else None

    def process_batch(self, view: str, batch: Batch) -> Batch | None:
        lines, batch = self._encoded(batch)
        if not lines:
            return None
        if self.settings.format_each_document:
            return self._one_stream_each(lines, batch)
        if self._begun:
            return Batch([self._body(lines, b",")])
        found = self._first_header(batch)
        if found is None:
            return None
        header, position = found
        if position:
            lines, _ = self._encoded(batch.at(range(position, len(batch))))
        self._begun = True
        return Batch([StreamStart(header), self._body(lines, b"[")])

    def finish(self) -> Iterable[Item]:
        settings = self.settings
        if settings.format_each_document or (settings.ignore_empty_stream and not self._begun):
            return
        if not self._begun:
            yield StreamStart(self._plain_header())
        if not settings.json_lines:
            yield self._ending()
        yield StreamEnd()

    def _encoded(self, batch: Batch) -> tuple[bytes, Batch]:
        """The documents as lines of JSON, and those among them that can be written."""
        values = batch.items
        if self._content is not None:
            values, batch = self._contents(batch)
        lines = to_json_lines(values)
        return self._one_by_one(values, batch) if lines is None else (lines, batch)

    def _contents(self, batch: Batch) -> tuple[list[Value], Batch]:
        """What the content path finds, and the documents in which it does."""
        assert self._content is not None  # asked only then
        values: list[Value] = []
        good: list[int] = []
        for position, document in enumerate(batch.items):
            try:
                values.append(self._content.get(document))
                good.append(position)
            except DataError as error:
                self.context.failed(error, document, batch.lineage_of(position))
        return values, batch.at(good)

    def _one_by_one(self, values: list[Value], batch: Batch) -> tuple[bytes, Batch]:
        lines: list[bytes] = []
        good: list[int] = []
        for position, value in enumerate(values):
            try:
                lines.append(to_json(value))
                good.append(position)
            except DataError as error:
                self.context.failed(error, batch.items[position], batch.lineage_of(position))
        return b"".join(line + b"\n" for line in lines), batch.at(good)

    def _one_stream_each(self, lines: bytes, batch: Batch) -> Batch:
        pieces: list[Item] = []
        good: list[int] = []
        for position, line in enumerate(lines.split(b"\n")[:-1]):
            try:
                header = self._header(batch.items[position])
            except DataError as error:
                self.context.failed(error, batch.items[position], batch.lineage_of(position))
                continue
            pieces += StreamStart(header), self._single(line), StreamEnd()
            good += position, position, position
        return batch.at(good, pieces)

    def _single(self, line: bytes) -> bytes:
        if self.settings.json_lines:
            return line + b"\n"
        return prettified(line) if self.settings.pretty_print else line

    def _body(self, lines: bytes, opening: bytes) -> bytes:
        """The next part of the one stream; `opening` stands before the elements of an array."""
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

    def _first_header(self, batch: Batch) -> tuple[Header, int] | None:
        """The header of the first document that has one, and the position of that document."""
        for position, document in enumerate(batch.items):
            try:
                return self._header(document), position
            except DataError as error:
                self.context.failed(error, document, batch.lineage_of(position))
        return None

    def _header(self, document: Document) -> Header:
        header = self._plain_header()
        return header if self._fields is None else header | self._fields(document)

    def _plain_header(self) -> Header:
        lines = self.settings.json_lines
        return {"content-type": "application/x-ndjson" if lines else "application/json"}
