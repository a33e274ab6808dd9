"""`jsonPath($, '$.items[*].name')` with a constant path, as subscripts and comprehensions.

Only names, positions, `[*]` and filters become Python; a path with anything else, or with a filter
that uses the key, is evaluated step by step. A path that finds nothing raises, so that the careful
code reports why.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from engine.errors import ExpressionSyntaxError
from engine.expressions import nodes
from engine.expressions.checks import faults_in
from engine.expressions.compiler.unit import KNOWN, bind, class_of, is_, item, load
from engine.expressions.failures import Failure
from engine.expressions.limits import CALL_STEPS, charge
from engine.expressions.nodes import Node
from engine.expressions.parser import parse_part
from engine.expressions.paths import steps
from engine.expressions.paths.conditions import as_condition
from engine.expressions.paths.path import read_path

if TYPE_CHECKING:
    from engine.expressions.compiler.fast import Fast

PATH_VARIABLES = ("value", "key")


def direct_path(emitter: Fast, node: nodes.Call) -> ast.expr | None:
    """Python for a call of `jsonPath`, or None."""
    if len(node.arguments) != 2:
        return None
    document, path = node.arguments
    if not isinstance(path, nodes.Literal) or path.value.__class__ is not str:
        return None
    text = path.value

    def condition(start: int, end: int, use: str) -> Any:
        return parse_part(text, start, end)

    try:
        found = read_path(text, condition)
    except ExpressionSyntaxError:
        return None  # the call reports it
    value = emitter.emit(document)
    if isinstance(value, KNOWN):
        return None
    return _Direct(emitter, text, isinstance(document, nodes.Root)).path(value, found.steps)


class _Direct:
    def __init__(self, emitter: Fast, text: str, at_root: bool) -> None:
        self.emitter = emitter
        self.text = text
        self.at_root = at_root
        self.loops: list[ast.comprehension] = []
        self.value: ast.expr
        self.start: ast.expr

    def path(self, document: ast.expr, found: tuple[steps.Step, ...]) -> ast.expr | None:
        self.value = document
        for step in found:
            if not self.step(step):
                return None
        if not self.loops:
            return self.value
        made = ast.ListComp(self.value, self.loops)
        return item(ast.Tuple([self.start, made], ast.Load()), ast.Constant(-1))

    def step(self, step: steps.Step) -> bool:
        if isinstance(step, steps.Child):
            self.child(step.name)
        elif isinstance(step, steps.Position) and not self.loops:
            self.position(step.index)
        elif isinstance(step, steps.Wildcard):
            self.elements(_elements)
        elif isinstance(step, steps.Slice):
            self.slice(step)
        elif isinstance(step, steps.Filter) and not step.searches:
            return self.filter(step.expression)
        else:
            return False
        return True

    def child(self, name: str) -> None:
        key = ast.Constant(name)
        if not self.loops:
            self.value = self.emitter.subscript(self.value, key)
            return
        one = self.element()
        unit = self.emitter.unit
        is_object = is_(class_of(one), unit.constant(dict))
        self.loops[-1].ifs += [is_object, ast.Compare(key, [ast.In()], [one])]
        self.value = item(one, key)

    def element(self) -> ast.expr:
        """The value so far as a variable."""
        if not isinstance(self.value, ast.Name):
            variable = self.emitter.unit.new_name()
            only = ast.Tuple([self.value], ast.Load())
            target = ast.Name(variable, ast.Store())
            self.loops.append(ast.comprehension(target, only, [], 0))
            self.value = load(variable)
        return self.value

    def position(self, index: int) -> None:
        first, again = self.emitter.bound(self.value)
        is_array = is_(class_of(first), self.emitter.unit.constant(list))
        lost = self.emitter.call(_no_element)
        self.value = ast.IfExp(is_array, item(again, ast.Constant(index)), lost)

    def elements(self, function: Any) -> None:
        unit = self.emitter.unit
        several = self.emitter.call(function, self.value, ast.Constant(bool(self.loops)))
        if not self.loops:  # what is looped over must not bind names
            variable = unit.new_name()
            self.start = bind(variable, several)
            several = load(variable)  # type: ignore[assignment]
        element = unit.new_name()
        self.loops.append(ast.comprehension(ast.Name(element, ast.Store()), several, [], 0))
        self.value = load(element)

    def slice(self, step: steps.Slice) -> None:
        def sliced(value: Any, is_one_of_many: bool) -> Any:
            elements = _elements(value, is_one_of_many)
            return elements[chosen] if elements.__class__ is list else ()

        chosen = slice(step.start, step.end, step.step)
        self.elements(sliced)

    def filter(self, condition: Any) -> bool:
        node: Node = as_condition(condition)
        for inner in node.walk():
            if isinstance(inner, nodes.Arrow | nodes.Match):
                return False
            if isinstance(inner, nodes.Name) and inner.name == "key":
                return False
            if isinstance(inner, nodes.Root) and not self.at_root:
                return False
        if faults_in(self.text, node, self.emitter.names, PATH_VARIABLES):
            return False  # the call reports them
        outer = self.emitter
        inside = type(outer)(outer.unit, self.text, outer.names, outer.null_safe)
        inside.variables, inside.loops = PATH_VARIABLES, outer.loops + 1
        self.elements(_tested)
        assert isinstance(self.value, ast.Name)
        inside.locals = {"value": self.value.id}
        self.loops[-1].ifs.append(inside.test(node))
        return True


def _elements(value: Any, is_one_of_many: bool) -> Any:
    """The elements of an array, the values of an object; scalars have none."""
    charge(1)
    if value.__class__ is list:
        return value
    if value.__class__ is dict:
        return value.values()
    if value is None and not is_one_of_many:
        raise Failure("the path goes through null")
    return ()


def _tested(value: Any, is_one_of_many: bool) -> Any:
    found = _elements(value, is_one_of_many)
    charge(CALL_STEPS * len(found))
    return found


def _no_element() -> Any:
    raise Failure("there is no such element")
