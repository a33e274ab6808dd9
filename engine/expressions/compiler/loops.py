"""Callbacks of arrays as loops: `filter` and `map` become comprehensions, `reduce` one as well.

Inside loops, whatever can grow goes through the helpers that count steps. At most two nested loops
are written out, since each is compiled twice: as a loop, and as calls for other receivers.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from engine.expressions import nodes
from engine.expressions.compiler import facts
from engine.expressions.compiler.calls import FastCalls
from engine.expressions.compiler.templates import Template
from engine.expressions.compiler.unit import KNOWN, bind, class_of, is_, item, lambda_function, load
from engine.expressions.limits import charge
from engine.expressions.nodes import Node
from engine.expressions.values import MISSING, property_name

_MAX_LOOPS = 2
_PARAMETERS = {
    "filter": (1, 2),
    "map": (1, 2),
    "find": (1,),
    "findIndex": (1,),
    "mapKeys": (1, 2),
    "sum": (1,),
    "reduce": (2,),
    "mapValues": (1, 2),
}
"""How many parameters the callback of a loop may have."""
_OF_OBJECTS = ("mapValues", "mapKeys")
_NAME = Template(
    "t if T.__class__ is str else property_name(t)", {"str": str, "property_name": property_name}
)


def _of_arrays(name: str) -> Any:
    from engine.expressions.functions import arrays  # most expressions have no loop

    return getattr(arrays, name)


def _charged(items: list[Any] | dict[str, Any]) -> bool:
    charge(len(items) + 1)
    return True


class FastLoops(FastCalls):
    def is_loop(self, node: Node) -> bool:
        """Whether it is a call with a callback that can be written out as a loop."""
        if not isinstance(node, nodes.MethodCall) or self.loops >= _MAX_LOOPS:
            return False
        counts = _PARAMETERS.get(node.name, ())
        if not counts or not node.arguments or any(map(_is_spread, node.arguments)):
            return False
        if len(node.arguments) > (2 if node.name == "reduce" else 1):
            return False
        return _can_be_inlined(node.arguments[0], counts)

    def loop(self, node: nodes.MethodCall) -> ast.expr:
        """`list.filter(..).filter(..).map(..)` as one comprehension; other loops alone."""
        stages = [node]
        if node.name in ("filter", "map", "sum"):
            while self.continues(stages[-1]):
                stages.append(stages[-1].target)  # type: ignore[arg-type]
        stages.reverse()
        first, items = self.bound(self.emit(stages[0].target))
        receiver = dict if node.name in _OF_OBJECTS else list
        if receiver is list and self.is_array(items) and not self.loops:
            return self.written_out(stages, items)
        tests = [is_(class_of(first), self.unit.constant(receiver))]
        if receiver is dict:  # a function of the object itself takes precedence
            tests.append(ast.Compare(ast.Constant(node.name), [ast.NotIn()], [items]))
        if self.loops:
            tests.append(self.call(_charged, items))
        if node.name == "reduce" and len(node.arguments) == 1:
            tests.append(items)  # an empty array has no first element
        test = tests[0] if len(tests) == 1 else ast.BoolOp(ast.And(), tests)
        other = items
        for stage in stages:
            other = self.dispatched(stage, other)
        if isinstance(items, KNOWN):  # no array
            return other
        if stages == [node] and node.name == "filter" and not self.loops:
            other = self.filtered_object(node, items, other)
        return ast.IfExp(test, self.written_out(stages, items), other)

    def is_array(self, items: ast.expr) -> bool:
        """Whether it is known to be an array."""
        return False

    def continues(self, stage: nodes.MethodCall) -> bool:
        """Whether the stage before belongs to the same comprehension."""
        before = stage.target
        if not self.is_loop(before) or _count(stage) > 1:
            return False
        return before.name == "filter" or (before.name == "map" and stage.name == "sum")  # type: ignore[attr-defined]

    def written_out(self, stages: list[nodes.MethodCall], items: ast.expr) -> ast.expr:
        last = stages[-1]
        if last.name == "reduce":
            return self.reduced(last, items)
        if last.name in _OF_OBJECTS:
            return self.mapped_object(last, items)
        if last.name == "find":
            return self.found(last, items)
        if last.name == "findIndex":
            return self.found_place(last, items)
        made: ast.expr = self.comprehension(stages, items)
        return self.call(_of_arrays("sum_"), made) if last.name == "sum" else made

    def comprehension(self, stages: Sequence[nodes.MethodCall], items: ast.expr) -> ast.ListComp:
        element = self.unit.new_name()
        target: ast.expr = ast.Name(element, ast.Store())
        value: ast.expr = load(element)
        conditions: list[ast.expr] = []
        self.loops += 1
        for stage in stages:
            function: nodes.Arrow = stage.arguments[0]  # type: ignore[assignment]
            names = {function.parameters[0].name: element}
            if len(function.parameters) == 2:  # only of the first stage, which sees all elements
                place = self.unit.new_name()
                names[function.parameters[1].name] = place
                target = ast.Tuple([ast.Name(place, ast.Store()), target], ast.Store())
                items = self.call(enumerate, items)
            with self.with_locals(names):
                if stage.name in ("map", "sum"):
                    value = self.emit(function.body)
                else:
                    conditions.append(self.test(function.body))
        self.loops -= 1
        return ast.ListComp(value, [ast.comprehension(target, items, conditions, 0)])

    def found(self, node: nodes.MethodCall, items: ast.expr) -> ast.expr:
        function: nodes.Arrow = node.arguments[0]  # type: ignore[assignment]
        element = self.unit.new_name()
        self.loops += 1
        with self.with_locals({function.parameters[0].name: element}):
            is_wanted = lambda_function([element], self.test(function.body))
        self.loops -= 1
        wanted = self.call(filter, is_wanted, items)
        return self.call(next, wanted, ast.Constant(None))

    def found_place(self, node: nodes.MethodCall, items: ast.expr) -> ast.expr:
        function: nodes.Arrow = node.arguments[0]  # type: ignore[assignment]
        place, element = self.unit.new_name(), self.unit.new_name()
        self.loops += 1
        with self.with_locals({function.parameters[0].name: element}):
            condition = self.test(function.body)
        self.loops -= 1
        loop = ast.comprehension(_pair(place, element), self.call(enumerate, items), [condition], 0)
        places = ast.GeneratorExp(load(place), [loop])
        return self.call(next, places, ast.Constant(-1))

    def filtered_object(self, node: nodes.MethodCall, items: ast.expr, other: ast.expr) -> ast.expr:
        """`filter` of an object; one with a function of this name is called in the other way."""
        key, value, loop = self.properties(node, items)
        with self.with_locals(self.given_properties(node, value, key)):
            self.loops += 1
            loop.ifs.append(self.test(node.arguments[0].body))  # type: ignore[attr-defined]
            self.loops -= 1
        is_object = is_(class_of(items), self.unit.constant(dict))
        no_function = ast.Compare(ast.Constant(node.name), [ast.NotIn()], [items])
        made = ast.DictComp(load(key), load(value), [loop])
        return ast.IfExp(ast.BoolOp(ast.And(), [is_object, no_function]), made, other)

    def mapped_object(self, node: nodes.MethodCall, items: ast.expr) -> ast.expr:
        key, value, loop = self.properties(node, items)
        self.loops += 1
        with self.with_locals(self.given_properties(node, value, key)):
            made = self.emit(node.arguments[0].body)  # type: ignore[attr-defined]
        self.loops -= 1
        if node.name == "mapValues":
            return ast.DictComp(load(key), made, [loop])
        first, again = self.bound(made)
        name = _NAME.filled(self.unit, {"T": first, "t": again})
        return ast.DictComp(name, load(value), [loop])

    def properties(
        self, node: nodes.MethodCall, items: ast.expr
    ) -> tuple[str, str, ast.comprehension]:
        """The variables of key and value, and the loop over an object."""
        key, value = self.unit.new_name(), self.unit.new_name()
        pairs = ast.Call(ast.Attribute(items, "items", ast.Load()), [], [])
        return key, value, ast.comprehension(_pair(key, value), pairs, [], 0)

    def given_properties(self, node: nodes.MethodCall, *variables: str) -> dict[str, str]:
        """The parameters of the callback as variables."""
        function: nodes.Arrow = node.arguments[0]  # type: ignore[assignment]
        given = zip(function.parameters, variables, strict=False)
        return {parameter.name: name for parameter, name in given}

    def reduced(self, node: nodes.MethodCall, items: ast.expr) -> ast.expr:
        """The accumulated value is a variable that the condition of a comprehension sets."""
        function: nodes.Arrow = node.arguments[0]  # type: ignore[assignment]
        total, element = self.unit.new_name(), self.unit.new_name()
        start: ast.expr
        if len(node.arguments) == 2:
            start = self.emit(node.arguments[1])
        else:
            start = item(items, ast.Constant(0))
            items = item(items, ast.Slice(ast.Constant(1), None, None))
        self.loops += 1
        names = {function.parameters[0].name: total, function.parameters[1].name: element}
        with self.with_locals(names):
            step = bind(total, self.emit(function.body))
        self.loops -= 1
        never = is_(step, self.unit.constant(MISSING))
        target = ast.Name(element, ast.Store())
        run = ast.ListComp(ast.Constant(None), [ast.comprehension(target, items, [never], 0)])
        return item(ast.Tuple([bind(total, start), run, load(total)], ast.Load()), ast.Constant(-1))

    def sorted_by_number(self, node: nodes.MethodCall) -> ast.expr | None:
        """`list.sort((a, b) => a.n - b.n)`: by the numbers themselves."""
        order = _order(node)
        if order is None or not facts.is_fresh(node.target):
            return None
        path, descending = order
        first, items = self.bound(self.emit(node.target))
        variable = self.unit.new_name()
        key = load(variable)
        for name in path:
            key = item(key, ast.Constant(name))  # type: ignore[assignment]
        function = lambda_function([variable], key) if path else ast.Constant(None)
        made = self.call(_of_arrays("sort_by_number"), items, function, ast.Constant(descending))
        test = is_(class_of(first), self.unit.constant(list))
        return ast.IfExp(test, made, self.dispatched(node, items))


def _pair(first: str, second: str) -> ast.Tuple:
    names = [ast.Name(name, ast.Store()) for name in (first, second)]
    return ast.Tuple(list(names), ast.Store())


def _is_spread(node: Node) -> bool:
    return isinstance(node, nodes.Spread)


def _count(stage: nodes.MethodCall) -> int:
    function = stage.arguments[0]
    return len(function.parameters) if isinstance(function, nodes.Arrow) else 0


def _can_be_inlined(function: Node, counts: tuple[int, ...]) -> bool:
    """Plain parameters, and nothing in the body that could capture a variable."""
    if not isinstance(function, nodes.Arrow) or len(function.parameters) not in counts:
        return False
    if any(one.rest or one.default is not None for one in function.parameters):
        return False
    for inner in function.body.walk():
        if isinstance(inner, nodes.Arrow | nodes.Match):
            return False
        if isinstance(inner, nodes.ObjectLiteral) and facts.refers_to_itself(inner):
            return False
    return True


def _order(node: nodes.MethodCall) -> tuple[tuple[str, ...], bool] | None:
    """The path of the numbers that `sort` compares, and whether the largest comes first."""
    if node.name != "sort" or len(node.arguments) != 1:
        return None
    function = node.arguments[0]
    if not _can_be_inlined(function, (2,)):
        return None
    assert isinstance(function, nodes.Arrow)
    body, (one, other) = function.body, (parameter.name for parameter in function.parameters)
    if not isinstance(body, nodes.Binary) or body.operator != "-":
        return None
    for first, second, descending in ((one, other, False), (other, one, True)):
        path = _path(body.left, first)
        if path is not None and path == _path(body.right, second):
            return path, descending
    return None


def _path(node: Node, name: str) -> tuple[str, ...] | None:
    """The names of the members in `name.a.b`."""
    names: list[str] = []
    while isinstance(node, nodes.Member):
        if node.name == "length":
            return None
        names.insert(0, node.name)
        node = node.target
    return tuple(names) if isinstance(node, nodes.Name) and node.name == name else None
