"""What can be written at the cursor in an expression or a path.

The text before the cursor is parsed on its own; the last of its nodes is what is being typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from engine.errors import ExpressionSyntaxError
from engine.expressions import functions, nodes
from engine.expressions.functions import Declaration
from engine.expressions.kinds import RECEIVERS, Kind
from engine.expressions.lexer import Lexer, Token
from engine.expressions.nodes import Node
from engine.expressions.places import nodes_at
from engine.language.answers import Completion, CompletionKind
from engine.language.expression_help import (
    FACTS,
    KEYWORDS,
    NAMESPACE_HELP,
    examples_text,
    function_markdown,
    kind_text,
)
from engine.language.expression_places import ExpressionPlace
from engine.language.here import Here
from engine.language.known import UNKNOWN, Knowledge, Known, Locals, found_by, node_of
from engine.late_regex import late_regex

_NAME = late_regex(r"[^\W\d][\w$]*")
_WORD_END = late_regex(r"^\w*")
_FIRST_NAME = late_regex(r"\$?\w*")
_OPEN_NAME = late_regex(
    r"""(?P<base>.+?)(?:\.|(?P<bracket>\[)(?P<quote>['"]))(?P<name>[^.\[\]'"()]*)""", re.DOTALL
)
_FIELDS, _METHODS, _NAMES, _FUNCTIONS = 0, 1, 1, 2
"""Ranks: fields come before methods, and what the pipeline declares before global functions."""


def complete_expression(
    here: Here, place: ExpressionPlace, knowledge: Knowledge
) -> list[Completion]:
    """What the expression or path may go on with; nothing inside strings and comments."""
    writer = _Writer(here, place)
    if place.form != "expression":
        return list(_in_path(writer, place.before, knowledge.document))
    try:
        lexer = Lexer(place.before)
        tokens = list(lexer.tokens())
        root = node_of(place.before)
    except ExpressionSyntaxError:  # longer, or nested more deeply, than the language allows
        return []
    typing = _Typing(place.before, tokens, nodes_at(root, tokens[-1].offset), knowledge)
    if lexer.is_open:
        return list(_in_string(typing, writer))
    return list(_in_code(typing, writer))


class _Typing(msgspec.Struct):
    """An expression up to the cursor: its tokens, and the nodes around the cursor."""

    text: str
    tokens: list[Token]
    chain: Sequence[Node]
    knowledge: Knowledge

    @property
    def last(self) -> Token | None:
        return self.tokens[-2] if len(self.tokens) > 1 else None

    @property
    def is_adjacent(self) -> bool:
        """Whether the last token ends at the cursor."""
        return self.last is not None and self.last.end == len(self.text)

    def precedes(self, *operators: str, skip: int = 0) -> bool:
        """Whether the last token, or the one `skip` before it, is one of the operators."""
        at = -2 - skip
        if len(self.tokens) < -at:
            return False
        return self.tokens[at].kind == "operator" and self.tokens[at].value in operators

    @property
    def locals(self) -> Locals:
        return self.knowledge.at(self.text, self.chain)


class _Writer:
    """Makes completions that fit the YAML around the expression."""

    def __init__(self, here: Here, place: ExpressionPlace) -> None:
        self.here = here
        self.style = place.style
        self.after = _WORD_END.sub("", place.text[place.offset :], count=1)

    def word(
        self,
        typed: int,
        label: str,
        kind: CompletionKind,
        detail: str = "",
        documentation: str = "",
        rank: int = _FIELDS,
    ) -> Completion:
        edit = self.here.replace_word(typed, label)
        return Completion(label, kind, edit, detail, documentation, rank)

    def field(self, typed: int, name: str, values: Sequence[Any], dot: int) -> Completion | None:
        """A field after a dot, or after `$` if `dot` is 0; None if YAML would not allow it here.

        `dot` counts the characters of the dot, which brackets replace.
        """
        detail, documentation = kind_text(values), examples_text(values)
        if _NAME.fullmatch(name):
            text = name if dot else f"${name}"
            edit = self.here.replace_word(typed, text)
            return Completion(text, "field", edit, detail, documentation, _FIELDS)
        if not self.style and self.here.is_flow:
            return None
        start = "" if dot else "$"
        text = f"{start}[{self.quoted(name)}]"
        edit = self.here.replace_word(typed + dot, text)
        return Completion(text, "field", edit, detail, documentation, _FIELDS)

    def quoted(self, name: str) -> str:
        """A name as a string of the expression, in the quotes that YAML does not use here."""
        quote = '"' if self.style == "'" else "'"
        escaped = name.replace("\\", "\\\\").replace(quote, f"\\{quote}")
        return f"{quote}{escaped}{quote}"

    def call(
        self, typed: int, declared: Declaration, kind: CompletionKind, rank: int, owner: str = ""
    ) -> Completion:
        """A function: with its parentheses, closed if it takes nothing."""
        ending = ")" if declared.most == 0 else ""
        text = declared.name + ("" if self.after.startswith("(") else f"({ending}")
        return Completion(
            declared.name,
            kind,
            self.here.replace_word(typed, text),
            f"{owner}{declared.signature}",
            function_markdown(declared, owner),
            rank,
        )


def _in_code(typing: _Typing, writer: _Writer) -> Iterator[Completion]:
    last = typing.last
    if last is None or not typing.is_adjacent:
        if last is None or _wants_value(last):
            yield from _names(typing, writer, "")
    elif last.kind == "field":
        fields = list(_fields(typing.knowledge.document, writer, len(last.value) + 1, dot=0))
        yield from fields
        if not last.value and not fields:  # it matches best, but choosing it would change nothing
            yield writer.word(1, "$", "variable", "the document", rank=_NAMES)
    elif typing.precedes("."):
        if target := _unfinished(typing.chain):
            yield from _members(typing, writer, target, "")
    elif last.kind == "name" and typing.precedes(".", skip=1):
        target = next(
            (n.target for n in reversed(typing.chain) if isinstance(n, nodes.Member)), None
        )
        if target is not None:
            yield from _members(typing, writer, target, last.value)
    elif last.kind == "name":
        yield from _names(typing, writer, last.value)
    elif last.kind == "operator" and _wants_value(last):
        yield from _names(typing, writer, "")


def _wants_value(token: Token) -> bool:
    """Whether a value follows the token."""
    if token.kind == "operator":
        return token.value not in (")", "]", "}", ".", "..", "...")
    return token.kind == "name" and token.value in ("typeof", "match", "in", "if")


def _unfinished(chain: Sequence[Node]) -> Node | None:
    """What stands before the dot at the cursor."""
    for node in reversed(chain):
        if isinstance(node, nodes.Broken) and node.lacks_name:
            return node.parts[0]
    return None


def _names(typing: _Typing, writer: _Writer, prefix: str) -> Iterator[Completion]:
    """What a value may begin with."""
    typed = len(prefix)
    for name, known in typing.locals.names.items():
        yield writer.word(typed, name, "variable", kind_text(known.examples), rank=_FIELDS)
    for name, default in typing.knowledge.parameters.items():
        detail = "parameter" if default is None else f"parameter, default {default!r}"
        text = typing.knowledge.parameter_help.get(name, "")
        yield writer.word(typed, f"_{name}", "parameter", detail, text, rank=_NAMES)
    if not prefix:
        yield writer.word(0, "$", "variable", "the document", rank=_NAMES)
        yield from _fields(typing.knowledge.document, writer, 0, dot=0)
    if typing.knowledge.libraries:
        yield writer.word(typed, "lib", "namespace", "expression libraries", rank=_NAMES)
    for declared in functions.GLOBALS.functions.values():
        yield writer.call(typed, declared, "function", _FUNCTIONS)
    for name, family in functions.NAMESPACES.items():
        yield writer.word(typed, name, "namespace", family.title, family.help, _FUNCTIONS)
    for name, text in NAMESPACE_HELP.items():
        yield writer.word(typed, name, "namespace", "", text, _FUNCTIONS)
    for name, text in KEYWORDS.items():
        yield writer.word(typed, name, "keyword", "", text, _FUNCTIONS)


def _members(typing: _Typing, writer: _Writer, target: Node, prefix: str) -> Iterator[Completion]:
    """What may follow the dot after `target`."""
    typed, found = len(prefix), typing.locals
    if isinstance(target, nodes.Name) and target.name not in found.names:
        name = target.name
        if name in functions.NAMESPACES:
            yield from _of_namespace(writer, name, typed)
            return
        if name in FACTS:
            for key, text in FACTS[name].items():
                yield writer.word(typed, key, "field", "", text)
            return
    known = found.of(target)
    if known.library_path:
        kind: CompletionKind = "library" if known.library_path == "lib" else "function"
        for name in known.names:
            yield writer.word(typed, name, kind)
        return
    yield from _fields(known, writer, typed, dot=1)
    if known.kind in ("string", "array", "binary"):
        yield writer.word(typed, "length", "field", "number", "How long it is.", _METHODS)
    for declared in methods_of(known.kind):
        yield writer.call(typed, declared, "method", _METHODS)


def methods_of(kind: Kind) -> Iterator[Declaration]:
    """The methods that a value of this kind has; of any kind, if it is unknown."""
    cls = dict if kind == "object" else RECEIVERS.get(kind)
    for name in sorted(functions.METHODS):
        declared: Mapping[type, Declaration] = functions.METHODS[name]
        if cls is None:
            yield from list(declared.values())[:1] if kind == "any" else ()
        elif cls in declared:
            yield declared[cls]


def _of_namespace(writer: _Writer, name: str, typed: int) -> Iterator[Completion]:
    family = functions.NAMESPACES[name]
    for declared in family.functions.values():
        yield writer.call(typed, declared, "function", _FIELDS, f"{name}.")
    for constant, value in family.constants.items():
        yield writer.word(typed, constant, "constant", str(value), rank=_METHODS)


def _fields(known: Known, writer: _Writer, typed: int, dot: int) -> Iterator[Completion]:
    for name, values in known.fields().items():
        if found := writer.field(typed, name, values, dot):
            yield found


def _in_string(typing: _Typing, writer: _Writer) -> Iterator[Completion]:
    """In a string that is still open: only a name in brackets, or the path of `jsonPath`."""
    last = typing.last
    if last is None or last.kind != "string":
        return
    typed = typing.text[last.offset + 1 :]
    if typing.precedes("[", skip=1):
        index = next((n for n in reversed(typing.chain) if isinstance(n, nodes.Index)), None)
        known = UNKNOWN if index is None else typing.locals.of(index.target)
        yield from _quoted_names(writer, known, typed, typing.text[last.offset])
    elif typing.precedes(",", skip=1):
        calls = (node for node in reversed(typing.chain) if isinstance(node, nodes.Call))
        call = next(calls, None)
        if call is not None and call.arguments and _is_json_path(call):
            yield from _in_path(writer, typed, typing.locals.of(call.arguments[0]))


def _is_json_path(call: nodes.Call) -> bool:
    return isinstance(call.function, nodes.Name) and call.function.name == "jsonPath"


def _quoted_names(writer: _Writer, known: Known, typed: str, quote: str) -> Iterator[Completion]:
    """The names of fields for a string that begins with `quote`, with what closes it."""
    closing = "" if writer.after.startswith(quote) else f"{quote}]"
    for name, values in known.fields().items():
        if quote not in name and "\\" not in name:
            edit = writer.here.replace_word(len(typed), f"{name}{closing}")
            detail, documentation = kind_text(values), examples_text(values)
            yield Completion(name, "field", edit, detail, documentation, _FIELDS)


def _in_path(writer: _Writer, before: str, document: Known) -> Iterator[Completion]:
    """The fields that a path may go on with."""
    if "$" in before[1:] or before.count("(") > before.count(")"):
        return
    if _FIRST_NAME.fullmatch(before):
        yield from _fields(document, writer, len(before), dot=0)
        return
    found = _OPEN_NAME.fullmatch(before)
    if found is None:
        return
    known = found_by(found["base"], document)
    if found["bracket"]:
        yield from _quoted_names(writer, known, found["name"], found["quote"])
    else:
        yield from _fields(known, writer, len(found["name"]), dot=1)
