"""Turn lines with columns at fixed positions into documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from engine.sdk import (
    Document,
    Evaluated,
    Example,
    Foreign,
    Header,
    Issue,
    Settings,
    StreamEnd,
    StreamSnap,
    StreamStart,
    View,
    Views,
    setting,
)
from snaps.parse.shared.text_lines import TextLines
from snaps.parse.shared.text_stream import TextStream, check_charset


class FixedWidthField(Settings):
    name: str = setting(help="The field of the document.", example="id")
    start: int = setting(help="The position of its first character, counted from 1.", example=1)
    end: int = setting(help="The position of its last character.", example=10)
    trim: bool = setting(default=False, help="Remove spaces and tabs around the value.")


class IgnoredLines(Settings):
    when: Literal["starts_with", "ends_with", "contains"] = setting(
        help="Where the text must be.", example="starts_with"
    )
    text: str = setting(help="The text that the lines to ignore have.", example="#")


class FixedWidthParserSettings(Settings):
    fields: tuple[FixedWidthField, ...] = setting(
        help="The fields of each line, with the positions of their first and last characters.",
        example=[{"name": "id", "start": 1, "end": 5, "trim": True}],
    )
    lines_to_skip: Evaluated[int] = setting(
        default=Evaluated(0, kind=int), help="Lines to leave out at the beginning."
    )
    line_separator: str = setting(
        default="",
        help="What ends a line, such as `\\r\\n` or `|`. Empty: any line end.",
        example="\\r\\n",
    )
    ignore_lines: tuple[IgnoredLines, ...] = setting(
        default=(),
        help="Lines to leave out, by a text that they have.",
        example=[{"when": "starts_with", "text": "#"}],
    )
    charset: str = setting(
        default="auto",
        help="The charset of the stream. `auto`: as the byte order mark says, or UTF-8.",
    )


class FixedWidthParser(StreamSnap[FixedWidthParserSettings]):
    since = "0.4.0"
    about = """
    Each line becomes a document of strings. Positions are counted in characters, from 1, and both
    are inclusive. A line that ends before a field gives it what is there, or an empty string; what
    lies outside all fields is left out. Empty lines are skipped.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-fixedwidthparser",
        "Fixed Width Parser",
        version=2,
        settings={
            "fwp_prop_lines_to_skip": "lines_to_skip",
            "fwp_prop_line_separator": "line_separator",
            "fwp_table_prop_field_config[].fwp_prop_column_name": "fields[].name",
            "fwp_table_prop_field_config[].fwp_prop_start_pos": "fields[].start",
            "fwp_table_prop_field_config[].fwp_prop_end_pos": "fields[].end",
            "fwp_table_prop_field_config[].fwp_prop_trim_data": "fields[].trim",
        },
        unsupported={"fwp_table_prop_ignore_lines": "lines to ignore; set ignore_lines instead"},
    )
    views = Views(inputs=(View("input", "binary", unlinked="refused"),))
    stateful = False
    plain = True
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "two fields, one of them trimmed",
            settings={
                "fields": [
                    {"name": "id", "start": 1, "end": 3},
                    {"name": "name", "start": 4, "end": 9, "trim": True},
                ]
            },
            given=[StreamStart(), b"001Ada   x\n002Grace\n", StreamEnd()],
            expect=[{"id": "001", "name": "Ada"}, {"id": "002", "name": "Grace"}],
        ),
        Example(
            "comments and a title are left out",
            settings={
                "fields": [{"name": "code", "start": 1, "end": 2}],
                "lines_to_skip": 1,
                "ignore_lines": [{"when": "starts_with", "text": "#"}],
            },
            given=[StreamStart(), b"Codes\r\n# old\r\nab\r\n", StreamEnd()],
            expect=[{"code": "ab"}],
        ),
    )

    @classmethod
    def check(cls, settings: FixedWidthParserSettings) -> Iterable[Issue]:
        if not settings.fields:
            yield Issue(("fields",), "there are no fields", "name at least one")
        for index, field in enumerate(settings.fields):
            if not 1 <= field.start <= field.end:
                problem = f"the field {field.name!r} goes from {field.start} to {field.end}"
                yield Issue(
                    ("fields", index), problem, "positions are counted from 1, and end >= start"
                )
        yield from check_charset(settings.charset)

    def open(self) -> None:
        settings = self.settings
        self._slices = [(each.name, each.start - 1, each.end) for each in settings.fields]
        self._trimmed = [each.name for each in settings.fields if each.trim]
        self._skips = self.context.value(settings.lines_to_skip, {})
        self._ignored = [_test(each) for each in settings.ignore_lines]

    def begin(self, header: Header) -> tuple[()]:
        self._text = TextStream(self.settings.charset)
        self._lines = TextLines(self.settings.line_separator)
        self._to_skip = self._skips
        return ()

    def feed(self, chunk: bytes) -> Iterable[Document]:
        return list(self._documents(self._lines.feed(self._text.decode(chunk))))

    def end(self) -> Iterator[Document]:
        yield from self._documents(self._lines.feed(self._text.decode(b"", final=True)))
        yield from self._documents(self._lines.end())

    def _documents(self, lines: list[str]) -> Iterator[Document]:
        skipped = min(self._to_skip, len(lines))
        self._to_skip -= skipped
        for line in lines[skipped:]:
            if not line or any(test(line) for test in self._ignored):
                continue
            document: Document = {name: line[start:end] for name, start, end in self._slices}
            for name in self._trimmed:
                document[name] = document[name].strip(" \t")
            yield document


def _test(ignored: IgnoredLines) -> Callable[[str], bool]:
    text = ignored.text
    if ignored.when == "starts_with":
        return lambda line: line.startswith(text)
    if ignored.when == "ends_with":
        return lambda line: line.endswith(text)
    return lambda line: text in line
