"""The rows of a Mapper as one function: document in, document out.

The usual table - plain targets, nothing deleted - becomes one generated function: the value of each
row in its order, each with careful code as its fallback, then one dict display. Every other table
runs row by row.
"""

from __future__ import annotations

import ast
import functools
import itertools
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol

import msgspec

from engine.documents import Document
from engine.errors import EvaluationError, ExpressionSyntaxError
from engine.expressions.compilation import (
    TooDeepError,
    careful_later,
    compile_node,
    context_of,
    emitted,
    mutates,
    node_of,
    or_else,
    parse_path,
)
from engine.expressions.compiler.fast import Fast
from engine.expressions.compiler.names import Names
from engine.expressions.compiler.unit import DOCUMENT, Unit, bind, class_of, load
from engine.expressions.failures import Failure
from engine.expressions.limits import restart
from engine.expressions.nodes import Node
from engine.expressions.paths.deletion import Owned
from engine.expressions.paths.path import FAILURES, Path
from engine.expressions.scope import Scope, may_use_scope
from engine.expressions.values import kind_of

_CACHED_TABLES = 256


class Mapping(Protocol):
    """Makes a new document; with `mutates` an expression may change the input document."""

    mutates: bool

    def __call__(self, document: Any, /) -> Document: ...


class Row(msgspec.Struct, frozen=True):
    """One row: it writes the value of an expression to a path."""

    source: str
    node: Node
    target: Path
    mutates: bool


class Deletion(msgspec.Struct, frozen=True):
    """A row without a target: it deletes a path, which may have to exist."""

    path: Path
    must_be_there: bool


Rows = Sequence[Row | Deletion]
_Change = Callable[[Any, Any, Owned], Any]
"""Applies a row: input document, output so far, containers that it owns -> the output."""


def compile_mapping(
    rows: Sequence[tuple[str, str]],
    *,
    null_safe: bool = False,
    pass_through: bool = False,
    mapping_root: str = "$",
    scope: Scope | None = None,
) -> Mapping:
    """The function of a table of (target path, expression); an empty target deletes.

    Rows run in order and all see the input document; a later row may overwrite or refine what an
    earlier one wrote. With `pass_through` the output starts as the input. `mapping_root` names the
    objects to which the table is applied; everything above them passes through. Writes
    never change the input document. Raises ExpressionSyntaxError here, EvaluationError when called.
    """
    scope = scope or Scope()
    table = tuple((target, source) for target, source in rows)
    if not any(may_use_scope(text, scope) for text in (mapping_root, *itertools.chain(*table))):
        with suppress(ExpressionSyntaxError):  # with the scope, its message may say more
            return _compiled_once(table, null_safe, pass_through, mapping_root, scope.timezone)
    return _compiled(table, null_safe, pass_through, mapping_root, scope)


@functools.lru_cache(_CACHED_TABLES)
def _compiled_once(
    rows: tuple[tuple[str, str], ...],
    null_safe: bool,
    pass_through: bool,
    mapping_root: str,
    timezone: str,
) -> Mapping:
    return _compiled(rows, null_safe, pass_through, mapping_root, Scope(timezone=timezone))


def _compiled(
    rows: tuple[tuple[str, str], ...],
    null_safe: bool,
    pass_through: bool,
    mapping_root: str,
    scope: Scope,
) -> Mapping:
    names = Names(context_of(scope, null_safe), {})
    made = [_row(target, source, names, null_safe, scope) for target, source in rows]
    apply = _table(made, names, null_safe, pass_through)
    if mapping_root.strip() not in ("", "$"):
        apply = _at_root(parse_path(mapping_root, scope, null_safe=null_safe), apply, null_safe)
    apply.mutates = any(isinstance(row, Row) and row.mutates for row in made)  # type: ignore[attr-defined]
    return apply  # type: ignore[return-value]


def _row(target: str, source: str, names: Names, null_safe: bool, scope: Scope) -> Row | Deletion:
    if not target.strip():
        return Deletion(parse_path(source, scope, null_safe=null_safe), not null_safe)
    path = parse_path(target, scope, null_safe=null_safe, target=True)
    node = node_of(source, names)
    return Row(source, node, path, mutates(node, names))


def _table(rows: Rows, names: Names, null_safe: bool, pass_through: bool) -> Callable[[Any], Any]:
    shape = _shape(rows)
    if shape is not None:
        try:
            return _generated(rows, shape, names, null_safe, pass_through)
        except (RecursionError, MemoryError, TooDeepError):
            pass  # too much for one function
    return _row_by_row(rows, names, null_safe, pass_through)


# --- one function ---

Shape = dict[str, Any]
_EMPTY: Document = {}


def _shape(rows: Rows) -> Shape | None:
    """The nested output, with the numbers of rows as leaves; None if no dict display builds it."""
    shape: Shape = {}
    for number, row in enumerate(rows):
        names = row.target.names if isinstance(row, Row) and not row.mutates else None
        if not names or not _fits(shape, names, number):
            return None
    return shape


def _fits(shape: Shape, names: Sequence[str], number: int) -> bool:
    for name in names[:-1]:
        inner = shape.setdefault(name, {})
        if not isinstance(inner, dict):
            return False
        shape = inner
    if names[-1] in shape:
        return False
    shape[names[-1]] = number
    return True


def _generated(
    rows: Rows, shape: Shape, names: Names, null_safe: bool, pass_through: bool
) -> Callable[[Any], Any]:
    unit = Unit()
    body: list[ast.stmt] = []
    bases: dict[int, str] = {}
    if pass_through:
        body.append(ast.Expr(unit.call(_refuse_unless_object, load(DOCUMENT))))
        bases[id(shape)] = DOCUMENT
        other = functools.cache(lambda: _row_by_row(rows, names, null_safe, pass_through))
        body += _inner_objects(shape, unit, bases, lambda document: other()(document))
    for number, row in enumerate(rows):
        if isinstance(row, Row):
            body.append(_assignment(row, number, unit, names, null_safe))
    return unit.function([*body, ast.Return(_display(shape, bases))])


def _inner_objects(
    shape: Shape, unit: Unit, bases: dict[int, str], other: Callable[[Any], Any]
) -> list[ast.stmt]:
    """The objects of the document into which rows write, as variables; `bases` maps the parts of
    the shape to them. If one of them is something else, `other` handles the document."""
    made: list[ast.stmt] = []
    for name, part in shape.items():
        if not isinstance(part, dict):
            continue
        base = bases[id(part)] = unit.new_name()
        reader = ast.Attribute(load(bases[id(shape)]), "get", ast.Load())
        found = ast.Call(reader, [ast.Constant(name), unit.constant(_EMPTY)], [])
        is_other = ast.Compare(class_of(bind(base, found)), [ast.IsNot()], [unit.constant(dict)])
        made.append(ast.If(is_other, [ast.Return(unit.call(other, load(DOCUMENT)))], []))
        made += _inner_objects(part, unit, bases, other)
    return made


def _assignment(row: Row, number: int, unit: Unit, names: Names, null_safe: bool) -> ast.stmt:
    """The value of a row, in a variable of its own."""
    text, target = row.source, row.target.text
    variable = ast.Name(_variable(number), ast.Store())
    fast = emitted(Fast(unit, text, names, null_safe), row.node, ())
    careful = careful_later(text, row.node, names, null_safe, target)
    again = ast.Assign([variable], unit.call(careful, load(DOCUMENT)))
    return or_else(unit, ast.Assign([variable], fast), again, target)


def _display(shape: Shape, bases: dict[int, str]) -> ast.Dict:
    """The new object: a copy of its base, if it has one, with the values of the rows."""
    keys: list[ast.expr | None] = [ast.Constant(name) for name in shape]
    values: list[ast.expr] = [
        _display(part, bases) if isinstance(part, dict) else load(_variable(part))
        for part in shape.values()
    ]
    if base := bases.get(id(shape)):
        return ast.Dict([None, *keys], [load(base), *values])
    return ast.Dict(keys, values)


def _variable(number: int) -> str:
    return f"row_{number}"


# --- row by row ---


def _row_by_row(
    rows: Rows, names: Names, null_safe: bool, pass_through: bool
) -> Callable[[Any], Any]:
    steps = [_step(row, names, null_safe) for row in rows]

    def apply(document: Any) -> Any:
        restart()
        if pass_through:
            _refuse_unless_object(document)
        output = dict(document) if pass_through else {}
        owned: Owned = {id(output): output}
        for target, change in steps:
            try:
                output = change(document, output, owned)
            except EvaluationError as error:
                error.target = target
                raise
        return output

    return apply


def _step(row: Row | Deletion, names: Names, null_safe: bool) -> tuple[str, _Change]:
    """The target of a row, and the function that applies it."""
    if isinstance(row, Deletion):
        path, must_be_there = row.path, row.must_be_there
        return "", _located(path, lambda d, o, owned: path.remove(o, owned, d, must_be_there))
    target = row.target
    value = compile_node(row.source, row.node, names, null_safe)
    if target.is_root:
        return target.text, _located(target, lambda d, o, owned: _merged_at_root(o, value(d)))
    return target.text, _located(target, lambda d, o, owned: target.write(o, value(d), owned, d))


def _located(path: Path, change: _Change) -> _Change:
    def apply(document: Any, output: Any, owned: Owned) -> Any:
        try:
            return change(document, output, owned)
        except FAILURES as failure:
            raise path.error(failure) from None

    return apply


def _refuse_unless_object(document: Any) -> None:
    if document.__class__ is not dict:
        raise EvaluationError(f"the mapping root is {kind_of(document)}, not an object")


def _merged_at_root(output: dict[str, Any], value: Any) -> Any:
    """The keys of an object written to `$` become keys of the document."""
    if value.__class__ is not dict:
        raise Failure(f"only an object can be written to `$`, got {kind_of(value)}")
    output.update(value)
    return output


# --- mapping root ---


def _at_root(root: Path, table: Callable[[Any], Any], null_safe: bool) -> Callable[[Any], Any]:
    def apply(document: Any) -> Any:
        restart()
        try:
            return root.map(document, table, {})
        except FAILURES as failure:
            if null_safe:
                return document
            raise root.error(failure, "mapping root: ") from None

    return apply
