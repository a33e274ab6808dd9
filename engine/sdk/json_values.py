"""Read JSON values one after another, and the elements of arrays at the root.

The text is decoded in as few calls as possible: up to the last boundary between two values so far.
Anything but standard JSON is left to a lenient parser.
"""

from __future__ import annotations

from typing import Any, Literal

from engine.errors import DataError
from engine.sdk.json_errors import JsonSyntaxError, Place, not_a_document, unfinished
from engine.sdk.json_input import decoded_elements, decoded_values
from engine.sdk.json_lenient import OddText
from engine.sdk.json_scanning import Boundary, Form, Scanner, boundary_at, end_of_values

RootForm = Literal["split", "whole", "selected"]
"""How to treat a root array: its elements are documents; it is an error; it is a value."""

_MAPS = frozenset((dict,))
_ROOTS = frozenset((dict, list))
_ODD_ROOT = "expected an object or an array"


class ValueReader:
    """Reads a sequence of JSON values, with root arrays split into their elements.

    The text is decoded in cuts, each up to a boundary between two values. Most streams repeat
    themselves: if the last place that looks like an earlier boundary decodes correctly, no search
    is needed; otherwise a scanner finds the boundary. Where a cut is not standard JSON, everything
    from there to the end of the stream is kept for the lenient parser.
    """

    def __init__(self, place: Place, lenient: bool, roots: RootForm) -> None:
        self.has_errors = False
        self.error: DataError | None = None
        self._place = place
        self._lenient = lenient
        self._roots = roots
        self._scanner = Scanner(split=roots == "split")
        self._pending: list[bytes] = []
        self._boundary: Boundary | None = None
        self._guesses = True
        self._elements = 0
        self._is_empty = True
        self._odd: OddText | None = None

    def feed(self, chunk: bytes) -> list[Any]:
        if self._odd is not None:
            self._keep(self._odd, chunk)
            return []
        if self._boundary is None:
            return self._decode_scanned(chunk)
        text = self._take_pending() + chunk
        values = self._decode_guessed(self._boundary, text)
        return self._decode_rescanned(text) if values is None else values

    def end(self) -> list[Any]:
        values: list[Any] = []
        if self._boundary is not None:
            values = self._decode_rescanned(self._take_pending())
        if self._odd is None and self.error is None:
            values += self._end_strictly()
        if self._odd is not None and self.error is None:
            values += self._read_odd(self._odd)
        return values

    def _decode_guessed(self, boundary: Boundary, text: bytes) -> list[Any] | None:
        """The values up to the last place that looks like a boundary; None if it is not one."""
        found = text.rfind(boundary.look)
        if found < 0:
            return None
        in_array = self._scanner.in_array
        end = found + boundary.before
        try:
            values = self._decode(text[:end], "element" if in_array else "values")
        except JsonSyntaxError:
            self._guesses = False
            return None
        self._go_on(text, text.index(b",", end) + 1 if in_array else end)
        return values

    def _decode_rescanned(self, text: bytes) -> list[Any]:
        """Scan a text that begins at a boundary."""
        self._boundary = None
        self._scanner = Scanner(split=self._roots == "split", in_array=self._scanner.in_array)
        return self._decode_scanned(text)

    def _decode_scanned(self, chunk: bytes) -> list[Any]:
        values: list[Any] = []
        start = 0
        for cut in self._scanner.scan(chunk):
            part = self._take_pending() + chunk[start : cut.end]
            try:
                values += self._decode(part, cut.form)
            except JsonSyntaxError as error:
                values += self._give_up(error, part + chunk[cut.end :], cut.form)
                return values
            self._place = self._place.after(part).after(chunk[cut.end : cut.resume])
            start = cut.resume
            self._boundary = boundary_at(chunk, cut) if self._guesses else None
        self._pending.append(chunk[start:])
        return values

    def _end_strictly(self) -> list[Any]:
        text = self._take_pending()
        if text.strip() or self._scanner.inside:
            return self._give_up(
                unfinished(text), text, "element" if self._scanner.in_array else "values"
            )
        if self._is_empty:
            self.error = _empty()
        return []

    def _decode(self, part: bytes, form: Form) -> list[Any]:
        blank = not part.strip()
        if form == "odd":
            raise JsonSyntaxError(len(part) - len(part.lstrip()), _ODD_ROOT)
        if form == "values":
            values = decoded_values(part)
            if not _ROOTS.issuperset(map(type, values)):
                raise JsonSyntaxError(0, _ODD_ROOT)
            self._is_empty = self._is_empty and blank
            return self._of_roots(values)
        self._is_empty = False
        if blank and (form == "element" or self._elements):
            raise JsonSyntaxError(len(part), "an element of the array is missing")
        documents = self._of_elements(decoded_elements(part))
        if form == "last":
            self._elements = 0
        return documents

    def _of_roots(self, values: list[Any]) -> list[Any]:
        """The documents of complete root values; with a filter path, the values themselves."""
        if self._roots == "selected" or _MAPS.issuperset(map(type, values)):
            return values
        documents: list[Any] = []
        for value in values:
            if value.__class__ is list and self._roots == "split":
                documents += self._of_elements(value)
                self._elements = 0
            elif value.__class__ is dict:
                documents.append(value)
            else:
                self.has_errors = True
                documents.append(not_a_document("the value", value))
        return documents

    def _of_elements(self, values: list[Any]) -> list[Any]:
        first = self._elements + 1
        self._elements += len(values)
        if _MAPS.issuperset(map(type, values)):
            return values
        self.has_errors = True
        return [
            value
            if value.__class__ is dict
            else not_a_document(f"element {number} of the array", value)
            for number, value in enumerate(values, first)
        ]

    def _give_up(self, error: JsonSyntaxError, text: bytes, form: Form) -> list[Any]:
        """The values before the error; the text after them is for the lenient parser, or lost."""
        in_array = form in ("element", "last")
        values, end = self._decode_before(text[: error.offset], in_array)
        self._place, text, error = self._place.after(text[:end]), text[end:], error.minus(end)
        if self._lenient and not error.is_final:
            self._odd = OddText(error, in_array)
            self._keep(self._odd, text)
        else:
            self.error = self._error(error, text)
        return values

    def _decode_before(self, text: bytes, in_array: bool) -> tuple[list[Any], int]:
        """The complete values at the start of an invalid text, and where they end."""
        end = end_of_values(text, in_array)
        if not end:
            return [], 0
        try:
            if in_array:
                return self._decode(text[: end - 1], "element"), end
            return self._decode(text[:end], "values"), end
        except JsonSyntaxError:  # the decoder noticed the error some bytes late
            return self._decode_before(text[: end - 1], in_array)

    def _keep(self, odd: OddText, chunk: bytes) -> None:
        if not odd.add(chunk):
            self.error = self._error(odd.error, odd.text())

    def _read_odd(self, odd: OddText) -> list[Any]:
        try:
            values = odd.values()
        except JsonSyntaxError as error:
            self.error = self._error(error, odd.text())
            return []
        if not values and self._is_empty:
            self.error = _empty()
            return []
        rest = self._of_elements(values.pop(0)) if odd.in_array else []
        return rest + self._of_roots(values)

    def _error(self, error: JsonSyntaxError, text: bytes) -> DataError:
        resolution = "correct it there; if every line is a separate object, set json_lines"
        return error.at(self._place, text, "the stream", resolution)

    def _go_on(self, text: bytes, resume: int) -> None:
        self._place = self._place.after(text[:resume])
        self._pending.append(text[resume:])

    def _take_pending(self) -> bytes:
        text = b"".join(self._pending)
        self._pending.clear()
        return text


def _empty() -> DataError:
    return DataError(
        "cannot parse the stream as JSON",
        "it is empty",
        "send at least {} or [], or set json_lines to true if the stream may be empty",
    )
