"""The text of a path -> its steps. Embedded expressions are handed to the caller to compile."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from engine.errors import ExpressionSyntaxError
from engine.expressions.lexer import tokens
from engine.expressions.paths import methods, steps
from engine.expressions.paths.steps import Embedded, Step
from engine.expressions.suggestions import did_you_mean

Compile = Callable[[int, int], Embedded]
_NAME = re.compile(r"[^\s.\[\](),'\"*?@]+")
_INTEGER = re.compile(r"-?\d{1,9}(?!\d)")
_SPACE = re.compile(r"\s*")
_MOST_STEPS = 200


class Reader:
    def __init__(self, text: str, compile_embedded: Compile) -> None:
        self.text = text
        self.at = 0
        self.compile_embedded = compile_embedded

    # --- moving on ---

    def sees(self, piece: str) -> bool:
        return self.text.startswith(piece, self.at)

    def accept(self, piece: str) -> bool:
        if self.sees(piece):
            self.at += len(piece)
            return True
        return False

    def space(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def error(
        self, message: str, offset: int | None = None, hint: str = ""
    ) -> ExpressionSyntaxError:
        at = self.at if offset is None else offset
        return ExpressionSyntaxError(message, self.text, at, 1, hint)

    def unexpected(self, wanted: str) -> ExpressionSyntaxError:
        got = (
            f"got `{self.text[self.at]}`" if self.at < len(self.text) else "but the path ends here"
        )
        return self.error(f"expected {wanted}, {got}")

    # --- the path ---

    def all_steps(self) -> list[Step]:
        self.space()
        found: list[Step] = []
        if self.at == len(self.text):
            raise self.error("the path is empty")
        if not self.accept("$"):
            self.space()
        if self.at < len(self.text) and not self.sees(".") and not self.sees("["):
            found.append(self.name_or_method())
        while self.at < len(self.text.rstrip()):
            found += self.step()
            if len(found) > _MOST_STEPS:
                raise self.error(f"a path may have {_MOST_STEPS} steps at most")
        return found

    def step(self) -> list[Step]:
        if self.accept(".."):
            start = self.at
            following = self.bracket() if self.sees("[") else self.name_or_method()
            if isinstance(following, steps.Method):
                raise self.error("a method cannot follow `..`", start)
            return [steps.Descend(), following]
        if self.accept("."):
            return [self.bracket() if self.sees("[") else self.name_or_method()]
        if self.sees("["):
            return [self.bracket()]
        raise self.unexpected("`.` or `[`")

    def name_or_method(self) -> Step:
        if self.accept("*"):
            return steps.Wildcard()
        found = _NAME.match(self.text, self.at)
        if not found:
            raise self.unexpected("a name")
        start, self.at = self.at, found.end()
        if self.sees("("):
            return self.method(found[0], start)
        return steps.Child(found[0])

    def method(self, name: str, start: int) -> Step:
        known = [*methods.WITHOUT_ARGUMENT, *methods.WITH_ARGUMENT]
        arguments = tuple(self.compile_embedded(*span) for span in self.arguments())
        if name in methods.WITHOUT_ARGUMENT and not arguments:
            return steps.Method(name, (), methods.WITHOUT_ARGUMENT[name])
        if name in methods.WITH_ARGUMENT and len(arguments) == 1:
            return steps.Method(name, arguments, methods.WITH_ARGUMENT[name])
        if name in known:
            count = "one argument" if name in methods.WITH_ARGUMENT else "no argument"
            raise self.error(f"`{name}` takes {count}, got {len(arguments)}", start)
        raise self.error(f"there is no path method `{name}`", start, did_you_mean(name, known))

    def arguments(self) -> list[tuple[int, int]]:
        """Where the arguments of a method stand; what stands behind `)` is next."""
        opening = self.at
        closing, commas = self.closing()
        self.at = closing + 1
        if not self.text[opening + 1 : closing].strip():
            return []
        edges = [opening, *commas, closing]
        return [(a + 1, b) for a, b in pairwise(edges)]

    def closing(self) -> tuple[int, list[int]]:
        """The place of the bracket that closes the one here, and of the commas between them."""
        depth = 0
        commas: list[int] = []
        for token in _tokens(self.text, self.at):
            if token.kind != "operator":
                continue
            if token.value in ("(", "[", "{"):
                depth += 1
            elif token.value in (")", "]", "}"):
                depth -= 1
            elif token.value == "," and depth == 1:
                commas.append(token.offset)
            if depth == 0:
                return token.offset, commas
        raise self.error("the parenthesis is not closed")

    # --- brackets ---

    def bracket(self) -> Step:
        self.accept("[")
        self.space()
        step = self.filter() if self.accept("?") else self.selection()
        self.space()
        if not self.accept("]"):
            raise self.unexpected("`]`")
        return step

    def filter(self) -> Step:
        self.space()
        if not self.sees("("):
            raise self.unexpected("`(` and a condition, as in [?(value.age > 18)]")
        return steps.Filter(self.embedded())

    def embedded(self) -> Embedded:
        opening = self.at
        closing, _ = self.closing()
        self.at = closing + 1
        return self.compile_embedded(opening + 1, closing)

    def selection(self) -> Step:
        parts = [self.selector()]
        self.space()
        while self.accept(","):
            self.space()
            parts.append(self.selector())
            self.space()
        return parts[0] if len(parts) == 1 else steps.Union(tuple(parts))

    def selector(self) -> Step:
        if self.accept("*"):
            return steps.Wildcard()
        if self.sees("("):
            return steps.Computed(self.embedded())
        if self.sees("'") or self.sees('"'):
            return self.quoted()
        return self.position_or_slice()

    def quoted(self) -> Step:
        token = next(iter(_tokens(self.text, self.at)))
        self.at = token.end
        return steps.Child(str(token.value))

    def position_or_slice(self) -> Step:
        numbers = [self.integer()]
        self.space()
        while len(numbers) < 3 and self.accept(":"):
            self.space()
            numbers.append(self.integer())
            self.space()
        if len(numbers) == 1:
            if numbers[0] is None:
                raise self.unexpected("a position, '*', a name in quotes or (an expression)")
            return steps.Position(numbers[0])
        start, end, by = (*numbers, None)[:3]
        if by == 0:
            raise self.error("the step of a slice must not be 0")
        return steps.Slice(start, end, by)

    def integer(self) -> int | None:
        found = _INTEGER.match(self.text, self.at)
        if not found:
            return None
        self.at = found.end()
        return int(found[0])


def _tokens(text: str, start: int) -> Any:
    """Tokens from `start` on, as far as the bracket there reaches; the rest may be anything."""
    return tokens(text, start, _end_of_bracket(text, start))


def _end_of_bracket(text: str, start: int) -> int:
    depth, at, quote = 0, start, ""
    while at < len(text):
        character = text[at]
        if quote:
            if character == "\\":
                at += 1
            elif character == quote:
                quote = ""
                if depth == 0:
                    return at + 1
        elif character in "'\"":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return len(text)
