"""Mistakes in an expression that no document could make right, found without compiling it.

Unknown names, functions and methods, regexes that cannot be read, wrong numbers of arguments. All
are found in one walk, which also infers the kinds of values. The compiler checks first: it makes no
code for an expression with mistakes, except in a lenient scope, where each of these nodes fails
when it is evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import reduce
from typing import TYPE_CHECKING, Any

from engine.errors import ExpressionSyntaxError
from engine.expressions import functions, nodes
from engine.expressions.access import absent_method
from engine.expressions.compiler import facts
from engine.expressions.failures import Failure
from engine.expressions.foreign_syntax import FUNCTION_HINTS
from engine.expressions.functions import Declaration
from engine.expressions.kinds import (
    RECEIVERS,
    UNKNOWN,
    Inferred,
    Kind,
    both,
    certain,
    in_words,
    returned,
)
from engine.expressions.nodes import Node
from engine.expressions.regexes import pattern
from engine.expressions.suggestions import did_you_mean
from engine.expressions.syntax_hints import for_hyphenated_name, with_arguments
from engine.hints import fixes_of

if TYPE_CHECKING:
    from engine.expressions.compiler.names import Names

Faults = Mapping[int, ExpressionSyntaxError]
"""The mistake of each node that cannot be evaluated, by the node's id."""


def faults_in(
    text: str, node: Node, names: Names, variables: Collection[str] = ()
) -> dict[int, ExpressionSyntaxError]:
    """The mistakes in `node`, in which `variables` are names of data."""
    checker = Checker(text, names, variables)
    checker.check(node)
    return checker.faults


class Checker:
    """Walks over the nodes of an expression; collects mistakes and infers kinds."""

    def __init__(self, text: str, names: Names, variables: Collection[str] = ()) -> None:
        self.text = text
        self.names = names
        self.variables = variables
        self.faults: dict[int, ExpressionSyntaxError] = {}
        self._locals: frozenset[str] = frozenset(variables)
        self._objects = 0

    def check(self, node: Node) -> Inferred:
        """Record the mistakes in the node; returns its kind."""
        return _CHECKS.get(type(node), Checker._parts)(self, node)

    def _fault(
        self, node: Node, message: str, hint: str = "", *inner: Node, place: Node | None = None
    ) -> Inferred:
        """Record a mistake of `node`, at `place` if that is another one, and those inside."""
        at = place or node
        self.faults[id(node)] = ExpressionSyntaxError(
            message, self.text, at.offset, at.length, hint
        )
        for one in inner:
            if not isinstance(one, nodes.Regex):
                self.check(one)
        return UNKNOWN

    def _name_in(
        self, node: nodes.Member | nodes.MethodCall, hint: str, *, with_target: bool = False
    ) -> Node:
        """The name of a member or method, as the place of a mistake: the arguments are none.

        A hint that rewrites more than the name keeps all that it rewrites marked.
        """
        start = self.text.find(node.name, node.target.offset + node.target.length)
        fixes = fixes_of(hint)
        if start < 0 or any(getattr(fix, "old", node.name) != node.name for fix in fixes):
            return node
        first = node.offset if with_target else start
        return nodes.Name(first, start + len(node.name) - first, node.name)

    def _parts(self, node: Node) -> Inferred:
        for child in node.children():
            self.check(child)
        return UNKNOWN

    # --- names and constants ---

    def _literal(self, node: Any) -> Inferred:
        value = node.value
        if value is None:
            return certain("null")
        kinds: dict[type, Kind] = {str: "string", bool: "boolean"}
        return certain(kinds.get(value.__class__, "number"))

    def _broken(self, node: Any) -> Inferred:
        for part in node.parts:
            if not (node.lacks_name and isinstance(part, nodes.Name)):  # `Math.` is not finished
                self.check(part)
        return UNKNOWN

    def _invalid(self, node: Any) -> Inferred:
        return self._fault(node, node.message, node.hint)

    def _lone_regex(self, node: Any) -> Inferred:
        methods = ", ".join(sorted(facts.TAKE_REGEX))
        hint = "match and search also accept a string as the regex"
        return self._fault(node, f"a regex can only be an argument of {methods}", hint)

    def _pattern(self, node: Any) -> Inferred:
        try:
            pattern(node.pattern, node.flags)
        except Failure as failure:
            return self._fault(node, *failure.shown(""))
        return UNKNOWN

    def _name(self, node: Any) -> Inferred:
        name = node.name
        if name in self._locals:
            return UNKNOWN
        if name in ("this", "__parent__", "__root__"):
            if self._objects < (2 if name == "__parent__" else 1):
                return self._fault(node, f"`{name}` is used outside an object literal")
            return UNKNOWN
        if name in self.names.constants or name.startswith("_"):
            return UNKNOWN
        if name in functions.GLOBALS.functions:
            return certain("function")
        if self.text.startswith("@", node.offset):
            message = "`@` is an element, and is valid only in the condition of a path"
            return self._fault(node, message, "the document is written $")
        message, hint = self.names.unknown(name, self._locals)
        return self._fault(node, message, for_hyphenated_name(self.text, node.offset) or hint)

    # --- access ---

    def _namespace_of(self, node: Node) -> str:
        """The namespace that a bare name stands for, or ''."""
        if isinstance(node, nodes.Name) and node.name not in self._locals:
            return node.name if node.name in functions.NAMESPACES else ""
        return ""

    def _member(self, node: Any) -> Inferred:
        if namespace := self._namespace_of(node.target):
            family = functions.NAMESPACES[namespace]
            if node.name in family.constants:
                return certain("number")
            if node.name in family.functions:
                return certain("function")
            return self._unknown_in_namespace(node, namespace, ())
        target = self.check(node.target)
        has_length = target.kind in ("string", "array", "binary") and node.name == "length"
        return Inferred("number", target.is_certain) if has_length else UNKNOWN

    def _unknown_in_namespace(
        self, node: Any, namespace: str, arguments: tuple[Node, ...]
    ) -> Inferred:
        family = functions.NAMESPACES[namespace]
        hint = FUNCTION_HINTS.get(f"{namespace}.{node.name}", "")
        hint = hint or did_you_mean(node.name, [*family.functions, *family.constants])
        hint = with_arguments(hint, self.text, node, arguments)
        message = f"`{namespace}.{node.name}` is not known"
        place = self._name_in(node, hint, with_target=True)
        return self._fault(node, message, hint, *arguments, place=place)

    def _index(self, node: Any) -> Inferred:
        if namespace := self._namespace_of(node.target):
            message = f"`{namespace}` is not a value"
            return self._fault(node, message, f"write `{namespace}.name(...)`", node.key)
        self._parts(node)
        return UNKNOWN

    # --- calls ---

    def _arguments(self, arguments: tuple[Node, ...], *, take_regex: bool = False) -> None:
        for argument in arguments:
            if take_regex and isinstance(argument, nodes.Regex):
                self._pattern(argument)
            else:
                self.check(argument)

    def _call(self, node: Any) -> Inferred:
        function = node.function
        if isinstance(function, nodes.Name) and function.name not in self._locals:
            if declared := functions.GLOBALS.functions.get(function.name):
                return self._declared_call(node, declared)
            if self.names.is_unknown_function(function.name):
                message = f"there is no function `{function.name}`"
                hint = self.names.function_hint(function.name)
                hint = with_arguments(hint, self.text, node, node.arguments)
                return self._fault(node, message, hint, *node.arguments, place=function)
        self.check(function)
        self._arguments(node.arguments)
        return UNKNOWN

    def _declared_call(self, node: Any, declared: Declaration) -> Inferred:
        if facts.are_countable(node.arguments) and not declared.accepts(len(node.arguments)):
            return self._wrong_count(node, declared)
        self._arguments(node.arguments)
        return returned(declared.result, certain("any"))

    def _wrong_count(self, node: Any, declared: Declaration, *inner: Node) -> Inferred:
        message = f"`{declared.name}` takes {declared.arguments_text()}, got {len(node.arguments)}"
        hint = f"the signature is {declared.signature}"
        return self._fault(node, message, hint, *inner, *node.arguments)

    def _method_call(self, node: Any) -> Inferred:
        if namespace := self._namespace_of(node.target):
            declared = functions.NAMESPACES[namespace].functions.get(node.name)
            if declared is None:
                return self._unknown_in_namespace(node, namespace, node.arguments)
            return self._declared_call(node, declared)
        if problem := self._unknown_function_of_name(node):
            hint = with_arguments(problem[1], self.text, node, node.arguments)
            return self._fault(node, problem[0], hint, *node.arguments)
        if problem := facts.method_problem(node, self.variables):
            hint = with_arguments(problem[1], self.text, node, node.arguments)
            inner = (node.target, *node.arguments)
            return self._fault(node, problem[0], hint, *inner, place=self._name_in(node, hint))
        receiver = self.check(node.target)
        return self._method_of(node, receiver)

    def _unknown_function_of_name(self, node: Any) -> tuple[str, str] | None:
        """Message and hint for functions that only JavaScript has, such as `Array.isArray(x)`."""
        if not isinstance(node.target, nodes.Name) or node.target.name in self._locals:
            return None
        name = f"{node.target.name}.{node.name}"
        hint = FUNCTION_HINTS.get(name)
        return None if hint is None else (f"`{name}` is not known", hint)

    def _method_of(self, node: Any, receiver: Inferred) -> Inferred:
        """The result of a method of this receiver, which may certainly not have it."""
        methods = functions.METHODS.get(node.name, {})
        cls = RECEIVERS.get(receiver.kind)
        method = methods.get(cls) if cls is not None else None
        if cls is not None and receiver.is_certain:
            if method is None:
                message, hint = absent_method(in_words(receiver.kind), node.name, cls)
                hint = with_arguments(hint, self.text, node, node.arguments)
                place = self._name_in(node, hint)
                return self._fault(node, message, hint, *node.arguments, place=place)
            if facts.are_countable(node.arguments) and not method.accepts(len(node.arguments)):
                return self._wrong_count(node, method)
        self._arguments(node.arguments, take_regex=node.name in facts.TAKE_REGEX)
        if method is not None:
            return returned(method.result, receiver)
        results = [returned(each.result, UNKNOWN) for each in methods.values()]
        return reduce(both, results) if results else UNKNOWN

    # --- operators ---

    def _unary(self, node: Any) -> Inferred:
        self.check(node.operand)
        kinds: dict[str, Kind] = {"!": "boolean", "typeof": "string"}
        return certain(kinds.get(node.operator, "number"))

    def _binary(self, node: Any) -> Inferred:
        """A chain of operators from its left end, without recursion."""
        chain = [node]
        while isinstance(chain[-1].left, nodes.Binary):
            chain.append(chain[-1].left)
        result = self.check(chain[-1].left)
        for link in reversed(chain):
            right = self.check(link.right)
            result = _result_of(link.operator, result, right)
        return result

    def _instance_of(self, node: Any) -> Inferred:
        self.check(node.value)
        return certain("boolean")

    def _logical(self, node: Any) -> Inferred:
        chain = [node]
        while isinstance(chain[-1].left, nodes.Logical):
            chain.append(chain[-1].left)
        result = self.check(chain[-1].left)
        for link in reversed(chain):
            result = both(result, self.check(link.right))
        return result

    def _conditional(self, node: Any) -> Inferred:
        self.check(node.test)
        return both(self.check(node.yes), self.check(node.no))

    # --- literals and functions ---

    def _array(self, node: Any) -> Inferred:
        self._parts(node)
        return certain("array")

    def _object(self, node: Any) -> Inferred:
        self._objects += 1
        self._parts(node)
        self._objects -= 1
        return certain("object")

    def _arrow(self, node: Any) -> Inferred:
        with self._with_locals(parameter.name for parameter in node.parameters):
            for parameter in node.parameters:
                if parameter.default is not None:
                    self.check(parameter.default)
            self.check(node.body)
        return certain("function")

    def _arm(self, node: Any) -> Inferred:
        inner = [one for each in node.patterns for one in each.walk()]
        for one in inner:
            if isinstance(one, nodes.RegexPattern):
                self._pattern(one)
        bound = (
            one.name for one in inner if isinstance(one, nodes.NamePattern | nodes.RestPattern)
        )
        with self._with_locals(bound):
            if node.guard is not None:
                self.check(node.guard)
            return self.check(node.body)

    @contextmanager
    def _with_locals(self, found: Iterator[str]) -> Iterator[None]:
        before = self._locals
        self._locals = before | frozenset(found)
        yield
        self._locals = before


_CHECKS: dict[type, Callable[[Checker, Any], Inferred]] = {
    nodes.Literal: Checker._literal,
    nodes.Regex: Checker._lone_regex,
    nodes.Invalid: Checker._invalid,
    nodes.Broken: Checker._broken,
    nodes.Name: Checker._name,
    nodes.Member: Checker._member,
    nodes.Index: Checker._index,
    nodes.Call: Checker._call,
    nodes.MethodCall: Checker._method_call,
    nodes.Unary: Checker._unary,
    nodes.Binary: Checker._binary,
    nodes.InstanceOf: Checker._instance_of,
    nodes.Logical: Checker._logical,
    nodes.Conditional: Checker._conditional,
    nodes.ArrayLiteral: Checker._array,
    nodes.ObjectLiteral: Checker._object,
    nodes.Arrow: Checker._arrow,
    nodes.Arm: Checker._arm,
}

_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in"})
_ADD_AS_NUMBERS = ("number", "boolean", "null")


def _result_of(operator: str, left: Inferred, right: Inferred) -> Inferred:
    if operator in _COMPARISONS:
        return certain("boolean")
    if operator != "+":
        return certain("number")
    for side in (left, right):
        if side.is_certain and side.kind not in _ADD_AS_NUMBERS:
            return certain("string")
    if all(side.is_certain and side.kind in _ADD_AS_NUMBERS for side in (left, right)):
        return certain("number")
    return Inferred("string") if "string" in (left.kind, right.kind) else UNKNOWN
