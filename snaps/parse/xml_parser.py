"""Turn XML into documents: one for each stream, or for each element at a path."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.sdk import (
    PACKING_BYTES,
    DataError,
    Document,
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
    document_too_large,
    packing_of,
    setting,
)
from snaps.parse.shared.xml_elements import XmlElements, path_matcher
from snaps.shared.safe_xml import XmlError


class XMLParserSettings(Settings):
    splitter: str = setting(
        default="",
        help="The path of the elements that become documents, such as `/orders/order` or "
        "`//order`; `*` is any name. Only one of them is in memory at a time. Empty: the whole "
        "stream becomes one document.",
        example="/orders/order",
    )
    match_data_types: bool = setting(
        default=False,
        help="Turn text that is a number, true or false into that value; otherwise all values are "
        "strings. Numbers with leading zeros stay strings.",
    )


class XMLParser(StreamSnap[XMLParserSettings]):
    since = "0.4.0"
    about = """
    An element becomes a key, an attribute a key that begins with `@`, also a declaration of a
    namespace (`@xmlns:p`); prefixes are kept in names. An element with text alone is that text, an
    empty one is null, and the text of an element that has attributes or children is at `$`.
    Elements with the same name become a list. Comments are left out. The document of the whole
    stream has the root element as its only key; with a `splitter` each document is the content of
    an element. Document types (DTDs) and the entities that they declare are refused.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-xmlparser",
        "XML Parser",
        version=2,
        settings={"SplitterExpression": "splitter", "matchDataTypes": "match_data_types"},
        unsupported={
            "validate": "validation by a schema",
            "schema": "validation by a schema",
            "namespaceContext": "prefixes other than those in the data",
        },
    )
    views = Views(inputs=(View("input", "binary", unlinked="refused"),))
    stateful = False
    plain = True
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "attributes, text and repeated elements",
            given=[StreamStart(), b'<a x="1"><b>2</b><b>3</b><c y="4">5</c><d/></a>', StreamEnd()],
            expect=[{"a": {"@x": "1", "b": ["2", "3"], "c": {"@y": "4", "$": "5"}, "d": None}}],
        ),
        Example(
            "one document for each order",
            settings={"splitter": "/orders/order", "match_data_types": True},
            given=[
                StreamStart(),
                b'<orders><order id="1"><open>true</open></order><order id="2"/></orders>',
                StreamEnd(),
            ],
            expect=[{"@id": 1, "open": True}, {"@id": 2}],
        ),
        Example(
            "what is not XML fails",
            on_error="discard",
            given=[StreamStart(), b"<a><b></a>", StreamEnd()],
            expect=[],
        ),
    )

    @classmethod
    def check(cls, settings: XMLParserSettings) -> Iterable[Issue]:
        if settings.splitter:
            try:
                path_matcher(settings.splitter)
            except ValueError as error:
                yield Issue(("splitter",), str(error), "write the names of elements, with /")

    def open(self) -> None:
        splitter = self.settings.splitter
        self._matches = path_matcher(splitter) if splitter else None

    def begin(self, header: Header) -> tuple[()]:
        self._head = b""
        self._elements = XmlElements(self._matches, match_types=self.settings.match_data_types)
        return ()

    def feed(self, chunk: bytes) -> Iterable[Document]:
        return self._documents(chunk)

    def end(self) -> Iterable[Document]:
        yield from self._documents(b"", final=True)
        elements, splitter = self._elements, self.settings.splitter
        if splitter and not elements.count:
            self.context.show(
                f"no element is at {splitter!r}; the root element is {elements.root!r}, so a path "
                f"begins with /{elements.root}/"
            )

    def _documents(self, chunk: bytes, *, final: bool = False) -> Iterator[Document]:
        """The documents up to the end of the chunk, or to the mistake in it."""
        if len(self._head) < PACKING_BYTES:
            self._head += chunk[:PACKING_BYTES]
        try:
            self._elements.feed(chunk, final=final)
        except XmlError as mistake:
            yield from self._elements.take()
            problem, hint = str(mistake), "correct the XML"
            if (packing := packing_of(self._head)) is not None:
                problem, hint = f"the stream is {packing[0]}", packing[1]
            raise DataError("cannot parse the stream as XML", problem, hint) from None
        yield from self._elements.take()
        hint = "set splitter, to get a document for each element"
        if error := document_too_large(self._elements.held, "XML", hint):
            raise error
