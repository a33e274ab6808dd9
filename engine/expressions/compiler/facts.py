"""What is known about an expression without running it."""

from __future__ import annotations

from collections.abc import Container, Sequence

from engine.expressions import functions, nodes
from engine.expressions.access import method_hint
from engine.expressions.foreign_syntax import METHOD_HINTS
from engine.expressions.nodes import Node

TAKE_REGEX = frozenset({"match", "replace", "replaceAll", "search", "split"})
_FRESH = frozenset(
    ["map", "filter", "concat", "slice", "split", "splice", "keys", "values", "entries", "match"]
)
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in"})
_CONSTANTS = frozenset({"lib", "pipe", "snap", "task"})
_SELF = frozenset({"this", "__parent__", "__root__"})


def kind(node: Node) -> str:
    """`boolean` or `string` where that is certain, otherwise ''."""
    if isinstance(node, nodes.Binary):
        if node.operator in _COMPARISONS:
            return "boolean"
        return "string" if _is_text_sum(node) else ""
    if isinstance(node, nodes.InstanceOf):
        return "boolean"
    if isinstance(node, nodes.Unary):
        return {"!": "boolean", "typeof": "string"}.get(node.operator, "")
    if isinstance(node, nodes.Literal):
        return {bool: "boolean", str: "string"}.get(node.value.__class__, "")
    if isinstance(node, nodes.Logical):
        both = kind(node.left), kind(node.right)
        return "boolean" if both == ("boolean", "boolean") else ""
    return ""


def is_likely_text(node: Node) -> bool:
    """Whether it is the result of a method that only strings have, so most probably a string."""
    if not isinstance(node, nodes.MethodCall):
        return kind(node) == "string"
    return list(functions.METHODS.get(node.name, ())) == [str] and node.name not in (
        "match",
        "split",
    )


def _is_text_sum(node: nodes.Binary) -> bool:
    left: Node = node
    while isinstance(left, nodes.Binary) and left.operator == "+":
        if isinstance(left.right, nodes.Literal) and left.right.value.__class__ is str:
            return True
        left = left.left
    return isinstance(left, nodes.Literal) and left.value.__class__ is str


def joins_plainly(node: nodes.Binary) -> bool:
    """Whether a constant character is at the seam of two strings, so that no halves meet there."""
    if _is_empty(node.left) or _is_empty(node.right):
        return True
    return _ends_plainly(node.left) or _begins_plainly(node.right)


def _is_empty(node: Node) -> bool:
    return isinstance(node, nodes.Literal) and node.value.__class__ is str and not node.value


def _ends_plainly(node: Node) -> bool:
    if isinstance(node, nodes.Binary):
        return node.operator == "+" and _is_character(node.right, -1)
    return _is_character(node, -1)


def _begins_plainly(node: Node) -> bool:
    while isinstance(node, nodes.Binary) and node.operator == "+":
        node = node.left
    return _is_character(node, 0)


def _is_character(node: Node, place: int) -> bool:
    if not isinstance(node, nodes.Literal) or node.value.__class__ is not str or not node.value:
        return False
    return not "\ud800" <= node.value[place] <= "\udfff"


def refers_to_itself(node: nodes.ObjectLiteral) -> bool:
    """Whether `this`, `__parent__` or `__root__` appears anywhere inside."""
    return any(isinstance(inner, nodes.Name) and inner.name in _SELF for inner in node.walk())


def is_fresh(node: Node) -> bool:
    """Whether the expression itself made its array, so that changing it affects nothing else."""
    while isinstance(node, nodes.MethodCall) and node.name in ("sort", "reverse"):
        node = node.target
    if isinstance(node, nodes.MethodCall):
        namespace = isinstance(node.target, nodes.Name) and node.target.name == "sl"
        return node.name in _FRESH or (namespace and node.name in ("range", "zip"))
    return isinstance(node, nodes.ArrayLiteral)


def mutates(node: Node) -> bool:
    """Whether it might change the document, or anything else that outlives the evaluation."""
    return any(_changes_something(inner) for inner in node.walk())


def _changes_something(node: Node) -> bool:
    if isinstance(node, nodes.MethodCall):
        methods = functions.METHODS.get(node.name, {}).values()
        return any(method.mutates for method in methods) and not is_fresh(node.target)
    if isinstance(node, nodes.Call):
        return isinstance(node.function, nodes.Name) and node.function.name == "eval"
    return False


def reads_constants(node: Node) -> bool:
    """Whether it reads a library or the like, whose lists and maps must not get into documents."""
    return any(isinstance(inner, nodes.Name) and inner.name in _CONSTANTS for inner in node.walk())


def may_multiply(node: Node) -> bool:
    """Whether it might nest a value in itself repeatedly, as `reduce((a, x) => [a, a])` does."""
    return any(_may_multiply(inner) for inner in node.walk())


def _may_multiply(node: Node) -> bool:
    if isinstance(node, nodes.MethodCall):
        return node.name in ("reduce", "reduceRight") or _may_hold_functions(node.target)
    if isinstance(node, nodes.Call):
        name = node.function.name if isinstance(node.function, nodes.Name) else ""
        return name not in functions.GLOBALS.functions or name == "eval"
    return False


def holds_no_functions(node: Node, data: Container[str] = ()) -> bool:
    """Whether it is certainly data, like the names in `data`: only methods of its type exist."""
    if isinstance(node, nodes.Member | nodes.Index):
        return holds_no_functions(node.target, data)
    if isinstance(node, nodes.MethodCall):
        literals = (nodes.ObjectLiteral, nodes.Name)
        plain = not any(isinstance(n, literals) for a in node.arguments for n in a.walk())
        return plain and node.name in functions.METHODS and holds_no_functions(node.target, data)
    if isinstance(node, nodes.Name):
        return node.name in data
    return isinstance(node, nodes.Root | nodes.Literal)


def are_countable(arguments: Sequence[Node]) -> bool:
    """Whether their number is known, which it is not with a spread or a broken argument."""
    return not any(isinstance(argument, nodes.Spread | nodes.Broken) for argument in arguments)


def method_problem(node: nodes.MethodCall, data: Container[str] = ()) -> tuple[str, str] | None:
    """Message and hint if no value has this method, or no type's takes this many arguments."""
    types = functions.METHODS.get(node.name)
    if types is None:
        habit = METHOD_HINTS.get(node.name)
        if habit is None and not holds_no_functions(node.target, data):
            return None
        if habit is not None and _may_hold_functions(node.target):
            return None
        return f"there is no method `{node.name}`", habit or method_hint(node.name)
    if not holds_no_functions(node.target, data):
        return None
    count = len(node.arguments)
    if not are_countable(node.arguments):
        return None
    if any(method.accepts(count) for method in types.values()):
        return None
    takes = " or ".join(sorted({method.arguments_text() for method in types.values()}))
    return f"`{node.name}` takes {takes}, got {count}", ""


def _may_hold_functions(node: Node) -> bool:
    """Libraries and object literals may; variables count as data here."""
    while isinstance(node, nodes.Member | nodes.Index | nodes.MethodCall):
        node = node.target
    return isinstance(node, nodes.ObjectLiteral) or (
        isinstance(node, nodes.Name) and (node.name in _SELF or node.name == "lib")
    )
