"""Nodes -> Python that bets on the usual types.

Members are plain subscripts, operators and calls look at a class and are Python's own, callbacks
become comprehensions. A lost bet raises an exception or calls a careful helper; after an exception
the careful code evaluates the document again and finds the right value, or the message. So the fast
code must never return a wrong value, and must not change anything.
"""

from __future__ import annotations

import ast
from typing import Any

from engine.expressions import access, functions, nodes
from engine.expressions.compiler import facts
from engine.expressions.compiler.calls import is_plain_format, is_plain_lookup
from engine.expressions.compiler.direct_paths import direct_path
from engine.expressions.compiler.loops import FastLoops
from engine.expressions.compiler.rules import INDEX_RULES, LONG
from engine.expressions.compiler.templates import Template
from engine.expressions.compiler.unit import KNOWN, bind, class_of, is_, item, load
from engine.expressions.functions import Declaration
from engine.expressions.nodes import Node
from engine.expressions.utf16 import length as text_length
from engine.expressions.values import truthy

_VALUES: dict[str, Any] = {"len": len, "list": list, "str": str, "text_length": text_length}
_OF_TEXT = "len(t) if t.isascii() else text_length(t)"  # for ASCII, Python counts as JavaScript
_LENGTH = Template(
    f"len(t) if T.__class__ is list else ({_OF_TEXT}) if t.__class__ is str else other", _VALUES
)
_TEXT_LENGTH = Template(
    f"({_OF_TEXT}) if T.__class__ is str else len(t) if t.__class__ is list else other", _VALUES
)


_SPREAD = Template(
    "t if T.__class__ is list and len(t) < LONG else other", {**_VALUES, "LONG": LONG}
)


class Fast(FastLoops):
    # --- access ---

    def member(self, node: nodes.Member) -> ast.expr:
        if self.namespace_of(node.target):
            return super().member(node)
        if node.name == "length":
            return self.length(node)
        target, name = self.emit(node.target), ast.Constant(node.name)
        if self.null_safe:
            return self.property_or_null(target, name)
        return self.subscript(target, name)

    def subscript(self, target: ast.expr, key: ast.expr) -> ast.expr:
        """`target[key]`; a call for literals, since Python warns about subscripts on them."""
        if isinstance(target, ast.Name | ast.Subscript | ast.Call | ast.IfExp):
            return item(target, key)
        return self.call(access.index, target, key)

    def property_or_null(self, target: ast.expr, name: ast.expr) -> ast.expr:
        variable = self.unit.new_name()
        found = ast.Call(ast.Attribute(load(variable), "get", ast.Load()), [name], [])
        absent = ast.Compare(bind(variable, target), [ast.Is()], [ast.Constant(None)])
        return ast.IfExp(absent, ast.Constant(None), found)

    def length(self, node: nodes.Member) -> ast.expr:
        first, again = self.bound(self.emit(node.target))
        reader = access.safe_member if self.null_safe else access.member
        other = self.call(reader, again, ast.Constant("length"))
        template = _TEXT_LENGTH if facts.is_likely_text(node.target) else _LENGTH
        return template.filled(self.unit, {"T": first, "t": again, "other": other})

    def index(self, node: nodes.Index) -> ast.expr:
        key = node.key
        plain = isinstance(key, nodes.Literal) and (
            (key.value.__class__ is str and key.value != "length")
            or (key.value.__class__ is int and key.value >= 0)
        )
        if self.null_safe or self.namespace_of(node.target):
            return super().index(node)
        if not plain:
            return self.computed_index(node)
        if key.value.__class__ is str:  # type: ignore[attr-defined]
            return self.subscript(self.emit(node.target), self.emit(key))
        variable = self.unit.new_name()
        is_array = is_(class_of(bind(variable, self.emit(node.target))), self.unit.constant(list))
        place = self.emit(key)
        other = self.call(access.index, load(variable), place)
        return ast.IfExp(is_array, item(load(variable), place), other)

    def computed_index(self, node: nodes.Index) -> ast.expr:
        target, key = self.emit(node.target), self.emit(node.key)
        if isinstance(target, KNOWN) or isinstance(key, KNOWN):
            return self.call(access.index, target, key)
        first, given = self.bound(target), self.bound(key)
        other = self.call(access.index, first[1], given[1])
        return self.chosen(INDEX_RULES, first, [given], other)

    def spread(self, node: nodes.Spread) -> ast.expr:
        if self.loops or self.null_safe:
            return super().spread(node)
        first, again = self.bound(self.emit(node.value))
        other = self.call(access.spread_items, again)
        return ast.Starred(
            _SPREAD.filled(self.unit, {"T": first, "t": again, "other": other}), ast.Load()
        )

    # --- methods ---

    def method_call(self, node: nodes.MethodCall) -> ast.expr:
        if self.namespace_of(node.target) or node.name not in functions.DISPATCH:
            return super().method_call(node)
        if self.is_loop(node):
            return self.loop(node)
        if made := self.sorted_by_number(node):
            return made
        if is_plain_format(node) and not self.loops:
            return self.formatted(node)
        if is_plain_lookup(node):
            return self.lookup(node)
        return self.ruled(node)

    def declared_call(self, node: nodes.Call | nodes.MethodCall, declared: Declaration) -> ast.expr:
        if declared.name == "jsonPath" and isinstance(node, nodes.Call):
            return direct_path(self, node) or super().declared_call(node, declared)
        return super().declared_call(node, declared)

    # --- literals and conditions ---

    def spread_entries(self, node: Node) -> ast.expr:
        if self.loops:
            return super().spread_entries(node)
        first, again = self.bound(self.emit(node))
        is_object = is_(class_of(first), self.unit.constant(dict))
        return ast.IfExp(is_object, again, self.call(access.spread_entries, again))

    def test(self, node: Node) -> ast.expr:
        made = self.emit(node)
        if isinstance(made, KNOWN):
            return ast.Constant(truthy(made.value))
        return made if facts.kind(node) else self.truth(made)
