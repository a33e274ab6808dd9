"""Parses references, and the expressions in the parentheses of directives."""

from __future__ import annotations

import re

from snaps.shared.typed_text import number_in
from snaps.shared.velocity.expressions import (
    Binary,
    Expression,
    Joined,
    ListOf,
    Literal,
    Not,
    Range,
    Reference,
    Step,
)

_NAME = r"_{0,2}[A-Za-z][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)*"
_PATTERNS = {
    "start": rf"\$(!?)(\{{?)({_NAME})",
    "field": rf"\.({_NAME})",
    "call": r"\s*\(",
    "index": r"\[\s*(?:(-?[0-9]+)|'([^']*)'|\"([^\"]*)\")\s*\]",
    "space": r"\s*",
    "number": r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)",
    "string": r"'((?:[^']|'')*)'|\"((?:[^\"\\]|\\.|\"\")*)\"",
    "word": r"[A-Za-z]+",
    "range": r"\.\.",
}
_WORDS = {"and": "&&", "or": "||", "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">"}
_WORDS |= {"ge": ">=", "not": "!"}
_LEVELS = (
    ("||",),
    ("&&",),
    ("==", "!="),
    ("<=", ">=", "<", ">"),
    ("+", "-"),
    ("*", "/", "%"),
)
_CONSTANTS = {"true": True, "false": False, "null": None}


class TemplateSyntaxError(Exception):
    """A template that cannot be parsed, with its place."""

    def __init__(self, text: str, position: int, problem: str) -> None:
        super().__init__(text, position, problem)
        self.problem = problem
        self.line = text.count("\n", 0, position) + 1
        self.column = position - text.rfind("\n", 0, position)

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column} of the template: {self.problem}"


class Syntax:
    """Reads a template from a position on."""

    def __init__(self, text: str, position: int = 0) -> None:
        self.text = text
        self.position = position

    def reference(self) -> Reference | None:
        """The reference that begins here, if one does."""
        begin = self.position
        start = self._match("start")
        if start is None:
            return None
        steps: list[Step] = []
        while (step := self._step()) is not None:
            steps.append(step)
        if start[2] and not self.takes("}"):
            self.position = begin
            return None
        written = self.text[begin : self.position]
        return Reference(written, start[3], tuple(steps), start[1] == "!", begin)

    def expression(self, level: int = 0) -> Expression:
        if level == len(_LEVELS):
            return self._operand()
        left = self.expression(level + 1)
        while sign := self._sign(_LEVELS[level]):
            left = Binary(sign, left, self.expression(level + 1))
        return left

    def takes(self, sign: str) -> bool:
        """Whether the sign is next; it is then read."""
        self._match("space")
        if not self.text.startswith(sign, self.position):
            return False
        self.position += len(sign)
        return True

    def expect(self, sign: str, what: str) -> None:
        if not self.takes(sign):
            raise self.error(f"expected {sign!r} {what}")

    def takes_word(self, word: str) -> bool:
        self._match("space")
        begin = self.position
        found = self._match("word")
        if found is not None and found[0] == word:
            return True
        self.position = begin
        return False

    def error(self, problem: str, position: int | None = None) -> TemplateSyntaxError:
        return TemplateSyntaxError(
            self.text, self.position if position is None else position, problem
        )

    def _step(self) -> Step | None:
        begin = self.position
        if field := self._match("field"):
            after_name = self.position
            if self._match("call"):
                try:
                    return Step(Literal(field[1]), self._items(")"))
                except TemplateSyntaxError:
                    pass  # parentheses in the text behind the reference
            self.position = after_name
            return Step(Literal(field[1]))
        if index := self._match("index"):
            number, single, double = index.groups()
            return Step(Literal(int(number) if number else single or double or ""))
        if self.text.startswith("[$", self.position):
            self.position += 1
            key = self.reference()
            if key is not None and self.takes("]"):
                return Step(key)
        self.position = begin
        return None

    def _operand(self) -> Expression:
        self._match("space")
        begin = self.position
        if self.takes("!"):
            return Not(self._operand())
        if self.takes("("):
            inner = self.expression()
            self.expect(")", "after the expression")
            return inner
        if self.takes("["):
            return self._list()
        if found := self.reference():
            return found
        if string := self._match("string"):
            if string[1] is not None:
                return Literal(string[1].replace("''", "'"))
            return _joined(string[2].replace('""', '"'))
        if number := self._match("number"):
            return Literal(number_in(number[0]))
        if word := self._match("word"):
            if word[0] in _CONSTANTS:
                return Literal(_CONSTANTS[word[0]])
            if word[0] == "not":
                return Not(self._operand())
        self.position = begin
        raise self.error("expected a value, such as $name, a number or a string in quotes")

    def _list(self) -> Expression:
        if self.takes("]"):
            return ListOf(())
        first = self.expression()
        if self._match("space") and self._match("range"):
            last = self.expression()
            self.expect("]", "after the range")
            return Range(first, last)
        if self.takes("]"):
            return ListOf((first,))
        self.expect(",", "between the values of the list")
        return ListOf((first, *self._items("]")))

    def _items(self, end: str) -> tuple[Expression, ...]:
        if self.takes(end):
            return ()
        items = [self.expression()]
        while self.takes(","):
            items.append(self.expression())
        self.expect(end, "after the values")
        return tuple(items)

    def _sign(self, signs: tuple[str, ...]) -> str:
        """The operator that is next, if it is one of these."""
        self._match("space")
        begin = self.position
        word = self._match("word")
        sign = _WORDS.get(word[0], "") if word else ""
        if sign in signs:
            return sign
        self.position = begin
        return next((sign for sign in signs if self.takes(sign)), "")

    def _match(self, name: str) -> re.Match[str] | None:
        found = re.compile(_PATTERNS[name]).match(self.text, self.position)
        if found is not None:
            self.position = found.end()
        return found


def _joined(text: str) -> Expression:
    """The text between double quotes, with its references."""
    if "$" not in text:
        return Literal(text)
    parts: list[Expression] = []
    syntax = Syntax(text)
    start = 0
    while (at := text.find("$", syntax.position)) >= 0:
        syntax.position = at
        found = syntax.reference()
        if found is None:
            syntax.position = at + 1
            continue
        parts += [Literal(text[start:at]), found]
        start = syntax.position
    return Joined((*parts, Literal(text[start:])))
