"""An XML parser that refuses what makes XML dangerous: document types, and with them entities."""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

MAX_DEPTH = 500


class XmlError(Exception):
    """Text that is not XML, or XML that is refused; `place` says where."""

    def __init__(self, problem: str, place: str) -> None:
        super().__init__(problem, place)
        self.problem = problem
        self.place = place

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}"


class SafeXml:
    """Feeds chunks to expat, whose handlers are set on `parser`."""

    def __init__(self, encoding: str | None = None) -> None:
        self.parser = expat.ParserCreate(encoding)
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse_doctype
        self.parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    def feed(self, chunk: bytes, *, final: bool = False) -> None:
        """Raises XmlError."""
        try:
            self.parser.Parse(chunk, final)
        except expat.ExpatError as error:
            raise XmlError(
                expat.ErrorString(error.code), f"line {error.lineno}, column {error.offset + 1}"
            ) from None
        except LookupError as error:
            raise self.refusal(f"{error}; supply the stream in UTF-8") from None

    def refusal(self, problem: str) -> XmlError:
        parser = self.parser
        place = f"line {parser.CurrentLineNumber}, column {parser.CurrentColumnNumber + 1}"
        return XmlError(problem, place)

    def _refuse_doctype(self, *_: Any) -> None:
        raise self.refusal("a document type (DTD) is refused, because entities are not safe")
