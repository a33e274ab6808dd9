"""Strings. Positions count UTF-16 units, as in JavaScript and on the JVM; see `utf16`."""

from __future__ import annotations

import math
import unicodedata
from typing import Any

from engine.expressions.failures import Failure
from engine.expressions.functions.declare import Example, Family
from engine.expressions.kinds import NumberLike, RegexLike, TextLike
from engine.expressions.limits import MAX_TEXT, check_elements, check_text
from engine.expressions.regexes import Regex, pattern
from engine.expressions.replacing import replaced, replaced_text
from engine.expressions.utf16 import join, joined, units
from engine.expressions.values import (
    NAN,
    SPACE,
    number_text,
    scalar_text,
    to_integer,
    to_number,
)

TEXTS = Family(
    "String",
    "Functions of strings. Positions and lengths count UTF-16 units, so most emoji count as two.",
    receivers=(str,),
    namespace="String",
)


def _position(value: Any, length: int) -> int:
    """A position that may count from the end, clamped to the string."""
    position = to_integer(value)
    return max(0, length + position) if position < 0 else min(position, length)


def _clamped(value: Any, length: int) -> int:
    return max(0, min(to_integer(value), length))


@TEXTS.function(
    "fromCharCode",
    "The string of the given UTF-16 codes.",
    Example("String.fromCharCode(69, 97, 116)", "Eat"),
)
def from_char_code(*codes: NumberLike) -> str:
    return joined("".join(chr(to_integer(code) & 0xFFFF) for code in codes))


# --- parts and places ---


@TEXTS.method("charAt", "The character at a position, or ''.", Example("'John'.charAt(0)", "J"))
def char_at(text: str, index: NumberLike = 0) -> str:
    text, at = units(text), to_integer(index)
    return text[at] if 0 <= at < len(text) else ""


@TEXTS.method(
    "charCodeAt", "The UTF-16 code at a position, or NaN.", Example("'Dan'.charCodeAt(0)", 68)
)
def char_code_at(text: str, index: NumberLike = 0) -> float:
    text, at = units(text), to_integer(index)
    return ord(text[at]) if 0 <= at < len(text) else NAN


@TEXTS.method(
    "slice",
    "The part from a position up to another; negative ones count from the end.",
    Example("'hello'.slice(1, 3)", "el"),
    Example("'hello'.slice(-3)", "llo"),
)
def slice_(text: str, start: NumberLike = 0, end: NumberLike = None) -> str:
    text = units(text)
    first = _position(start, len(text))
    last = len(text) if end is None else _position(end, len(text))
    return joined(text[first:last])


@TEXTS.method(
    "substring",
    "The part between two positions, which may be in either order.",
    Example("'hello'.substring(4, 1)", "ell"),
)
def substring(text: str, start: NumberLike, end: NumberLike = None) -> str:
    text = units(text)
    first = _clamped(start, len(text))
    last = len(text) if end is None else _clamped(end, len(text))
    return joined(text[min(first, last) : max(first, last)])


@TEXTS.method(
    "substr",
    "`count` characters from a position; a negative position counts from the end.",
    Example("'hello'.substr(1, 3)", "ell"),
    Example("'hello'.substr(-2)", "lo"),
)
def substr(text: str, start: NumberLike, count: NumberLike = None) -> str:
    text = units(text)
    first = _position(start, len(text))
    last = len(text) if count is None else first + max(0, to_integer(count))
    return joined(text[first:last])


@TEXTS.method(
    "contains",
    "Whether the string contains another (from a position on).",
    Example("'Hello, World'.contains('World')", True),
    Example("'Hello, World'.contains('Hello', 8)", False),
)
def contains(text: str, other: TextLike, position: NumberLike = 0) -> bool:
    wanted = other if other.__class__ is str else _plain_text(other)
    if position == 0 and wanted in text:
        return True
    text, wanted = units(text), units(wanted)
    return text.find(wanted, _clamped(position, len(text))) >= 0


def _plain_text(value: Any) -> str:
    """The value as a string; a regex is refused."""
    if value.__class__ is Regex:
        raise Failure("expected a string, got a regex", "to match a regex, use match or search")
    return scalar_text(value)


@TEXTS.method(
    "startsWith",
    "Whether the string begins with another (at a position).",
    Example("'hello'.startsWith('he')", True),
    Example("'hello'.startsWith('l', 2)", True),
)
def starts_with(text: str, other: TextLike, position: NumberLike = 0) -> bool:
    wanted = _plain_text(other)
    if position == 0 and text.startswith(wanted):
        return True
    text = units(text)
    return text.startswith(units(wanted), _clamped(position, len(text)))


@TEXTS.method(
    "endsWith",
    "Whether the string (or its first `length` characters) ends with another.",
    Example("'hello'.endsWith('lo')", True),
    Example("'hello'.endsWith('hel', 3)", True),
)
def ends_with(text: str, other: TextLike, length: NumberLike = None) -> bool:
    text = units(text)
    end = len(text) if length is None else _clamped(length, len(text))
    return text[:end].endswith(units(_plain_text(other)))


@TEXTS.method(
    "indexOf",
    "The position of the first occurrence of another string, or -1.",
    Example("'hello'.indexOf('l')", 2),
    Example("'hello'.indexOf('l', 3)", 3),
)
def index_of(text: str, other: TextLike, position: NumberLike = 0) -> int:
    text = units(text)
    return text.find(units(scalar_text(other)), _clamped(position, len(text)))


@TEXTS.method(
    "lastIndexOf",
    "The position of the last occurrence of another string, or -1.",
    Example("'hello'.lastIndexOf('l')", 3),
    Example("'hello'.lastIndexOf('l', 2)", 2),
)
def last_index_of(text: str, other: TextLike, position: NumberLike = None) -> int:
    text, wanted = units(text), units(scalar_text(other))
    limit = to_number(position) if position is not None else NAN
    start = len(text) if limit != limit else _clamped(position, len(text))
    return text.rfind(wanted, 0, start + len(wanted))


@TEXTS.method(
    "localeCompare",
    "Negative, 0 or positive: the string sorts before, with or after the other.",
    Example("'a'.localeCompare('b')", -1),
)
def locale_compare(text: str, other: TextLike) -> int:
    wanted = other if other.__class__ is str else scalar_text(other)
    if text.isascii() and wanted.isascii():
        one, two = text.lower(), wanted.lower()
        if one != two:
            return (one > two) - (one < two)
    mine, theirs = _collated(text), _collated(wanted)
    return (mine > theirs) - (mine < theirs)


def _collated(text: str) -> tuple[str, str, str]:
    """Letters first, then accents, then case with small letters first."""
    plain = _without_accents(text)
    return plain.casefold(), unicodedata.normalize("NFD", text).casefold(), text.swapcase()


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFD", text)
    return "".join(c for c in apart if not unicodedata.combining(c))


# --- other strings ---


@TEXTS.method("concat", "The strings joined.", Example("'a'.concat('b', 'c')", "abc"))
def concat(text: str, *others: TextLike) -> str:
    parts = [text, *map(scalar_text, others)]
    check_text(sum(map(len, parts)))
    return join(parts)


@TEXTS.method("repeat", "The string repeated `count` times.", Example("'ab'.repeat(3)", "ababab"))
def repeat(text: str, count: NumberLike) -> str:
    number = to_number(count)
    if not 0 <= number < math.inf:
        raise Failure(f"the count must be 0 or more, got {number_text(number)}")
    check_text(len(text) * int(number))
    return joined(text * min(int(number), MAX_TEXT))


@TEXTS.method("toLocaleLowerCase", "In lower case.", Example("'ABC'.toLocaleLowerCase()", "abc"))
@TEXTS.method("toLowerCase", "In lower case.", Example("'Hello'.toLowerCase()", "hello"))
def to_lower_case(text: str) -> str:
    return text.lower()


@TEXTS.method("toLocaleUpperCase", "In upper case.", Example("'abc'.toLocaleUpperCase()", "ABC"))
@TEXTS.method("toUpperCase", "In upper case.", Example("'Hello'.toUpperCase()", "HELLO"))
def to_upper_case(text: str) -> str:
    return text.upper()


@TEXTS.method("toString", "The string itself.", Example("'abc'.toString()", "abc"))
def to_string(text: str) -> str:
    return text


@TEXTS.method("trim", "Without white space at both ends.", Example("'  hi '.trim()", "hi"))
def trim(text: str) -> str:
    return text.strip(SPACE)


@TEXTS.method("trimLeft", "Without white space at the start.", Example("' hi '.trimLeft()", "hi "))
def trim_left(text: str) -> str:
    return text.lstrip(SPACE)


@TEXTS.method("trimRight", "Without white space at the end.", Example("' hi '.trimRight()", " hi"))
def trim_right(text: str) -> str:
    return text.rstrip(SPACE)


# --- regexes ---


def _regex_of(value: Any) -> Regex:
    return value if value.__class__ is Regex else pattern(scalar_text(value, "a regex"))


@TEXTS.method(
    "match",
    "The match and its groups; with the flag g all matches; null if there is none. "
    "A string is taken as a regex.",
    Example("'test123'.match(/\\d+/)", ["123"]),
    Example("'a1b2'.match(/\\d/g)", ["1", "2"]),
    Example("'s3/dir/file.txt'.match('/([^/]+)$')[1]", "file.txt"),
)
def match(text: str, regex: RegexLike) -> list[Any] | None:
    wanted = _regex_of(regex)
    if wanted.all:
        subject = wanted.subject(text)
        found = [one.groups[0] for one in wanted.matches(subject)]
        check_elements(len(found))
        return found or None
    return wanted.groups(text)


@TEXTS.method(
    "search", "Where the regex first matches, or -1.", Example("'test123'.search(/\\d/)", 4)
)
def search(text: str, regex: RegexLike) -> int:
    return _regex_of(regex).place(text)


@TEXTS.method(
    "replace",
    "With the first occurrence of a string, or a match of a regex (all of them with the flag g), "
    "replaced; `$1` stands for a group. The replacement may be a function of the match.",
    Example("'a.b.c'.replace('.', '-')", "a-b.c"),
    Example("'(555) 12'.replace(/[^0-9]/g, '')", "55512"),
    Example("'John Doe'.replace(/(\\w+) (\\w+)/, '$2 $1')", "Doe John"),
)
def replace(text: str, what: RegexLike, replacement: Any) -> str:
    if what.__class__ is Regex:
        return replaced(text, what, replacement, everywhere=what.all)
    return replaced_text(text, scalar_text(what), replacement, everywhere=False)


@TEXTS.method(
    "replaceAll",
    "With every occurrence of a string, or match of a regex, replaced.",
    Example("'a.b.c'.replaceAll('.', '-')", "a-b-c"),
)
def replace_all(text: str, what: RegexLike, replacement: Any) -> str:
    if what.__class__ is Regex:
        return replaced(text, what, replacement, everywhere=True)
    return replaced_text(text, scalar_text(what), replacement, everywhere=True)


@TEXTS.method(
    "split",
    "The parts between a string or the matches of a regex, at most `limit` of them.",
    Example("'a,b,c'.split(',')", ["a", "b", "c"]),
    Example("'a1b22c'.split(/\\d+/)", ["a", "b", "c"]),
    Example("'a,b,c'.split(',', 2)", ["a", "b"]),
)
def split(text: str, separator: TextLike = None, limit: NumberLike = None) -> list[Any]:
    most = None if limit is None else to_integer(limit) % 2**32
    if separator is None:
        return [text][:most]
    if separator.__class__ is Regex:
        parts = separator.split(separator.subject(text))
    elif separator == "":
        parts = list(units(text))
    else:
        pieces = units(text).split(units(scalar_text(separator)))
        parts = list(pieces if text.isascii() else map(joined, pieces))
    check_elements(len(parts))
    return parts[:most]
