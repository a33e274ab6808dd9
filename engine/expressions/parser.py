"""Tokens -> nodes, by recursive descent. Arrow functions are in `arrows`, patterns in `patterns`.

A mistake does not stop the parser: it is recorded, the broken part becomes a `Broken` node, and
parsing resumes at the next operator, comma or closing bracket, so that one pass finds all mistakes.
Syntax of other languages is read as what was meant; `foreign_syntax` and `syntax_hints` say what to
write instead.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from engine.errors import ExpressionSyntaxError
from engine.expressions import arrows, nodes, syntax_hints
from engine.expressions.foreign_syntax import FOREIGN_OPERATORS, STATEMENTS, TWO_WORDS
from engine.expressions.lexer import Lexer, Token
from engine.expressions.limits import MAX_CHAIN, MAX_NESTING, MAX_NODE_DEPTH
from engine.expressions.nodes import Node
from engine.expressions.patterns import arms
from engine.expressions.recovery import FOREIGN_LEVELS, LEVELS, Cursor

_UNARY = frozenset({"!", "-", "+"})
_CONSTANTS = {"true": True, "false": False, "null": None}


def parse_part(text: str, start: int, end: int) -> Node:
    """The expression in `text[start:end]`; raises ExpressionSyntaxError with all its mistakes."""
    node, errors = read(text, start, end)
    if errors:
        raise ExpressionSyntaxError.of(errors)
    return node


def read(
    text: str, start: int = 0, end: int | None = None
) -> tuple[Node, list[ExpressionSyntaxError]]:
    """As much as can be read of `text[start:end]`, and its mistakes."""
    try:
        parser = Parser(text, Lexer(text, start, end))
        node = parser.complete()
        _check_depth(text, node)
    except RecursionError:
        raise _too_deep(text, start) from None
    return node, parser.errors


def _check_depth(text: str, node: Node) -> None:
    """Limit the depth, so that code that walks over the nodes may recurse."""
    level, depth = [node], 0
    while level:
        depth += 1
        if depth > MAX_NODE_DEPTH:
            raise _too_deep(text, level[0].offset)
        level = [child for one in level for child in one.children()]


def _too_deep(text: str, offset: int) -> ExpressionSyntaxError:
    return ExpressionSyntaxError("the expression is nested too deeply", text, offset)


class Parser(Cursor):
    # --- expressions, loosest first ---

    def complete(self) -> Node:
        start = self.token.offset
        if self.token.kind == "end":
            self.report(self.error("the expression is empty", start))
            return nodes.Broken(start, 1)
        parts = [self.inside(self.expression)]
        while self.token.kind != "end":
            self.report(self.missing_operator(parts[-1]))
            if isinstance(parts[-1], nodes.Name):  # what follows shows that it is not a name
                parts.pop()
            self.skip_over_operator()
            if self.token.kind != "end":
                parts.append(self.inside(self.expression))
        if not self.errors:
            return parts[0]
        return nodes.Broken(start, max(1, self.since(start)), tuple(parts))

    def missing_operator(self, node: Node) -> ExpressionSyntaxError:
        if isinstance(node, nodes.Name) and node.name in STATEMENTS:
            return self.refuse_statement(node)
        hint = syntax_hints.between_values(self)
        error = self.unexpected("an operator or the end", hint)
        if self.tokens[self.at - 1].kind == "string" and "inside a string" in hint:
            self.errors[:] = [kept for kept in self.errors if kept.offset < error.offset]
            self.give_up()
        return error

    def expression(self) -> Node:
        """An arrow function, or a conditional."""
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise self.error(
                f"nested too deeply (more than {MAX_NESTING} levels)", self.token.offset
            )
        node = arrows.arrow(self) if arrows.begins(self) else self.conditional()
        self.nesting -= 1
        return node

    def conditional(self) -> Node:
        test = self.binary(1)
        if not self.accept("?"):
            return test
        yes = self.inside(self.expression)
        if not self.accept(":"):
            hint = "write a condition as `test ? a : b`"
            self.report(self.unexpected("`:` and the other value", hint))
            return nodes.Broken(test.offset, self.since(test.offset), (test, yes))
        no = self.inside(self.expression)
        return nodes.Conditional(test.offset, self.since(test.offset), test, yes, no)

    def binary(self, lowest: int) -> Node:
        """Operators of level `lowest` and tighter, all left-associative."""
        left = self.unary() if self.sees(*_UNARY) or self.sees_word("typeof") else self.postfix()
        links = 0
        while (level := self.operator_level()) >= lowest:
            links += 1
            if links > MAX_CHAIN:
                raise self.error(f"more than {MAX_CHAIN} operators in a row", self.token.offset)
            left = self.operation(left, self.operator(), level)
        return left

    def operator_level(self) -> int:
        token = self.tokens[self.at]
        if token.kind not in ("operator", "name"):
            return 0
        return LEVELS.get(token.value) or FOREIGN_LEVELS.get(token.value.lower(), 0)

    def operator(self) -> str:
        """The operator here; one of another language is reported, and read as its equivalent."""
        token = self.advance()
        if token.value in LEVELS:
            return str(token.value)
        word = token.value.lower()
        meant, hint = FOREIGN_OPERATORS[word]
        following = self.token.value if self.token.kind == "name" else ""
        if two := TWO_WORDS.get((word, following.lower())):
            meant, hint = two
            self.advance()
        written = self.text[token.offset : self.end()]
        message = f"`{written}` is not an operator"
        self.keep(self.error(message, token.offset, len(written), hint))
        return meant

    def operation(self, left: Node, operator: str, level: int) -> Node:
        if operator == "instanceof":
            name = self.type_name()
            return nodes.InstanceOf(left.offset, self.since(left.offset), left, name)
        start, nesting = self.at, self.nesting
        try:
            right = self.binary(level + 1)
        except ExpressionSyntaxError as error:
            right = self.broken(start, error)
            self.nesting = nesting
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
            length = self.since(target.offset)
            self.unfinished = nodes.Broken(target.offset, length, (target,), lacks_name=True)
            raise self.unexpected("a name after `.`", syntax_hints.for_missing_value(self))
        name = self.advance().value
        if self.sees("("):
            arguments = self.arguments()
            length = self.since(target.offset)
            return nodes.MethodCall(target.offset, length, target, name, arguments)
        return nodes.Member(target.offset, self.since(target.offset), target, name)

    def index(self, target: Node) -> Node:
        self.advance()
        key = self.inside(self.expression)
        self.close("]")
        return nodes.Index(target.offset, self.since(target.offset), target, key)

    def arguments(self) -> tuple[Node, ...]:
        self.advance()
        found = self.listed(")", "an argument", self.element)
        self.close(")", "`,` or `)`" if found else "")
        return found

    def element(self) -> Node:
        """An expression, or `...` and the expression to spread."""
        start = self.token.offset
        if not self.accept("..."):
            return self.expression()
        value = self.expression()
        return nodes.Spread(start, self.since(start), value)

    def listed(self, closer: str, what: str, one: Callable[[], Node]) -> tuple[Node, ...]:
        """Comma-separated items up to `closer`, which is not consumed; no trailing comma."""
        found: list[Node] = []
        if self.sees(closer):
            return ()
        while True:
            if self.sees(closer, ","):
                hint = "remove the comma, or add an element after it"
                token = self.token
                self.report(
                    self.error(f"expected {what}, got `{token.value}`", token.offset, 1, hint)
                )
            else:
                found.append(self.inside(one))
                self.skip_to_separator(closer)
            if not self.accept(","):
                return tuple(found)

    def skip_to_separator(self, closer: str) -> None:
        """Report and skip anything between an element and the next comma or bracket."""
        if self.token.kind == "end" or self.sees(",", ")", "]", "}"):
            return
        hint = syntax_hints.for_missing_comma(self)
        self.report(self.unexpected(f"`,` or `{closer}`", hint))
        self.skip_to(",")

    # --- primary expressions ---

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
            node = self.inside(self.expression)
            self.close(")")
            return msgspec.structs.replace(
                node, offset=token.offset, length=self.since(token.offset)
            )
        if self.sees("["):
            return self.array()
        if self.sees("{"):
            return self.object()
        raise self.unexpected("an expression", syntax_hints.for_missing_value(self))

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
        if word in ("if", "for", "while", "switch", "function", "lambda"):
            raise self.refuse_statement(node)
        return node

    def refuse_statement(self, node: nodes.Name) -> ExpressionSyntaxError:
        if node.name.lower() != "not":
            self.give_up()
        message = f"`{node.name}` does not belong in an expression"
        return self.error(message, node.offset, node.length, STATEMENTS[node.name.lower()])

    def array(self) -> Node:
        start = self.advance().offset
        items = self.listed("]", "an element", self.element)
        self.close("]", "`,` or `]`")
        return nodes.ArrayLiteral(start, self.since(start), items)

    def object(self) -> Node:
        start = self.advance().offset
        entries: list[Node] = []
        while not self.sees("}"):
            entries.append(self.inside(self.entry))
            self.skip_to_separator("}")
            if not self.accept(","):
                break
        self.close("}", "`,` or `}`")
        return nodes.ObjectLiteral(start, self.since(start), tuple(entries))

    def entry(self) -> Node:
        start = self.token.offset
        if self.sees("..."):
            return self.element()
        key = self.key()
        hint = "write an entry as `name: value`"
        if not self.sees(":"):
            token = self.token
            written = self.text[token.offset : token.end] or "the end"
            raise self.error(f"expected `:`, got `{written}`", token.offset, token.length, hint)
        self.advance()
        value = self.inside(self.expression)
        return nodes.Property(start, self.since(start), key, value)

    def key(self) -> Node:
        token = self.token
        if self.accept("["):
            key = self.inside(self.expression)
            self.close("]")
            return key
        if token.kind not in ("name", "string", "number"):
            raise self.unexpected("a property name")
        self.advance()
        return nodes.Literal(token.offset, token.length, token.value)

    # --- match ---

    def match(self, word: Token) -> Node:
        subject = self.inside(self.expression)
        if not self.accept("{"):
            hint = "to match a regex, write text.match('regex')"
            raise self.unexpected("`{` and the arms of `match`", hint)
        found = arms(self)
        self.close("}", "`,` or `}`")
        return nodes.Match(word.offset, self.since(word.offset), subject, found)
