"""Emit a constant text as a binary stream."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.sdk import (
    DataError,
    Document,
    Evaluated,
    Example,
    Foreign,
    Item,
    Settings,
    Snap,
    StreamEnd,
    StreamStart,
    View,
    Views,
    excerpt,
    setting,
    to_text,
)


class ConstantSettings(Settings):
    content: Evaluated[Any] = setting(
        help="The text; an expression sees the input document.", example="= $name + '\\n'"
    )


class Constant(Snap[ConstantSettings]):
    since = "0.4.0"
    about = """
    The text is written in UTF-8; a number or another value as its text, binary data as it is. With
    a link to the input there is one stream for each document; without one there is one stream.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-constant",
        "Constant",
        version=1,
        settings={"contentProp": "content"},
    )
    views = Views(
        inputs=(View("input", unlinked="starts by itself"),), outputs=(View("output", "binary"),)
    )
    stateful = False
    plain = True
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "one text",
            settings={"content": "id,name\n"},
            expect=[StreamStart(), b"id,name\n", StreamEnd()],
        ),
        Example(
            "a text for each document",
            settings={"content": "= 'Dear ' + $name"},
            given=[{"name": "Ada"}, {"name": "Zoë"}],
            expect=[
                StreamStart(),
                b"Dear Ada",
                StreamEnd(),
                StreamStart(),
                "Dear Zoë".encode(),
                StreamEnd(),
            ],
        ),
    )

    def process(self, document: Document) -> Iterable[Item]:
        data = _bytes_of(self.context.value(self.settings.content, document))
        return [StreamStart(), data, StreamEnd()] if data else [StreamStart(), StreamEnd()]


def _bytes_of(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    text = "" if content is None else to_text(content)
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            "the content cannot become a binary stream",
            f"the character {text[error.start]!a} in {excerpt(text)} is half of one",
            "remove it from the text",
        ) from error
