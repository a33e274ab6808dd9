"""Nodes -> Python that checks each step, through helpers that raise the right message.

One method per kind of node.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from engine.expressions import access, functions, nodes, operators
from engine.expressions.callables import call_value
from engine.expressions.compiler import facts
from engine.expressions.compiler.emitter import Emitter
from engine.expressions.compiler.matching import matched
from engine.expressions.compiler.names import called_declared
from engine.expressions.compiler.unit import DOCUMENT, KNOWN, bind, lambda_, load
from engine.expressions.functions import Declaration
from engine.expressions.nodes import Node
from engine.expressions.regexes import pattern
from engine.expressions.shapes import INSTANCE_TESTS
from engine.expressions.values import MISSING, Function, property_name, truthy, type_of

_UNARY: dict[str, Callable[[Any], Any]] = {
    "-": operators.negate,
    "+": operators.plus,
    "typeof": type_of,
}


class Careful(Emitter):
    # --- names and constants ---

    def literal(self, node: nodes.Literal) -> ast.expr:
        return self.unit.constant(node.value)

    def regex(self, node: nodes.Regex) -> ast.expr:
        return self.unit.constant(pattern(node.pattern, node.flags))

    def root(self, node: nodes.Root) -> ast.expr:
        return load(DOCUMENT)

    def name(self, node: nodes.Name) -> ast.expr:
        name = node.name
        if name in self.locals:
            return load(self.locals[name])
        if name in ("this", "__parent__", "__root__"):
            return self.self_reference(node)
        if name in self.names.constants:
            return self.unit.constant(self.names.constants[name])
        if name in functions.GLOBALS.functions:
            return self.function_value(functions.GLOBALS.functions[name])
        return self.call(self.names.unknown_parameter, ast.Constant(name))

    def self_reference(self, node: nodes.Name) -> ast.expr:
        place = {"this": -1, "__parent__": -2, "__root__": 0}[node.name]
        return load(self.objects[place])

    def function_value(self, declared: Declaration) -> ast.expr:
        count = -1 if declared.most is None else declared.most
        call = called_declared(declared, self.names.context)
        return self.unit.constant(Function(call, count))

    # --- access ---

    def namespace_of(self, node: Node) -> str:
        """The namespace that a bare name stands for, or ''."""
        if isinstance(node, nodes.Name) and node.name not in self.locals:
            return node.name if node.name in functions.NAMESPACES else ""
        return ""

    def member(self, node: nodes.Member) -> ast.expr:
        if namespace := self.namespace_of(node.target):
            return self.namespace_member(node, namespace)
        reader = access.safe_member if self.null_safe else access.member
        return self.call(reader, self.emit(node.target), ast.Constant(node.name))

    def namespace_member(self, node: nodes.Member, namespace: str) -> ast.expr:
        family = functions.NAMESPACES[namespace]
        if node.name in family.constants:
            return self.unit.constant(family.constants[node.name])
        return self.function_value(family.functions[node.name])

    def index(self, node: nodes.Index) -> ast.expr:
        reader = access.safe_index if self.null_safe else access.index
        return self.call(reader, self.emit(node.target), self.emit(node.key))

    def presence(self, node: nodes.Presence) -> ast.expr:
        before, self.null_safe = self.null_safe, True
        made = self.emit(node.value)
        self.null_safe = before
        return made

    # --- calls ---

    def arguments(self, arguments: tuple[Node, ...], takes_regex: bool = False) -> list[ast.expr]:
        return [
            self.regex(argument)
            if takes_regex and isinstance(argument, nodes.Regex) and id(argument) not in self.faults
            else self.emit(argument)
            for argument in arguments
        ]

    def spread(self, node: nodes.Spread) -> ast.expr:
        items = access.safe_spread_items if self.null_safe else access.spread_items
        return ast.Starred(self.call(items, self.emit(node.value)), ast.Load())

    def call_node(self, node: nodes.Call) -> ast.expr:
        function = node.function
        if isinstance(function, nodes.Name) and function.name not in self.locals:
            declared = functions.GLOBALS.functions.get(function.name)
            if declared is not None:
                return self.declared_call(node, declared)
        return self.call(call_value, self.emit(function), *self.arguments(node.arguments))

    def declared_call(self, node: nodes.Call | nodes.MethodCall, declared: Declaration) -> ast.expr:
        spread = any(isinstance(argument, nodes.Spread) for argument in node.arguments)
        handed = {"context": self.unit.constant(self.names.context), "document": load(DOCUMENT)}
        given = [handed[name] for name in declared.handed_in]
        arguments = self.arguments(node.arguments)
        if spread:
            check = self.unit.constant(declared)
            return self.call(_call_checked, check, ast.List(given, ast.Load()), *arguments)
        return self.call(declared.call, *given, *arguments)

    def method_call(self, node: nodes.MethodCall) -> ast.expr:
        if namespace := self.namespace_of(node.target):
            return self.declared_call(node, functions.NAMESPACES[namespace].functions[node.name])
        name = ast.Constant(node.name)
        arguments = self.arguments(node.arguments, node.name in facts.TAKE_REGEX)
        target = self.emit(node.target)
        if not self.null_safe:
            return self.call(access.call_method, target, name, *arguments)
        variable = self.unit.new_name()
        return ast.IfExp(
            ast.Compare(bind(variable, target), [ast.Is()], [ast.Constant(None)]),
            ast.Constant(None),
            self.call(access.call_method, load(variable), name, *arguments),
        )

    # --- operators ---

    def test(self, node: Node) -> ast.expr:
        """`node` as a condition."""
        made = self.emit(node)
        if isinstance(made, KNOWN):
            return ast.Constant(truthy(made.value))
        return made if facts.kind(node) == "boolean" else self.truth(made)

    def truth(self, value: ast.expr) -> ast.expr:
        """A Python condition for the truth of a value."""
        return self.call(truthy, value)

    def unary(self, node: nodes.Unary) -> ast.expr:
        if node.operator == "!":
            test = self.test(node.operand)
            if isinstance(test, ast.Constant):
                return ast.Constant(not test.value)
            return ast.UnaryOp(ast.Not(), test)
        return self.folded(_UNARY[node.operator], self.emit(node.operand))

    def binary(self, node: nodes.Binary) -> ast.expr:
        """Compiles a chain of operators from its left end, without recursion."""
        chain = [node]
        while isinstance(chain[-1].left, nodes.Binary):
            chain.append(chain[-1].left)
        made = self.emit(chain[-1].left)
        for link in reversed(chain):
            made = self.operation(link, made, self.emit(link.right))
            if not hasattr(made, "lineno"):
                made.lineno = self.unit.source_map.line_of(self.text, link.offset, link.length)
        return made

    def operation(self, node: nodes.Binary, left: ast.expr, right: ast.expr) -> ast.expr:
        return self.folded(operators.BINARY[node.operator], left, right)

    def instance_of(self, node: nodes.InstanceOf) -> ast.expr:
        return self.call(INSTANCE_TESTS[node.type_name], self.emit(node.value))

    def logical(self, node: nodes.Logical) -> ast.expr:
        chain = [node]
        while isinstance(chain[-1].left, nodes.Logical):
            chain.append(chain[-1].left)
        made = self.emit(chain[-1].left)
        for link in reversed(chain):
            made = self.one_of(link, made, self.emit(link.right))
        return made

    def one_of(self, node: nodes.Logical, left: ast.expr, right: ast.expr) -> ast.expr:
        if isinstance(left, KNOWN):
            return left if truthy(left.value) == (node.operator == "||") else right
        if facts.kind(node.left) == "boolean":
            operator = ast.Or() if node.operator == "||" else ast.And()
            return ast.BoolOp(operator, [left, right])
        variable = self.unit.new_name()
        first, second = load(variable), right
        test = self.truth(bind(variable, left))
        if node.operator == "&&":
            first, second = second, first  # type: ignore[assignment]
        return ast.IfExp(test, first, second)

    def conditional(self, node: nodes.Conditional) -> ast.expr:
        test = self.test(node.test)
        if isinstance(test, ast.Constant):
            return self.emit(node.yes if test.value else node.no)
        return ast.IfExp(test, self.emit(node.yes), self.emit(node.no))

    # --- literals ---

    def array(self, node: nodes.ArrayLiteral) -> ast.expr:
        return ast.List([self.emit(one) for one in node.items], ast.Load())

    def object(self, node: nodes.ObjectLiteral) -> ast.expr:
        if facts.refers_to_itself(node):
            return self.self_referring_object(node)
        keys: list[ast.expr | None] = []
        values: list[ast.expr] = []
        for entry in node.entries:
            if isinstance(entry, nodes.Spread):
                keys.append(None)
                values.append(self.spread_entries(entry.value))
            elif isinstance(entry, nodes.Property):
                keys.append(self.key(entry.key))
                values.append(self.emit(entry.value))
        return ast.Dict(keys, values)

    def spread_entries(self, node: Node) -> ast.expr:
        return self.call(access.spread_entries, self.emit(node))

    def key(self, node: Node) -> ast.expr:
        return self.folded(property_name, self.emit(node))

    def self_referring_object(self, node: nodes.ObjectLiteral) -> ast.expr:
        """Built step by step, so that later properties see earlier ones."""
        this = self.unit.new_name()
        self.objects.append(this)
        steps: list[ast.expr] = []
        for entry in node.entries:
            if isinstance(entry, nodes.Spread):
                steps.append(self.call(_put_all, load(this), self.emit(entry.value)))
            elif isinstance(entry, nodes.Property):
                key = self.key(entry.key)
                steps.append(self.call(_put, load(this), key, self.emit(entry.value)))
        self.objects.pop()
        built = ast.Subscript(
            ast.Tuple([*steps, load(this)], ast.Load()), ast.Constant(-1), ast.Load()
        )
        return lambda_([this], built, ast.Dict([], []))

    # --- functions ---

    def arrow(self, node: nodes.Arrow) -> ast.expr:
        found = {parameter.name: self.unit.new_name() for parameter in node.parameters}
        self.loops += 1
        with self.with_locals(found):
            body = self.emit(node.body)
            for parameter in reversed(node.parameters):
                if parameter.default is not None:
                    body = self.with_default(parameter, found[parameter.name], body)
        self.loops -= 1
        rest = next((found[p.name] for p in node.parameters if p.rest), None)
        plain = [found[p.name] for p in node.parameters if not p.rest]
        given = ast.arguments(
            [],
            [ast.arg(name) for name in plain],
            ast.arg(rest) if rest else None,
            [],
            [],
            None,
            [self.absent(parameter) for parameter in node.parameters if not parameter.rest],
        )
        if rest:
            body = lambda_([rest], body, self.call(list, load(rest)))
        count = ast.Constant(-1 if rest else len(plain))
        mutates = ast.Constant(facts.mutates(node.body))
        return self.call(Function, ast.Lambda(given, body), count, mutates)

    def absent(self, parameter: nodes.Parameter) -> ast.expr:
        return self.unit.constant(None if parameter.default is None else MISSING)

    def with_default(self, parameter: nodes.Parameter, name: str, body: ast.expr) -> ast.expr:
        assert parameter.default is not None
        absent = ast.Compare(load(name), [ast.Is()], [self.unit.constant(MISSING)])
        return lambda_([name], body, ast.IfExp(absent, self.emit(parameter.default), load(name)))

    def match(self, node: nodes.Match) -> ast.expr:
        return matched(self, node)


def _call_checked(declared: Declaration, given: list[Any], *arguments: Any) -> Any:
    access.check_count(declared, len(arguments))
    return declared.call(*given, *arguments)


def _put(target: dict[str, Any], key: str, value: Any) -> None:
    target[key] = value


def _put_all(target: dict[str, Any], value: Any) -> None:
    target.update(access.spread_entries(value))
