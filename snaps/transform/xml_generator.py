"""Make XML from a template, as text in the field `xml` of a document."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from xml.sax.saxutils import escape

from engine.sdk import (
    DataError,
    Document,
    Example,
    Foreign,
    Issue,
    Settings,
    Snap,
    Value,
    View,
    Views,
    setting,
)
from snaps.shared.safe_xml import XmlError
from snaps.shared.velocity.template import Template, mistakes_in, parameters_in, plain_text
from snaps.transform.shared.normal_xml import normal_xml


class XMLGeneratorSettings(Settings):
    text: str = setting(
        help="A template of XML. `$_name` is a parameter, `$field.sub[0]` a value of the input "
        "document; an unknown reference stays as it is written. `##` begins a comment; `#if`, "
        "`#foreach` and `#set` are those of Velocity.",
        example="<order id='$id'>#foreach($line in $lines)<line>$line</line>#end</order>",
    )
    escape_special_characters: bool = setting(
        default=False,
        help="Write `&`, `<`, `>` and quotes in inserted values as entities; otherwise values may "
        "hold XML themselves.",
    )


class XMLGenerator(Snap[XMLGeneratorSettings]):
    since = "0.4.0"
    about = """
    The template must produce one XML document. Its text is normalised: attributes are in double
    quotes. With an input view the template is filled in for each document, which then is in the
    field `original`. Document types (DTDs) are refused.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-xmlgenerator",
        "XML Generator",
        version=1,
        settings={
            "editable_content": "text",
            "escapeSpecialChars": "escape_special_characters",
            "escapeXMLData": "escape_special_characters",
        },
        ignored=("defaultValue", "rootElement"),
        unsupported={
            "inboundSchema": "a schema",
            "schemaXPath": "a schema",
            "tableNSContext": "a schema with namespaces",
            "useDefaultValue": "default values",
            "validate": "validation by a schema",
        },
    )
    views = Views(inputs=(View("input", unlinked="starts by itself"),))
    stateful = False
    plain = True
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "a template is filled in for each document",
            settings={
                "text": "<order id='$id'>\n#foreach($x in $lines)<line>$x</line>#end</order>"
            },
            given=[{"id": 7, "lines": ["a", "b"]}],
            expect=[
                {
                    "xml": '<order id="7">\n<line>a</line><line>b</line></order>',
                    "original": {"id": 7, "lines": ["a", "b"]},
                }
            ],
        ),
        Example(
            "values with special characters",
            settings={"text": "<a>$text</a>", "escape_special_characters": True},
            given=[{"text": "1 < 2 & 3"}],
            expect=[{"xml": "<a>1 &lt; 2 &amp; 3</a>", "original": {"text": "1 < 2 & 3"}}],
        ),
    )

    @classmethod
    def check(cls, settings: XMLGeneratorSettings) -> Iterable[Issue]:
        return mistakes_in(settings.text, _normal)

    @classmethod
    def parameters_read(
        cls, settings: XMLGeneratorSettings
    ) -> Iterable[tuple[tuple[str | int, ...], str, int, bool]]:
        return parameters_in(settings.text, "text")

    def open(self) -> None:
        insert = _escaped if self.settings.escape_special_characters else plain_text
        self._template = Template(self.settings.text, insert=insert)
        self._adds_original = self.context.linked("input")

    def process(self, document: Document) -> Document:
        made = {"xml": _normal(self._template.filled(document, self.context.parameters))}
        return {**made, "original": deepcopy(document)} if self._adds_original else made


def _normal(text: str) -> str:
    try:
        return normal_xml(text)
    except XmlError as error:
        raise DataError(
            "the template does not produce valid XML",
            str(error),
            "correct the template, or set escape_special_characters to true",
        ) from None


def _escaped(value: Value, quote: str) -> str:
    return escape(plain_text(value, quote), {'"': "&quot;", "'": "&apos;"})
