"""The text of a path -> its steps. Embedded expressions are handed to the caller to compile.

In a path that is written to (`target`), names end only at `.`, `[` or `(`, so that
`$Create TimeStamp` and `$IsAllGood?` need no quotes.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Literal

from engine.errors import ExpressionSyntaxError
from engine.expressions.lexer import Lexer, Token
from engine.expressions.paths import methods, steps
from engine.expressions.paths.steps import Embedded, Step
from engine.expressions.suggestions import did_you_mean
from engine.late_regex import late_regex
from engine.numbers import MAX_DIGITS

Use = Literal["value", "condition", "search"]
"""The purpose of an embedded expression; a search is the condition of a filter after `..`."""
Compile = Callable[[int, int, Use], Embedded]
_NAME = late_regex(r"[^\s.\[\](),'\"*?@]+")
_TARGET_NAME = late_regex(r"[^.\[(]+")
_ATTRIBUTE = late_regex(r"@[\w:.-]*\w")
_LONGER_NAME = late_regex(r"[^.\[]*")
_PLAUSIBLE_NAME = late_regex(r"[^\W\d_][\w ,:;@?'&/#%-]*")
_WORD = late_regex(r"[^\W\d_]\w*(?=\s*\])")
_INTEGER = late_regex(r"-?\d+")
_SPACE = late_regex(r"[ \t\r\n]*")
_MAX_STEPS = 200


class Reader:
    def __init__(self, text: str, compile_embedded: Compile, target: bool = False) -> None:
        self.text = text
        self.at = 0
        self.end = len(text.rstrip())
        self.compile_embedded = compile_embedded
        self.target = target
        self.searching = False

    # --- moving on ---

    def sees(self, *pieces: str) -> bool:
        return self.text.startswith(pieces, self.at)

    def accept(self, piece: str) -> bool:
        if self.sees(piece):
            self.at += len(piece)
            return True
        return False

    def space(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def error(
        self, message: str, offset: int | None = None, hint: str = "", length: int = 1
    ) -> ExpressionSyntaxError:
        at = self.at if offset is None else offset
        return ExpressionSyntaxError(message, self.text, at, length, hint)

    def unexpected(self, wanted: str, hint: str = "") -> ExpressionSyntaxError:
        got = f"got `{self.text[self.at]}`" if self.at < self.end else "but the path ends here"
        return self.error(f"expected {wanted}, {got}", hint=hint)

    # --- the path ---

    def all_steps(self) -> list[Step]:
        self.space()
        found: list[Step] = []
        if self.at >= self.end:
            raise self.error("the path is empty")
        start = self.at
        self.accept("$")
        self.space_before_step()
        if self.at < self.end and not self.sees(".", "["):
            found.append(self.name_or_method())
            self.space_before_step()
        while self.at < self.end:
            found += self.step(start)
            self.space_before_step()
            if len(found) > _MAX_STEPS:
                raise self.error(f"a path may have at most {_MAX_STEPS} steps")
        return found

    def space_before_step(self) -> None:
        """Skip spaces before `.` and `[`; others are left for the message."""
        found = _SPACE.match(self.text, self.at)
        if found and self.text.startswith((".", "["), found.end()):
            self.at = found.end()

    def step(self, start: int) -> list[Step]:
        if self.accept(".."):
            at = self.at
            self.searching = True
            following = self.bracket() if self.sees("[") else self.name_or_method()
            self.searching = False
            if isinstance(following, steps.Method):
                raise self.error("a method cannot follow `..`", at)
            return [steps.Descend(), following]
        if self.accept("."):
            return [self.bracket() if self.sees("[") else self.name_or_method()]
        if self.sees("["):
            return [self.bracket()]
        raise self.unexpected("`.` or `[`", self.name_hint(start))

    def name_hint(self, start: int) -> str:
        """How to write a name when only its first part was read."""
        name_start = max(self.text.rfind(mark, start, self.at) for mark in ".]$") + 1
        found = _LONGER_NAME.match(self.text, max(start, name_start), self.end)
        name = found[0].strip() if found else ""
        if not _PLAUSIBLE_NAME.fullmatch(name):
            return "a path cannot have operators; put an expression in brackets"
        return f"write a name with such characters as {_bracketed(name)}"

    def attribute_hint(self) -> str:
        """How to write the name of an attribute of XML."""
        found = _ATTRIBUTE.match(self.text, self.at, self.end)
        return f"write a name with such characters as {_bracketed(found[0])}" if found else ""

    def name_or_method(self) -> Step:
        if not self.target and self.accept("*"):
            return steps.Wildcard()
        found = (_TARGET_NAME if self.target else _NAME).match(self.text, self.at, self.end)
        name = found[0].strip() if found else ""
        if not found or not name:
            raise self.unexpected("a name", self.attribute_hint())
        start, self.at = self.at, found.end()
        if self.target:
            return self.target_name(name, start)
        if self.sees("("):
            return self.method(name, start)
        return steps.Child(name)

    def target_name(self, name: str, start: int) -> Step:
        if self.sees("("):
            message = "the result of a function cannot be written to"
            whole = _LONGER_NAME.match(self.text, start, self.end)
            written = _bracketed(whole[0].strip() if whole else name)
            raise self.error(message, hint=f"if the field has this name, write {written}")
        return steps.Wildcard() if name == "*" else steps.Child(name)

    def method(self, name: str, start: int) -> Step:
        known = [*methods.WITHOUT_ARGUMENT, *methods.WITH_ARGUMENT]
        spans = self.arguments()
        if name in methods.WITHOUT_ARGUMENT and not spans:
            return steps.Method(name, (), methods.WITHOUT_ARGUMENT[name])
        if name in methods.WITH_ARGUMENT and len(spans) == 1:
            use: Use = "condition" if name in methods.TESTING else "value"
            argument = self.compile_embedded(*spans[0], use)
            return steps.Method(name, (argument,), methods.WITH_ARGUMENT[name])
        if name in known:
            count = "one argument" if name in methods.WITH_ARGUMENT else "no argument"
            raise self.error(f"`{name}` takes {count}, got {len(spans)}", start)
        hint = did_you_mean(name, known) or f"the methods of paths are {', '.join(known)}"
        raise self.error(f"there is no path method `{name}`", start, hint, len(name))

    def arguments(self) -> list[tuple[int, int]]:
        """The spans of a method's arguments; reading continues after `)`."""
        opening = self.at
        closing, commas = self.closing()
        self.at = closing + 1
        if not self.text[opening + 1 : closing].strip():
            return []
        edges = [opening, *commas, closing]
        return [(a + 1, b) for a, b in pairwise(edges)]

    def closing(self) -> tuple[int, list[int]]:
        """The offset of the bracket that closes the one here, and of the commas between them."""
        depth = 0
        commas: list[int] = []
        lexer = Lexer(self.text, self.at)
        for token in lexer.tokens():
            depth += _opened(token)
            if depth == 0:
                if lexer.errors:
                    raise lexer.errors[0]
                return token.offset, commas
            if depth == 1 and token.kind == "operator" and token.value == ",":
                commas.append(token.offset)
        raise lexer.errors[0] if lexer.errors else self.error("the parenthesis is not closed")

    # --- brackets ---

    def bracket(self) -> Step:
        self.accept("[")
        parts = [self.selector()]
        while self.accept(","):
            parts.append(self.selector())
        if not self.accept("]"):
            raise self.unexpected("`]`")
        return parts[0] if len(parts) == 1 else steps.Union(tuple(parts))

    def selector(self) -> Step:
        """One selector, and the spaces around it."""
        self.space()
        found = self.one_selector()
        self.space()
        return found

    def one_selector(self) -> Step:
        if self.accept("?"):
            return self.filter()
        if self.accept("*"):
            return steps.Wildcard()
        if self.sees("("):
            return steps.Computed(self.embedded("value"))
        if self.sees("$", "_"):  # public pipelines write `$x[$i]` as in expressions
            start, end = self.at, self.end_of_condition()
            self.at = end
            return steps.Computed(self.compile_embedded(start, end, "value"))
        if self.sees("'", '"'):
            return self.quoted()
        return self.position_or_slice()

    def filter(self) -> Step:
        """`?(condition)`; the parentheses are optional, as in RFC 9535."""
        self.space()
        use: Use = "search" if self.searching else "condition"
        if self.sees("(") and self.ends_with_parenthesis():
            return steps.Filter(self.embedded(use), self.searching)
        start, end = self.at, self.end_of_condition()
        if not self.text[start:end].strip():
            raise self.unexpected("a condition, as in [?(value.age > 18)]")
        self.at = end
        return steps.Filter(self.compile_embedded(start, end, use), self.searching)

    def ends_with_parenthesis(self) -> bool:
        """Whether the parentheses that begin here enclose the entire condition."""
        closing, _ = self.closing()
        return self.text[closing + 1 : self.end].lstrip()[:1] in (",", "]", "")

    def end_of_condition(self) -> int:
        """The offset of the `,` or `]` that ends the condition."""
        depth = 0
        lexer = Lexer(self.text, self.at)
        for token in lexer.tokens():
            if token.kind == "end":
                break
            ends = token.kind == "operator" and token.value in (",", "]") and depth == 0
            depth += _opened(token)
            if ends or depth < 0:
                break
        if lexer.errors:
            raise lexer.errors[0]
        return token.offset

    def embedded(self, use: Use) -> Embedded:
        opening = self.at
        closing, _ = self.closing()
        self.at = closing + 1
        return self.compile_embedded(opening + 1, closing, use)

    def quoted(self) -> Step:
        lexer = Lexer(self.text, self.at)
        token = next(lexer.tokens())
        if lexer.errors:
            raise lexer.errors[0]
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
                name = _WORD.match(self.text, self.at, self.end)
                hint = f"write ['{name[0]}'] for the field of that name" if name else ""
                raise self.unexpected("a position, '*', a name in quotes or (an expression)", hint)
            return steps.Position(numbers[0])
        start, end, by = (*numbers, None)[:3]
        if by == 0:
            raise self.error("the step of a slice must not be 0")
        return steps.Slice(start, end, by)

    def integer(self) -> int | None:
        found = _INTEGER.match(self.text, self.at)
        if not found:
            return None
        written = found[0]
        if len(written) > MAX_DIGITS:
            raise self.error(f"the number has more than {MAX_DIGITS:,} digits")
        if str(int(written)) != written:
            message, hint = f"`{written}` is not a position", f"write {int(written)}"
            raise self.error(message, hint=hint, length=len(written))
        self.at = found.end()
        return int(found[0])


def _opened(token: Token) -> int:
    """By how much the token changes the number of open brackets."""
    if token.kind != "operator":
        return 0
    return (token.value in ("(", "[", "{")) - (token.value in (")", "]", "}"))


def _bracketed(name: str) -> str:
    quoted = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"$['{quoted}']"
