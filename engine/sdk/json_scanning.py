"""Cutting a stream of JSON into pieces that each hold complete values."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from typing import Literal, NamedTuple

from engine.late_regex import late_regex

Form = Literal["values", "element", "last", "odd"]


class Cut(NamedTuple):
    """Where to stop decoding and where the text continues.

    Before it are complete root `values`, elements of the root array up to an `element` or to its
    `last`, or something `odd` that is neither an object nor an array.
    """

    end: int
    resume: int
    form: Form


class Scanner:
    """Follows strings and brackets, to find where the values of a stream begin and end.

    With `split` the elements of a root array count as values; `in_array` begins within one.
    """

    def __init__(self, *, split: bool, in_array: bool = False) -> None:
        self._split = split
        self._depth = int(in_array)
        self._in_string = False
        self._escaped = False
        self.in_array = in_array

    @property
    def inside(self) -> bool:
        """Whether a value or the root array has begun but not ended."""
        return self._depth > 0

    def scan(self, chunk: bytes) -> Iterator[Cut]:
        position = self._done = 0
        while position < len(chunk):
            if self._in_string or self._depth > self.in_array:
                position = self._within_value(chunk, position)
            elif self.in_array:
                position = yield from self._among_elements(chunk, position)
            else:
                position = yield from self._among_values(chunk, position)
        if self._done and self.in_array:
            yield Cut(self._done - 1, self._done, "element")
        elif self._done:
            yield Cut(self._done, self._done, "values")

    def _among_values(self, chunk: bytes, position: int) -> Generator[Cut, None, int]:
        position = self._done = _end_of(_WHOLE_OBJECTS, chunk, position)
        token = chunk[position : position + 1]
        if token == b"[" and self._split:
            yield Cut(position, position + 1, "values")
            self.in_array, self._depth, self._done = True, 1, 0
        elif token in (b"{", b"["):
            self._depth = 1
        elif token:
            yield Cut(position, position, "values")
            yield Cut(len(chunk), len(chunk), "odd")
        return position + 1

    def _among_elements(self, chunk: bytes, position: int) -> Generator[Cut, None, int]:
        after_comma = _end_of(_WHOLE_ELEMENTS, chunk, position)
        if after_comma > position:
            self._done = after_comma
        position = _end_of(_TO_BRACKET, chunk, after_comma)
        token = chunk[position : position + 1]
        if token == b'"':
            self._in_string = True
        elif token in (b"{", b"["):
            self._depth = 2
        elif token:
            yield Cut(position, position + 1, "last")
            self.in_array, self._depth, self._done = False, 0, 0
        return position + 1

    def _within_value(self, chunk: bytes, position: int) -> int:
        """The end of the value in which `position` is, or of the chunk."""
        if self._in_string:
            position = self._within_string(chunk, position)
        while position < len(chunk) and self._depth > self.in_array:
            position = _end_of(_TO_BRACKET, chunk, position)
            token = chunk[position : position + 1]
            position += 1
            if token == b'"':
                self._in_string = True
                position = self._within_string(chunk, position)
            elif token in (b"{", b"["):
                self._depth += 1
            elif token:
                self._depth -= 1
        if self._depth == 0:
            self._done = position
        return position

    def _within_string(self, chunk: bytes, position: int) -> int:
        """The end of the string in which `position` is, or of the chunk."""
        if self._escaped and position < len(chunk):
            position, self._escaped = position + 1, False
        position = _end_of(_STRING_REST, chunk, position)
        token = chunk[position : position + 1]
        self._in_string = token != b'"'
        self._escaped = token == b"\\"
        return position + 1


def _end_of(pattern: re.Pattern[bytes], chunk: bytes, position: int) -> int:
    """The end of a match at `position`; these patterns always match, possibly an empty string."""
    match = pattern.match(chunk, position)
    return match.end() if match else position


_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_STRING_REST = late_regex(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_TO_BRACKET = late_regex(rb'(?:[^"{}\[\]]++|%b)*+' % _STRING, re.DOTALL)


def _nested(levels: int) -> bytes:
    """Matches the inside of an object or array with at most this many levels of nesting."""
    inside = rb'(?:[^"{}\[\]]++|%b)*+' % _STRING
    for _ in range(levels):
        inside = rb'(?:[^"{}\[\]]++|%b|[{\[]%b[}\]])*+' % (_STRING, inside)
    return inside


_WHOLE_OBJECTS = late_regex(rb"(?:\s*+\{%b\})*+\s*+" % _nested(2), re.DOTALL)
_WHOLE_ELEMENTS = late_regex(
    rb'(?:(?:[^",{}\[\]]++|%b|[{\[]%b[}\]])*+,)*+' % (_STRING, _nested(2)), re.DOTALL
)


def end_of_values(text: bytes, in_array: bool) -> int:
    """The end of the complete values that a text begins with, or of its elements with commas."""
    form = "element" if in_array else "values"
    cuts = Scanner(split=False, in_array=in_array).scan(text)
    return max((cut.resume for cut in cuts if cut.form == form), default=0)


class Boundary(NamedTuple):
    """The text between two values of a stream; its first `before` bytes belong to the first."""

    look: bytes
    before: int


def boundary_at(chunk: bytes, cut: Cut) -> Boundary | None:
    """The boundary at a cut, if an object begins after it."""
    ending = chunk[max(0, cut.end - 64) : cut.end]
    before = len(ending) - len(ending.rstrip(b" \t\r\n]}"))
    following = _NEXT_OBJECT.match(chunk, cut.end)
    if cut.form == "last" or not before or not following:
        return None
    return Boundary(chunk[cut.end - before : following.end()], before)


_NEXT_OBJECT = late_regex(rb'\s*+,?+\s*+\{\s*+"[^"\\]*+"')
