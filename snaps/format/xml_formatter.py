"""Write documents as XML: all into one root element, or each as a stream of its own."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable

from engine.sdk import (
    Batch,
    ConfigurationError,
    DataError,
    Document,
    Emission,
    Example,
    Foreign,
    Header,
    Item,
    Settings,
    Snap,
    StreamEnd,
    StreamStart,
    View,
    Views,
    setting,
)
from snaps.format.shared.in_parts import written_in_parts
from snaps.format.shared.xml_text import DECLARATION, XmlText


class XMLFormatterSettings(Settings):
    root_element: str = setting(
        default="DocumentRoot",
        help="The element around all documents. Empty: each document becomes a stream of its own, "
        "and its only field is the root element.",
    )
    ignore_empty_stream: bool = setting(
        default=False,
        help="Write nothing if there are no documents; otherwise an empty root element.",
    )


class XMLFormatter(Snap[XMLFormatterSettings]):
    since = "0.4.0"
    about = """
    The inverse of XMLParser: keys become elements, those that begin with `@` attributes, `$` is the
    text of an element, a list becomes repeated elements, and null an empty one. With a root element
    each document is wrapped as SnapLogic does it: `<Document><Metadata>…</Metadata><Data>…</Data>
    </Document>`, where the metadata holds a random identifier.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-xmlformatter",
        "XML Formatter",
        version=2,
        settings={"root": "root_element", "ignoreEmptyStream": "ignore_empty_stream"},
        choices={"root": {"": ""}},
        ignored=("maxSchemaLevels",),
        unsupported={
            "validate": "validation by a schema",
            "schema": "a schema",
            "isCanonicalXmlOutput": "canonical XML",
        },
    )
    views = Views(outputs=(View("output", "binary"),))
    single = True
    plain = True
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "each document is a stream",
            settings={"root_element": ""},
            given=[{"order": {"@id": 1, "line": ["a", "b < c"], "note": None}}],
            expect=[
                StreamStart({"content-type": "application/xml; charset=UTF-8"}),
                b"<?xml version='1.0' encoding='UTF-8'?>"
                b'<order id="1"><line>a</line><line>b &lt; c</line><note/></order>',
                StreamEnd(),
            ],
        ),
        Example(
            "no documents",
            settings={"root_element": "orders"},
            expect=[
                StreamStart({"content-type": "application/xml; charset=UTF-8"}),
                b"<?xml version='1.0' encoding='UTF-8'?><orders/>",
                StreamEnd(),
            ],
            given={"input": []},
        ),
    )

    @classmethod
    def loses_lineage_for(cls, settings: XMLFormatterSettings) -> str:
        if settings.root_element:
            return "puts all documents into one stream; set root_element to ''"
        return ""

    def open(self) -> None:
        self._xml = XmlText()
        self._begun = False
        self._node = secrets.randbits(48) | 1 << 40  # a random address, not that of this machine
        try:
            if self.settings.root_element:
                self._xml.check_name(self.settings.root_element)
        except DataError as error:
            raise ConfigurationError(
                f"root_element is {self.settings.root_element!r}: {error.reason}"
            ) from None

    def process_batch(self, view: str, batch: Batch) -> Emission:
        write = self._wrapped if self.settings.root_element else self._one_stream_each
        try:
            return write(batch)
        except DataError as error:
            return written_in_parts(self.context, self.default_output, write, batch, error)

    def finish(self) -> Iterable[Item]:
        root = self.settings.root_element
        if not root or (self.settings.ignore_empty_stream and not self._begun):
            return
        if self._begun:
            yield f"</{root}>".encode()
        else:
            yield StreamStart(_header())
            yield f"{DECLARATION}<{root}/>".encode()
        yield StreamEnd()

    def _wrapped(self, batch: Batch) -> Batch:
        """The pieces for a batch. If a document cannot be written, raises DataError before doing
        anything."""
        body = "".join(map(self._entry, batch.items)).encode()
        if self._begun:
            return Batch([body])
        self._begun = True
        start = f"{DECLARATION}<{self.settings.root_element}>".encode()
        return Batch([StreamStart(_header()), start + body])

    def _entry(self, document: Document) -> str:
        data = self._xml.element("Data", document)
        number = uuid.uuid1(self._node)
        return (
            f"<Document><Metadata><asMap><global><doc_id>{number}</doc_id></global></asMap>"
            f"<id>{number}</id></Metadata>{data}</Document>"
        )

    def _one_stream_each(self, batch: Batch) -> Batch:
        texts = [self._root(document) for document in batch.items]
        pieces: list[Item] = []
        places: list[int] = []
        for position, text in enumerate(texts):
            pieces += StreamStart(_header()), text, StreamEnd()
            places += position, position, position
        return batch.at(places, pieces)

    def _root(self, document: Document) -> bytes:
        (name, value), *others = document.items() or (("", None),)
        if others or not name or name[0] in "@$" or value.__class__ is list:
            fields = ", ".join(map(str, document)) or "none"
            raise DataError(
                "cannot write the document as XML",
                f"it must have exactly one field, the root element; its fields are: {fields}",
                "put all fields into one, for example with a Mapper, or set root_element",
            )
        return (DECLARATION + self._xml.element(name, value)).encode()


def _header() -> Header:
    return {"content-type": "application/xml; charset=UTF-8"}
