"""Turn JSON into documents: one for each value, each element of a root array, or each line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from engine.sdk import (
    DataError,
    DecodeJson,
    Document,
    Example,
    Foreign,
    Header,
    JsonPath,
    JsonReader,
    Path,
    Settings,
    Step,
    StreamEnd,
    StreamSnap,
    StreamStart,
    Value,
    View,
    Views,
    not_a_document,
    setting,
)


class JSONParserSettings(Settings):
    json_lines: bool = setting(
        default=False,
        help="Every line is an object. A bad line fails alone, and the next line is read.",
    )
    process_array: bool = setting(
        default=True,
        help="Make one document of each element of a root array; if false, such an array is an "
        "error, because a document is a map. Use false with filter_path to search the array.",
    )
    non_standard_json: bool = setting(
        default=True,
        help="Accept comments, single quotes, unquoted names, trailing commas and NaN. The rest "
        "of the stream after the first such place is read at once and may have at most 64 MiB.",
    )
    filter_path: Path | None = setting(
        default=None,
        help="Keep only the parts of each value that match; each value is read into memory.",
        example="$.results[*]",
    )


class JSONParser(StreamSnap[JSONParserSettings]):
    since = "0.1.0"
    about = """
    A stream may hold one value, several, or JSON lines. Each element of a root array becomes a
    document unless `process_array` is false. With `json_lines` an invalid line fails alone, and
    the next one is read.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-jsonparser",
        "JSON Parser",
        version=1,
        settings={
            "jsonFilterPath": "filter_path",
            "arrayElementsAsDocuments": "process_array",
            "allowNonStandardJson": "non_standard_json",
            "jsonLines": "json_lines",
        },
        unsupported={"supportTypeExts": "dates with type information"},
    )
    views = Views(inputs=(View("input", "binary", unlinked="refused"),))
    stateful = False
    plain = True
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "each element of the array is a document",
            given=[StreamStart(), b'[{"id": 1}, {"id": 2}]', StreamEnd()],
            expect=[{"id": 1}, {"id": 2}],
        ),
        Example(
            "JSON lines",
            settings={"json_lines": True},
            given=[StreamStart(), b'{"id": 1}\n{"id', b'": 2}\n', StreamEnd()],
            expect=[{"id": 1}, {"id": 2}],
        ),
        Example(
            "a bad line fails alone",
            settings={"json_lines": True},
            on_error="discard",
            given=[StreamStart(), b'{"id": 1}\nnot json\n{"id": 3}\n', StreamEnd()],
            expect=[{"id": 1}, {"id": 3}],
        ),
        Example(
            "comments, single quotes and unquoted names",
            given=[StreamStart(), b"{name: 'Ada', /* born */ year: 1815}", StreamEnd()],
            expect=[{"name": "Ada", "year": 1815}],
        ),
    )

    @classmethod
    def steps(cls, settings: JSONParserSettings) -> tuple[Step, ...]:
        return (DecodeJson(),) if settings.json_lines and settings.filter_path is None else ()

    def open(self) -> None:
        path = self.settings.filter_path
        self._select: JsonPath | None = None if path is None else self.context.path(path)

    def begin(self, header: Header) -> tuple[()]:
        settings = self.settings
        selects = self._select is not None
        self._reader = JsonReader(
            lines=settings.json_lines,
            lenient=settings.non_standard_json,
            roots="selected" if selects else "split" if settings.process_array else "whole",
            needed=None if selects else self.context.needed_fields,
        )
        return ()

    def feed(self, chunk: bytes) -> Iterable[Document]:
        return self._documents(self._reader.feed(chunk))

    def read_elsewhere(self, lines: int, size: int) -> None:
        super().read_elsewhere(lines, size)
        self._reader.read_elsewhere(lines, size)

    def end(self) -> Iterable[Document]:
        return self._documents(self._reader.end())

    def _documents(self, values: list[Any]) -> Iterable[Document]:
        """The matches of the filter path in the values; all values without one."""
        reader = self._reader
        if self._select is None and reader.error is None and not reader.has_errors:
            return values
        return self._one_by_one(reader.take(values))

    def _one_by_one(self, values: Iterator[Any]) -> Iterator[Document]:
        """An error is reported in its place, after the documents before it have been output."""
        for value in values:
            if isinstance(value, DataError):
                self.report(value)
            elif self._select is None:
                yield value
            else:
                yield from self._selected(self._select, value)

    def _selected(self, select: JsonPath, value: Value) -> Iterator[Document]:
        for match in select.query(value):
            is_array = match.__class__ is list and self.settings.process_array
            for item in match if is_array else (match,):
                if item.__class__ is dict:
                    yield item
                else:
                    self.report(not_a_document("a match of the filter path", item))
