"""JavaScript's regex syntax -> that of the `regex` package, piece by piece.

Nothing is passed through verbatim: what JavaScript knows is spelled out so that it means the same
in the package, and anything else is refused. So no construct of the package (`\\A`, `(?i)`, `a++`,
`(?P<n>)`) can be reached, and no letter changes its meaning.

Without the flag `u` a regex works on UTF-16 units, with it on characters; the pattern
passed to `translate` is in the same form.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

import regex

from engine.expressions import regex_folding
from engine.expressions.regex_classes import (
    ESCAPED_SETS,
    Ranges,
    complement,
    property_set,
    ranges_text,
    word_ranges,
)

_MAX_REPEAT = 10_000
_MUCH = 100
_COUNT = re.compile(r"\{(\d+)(?:(,)(\d*))?\}", re.ASCII)
_NAME = re.compile(r"<([^\W\d][\w$]*|\$[\w$]*)>")
_LINE_ENDS = r"\n\r\u2028\u2029"
_CONTROLS = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}
_SYNTAX = frozenset("^$\\.*+?()[]{}|/")
_OCTAL = re.compile(r"[0-3][0-7]{0,2}|[4-7][0-7]?")
_GROUPS = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\((?:(?!\?)|\?<(?![=!])(?P<name>[^>]*)>)", re.S)


class Flags(NamedTuple):
    ignore_case: bool
    multiline: bool
    dot_all: bool
    unicode: bool


class Translation(NamedTuple):
    """`effort`: 0 if a search visits each place once, 1 with a repeated character, else more."""

    text: str
    names: dict[str, int]
    effort: int


class _Open(NamedTuple):
    """A group that is still open; its number is 0 if it does not capture."""

    number: int
    end: str
    repeatable: bool


def translate(source: str, flags: Flags) -> Translation:
    """Raises ValueError, with the reason, for anything but a valid JavaScript regex."""
    translator = _Translator(source, flags)
    return Translation(translator.translated(), translator.names, translator.effort)


class _Translator:
    def __init__(self, source: str, flags: Flags) -> None:
        self.source = source
        self.flags = flags
        self.at = 0
        self.parts: list[str] = []
        self.groups = 0
        self.open: list[_Open] = []
        self.closed: set[int] = set()
        self.repeatable = False
        self.effort = 0
        found = list(_GROUPS.finditer(source))
        captures = [one["name"] for one in found if one[0].startswith("(")]
        self.count = len(captures)
        named = [(name, number) for number, name in enumerate(captures, 1) if name is not None]
        self.names = dict(named)
        if len(self.names) < len(named):
            raise ValueError("two groups have the same name")

    def translated(self) -> str:
        while self.at < len(self.source):
            self.piece(self.source[self.at])
        if self.open:
            raise ValueError("a ( is not closed")
        return "".join(self.parts)

    def put(self, text: str, length: int, repeatable: bool = True) -> None:
        self.parts.append(text)
        self.at += length
        self.repeatable = repeatable

    def piece(self, character: str) -> None:
        if character == "\\":
            self.escape()
        elif character == "[":
            self.put(*self.character_class())
        elif character == "(":
            self.open_group()
        elif character == ")":
            self.close_group()
        elif character in "*+?{":
            self.quantifier(character)
        elif character == ".":
            self.put("(?s:.)" if self.flags.dot_all else f"[^{_LINE_ENDS}]", 1)
        elif character == "^":
            self.put(f"(?<![^{_LINE_ENDS}])" if self.flags.multiline else "^", 1, False)
        elif character == "$":
            self.put(f"(?![^{_LINE_ENDS}])" if self.flags.multiline else r"\Z", 1, False)
        elif character == "|":
            self.effort += _MUCH
            self.put("|", 1, False)
        elif character in "]}" and self.flags.unicode:
            raise ValueError(
                f"a single {character} must be escaped as \\{character} with the flag u"
            )
        else:
            self.put(self.literal(character), 1)

    def literal(self, character: str) -> str:
        if not self.flags.ignore_case:
            return _escaped(character)
        family = regex_folding.family(character, self.flags.unicode)
        if len(family) == 1:
            return _escaped(character)
        return "[" + "".join(map(_escaped, family)) + "]"

    # --- groups ---

    def open_group(self) -> None:
        rest = self.source[self.at : self.at + 4]
        if not rest.startswith("(?"):
            self.capture(1)
        elif rest.startswith("(?:"):
            self.group(rest[:3], ")", True)
        elif rest.startswith(("(?=", "(?!")) and not self.flags.unicode:
            # JavaScript may repeat it; the package accepts that only in a group
            self.group(rest[:3], "))", True)
            self.parts[-1] = "(?:" + self.parts[-1]
        elif rest.startswith(("(?=", "(?!")):
            self.group(rest[:3], ")", False)
        elif rest.startswith(("(?<=", "(?<!")):
            self.group(rest, ")", False)
        elif rest.startswith("(?<"):
            name = _NAME.match(self.source, self.at + 2)
            if not name:
                raise ValueError("write the name of a group as (?<name>...)")
            self.capture(name.end() - self.at)
        elif re.match(r"\(\?[a-zA-Z-]+[:)]", self.source[self.at :]):
            raise ValueError("write flags after the regex, as in /.../i")
        else:
            raise ValueError(f"`{rest[:3]}` does not begin a group")

    def capture(self, length: int) -> None:
        self.groups += 1
        self.open.append(_Open(self.groups, ")", True))
        self.put("(", length, False)

    def group(self, text: str, end: str, repeatable: bool) -> None:
        self.open.append(_Open(0, end, repeatable))
        self.put(text, len(text), False)

    def close_group(self) -> None:
        if not self.open:
            raise ValueError("a ) has no matching (")
        closing = self.open.pop()
        self.closed.add(closing.number)
        self.put(closing.end, 1, closing.repeatable)

    def quantifier(self, character: str) -> None:
        found = _COUNT.match(self.source, self.at) if character == "{" else None
        if character == "{" and not found:
            if self.flags.unicode:
                raise ValueError("a single { must be escaped as \\{ with the flag u")
            self.put(r"\{", 1)
            return
        if not self.repeatable:
            text = found[0] if found else character
            raise ValueError(f"there is nothing for `{text}` to repeat")
        self.effort += _MUCH if self.parts[-1].endswith(")") else 1
        text = self.bounded(found) if found else character
        if self.source.startswith("?", self.at + len(found[0] if found else character)):
            text += "?"
            self.at += 1
        self.put(text, len(found[0]) if found else 1, False)

    def bounded(self, found: re.Match[str]) -> str:
        low, high = int(found[1][:9]), int((found[3] or found[1])[:9])
        if found[3] and high < low:
            raise ValueError(f"the numbers in `{found[0]}` are out of order")
        if max(low, high) > _MAX_REPEAT:
            raise ValueError(f"a repeat count may be at most {_MAX_REPEAT:,}")
        return f"{{{low}{',' if found[2] else ''}{high if found[3] else ''}}}"

    # --- escapes ---

    def escape(self) -> None:
        letter = self.source[self.at + 1 : self.at + 2]
        if letter in ("b", "B"):
            self.put(self.boundary(letter), 2, False)
        elif letter == "k" and (self.names or self.flags.unicode):
            self.named_reference()
        elif letter and letter in "123456789" and self.is_reference():
            digits = self.reference_digits()
            self.put(self.reference(int(digits)), 1 + len(digits))
        elif (found := self.set_escape(self.at)) is not None:
            ranges_or_text, length = found
            self.put(self.folded_class([ranges_or_text], False), length)
        else:
            character, length = self.character_escape(self.at, in_class=False)
            self.put(self.literal(character), length)

    def boundary(self, letter: str) -> str:
        if not self.flags.unicode:
            return f"\\{letter}"
        word = ranges_text(word_ranges(self.flags.ignore_case))
        after, before = f"(?<=[{word}])", f"(?=[{word}])"
        not_after, not_before = f"(?<![{word}])", f"(?![{word}])"
        if letter == "b":
            return f"(?:{after}{not_before}|{not_after}{before})"
        return f"(?:{after}{before}|{not_after}{not_before})"

    def reference_digits(self) -> str:
        found = re.compile(r"\d+", re.ASCII).match(self.source, self.at + 1)
        assert found
        return found[0]

    def is_reference(self) -> bool:
        number = int(self.reference_digits()[:9])
        if number > self.count and self.flags.unicode:
            raise ValueError(f"there is no group {number}")
        return number <= self.count

    def named_reference(self) -> None:
        found = _NAME.match(self.source, self.at + 2)
        if not found or found[1] not in self.names:
            raise ValueError("`\\k` needs the name of a group, as in \\k<name>")
        self.put(self.reference(self.names[found[1]]), found.end() - self.at)

    def reference(self, number: int) -> str:
        """A group that has not matched, or is not closed yet, counts as empty."""
        if number not in self.closed:
            return "(?:)"
        again = f"\\{number}" if not self.flags.ignore_case else f"(?i:\\{number})"
        return f"(?({number}){again}|)"

    def set_escape(self, at: int) -> tuple[Ranges | str, int] | None:
        """The set of characters of `\\d`, `\\W` or `\\p{L}`, and the length of the escape."""
        letter = self.source[at + 1 : at + 2]
        if letter in ("w", "W"):
            word = word_ranges(self.flags.unicode and self.flags.ignore_case)
            return (word if letter == "w" else complement(word)), 2
        if letter in ESCAPED_SETS:
            return ESCAPED_SETS[letter], 2
        if letter in ("p", "P") and self.flags.unicode:
            end = self.source.find("}", at)
            if self.source[at + 2 : at + 3] != "{" or end < 0:
                raise ValueError(f"`\\{letter}` needs a property, as in \\{letter}{{L}}")
            name = self.source[at + 3 : end]
            return property_set(name, negated=letter == "P"), end + 1 - at
        return None

    def character_escape(self, at: int, in_class: bool) -> tuple[str, int]:
        """The character that an escape stands for, and the length of the escape."""
        letter = self.source[at + 1 : at + 2]
        if not letter:
            raise ValueError("it ends with a single \\")
        if letter in _CONTROLS:
            return _CONTROLS[letter], 2
        if letter == "b" and in_class:
            return "\b", 2
        if letter in "xu":
            if found := self.hexadecimal(at, letter):
                return found
        elif letter == "c":
            return self.control(at, in_class)
        elif letter.isascii() and letter.isdigit():
            return self.octal(at, letter)
        if self.flags.unicode and letter not in _SYNTAX and not (in_class and letter == "-"):
            raise ValueError(f"`\\{letter}` is not a valid escape with the flag u")
        return letter, 2

    def hexadecimal(self, at: int, letter: str) -> tuple[str, int] | None:
        if self.flags.unicode and self.source.startswith("u{", at + 1):
            found = re.compile(r"\{([0-9a-fA-F]+)\}").match(self.source, at + 2)
            if not found or int(found[1], 16) > 0x10FFFF:
                raise ValueError("`\\u{...}` needs the number of a character in hexadecimal")
            return chr(int(found[1], 16)), found.end() - at
        size = 2 if letter == "x" else 4
        code = self.hex_code(at + 2, size)
        if code is None:
            return None
        if (
            self.flags.unicode
            and 0xD800 <= code <= 0xDBFF
            and self.source.startswith("\\u", at + 6)
        ):
            low = self.hex_code(at + 8, 4) or 0
            if 0xDC00 <= low <= 0xDFFF:
                return chr(0x10000 + ((code - 0xD800) << 10) + low - 0xDC00), 12
        return chr(code), 2 + size

    def hex_code(self, at: int, size: int) -> int | None:
        digits = self.source[at : at + size]
        is_code = re.fullmatch(rf"[0-9a-fA-F]{{{size}}}", digits)
        return int(digits, 16) if is_code else None

    def control(self, at: int, in_class: bool) -> tuple[str, int]:
        letter = self.source[at + 2 : at + 3]
        taken = letter.isalpha() or (in_class and (letter.isdigit() or letter == "_"))
        if letter.isascii() and letter and (letter.isalpha() or (taken and not self.flags.unicode)):
            return chr(ord(letter) % 32), 3
        if self.flags.unicode:
            raise ValueError("`\\c` needs a letter")
        return "\\", 1

    def octal(self, at: int, digit: str) -> tuple[str, int]:
        following = self.source[at + 2 : at + 3]
        if self.flags.unicode:
            if digit != "0" or (following.isascii() and following.isdigit()):
                raise ValueError(f"`\\{digit}{following}` is not a valid escape with the flag u")
            return "\0", 2
        found = _OCTAL.match(self.source, at + 1)
        return (chr(int(found[0], 8)), 1 + len(found[0])) if found else (digit, 2)

    # --- classes ---

    def character_class(self) -> tuple[str, int]:
        start = at = self.at + 1
        negated = self.source.startswith("^", at)
        at += negated
        start = at
        members: list[Ranges | str] = []
        while not self.source.startswith("]", at):
            if at >= len(self.source):
                raise ValueError("a [ is not closed")
            low, at = self.class_atom(at)
            if not self.source.startswith("-", at) or self.source.startswith("]", at + 1):
                members.append(_as_set(low))
                continue
            if at + 1 >= len(self.source):
                raise ValueError("a [ is not closed")
            high, after = self.class_atom(at + 1)
            if low.__class__ is not str or high.__class__ is not str:
                if self.flags.unicode:
                    raise ValueError("a range must go from one character to another")
                members += (_as_set(low), [(45, 45)], _as_set(high))
            else:
                first, last = ord(str(low)), ord(str(high))
                if first > last:
                    raise ValueError(f"the range `{self.source[start:after]}` is out of order")
                members.append([(first, last)])
            at = after
            start = at
        return self.folded_class(members, negated), at + 1 - self.at

    def class_atom(self, at: int) -> tuple[str | tuple[Ranges | str], int]:
        """A character, or the set of an escape (in a tuple), and the offset after it."""
        if not self.source.startswith("\\", at):
            return self.source[at], at + 1
        if (found := self.set_escape(at)) is not None:
            return (found[0],), at + found[1]
        character, length = self.character_escape(at, in_class=True)
        return character, at + length

    def folded_class(self, members: list[Ranges | str], negated: bool) -> str:
        if not members:
            return r"(?s:.)" if negated else "(?!)"
        text = "".join(one if isinstance(one, str) else ranges_text(one) for one in members)
        if self.flags.ignore_case:
            text += _further_cases(text, self.flags.unicode)
        return f"[{'^' if negated else ''}{text}]"


def _as_set(atom: str | tuple[Ranges | str]) -> Ranges | str:
    if isinstance(atom, tuple):
        return atom[0]
    return [(ord(atom), ord(atom))]


def _escaped(character: str) -> str:
    return ranges_text([(ord(character), ord(character))])


@functools.lru_cache(maxsize=256)
def _further_cases(members: str, unicode: bool) -> str:
    """The characters that differ from a member of the class only in case."""
    held = set(regex.findall(f"[{members}]", regex_folding.cased(unicode)))
    others = {one for member in held for one in regex_folding.family(member, unicode)} - held
    return "".join(map(_escaped, sorted(others)))
