"""Names of files that a snap computes, each with the part that the pipeline's author wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.documents import Document
from engine.expressions import Parts, compile_parts
from engine.run.setting_values import converted
from engine.sdk.files import FileName
from engine.sdk.settings import Evaluated, Expression

if TYPE_CHECKING:
    from engine.run.context import SnapContext


class ComputedNames:
    """The names of one snap's files; what data adds to one counts as data."""

    def __init__(self, context: SnapContext) -> None:
        self._context = context
        self._parts: dict[Expression, Parts | None] = {}

    def name(self, setting: Evaluated[str], document: Document, *, allow_outside: bool) -> FileName:
        parts = None
        rules = self._context.execution.identity.files
        if setting.expression is not None and not (allow_outside and rules.allow_outside):
            parts = self._parts_of(setting.expression)
        if parts is None:
            return FileName(self._context.value(setting, document))
        literal, added = parts(document)
        if literal and added is None:
            return FileName(converted(literal, setting))
        if literal and literal.__class__ is str:
            return FileName(literal + added, literal)
        if literal == "" and added is not None:
            return FileName(converted(added, setting), "")
        return FileName(self._context.value(setting, document), "")  # such as `1 + $name`

    def _parts_of(self, expression: Expression) -> Parts | None:
        if expression not in self._parts:
            self._parts[expression] = compile_parts(
                expression.text,
                scope=self._context.scope,
                data_parameters=self._context.data_parameters,
            )
        return self._parts[expression]
