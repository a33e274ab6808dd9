"""What is known of values in expressions without evaluating them: kinds, and examples from samples.

The samples are documents that an earlier preview saw. `Knowledge.of` follows an expression through
them: `$orders[0].customer` has the customers of the samples as examples, and `x` in
`$orders.map(x => x.)` their orders.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec

from engine.errors import ExpressionError
from engine.expressions import Function, Scope, nodes, parse_path
from engine.expressions.checks import Checker
from engine.expressions.compilation import context_of
from engine.expressions.compiler.names import Names
from engine.expressions.dates import DateTime, LocalDate, LocalDateTime, LocalTime
from engine.expressions.kinds import Kind
from engine.expressions.nodes import Node
from engine.expressions.parsed import parsed

MAX_EXAMPLES = 50
_KINDS: Mapping[type, Kind] = {
    bool: "boolean",
    bytes: "binary",
    date: "local date",
    datetime: "date",
    DateTime: "date",
    Decimal: "number",
    dict: "object",
    float: "number",
    Function: "function",
    int: "number",
    list: "array",
    LocalDate: "local date",
    LocalDateTime: "local date-time",
    LocalTime: "local time",
    str: "string",
    time: "local time",
}
_SAME_ELEMENTS = ("concat", "filter", "reverse", "slice", "sort", "splice")
_ONE_ELEMENT = ("at", "find", "pop", "shift")


class Known(msgspec.Struct, frozen=True):
    """A kind of value, with examples of it.

    `library_path` is `lib`, or `lib.` and the name of a library, if it is that; then `names` are
    its members.
    """

    kind: Kind = "any"
    examples: tuple[Any, ...] = ()
    library_path: str = ""
    names: tuple[str, ...] = ()

    @classmethod
    def like(cls, examples: Iterable[Any], kind: Kind = "any") -> Known:
        """What has these examples; `kind` is used if they are none, or of several kinds."""
        found = tuple(examples)[:MAX_EXAMPLES]
        kinds = {kind_of_value(each) for each in found if each is not None}
        return cls(kinds.pop() if len(kinds) == 1 else kind, found)

    def fields(self) -> dict[str, list[Any]]:
        """The fields that the examples have, each with its values."""
        found: dict[str, list[Any]] = {}
        for example in self.examples:
            if example.__class__ is dict:
                for name, value in example.items():
                    found.setdefault(name, []).append(value)
        return found

    def elements(self) -> Known:
        """What the arrays among the examples hold."""
        lists = (each for each in self.examples if each.__class__ is list)
        return Known.like(item for each in lists for item in each[:MAX_EXAMPLES])

    def member(self, name: str) -> Known:
        values = self.fields().get(name, [])
        is_length = name == "length" and self.kind in ("string", "array", "binary")
        return Known.like(values, "number" if is_length else "any")


UNKNOWN = Known()


def kind_of_value(value: Any) -> Kind:
    """The kind of a value of a document; `any` for null."""
    return _KINDS.get(value.__class__, "any")


class Knowledge:
    """What expressions at one place may use: documents, parameters, libraries."""

    def __init__(
        self,
        documents: Sequence[Any] = (),
        parameters: Mapping[str, str | None] | None = None,
        libraries: Mapping[str, Collection[str]] | None = None,
        parameter_help: Mapping[str, str] | None = None,
    ) -> None:
        self.document = Known.like(documents, "object")
        self.parameters = parameters or {}
        self.libraries = libraries or {}
        self.parameter_help = parameter_help or {}

    def at(self, text: str, chain: Sequence[Node]) -> Locals:
        """The variables at the last of the `chain` of nodes, which contain each other."""
        found = Locals(self, text, {})
        for outer, inner in pairwise(chain):
            if isinstance(inner, nodes.Arrow):
                names = [parameter.name for parameter in inner.parameters]
                found = found.including(dict(zip(names, _passed(outer, found), strict=False)))
                found = found.including({name: found.names.get(name, UNKNOWN) for name in names})
            elif isinstance(inner, nodes.Arm):
                bound = (each.name for one in inner.patterns for each in one.walk()
                         if isinstance(each, nodes.NamePattern | nodes.RestPattern))  # fmt: skip
                found = found.including(dict.fromkeys(bound, UNKNOWN))
        return found

    def of_path(self, path: str) -> Known:
        """What a path such as `$orders[*].id` finds in the sample documents."""
        return found_by(path, self.document)


def found_by(path: str, value: Known) -> Known:
    """What a path finds in the examples of a value."""
    try:
        finder = parse_path(path)
    except ExpressionError:
        return UNKNOWN
    found: list[Any] = []
    for example in value.examples:
        try:
            found += finder.query(example)
        except ExpressionError:
            continue
    return Known.like(found)


class Locals:
    """What is known of the values at one place of one expression."""

    def __init__(self, knowledge: Knowledge, text: str, names: Mapping[str, Known]) -> None:
        self.knowledge = knowledge
        self.names = names
        self._text = text

    def including(self, names: Mapping[str, Known]) -> Locals:
        return Locals(self.knowledge, self._text, {**self.names, **names})

    def of(self, node: Node) -> Known:
        """What is known of the value of a node."""
        if isinstance(node, nodes.Root):
            return self.knowledge.document
        if isinstance(node, nodes.Name):
            return self._of_name(node.name)
        if isinstance(node, nodes.Member):
            return self._of_member(node)
        if isinstance(node, nodes.Index):
            return self._of_element(node)
        if isinstance(node, nodes.MethodCall):
            return self._of_call(node)
        if isinstance(node, nodes.Literal):
            return Known.like([node.value])
        if isinstance(node, nodes.ArrayLiteral):
            items = [self.of(item).examples[:1] for item in node.items]
            return Known("array", ([each for item in items for each in item],))
        if isinstance(node, nodes.ObjectLiteral):
            return Known("object", (self._object(node),))
        if isinstance(node, nodes.Conditional):
            return self._either(node.yes, node.no)
        if isinstance(node, nodes.Logical):
            return self._either(node.left, node.right)
        return Known(self._kind(node))

    def _of_name(self, name: str) -> Known:
        if name in self.names:
            return self.names[name]
        if name == "lib":
            return Known("object", (), "lib", tuple(self.knowledge.libraries))
        if name.startswith("_") and name[1:] in self.knowledge.parameters:
            default = self.knowledge.parameters[name[1:]]
            return Known("string", () if default is None else (default,))
        return UNKNOWN

    def _of_member(self, node: nodes.Member) -> Known:
        target = node.target
        if isinstance(target, nodes.Name) and target.name == "lib" and "lib" not in self.names:
            members = self.knowledge.libraries.get(node.name, ())
            return Known("object", (), f"lib.{node.name}", tuple(members))
        if isinstance(target, nodes.Name) and target.name == "pipe" and node.name == "args":
            return Known("object", (dict(self.knowledge.parameters),))
        found = self.of(target).member(node.name)
        return found if found != UNKNOWN else Known(self._kind(node))

    def _of_element(self, node: nodes.Index) -> Known:
        key = node.key.value if isinstance(node.key, nodes.Literal) else None
        target = self.of(node.target)
        return target.member(key) if isinstance(key, str) else target.elements()

    def _of_call(self, node: nodes.MethodCall) -> Known:
        target = self.of(node.target)
        if target.kind == "array" and node.name in _SAME_ELEMENTS:
            return target
        if target.kind == "array" and node.name in _ONE_ELEMENT:
            return target.elements()
        if node.name == "map" and node.arguments and isinstance(node.arguments[0], nodes.Arrow):
            arrow = node.arguments[0]
            names = [parameter.name for parameter in arrow.parameters]
            inner = self.including(dict(zip(names, _passed(node, self), strict=False)))
            return Known("array", (list(inner.of(arrow.body).examples),))
        return Known(self._kind(node))

    def _object(self, node: nodes.ObjectLiteral) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for entry in node.entries:
            if isinstance(entry, nodes.Property) and isinstance(entry.key, nodes.Literal):
                values = self.of(entry.value).examples
                found[str(entry.key.value)] = values[0] if values else None
            elif isinstance(entry, nodes.Spread):
                first = self.of(entry.value).examples[:1]
                found.update(first[0] if first and first[0].__class__ is dict else {})
        return found

    def _either(self, *choices: Node) -> Known:
        found = [self.of(each) for each in choices]
        kinds = {each.kind for each in found}
        examples = [value for each in found for value in each.examples]
        return Known.like(examples, kinds.pop() if len(kinds) == 1 else "any")

    def _kind(self, node: Node) -> Kind:
        """What the kinds of functions and operators tell."""
        parameters = dict.fromkeys(self.knowledge.parameters, "")
        libraries: dict[str, Any] = {name: {} for name in self.knowledge.libraries}
        scope = Scope(parameters=parameters, libraries=libraries)
        names = Names(context_of(scope, False), {})
        return Checker(self._text, names, tuple(self.names)).check(node).kind


def _passed(call: Node, found: Locals) -> list[Known]:
    """What a method passes to its callback, as far as that is known."""
    if not isinstance(call, nodes.MethodCall):
        return []
    target = found.of(call.target)
    if target.kind == "object":
        values = [value for each in target.fields().values() for value in each]
        return [Known.like(values), Known("string", tuple(target.fields()))]
    if target.kind != "array":
        return []
    element, index = target.elements(), Known("number")
    if call.name.startswith("reduce"):
        return [UNKNOWN, element, index]
    return [element, element if call.name == "sort" else index, target]


def node_of(text: str) -> Node:
    """The nodes of an expression, finished or not."""
    return parsed(text).node
