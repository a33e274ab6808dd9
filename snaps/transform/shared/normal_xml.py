"""XML text in one form: attributes in double quotes, no entities but the five of XML."""

from __future__ import annotations

from xml.sax.saxutils import escape

from snaps.shared.safe_xml import MAX_DEPTH, SafeXml


def normal_xml(text: str) -> str:
    """The normal form. Raises XmlError if the text is not one XML document."""
    return _Writer(text.strip()).text()


class _Writer:
    def __init__(self, text: str) -> None:
        self._data = text.encode(errors="replace")
        self._out: list[str] = []
        self._depth = self._after_start = 0
        self._is_literal = False
        self._xml = SafeXml("utf-8")  # whatever its declaration says
        parser = self._xml.parser
        parser.ordered_attributes = True
        parser.XmlDeclHandler = self._declare
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._add
        parser.CommentHandler = lambda comment: self._out.append(f"<!--{comment}-->")
        parser.ProcessingInstructionHandler = self._instruct
        parser.StartCdataSectionHandler = lambda: self._mark("<![CDATA[", True)
        parser.EndCdataSectionHandler = lambda: self._mark("]]>", False)

    def text(self) -> str:
        self._xml.feed(self._data, final=True)
        return "".join(self._out)

    def _declare(self, version: str, encoding: str | None, standalone: int) -> None:
        parts = [f'version="{version}"']
        parts += [f'encoding="{encoding}"'] if encoding else []
        parts += [f'standalone="{"yes" if standalone else "no"}"'] if standalone >= 0 else []
        self._out.append(f"<?xml {' '.join(parts)}?>")

    def _start(self, name: str, attributes: list[str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._xml.refusal(f"elements are nested more than {MAX_DEPTH} deep")
        pairs = zip(attributes[::2], attributes[1::2], strict=True)
        quoted = "".join(f' {key}="{escape(value, _IN_ATTRIBUTES)}"' for key, value in pairs)
        self._out.append(f"<{name}{quoted}>")
        self._after_start = len(self._out)

    def _end(self, name: str) -> None:
        self._depth -= 1
        at = self._xml.parser.CurrentByteIndex
        if len(self._out) == self._after_start and self._data[at - 2 : at] == b"/>":
            self._after_start = 0
            self._out[-1] = self._out[-1][:-1] + "/>"
        else:
            self._out.append(f"</{name}>")

    def _add(self, text: str) -> None:
        self._out.append(text if self._is_literal else escape(text))

    def _instruct(self, target: str, data: str) -> None:
        self._out.append(f"<?{target} {data}?>" if data else f"<?{target}?>")

    def _mark(self, sign: str, is_literal: bool) -> None:
        self._is_literal = is_literal
        self._out.append(sign)


_IN_ATTRIBUTES = {'"': "&quot;", "\n": "&#xa;", "\t": "&#x9;", "\r": "&#xd;"}
