"""The meaning that a text has in Python 2, where it differs: division, lists, old names.

The text is Python 3 by its grammar: what only Python 2 could parse was translated before it came.
"""

from __future__ import annotations

import ast
import builtins
import decimal
import io
import sys
from collections.abc import Callable, Iterable
from functools import cmp_to_key, reduce
from importlib import import_module
from types import ModuleType
from typing import Any

_LISTS = {"keys": "keys", "values": "values", "items": "items"}
_ITERATORS = {"iterkeys": "keys", "itervalues": "values", "iteritems": "items"}
_MODULES = {
    "ConfigParser": "configparser",
    "Queue": "queue",
    "HTMLParser": "html.parser",
    "urlparse": "urllib.parse",
    "cPickle": "pickle",
    "cStringIO": "io",
}
DIVIDE, DIVISOR, HAS_KEY, LISTED = "__divide__", "__divisor__", "__has_key__", "__listed__"


def compiled(source: str, name: str) -> Any:
    """The code of a script with Python 2's meaning. Raises SyntaxError."""
    tree = ast.parse(source, name)
    rewritten = _Meaning(_divides_truly(tree)).visit(tree)
    return compile(ast.fix_missing_locations(rewritten), name, "exec", dont_inherit=True)


def names() -> dict[str, Any]:
    """Python 2's own names."""
    for old, new in _MODULES.items():
        sys.modules.setdefault(old, import_module(new))
    string_io = ModuleType("StringIO")
    string_io.StringIO = io.StringIO  # type: ignore[attr-defined]
    sys.modules.setdefault("StringIO", string_io)
    return {
        "unicode": str,
        "basestring": str,
        "long": int,
        "unichr": chr,
        "xrange": range,
        "reduce": reduce,
        "cmp": _cmp,
        "StandardError": Exception,
        "map": _map,
        "filter": lambda test, items: list(builtins.filter(test, items)),
        "zip": lambda *items: list(builtins.zip(*items, strict=False)),
        "range": lambda *limits: list(builtins.range(*limits)),
        "sorted": _sorted,
        "round": _round,
        DIVIDE: _divide,
        DIVISOR: _Divisor,
        HAS_KEY: _has_key,
        LISTED: _listed,
    }


class _Meaning(ast.NodeTransformer):
    def __init__(self, divides_truly: bool) -> None:
        self._divides_truly = divides_truly

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:  # as ast calls it
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div) or self._divides_truly:
            return node
        return _call(DIVIDE, [node.left, node.right], node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div) or self._divides_truly:
            return node
        node.value = _call(DIVISOR, [node.value], node)  # the target must be evaluated only once
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.func, ast.Attribute) or node.keywords:
            return node
        method, count = node.func.attr, len(node.args)
        if method == "has_key" and count == 1:
            return _call(HAS_KEY, [node.func.value, node.args[0]], node)
        if count == 0 and (method in _LISTS or method in _ITERATORS):
            plain = ast.copy_location(ast.Constant(method), node)
            return _call(LISTED, [node.func.value, plain], node)
        return node


def _call(name: str, arguments: list[ast.expr], node: ast.expr | ast.stmt) -> ast.Call:
    function = ast.copy_location(ast.Name(name, ast.Load()), node)
    return ast.copy_location(ast.Call(function, arguments, []), node)


def _divides_truly(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(alias.name == "division" for alias in node.names)
        for node in tree.body
    )


def _divide(a: Any, b: Any) -> Any:
    return a // b if isinstance(a, int) and isinstance(b, int) else a / b


class _Divisor:
    """What `/=` divides by: no number divides by it itself, so the division comes here."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __rtruediv__(self, dividend: Any) -> Any:
        return _divide(dividend, self._value)


def _has_key(holder: Any, key: Any) -> bool:
    return key in holder if isinstance(holder, dict) else holder.has_key(key)


def _listed(holder: Any, method: str) -> Any:
    """`holder.keys()` and the like: lists for a map, as in Python 2."""
    if isinstance(holder, dict):
        return list(getattr(holder, _ITERATORS.get(method, method))())
    return getattr(holder, method)()


def _map(function: Callable[..., Any] | None, *items: Iterable[Any]) -> list[Any]:
    if function is None:
        return list(builtins.zip(*items, strict=False)) if len(items) > 1 else list(*items)
    return list(builtins.map(function, *items))


def _cmp(a: Any, b: Any) -> int:
    return int(a > b) - int(a < b)


def _sorted(
    items: Iterable[Any],
    compare: Callable[[Any, Any], int] | None = None,
    key: Callable[[Any], Any] | None = None,
    reverse: bool = False,
    **old: Any,
) -> list[Any]:
    compare = old.get("cmp", compare)
    if compare is None:
        return builtins.sorted(items, key=key, reverse=reverse)
    by = cmp_to_key(compare)
    return builtins.sorted(items, key=lambda item: by(key(item) if key else item), reverse=reverse)


def _round(number: Any, digits: int = 0) -> Any:
    """Half away from zero, and always a float."""
    places = decimal.Decimal(1).scaleb(-digits)
    exact = decimal.Decimal(repr(number) if isinstance(number, float) else str(number))
    if not exact.is_finite():
        return number
    return float(exact.quantize(places, decimal.ROUND_HALF_UP, decimal.Context(prec=400)))
