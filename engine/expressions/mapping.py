"""The rows of a Mapper as one function: document in, document out.

The usual table - plain targets, nothing deleted - becomes one dict display in one generated
function. Every other table, and every document on which that fails, runs row by row.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from engine.documents import Document
from engine.errors import EvaluationError
from engine.expressions.compilation import (
    CompiledExpression,
    compile_in,
    context_of,
    emitted,
    or_else,
    parse_path,
)
from engine.expressions.compiler.fast import Fast
from engine.expressions.compiler.names import Names
from engine.expressions.compiler.unit import DOCUMENT, Unit, load
from engine.expressions.failures import Failure
from engine.expressions.limits import restart
from engine.expressions.parser import parse
from engine.expressions.paths.deletion import Owned
from engine.expressions.paths.path import FAILURES, Path
from engine.expressions.scope import Scope
from engine.expressions.values import kind_of


class Constant(msgspec.Struct, frozen=True):
    """The literal value of a row, not an expression."""

    value: Any


class Mapping(Protocol):
    """Makes a new document; with `mutates` an expression may change the input document."""

    mutates: bool

    def __call__(self, document: Any, /) -> Document: ...


class Row(msgspec.Struct, frozen=True):
    """`target` is None for a row that deletes the path `deleted`, which may have to exist."""

    source: str | Constant
    target: Path | None
    value: CompiledExpression | None = None
    deleted: Path | None = None
    must_be_there: bool = True

    @property
    def mutates(self) -> bool:
        return self.value is not None and self.value.mutates


def compile_mapping(
    rows: Sequence[tuple[str, str | Constant]],
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
    names = Names(context_of(scope, null_safe), {})
    made = [_row(target, source, names, null_safe, scope) for target, source in rows]
    apply = _table(made, names, null_safe, pass_through)
    if mapping_root.strip() not in ("", "$"):
        apply = _at_root(parse_path(mapping_root, scope, null_safe=null_safe), apply, null_safe)
    apply.mutates = any(row.mutates for row in made)  # type: ignore[attr-defined]
    return apply  # type: ignore[return-value]


def _row(target: str, source: str | Constant, names: Names, null_safe: bool, scope: Scope) -> Row:
    if not target.strip():
        text = source if isinstance(source, str) else str(source.value)
        deleted = parse_path(text, scope, null_safe=null_safe)
        return Row(source, None, deleted=deleted, must_be_there=not null_safe)
    path = parse_path(target, scope, null_safe=null_safe, target=True)
    if isinstance(source, Constant):
        return Row(source, path)
    return Row(source, path, compile_in(source, names, null_safe))


def _table(
    rows: list[Row], names: Names, null_safe: bool, pass_through: bool
) -> Callable[[Any], Any]:
    row_by_row = _row_by_row(rows, pass_through)
    shape = None if any(row.mutates for row in rows) else _shape(rows, pass_through)
    if shape is None:
        return row_by_row
    unit = Unit()
    try:
        display = _display(shape, unit, names, null_safe, pass_through)
        return unit.function(or_else(unit, ast.Return(display), row_by_row))
    except (RecursionError, MemoryError):
        return row_by_row


# --- one dict display ---

Shape = dict[str, Any]


def _shape(rows: list[Row], pass_through: bool) -> Shape | None:
    """The nested output with rows as leaves; None if one dict display cannot build it."""
    shape: Shape = {}
    for row in rows:
        names = row.target.names if row.target is not None else None
        if not names or (pass_through and len(names) > 1) or not _fits(shape, names, row):
            return None
    return shape


def _fits(shape: Shape, names: Sequence[str], row: Row) -> bool:
    for name in names[:-1]:
        inner = shape.setdefault(name, {})
        if not isinstance(inner, dict):
            return False
        shape = inner
    if names[-1] in shape:
        return False
    shape[names[-1]] = row
    return True


def _display(
    shape: Shape, unit: Unit, names: Names, null_safe: bool, pass_through: bool = False
) -> ast.Dict:
    keys: list[ast.expr | None] = [None] if pass_through else []
    values: list[ast.expr] = [load(DOCUMENT)] if pass_through else []
    for name, part in shape.items():
        keys.append(ast.Constant(name))
        if isinstance(part, dict):
            values.append(_display(part, unit, names, null_safe))
        else:
            values.append(_value(part, unit, names, null_safe))
    return ast.Dict(keys, values)


def _value(row: Row, unit: Unit, names: Names, null_safe: bool) -> ast.expr:
    if isinstance(row.source, Constant):
        return unit.constant(row.source.value)
    return emitted(Fast(unit, row.source, names, null_safe), parse(row.source), ())


# --- row by row ---


def _row_by_row(rows: list[Row], pass_through: bool) -> Callable[[Any], Any]:
    def apply(document: Any) -> Any:
        restart()
        output = _start(document, pass_through)
        owned: Owned = {id(output): output}
        for row in rows:
            try:
                output = _applied(row, document, output, owned)
            except EvaluationError as error:
                error.target = row.target.text if row.target is not None else ""
                raise
        return output

    return apply


def _start(document: Any, pass_through: bool) -> Any:
    if not pass_through:
        return {}
    if document.__class__ is not dict:
        raise EvaluationError(f"the mapping root is {kind_of(document)}, not an object")
    return dict(document)


def _applied(row: Row, document: Any, output: Any, owned: Owned) -> Any:
    path = row.target or row.deleted
    assert path is not None
    try:
        if row.deleted is not None:
            return row.deleted.remove(output, owned, document, row.must_be_there)
        value = row.value(document) if row.value is not None else row.source.value  # type: ignore[union-attr]
        if path.is_root:
            return _merged_at_root(output, value)
        return path.write(output, value, owned, document)
    except FAILURES as failure:
        raise path.error(failure) from None


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
