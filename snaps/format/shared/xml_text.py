"""XML text of documents, by the rules of StAXON (see snaps.parse.shared.xml_elements)."""

from __future__ import annotations

import re

from engine.sdk import DataError, Value, to_json
from snaps.shared.safe_xml import MAX_DEPTH

DECLARATION = "<?xml version='1.0' encoding='UTF-8'?>"

_START = "A-Za-z_\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u02ff\\u0370-\\u037d\\u037f-\\u1fff"
_START += "\\u200c-\\u200d\\u2070-\\u218f\\u2c00-\\u2fef\\u3001-\\ud7ff\\uf900-\\ufdcf"
_START += "\\ufdf0-\\ufffd\\U00010000-\\U000effff"
_PART = f"[{_START}][{_START}\\-.0-9\\u00b7\\u0300-\\u036f\\u203f-\\u2040]*"
_NAME = f"{_PART}(?::{_PART})?"
_FORBIDDEN = "[^\\t\\n\\r\\u0020-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]"
_SPECIAL = re.compile('[&<>"\\r\\n\\t]')
_IN_TEXT = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xd;"}
_IN_ATTRIBUTES = _IN_TEXT | {'"': "&quot;", "\n": "&#xa;", "\t": "&#x9;"}


class XmlText:
    """Writes elements. Remembers which names are valid, since they are repeated."""

    def __init__(self) -> None:
        self._name = re.compile(_NAME)
        self._forbidden = re.compile(_FORBIDDEN)
        self._valid: set[str] = set()

    def element(self, name: str, value: Value) -> str:
        """An element, or one for each value of a list. Raises DataError."""
        out: list[str] = []
        self._write(name, value, out, 1)
        return "".join(out)

    def check_name(self, name: str) -> None:
        """Raises DataError if the name of an element or attribute is not valid."""
        if name in self._valid:
            return
        if self._name.fullmatch(name) is None:
            raise DataError(
                f"cannot write the field {name!r:.80} as XML",
                "it is not a valid name of an element",
                "rename the field first, for example with a Mapper",
            )
        if len(self._valid) < _REMEMBERED:
            self._valid.add(name)

    def _write(self, name: str, value: Value, out: list[str], depth: int) -> None:
        if value.__class__ is list:
            for item in value:
                self._write(name, item, out, depth)
            return
        self.check_name(name)
        if depth > MAX_DEPTH:
            raise DataError(
                "cannot write the document as XML",
                f"it is nested more than {MAX_DEPTH} deep",
                "reduce the nesting",
            )
        if value.__class__ is not dict:
            text = self._escaped(_text_of(value, name), _IN_TEXT)
            out.append(f"<{name}>{text}</{name}>" if text else f"<{name}/>")
            return
        out.append(f"<{name}")
        out += [self._attribute(key, item) for key, item in value.items() if key[:1] == "@"]
        start = len(out)
        for key, item in value.items():
            if key == "$":
                out.append(self._escaped(_text_of(item, key), _IN_TEXT))
            elif key[:1] != "@":
                self._write(key, item, out, depth + 1)
        if any(out[start:]):
            out.insert(start, ">")
            out.append(f"</{name}>")
        else:
            out.append("/>")

    def _attribute(self, key: str, value: Value) -> str:
        name = key[1:]
        self.check_name(name)
        if isinstance(value, dict | list):
            raise DataError(
                f"cannot write the field {key!r:.80} as XML",
                "the value of an attribute cannot be a list or a map",
                "change the value first, for example with a Mapper",
            )
        return f' {name}="{self._escaped(_text_of(value, name), _IN_ATTRIBUTES)}"'

    def _escaped(self, text: str, replacements: dict[str, str]) -> str:
        if found := self._forbidden.search(text):
            raise DataError(
                "cannot write the document as XML",
                f"XML cannot hold the character U+{ord(found[0]):04X}",
                "remove it first, for example with a Mapper",
            )
        return _SPECIAL.sub(lambda special: replacements.get(special[0], special[0]), text)


_REMEMBERED = 10_000


def _text_of(value: Value, name: str) -> str:
    if value.__class__ is str:
        return str(value)
    if value is None:
        return ""
    text = to_json(value, f"the value of {name!r}").decode()
    return text[1:-1] if text.startswith('"') else text
