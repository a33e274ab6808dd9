"""Scripts written for Python 2, with the syntax of Python 3.

Only what Python 3 cannot parse is translated, line by line, so that line numbers stay: `print x`,
`except E, e`, `raise E, text`, `exec code in names`, backticks, `<>`, `10L`, `0777`, `ur"…"`, and
tabs mixed with spaces. What these texts mean differently in Python 2 is the executor's part.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Iterator
from typing import NamedTuple


class SyntaxProblem(Exception):  # noqa: N818  # a fact about a script, for whoever asks
    """The text is valid in neither Python; `line` is where."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(line, message)
        self.line = line
        self.message = message


def with_python3_syntax(source: str) -> str:
    """The same script, as Python 3 parses it. Raises SyntaxProblem."""
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    try:
        _parse(source)
    except SyntaxProblem:
        source = _translated(source)
        _parse(source)
    return source


def _parse(source: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source)
    except SyntaxError as error:
        raise SyntaxProblem(error.lineno or 1, error.msg) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxProblem(1, str(error) or type(error).__name__) from None


class Token(NamedTuple):
    kind: str
    text: str


Tokens = list[Token]
_TOKEN = re.compile(
    r"""
    (?P<string>[uUbBrR]{0,2}(?:\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}
        |\"(?:\\.|[^\\\"\n])*\"|'(?:\\.|[^\\'\n])*'))
    |(?P<comment>\#[^\n]*)
    |(?P<newline>\n)
    |(?P<space>(?:[ \t\f]|\\\n)+)
    |(?P<number>0[xX][0-9a-fA-F]+[lL]?|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[lLjJ]?)
    |(?P<name>[^\W\d]\w*)
    |(?P<operator><>|>>|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMPOUND = frozenset(
    ("if", "elif", "else", "for", "while", "try", "except", "finally", "with", "def", "class")
)
_OPENING, _CLOSING = "([{", ")]}"


def _translated(source: str) -> str:
    tokens = [
        Token(match.lastgroup or "", _new_text(match.lastgroup, match[0]))
        for match in _TOKEN.finditer(_with_spaces(source))
    ]
    return "".join(
        token.text
        for statement in _statements(list(_without_backticks(tokens)))
        for token in _translated_statement(statement)
    )


def _with_spaces(source: str) -> str:
    """Tabs in front of a line as Python 2 counts them."""
    return re.sub(r"(?m)^[ ]*\t[ \t]*", lambda match: match[0].expandtabs(8), source)


def _new_text(kind: str | None, text: str) -> str:
    if kind == "number":
        text = text.rstrip("lL")
        return f"0o{text.lstrip('0')}" if re.fullmatch(r"0+[1-7][0-7]*", text) else text
    if kind == "string" and text[:2].lower() == "ur":
        return text[1:]
    return "!=" if text == "<>" else text


def _without_backticks(tokens: Tokens) -> Iterator[Token]:
    """`x` in backticks as repr(x)."""
    is_open = False
    for token in tokens:
        if token.text == "`":
            is_open = not is_open
            yield Token("name", "repr(") if is_open else Token("operator", ")")
        else:
            yield token


def _statements(tokens: Tokens) -> Iterator[Tokens]:
    """The tokens of each simple statement, or of the beginning of a compound one; what is between
    statements comes with the one before."""
    held: Tokens = []
    depth = 0
    for token in tokens:
        held.append(token)
        if token.kind == "operator":
            depth += (token.text in _OPENING) - (token.text in _CLOSING)
        ends = token.kind == "newline" or token.text == ";"
        ends |= token.text == ":" and _first(held) in _COMPOUND
        if depth <= 0 and ends:
            yield held
            held, depth = [], 0
    yield held


def _first(tokens: Tokens) -> str:
    return next((token.text for token in tokens if token.kind not in ("space", "newline")), "")


def _translated_statement(tokens: Tokens) -> Tokens:
    translate = _TRANSLATORS.get(_first(tokens))
    if translate is None:
        return tokens
    start = next(place for place, token in enumerate(tokens) if token.kind == "name")
    end = len(tokens)
    while end > start + 1 and (
        tokens[end - 1].kind in ("space", "newline", "comment")
        or tokens[end - 1].text in (";", ":")
    ):
        end -= 1
    return [*tokens[:start], *translate(tokens[start:end]), *tokens[end:]]


def _split(tokens: Tokens, by: str) -> list[Tokens]:
    """The parts between separators that are not in brackets."""
    parts: list[Tokens] = [[]]
    depth = 0
    for token in tokens:
        if token.kind == "operator":
            depth += (token.text in _OPENING) - (token.text in _CLOSING)
        if depth == 0 and token.text == by:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _text(tokens: Tokens) -> str:
    return "".join(token.text for token in tokens).strip()


def _code(text: str) -> Tokens:
    return [Token("name", text)]


def _print(tokens: Tokens) -> Tokens:
    given = tokens[1:]
    text = _text(given)
    if not text:
        return _code("print()")
    if _is_call(given) or text[0] in "=.,)]":
        return tokens
    arguments, ending = text, ""
    if text.endswith(","):
        arguments, ending = text[:-1], ', end=" "'
    if text.startswith(">>"):
        target, *rest = _split(given, ",")
        arguments = ", ".join(filter(None, map(_text, rest)))
        ending += f", file={_text(target)[2:].strip()}"
    return _code(f"print({arguments}{ending if arguments else ending.removeprefix(', ')})")


def _is_call(tokens: Tokens) -> bool:
    """Whether all of it is in one pair of brackets."""
    significant = [token for token in tokens if token.kind not in ("space", "comment")]
    if not significant or significant[0].text != "(":
        return False
    depth = 0
    for place, token in enumerate(significant):
        if token.kind == "operator":
            depth += (token.text in _OPENING) - (token.text in _CLOSING)
        if depth == 0:
            return place == len(significant) - 1
    return False


def _except(tokens: Tokens) -> Tokens:
    kind, *names = _split(tokens[1:], ",")
    if len(names) != 1:
        return tokens
    return _code(f"except {_text(kind)} as {_text(names[0])}")


def _raise(tokens: Tokens) -> Tokens:
    kind, *arguments = _split(tokens[1:], ",")
    if not arguments:
        return tokens
    return _code(f"raise {_text(kind)}({_text(arguments[0])})")


def _exec(tokens: Tokens) -> Tokens:
    if _is_call(tokens[1:]):
        return tokens
    code, *spaces = _split(tokens[1:], "in")
    names = f", {_text(spaces[0])}" if spaces else ""
    return _code(f"exec({_text(code)}{names})")


_TRANSLATORS: dict[str, Callable[[Tokens], Tokens]] = {
    "print": _print,
    "except": _except,
    "raise": _raise,
    "exec": _exec,
}
