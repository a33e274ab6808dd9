"""Documents of XML, by the rules of StAXON: elements become keys, attributes keys with `@`.

An element with nothing but text becomes that text, an empty one null; the text of an element that
also has attributes or children is at `$`. Elements that are repeated become a list.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.sdk import Document, Value
from snaps.shared.safe_xml import MAX_DEPTH, SafeXml
from snaps.shared.typed_text import typed

Matches = Callable[[list[str]], bool]
"""Whether the element with these names, from the root on, is one of those to return."""


class _Element:
    __slots__ = ("attributes", "children", "name", "text")

    def __init__(self, name: str, attributes: dict[str, Value]) -> None:
        self.name = name
        self.attributes = attributes
        self.children: dict[str, Value] = {}
        self.text: list[str] = []


class XmlElements:
    """Builds the elements that match, and forgets all others; or the root, if `matches` is None."""

    def __init__(self, matches: Matches | None, *, match_types: bool = False) -> None:
        self._matches = matches
        self._typed: Callable[[str], Any] = typed if match_types else str
        self._path: list[str] = []
        self._open: list[_Element] = []
        self._found: list[Document] = []
        self.held = self._fed = self._opened_at = 0
        self.root = ""
        self.count = 0
        self._xml = SafeXml()
        parser = self._xml.parser
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._add_text

    def feed(self, chunk: bytes, *, final: bool = False) -> None:
        """Raises XmlError; what was found before it is still to be taken. `held` tells how many
        bytes there are since the start of an element or a tag that is not complete."""
        self._xml.feed(chunk, final=final)
        self._fed += len(chunk)
        self.held = self._fed - (
            self._opened_at if self._open else self._xml.parser.CurrentByteIndex
        )

    def take(self) -> list[Document]:
        """The documents that have been found since."""
        found, self._found = self._found, []
        self.count += len(found)
        return found

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        self.root = self.root or name
        if len(self._path) > MAX_DEPTH:
            raise self._xml.refusal(f"elements are nested more than {MAX_DEPTH} deep")
        if self._open or self._matches is None or self._matches(self._path):
            if not self._open:
                self._opened_at = self._xml.parser.CurrentByteIndex
            self._open.append(
                _Element(name, {f"@{key}": self._typed(text) for key, text in attributes.items()})
            )

    def _add_text(self, text: str) -> None:
        if self._open:
            self._open[-1].text.append(text)

    def _end(self, name: str) -> None:
        self._path.pop()
        if not self._open:
            return
        element = self._open.pop()
        value = self._value(element)
        if self._open:
            _add(self._open[-1].children, name, value)
        elif self._matches is None:
            self._found.append({name: value})
        else:
            self._found.append(value if isinstance(value, dict) else {"$": value})

    def _value(self, element: _Element) -> Value:
        text = "".join(element.text)
        if not element.attributes and not element.children:
            return self._typed(text) if text else None
        value = element.attributes
        if text.strip():
            value["$"] = self._typed(text.strip() if element.children else text)
        value.update(element.children)
        return value


def _add(children: dict[str, Value], name: str, value: Value) -> None:
    if name not in children:
        children[name] = value
    elif isinstance(children[name], list):  # no element has a list as its value
        children[name].append(value)
    else:
        children[name] = [children[name], value]


def path_matcher(expression: str) -> Matches:
    """The elements at a path: `/orders/order`, `orders/*`, `//order`. Raises ValueError."""
    text = expression.strip()
    is_anywhere = text.startswith("//")
    names = text.lstrip("/").split("/")
    for name in names:
        if not name or any(sign in name for sign in "[]()@$ '\""):
            raise ValueError(
                f"{expression!r} is not a path of elements, such as /orders/order or //order"
            )

    def matches(path: list[str]) -> bool:
        if len(path) < len(names) or (len(path) > len(names) and not is_anywhere):
            return False
        return all(
            wanted in ("*", name)
            for wanted, name in zip(names, path[len(path) - len(names) :], strict=True)
        )

    return matches
