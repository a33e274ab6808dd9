"""Tokens -> nodes, by recursive descent. `match` patterns are in `patterns`.

Everything that JavaScript allows and this language does not ends in `_unexpected`, which knows what
to write instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from engine.errors import ExpressionSyntaxError
from engine.expressions import nodes
from engine.expressions.habits import OPERATOR_HABITS, STATEMENTS
from engine.expressions.lexer import Lexer, Token
from engine.expressions.limits import MAX_CHAIN, MAX_NESTING, MAX_NODE_DEPTH
from engine.expressions.nodes import Node
from engine.expressions.patterns import arms

_LEVELS: dict[str, int] = {
    operator: level
    for level, operators in enumerate(
        ("||", "&&", "== !=", "< <= > >= in instanceof", "+ -", "* / %"), start=1
    )
    for operator in operators.split()
}
_UNARY = frozenset({"!", "-", "+"})
_CONSTANTS = {"true": True, "false": False, "null": None}
T = TypeVar("T")


def parse(text: str, start: int = 0, end: int | None = None) -> Node:
    """The expression in `text[start:end]`; raises ExpressionSyntaxError."""
    try:
        lexer = Lexer(text, start, end)
        parser = Parser(text, list(lexer.tokens()))
        if lexer.errors:
            raise lexer.errors[0]
        node = parser.whole()
    except RecursionError:
        raise _too_deep(text, start) from None
    _check_depth(text, node)
    return node


def _check_depth(text: str, node: Node) -> None:
    """So that whoever walks over the nodes may recurse."""
    level, depth = [node], 0
    while level:
        depth += 1
        if depth > MAX_NODE_DEPTH:
            raise _too_deep(text, level[0].offset)
        level = [child for one in level for child in one.children()]


def _too_deep(text: str, offset: int) -> ExpressionSyntaxError:
    return ExpressionSyntaxError("the expression is nested too deeply", text, offset)


class Parser:
    def __init__(self, text: str, tokens: list[Token]) -> None:
        self.text = text
        self.tokens = tokens
        self.at = 0
        self.nesting = 0
        self.arrows_allowed = True

    # --- moving on ---

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def advance(self) -> Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def sees(self, *operators: str) -> bool:
        return self.token.kind == "operator" and self.token.value in operators

    def sees_word(self, word: str) -> bool:
        return self.token.kind == "name" and self.token.value == word

    def accept(self, operator: str) -> bool:
        if self.sees(operator):
            self.at += 1
            return True
        return False

    def expect(self, operator: str, what: str = "") -> Token:
        if not self.sees(operator):
            raise self.unexpected(what or f"`{operator}`")
        return self.advance()

    def error(
        self, message: str, offset: int, length: int = 1, hint: str = ""
    ) -> ExpressionSyntaxError:
        return ExpressionSyntaxError(message, self.text, offset, length, hint)

    def unexpected(self, wanted: str) -> ExpressionSyntaxError:
        token = self.token
        if token.kind == "end":
            message = f"expected {wanted}, but the expression ends here"
            return self.error(message, token.offset)
        written = self.text[token.offset : token.end]
        hint = OPERATOR_HABITS.get(written.lower(), "")
        message = f"expected {wanted}, got `{written}`"
        return self.error(message, token.offset, token.length, hint)

    def end(self) -> int:
        """Where the last token taken ended."""
        return self.tokens[self.at - 1].end

    def since(self, offset: int) -> int:
        return self.end() - offset

    # --- expressions, loosest first ---

    def whole(self) -> Node:
        if self.token.kind == "end":
            raise self.error("the expression is empty", self.token.offset)
        node = self.expression()
        if self.token.kind == "end":
            return node
        if isinstance(node, nodes.Name) and node.name in STATEMENTS:
            raise self.refuse_statement(node)
        raise self.unexpected("an operator or the end")

    def expression(self) -> Node:
        """An arrow function, or a conditional."""
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise self.error(
                f"nested too deeply (more than {MAX_NESTING} levels)", self.token.offset
            )
        node = self.arrow() if self.sees_arrow() else self.conditional()
        self.nesting -= 1
        return node

    def conditional(self) -> Node:
        test = self.binary(1)
        if not self.accept("?"):
            return test
        yes = self.freely(self.expression)
        self.expect(":", "`:` and the other value")
        no = self.expression()
        return nodes.Conditional(test.offset, self.since(test.offset), test, yes, no)

    def binary(self, lowest: int) -> Node:
        """Operators of level `lowest` and tighter, all of them to the left."""
        left = self.unary() if self.sees(*_UNARY) or self.sees_word("typeof") else self.postfix()
        links = 0
        while (level := self.operator_level()) >= lowest:
            links += 1
            if links > MAX_CHAIN:
                raise self.error(f"more than {MAX_CHAIN} operators in a row", self.token.offset)
            left = self.operation(left, self.advance().value, level)
        return left

    def operator_level(self) -> int:
        token = self.token
        return _LEVELS.get(token.value, 0) if token.kind in ("operator", "name") else 0

    def operation(self, left: Node, operator: str, level: int) -> Node:
        if operator == "instanceof":
            name = self.type_name()
            return nodes.InstanceOf(left.offset, self.since(left.offset), left, name)
        right = self.binary(level + 1)
        make = nodes.Logical if operator in ("&&", "||") else nodes.Binary
        return make(left.offset, self.since(left.offset), operator, left, right)

    def type_name(self) -> str:
        token = self.token
        if token.kind != "name" or token.value not in nodes.TYPE_NAMES:
            raise self.unexpected(f"a type ({', '.join(sorted(nodes.TYPE_NAMES))})")
        return str(self.advance().value)

    def unary(self) -> Node:
        operators: list[Token] = []
        while self.sees(*_UNARY) or self.sees_word("typeof"):
            operators.append(self.advance())
        if len(operators) > MAX_NESTING:
            raise self.error(f"more than {MAX_NESTING} signs in a row", operators[0].offset)
        node = self.postfix()
        for token in reversed(operators):
            node = nodes.Unary(token.offset, self.since(token.offset), token.value, node)
        return node

    def postfix(self) -> Node:
        node = self.primary()
        for _ in range(MAX_CHAIN):
            if self.accept("."):
                node = self.member(node)
            elif self.sees("["):
                node = self.index(node)
            elif self.sees("("):
                arguments = self.arguments()
                length = self.since(node.offset)
                node = nodes.Call(node.offset, length, node, arguments)
            else:
                return node
        raise self.error(f"more than {MAX_CHAIN} accesses in a row", node.offset)

    def member(self, target: Node) -> Node:
        if self.token.kind != "name" or self.text[self.token.offset] == "@":
            raise self.unexpected("a name after `.`")
        name = self.advance().value
        if self.sees("("):
            arguments = self.arguments()
            length = self.since(target.offset)
            return nodes.MethodCall(target.offset, length, target, name, arguments)
        return nodes.Member(target.offset, self.since(target.offset), target, name)

    def index(self, target: Node) -> Node:
        self.advance()
        key = self.freely(self.expression)
        self.expect("]")
        return nodes.Index(target.offset, self.since(target.offset), target, key)

    def arguments(self) -> tuple[Node, ...]:
        self.advance()
        found = self.freely(lambda: self.listed(")", "an argument", self.element))
        self.expect(")")
        return found

    def element(self) -> Node:
        """An expression, or `...` and one to be spread."""
        start = self.token.offset
        if not self.accept("..."):
            return self.expression()
        value = self.expression()
        return nodes.Spread(start, self.since(start), value)

    def listed(self, closer: str, what: str, one: Callable[[], Node]) -> tuple[Node, ...]:
        """Comma-separated things up to `closer`, which is not taken; no trailing comma."""
        found: list[Node] = []
        if self.sees(closer):
            return ()
        while True:
            if self.sees(closer, ","):
                hint = "a comma needs something after it"
                token = self.token
                raise self.error(f"expected {what}, got `{token.value}`", token.offset, 1, hint)
            found.append(one())
            if not self.accept(","):
                return tuple(found)

    def freely(self, parse_one: Callable[[], T]) -> T:
        """Within brackets an arrow is an arrow again, even in the guard of a match arm."""
        before, self.arrows_allowed = self.arrows_allowed, True
        found = parse_one()
        self.arrows_allowed = before
        return found

    # --- what stands alone ---

    def primary(self) -> Node:
        token = self.token
        if token.kind in ("number", "string"):
            self.advance()
            return nodes.Literal(token.offset, token.length, token.value)
        if token.kind == "regex":
            self.advance()
            return nodes.Regex(token.offset, token.length, *token.value)
        if token.kind == "field":
            return self.field()
        if token.kind == "name":
            return self.name()
        if self.accept("("):
            node = self.freely(self.expression)
            self.expect(")")
            return msgspec.structs.replace(
                node, offset=token.offset, length=self.since(token.offset)
            )
        if self.sees("["):
            return self.array()
        if self.sees("{"):
            return self.object()
        raise self.unexpected("an expression")

    def field(self) -> Node:
        token = self.advance()
        root = nodes.Root(token.offset, 1)
        if not token.value:
            return root
        if not self.sees("("):
            return nodes.Member(token.offset, token.length, root, token.value)
        arguments = self.arguments()
        length = self.since(token.offset)
        return nodes.MethodCall(token.offset, length, root, token.value, arguments)

    def name(self) -> Node:
        token = self.advance()
        word: str = token.value
        if word in _CONSTANTS:
            return nodes.Literal(token.offset, token.length, _CONSTANTS[word])
        if word == "match":
            return self.match(token)
        node = nodes.Name(token.offset, token.length, word)
        if word in ("in", "instanceof"):
            self.at -= 1
            raise self.unexpected("an expression")
        if word.lower() in STATEMENTS and self.token.kind not in ("end", "operator"):
            raise self.refuse_statement(node)
        if word in ("if", "for", "while", "switch", "function"):
            raise self.refuse_statement(node)
        return node

    def refuse_statement(self, node: nodes.Name) -> ExpressionSyntaxError:
        message = f"`{node.name}` does not belong into an expression"
        return self.error(message, node.offset, node.length, STATEMENTS[node.name.lower()])

    def array(self) -> Node:
        start = self.advance().offset
        items = self.freely(lambda: self.listed("]", "an element", self.element))
        self.expect("]", "`,` or `]`")
        return nodes.ArrayLiteral(start, self.since(start), items)

    def object(self) -> Node:
        start = self.advance().offset
        entries: list[Node] = []
        while not self.sees("}"):
            entries.append(self.freely(self.entry))
            if not self.accept(","):
                break
        self.expect("}", "`,` or `}`")
        return nodes.ObjectLiteral(start, self.since(start), tuple(entries))

    def entry(self) -> Node:
        start = self.token.offset
        if self.sees("..."):
            return self.element()
        key = self.key()
        hint = "an entry is written `name: value`"
        if not self.sees(":"):
            token = self.token
            written = self.text[token.offset : token.end] or "the end"
            raise self.error(f"expected `:`, got `{written}`", token.offset, token.length, hint)
        self.advance()
        value = self.expression()
        return nodes.Property(start, self.since(start), key, value)

    def key(self) -> Node:
        token = self.token
        if self.accept("["):
            key = self.expression()
            self.expect("]")
            return key
        if token.kind not in ("name", "string", "number"):
            raise self.unexpected("a property name")
        self.advance()
        return nodes.Literal(token.offset, token.length, token.value)

    # --- arrow functions ---

    def sees_arrow(self) -> bool:
        if not self.arrows_allowed:
            return False
        if self.token.kind == "name":
            following = self.tokens[self.at + 1]
            return following.kind == "operator" and following.value == "=>"
        return self.sees("(") and self.parenthesis_begins_arrow()

    def parenthesis_begins_arrow(self) -> bool:
        depth = 0
        for at in range(self.at, len(self.tokens)):
            token = self.tokens[at]
            if token.kind != "operator":
                continue
            if token.value in ("(", "[", "{"):
                depth += 1
            elif token.value in (")", "]", "}"):
                depth -= 1
                if depth == 0:
                    following = self.tokens[at + 1]
                    return following.kind == "operator" and following.value == "=>"
        return False

    def arrow(self) -> Node:
        start = self.token.offset
        parameters = self.parameters()
        arrow = self.expect("=>")
        if self.sees("{"):
            hint = "a function gives one expression; put an object in parentheses: x => ({a: x})"
            raise self.error("a function has no statements in braces", arrow.offset + 3, 1, hint)
        body = self.expression()
        return nodes.Arrow(start, self.since(start), parameters, body)

    def parameters(self) -> tuple[nodes.Parameter, ...]:
        if self.token.kind == "name":
            token = self.advance()
            return (nodes.Parameter(token.offset, token.length, token.value),)
        self.expect("(")
        found: list[nodes.Parameter] = []
        while not self.sees(")"):
            found.append(self.parameter())
            if found[-1].rest or not self.accept(","):
                break
        self.expect(")", "`,` or `)` after the parameters")
        for place, parameter in enumerate(found):
            if any(parameter.name == earlier.name for earlier in found[:place]):
                message = f"the parameter `{parameter.name}` is there twice"
                raise self.error(message, parameter.offset, parameter.length)
        return tuple(found)

    def parameter(self) -> nodes.Parameter:
        start = self.token.offset
        rest = self.accept("...")
        if self.token.kind != "name" or self.token.value in _CONSTANTS:
            raise self.unexpected("the name of a parameter")
        name = self.advance().value
        default = self.expression() if not rest and self.accept("=") else None
        return nodes.Parameter(start, self.since(start), name, default, rest)

    # --- match ---

    def match(self, word: Token) -> Node:
        subject = self.freely(self.expression)
        self.expect("{", "`{` and the arms of `match`")
        found = self.freely(lambda: arms(self))
        self.expect("}", "`,` or `}`")
        return nodes.Match(word.offset, self.since(word.offset), subject, found)
