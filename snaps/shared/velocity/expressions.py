"""References and the expressions of directives, parsed once and evaluated in a scope."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Protocol

from engine.sdk import DataError, Document, Value, exact_decimals, excerpt
from snaps.shared.velocity.values import (
    MissingError,
    are_equal,
    as_text,
    call,
    is_true,
    member,
    number_of,
)


@dataclass(slots=True)
class Scope:
    """What references lead to: variables of the template, parameters, fields of the document."""

    document: Document
    parameters: Mapping[str, str | None]
    variables: dict[str, Value]

    def root(self, name: str) -> Value:
        """Raises MissingError."""
        if name in self.variables:
            return self.variables[name]
        if name.startswith("_") and name[1:] in self.parameters:
            return self.parameters[name[1:]]
        return member(self.document, name)


class Expression(Protocol):
    def value(self, scope: Scope) -> Value: ...


@dataclass(frozen=True, slots=True)
class Literal:
    constant: Value

    def value(self, scope: Scope) -> Value:
        return self.constant


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a reference: a key or index, or a method if there are `arguments`."""

    key: Expression
    arguments: tuple[Expression, ...] | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """`$name.field[0].method()`, as `written`. A `quiet` one (`$!name`) may lead nowhere."""

    written: str
    name: str
    steps: tuple[Step, ...]
    quiet: bool
    position: int

    def value(self, scope: Scope) -> Value:
        """As in a directive: what leads nowhere is null."""
        try:
            return self.found(scope)
        except MissingError:
            return None

    def found(self, scope: Scope) -> Value:
        """Raises MissingError if it leads nowhere."""
        value = scope.root(self.name)
        for step in self.steps:
            key = step.key.value(scope)
            if step.arguments is None:
                value = member(value, key)
            else:
                value = call(value, key, [each.value(scope) for each in step.arguments])
        return value

    @property
    def last_name(self) -> str:
        """The name at its end; empty if it ends in an index or a call."""
        if not self.steps:
            return self.name
        key, arguments = self.steps[-1].key, self.steps[-1].arguments
        return str(key.constant) if isinstance(key, Literal) and arguments is None else ""

    def ending_in(self, name: str) -> Reference:
        """The same reference with another name at its end."""
        if not self.steps:
            return replace(self, name=name)
        return replace(self, steps=(*self.steps[:-1], Step(Literal(name))))


@dataclass(frozen=True, slots=True)
class ListOf:
    items: tuple[Expression, ...]

    def value(self, scope: Scope) -> Value:
        return [item.value(scope) for item in self.items]


@dataclass(frozen=True, slots=True)
class Range:
    first: Expression
    last: Expression

    def value(self, scope: Scope) -> Value:
        first, last = (_integer(each, scope) for each in (self.first, self.last))
        if abs(last - first) > MAX_RANGE:
            raise DataError(
                "a range of the template is too long",
                f"it goes from {first} to {last}; the limit is {MAX_RANGE:,} numbers",
                "make the documents in a script",
            )
        step = 1 if first <= last else -1
        return list(range(first, last + step, step))


MAX_RANGE = 1_000_000


@dataclass(frozen=True, slots=True)
class Not:
    operand: Expression

    def value(self, scope: Scope) -> Value:
        return not is_true(self.operand.value(scope))


@dataclass(frozen=True, slots=True)
class Joined:
    """Text with references in it, between double quotes."""

    parts: tuple[Expression, ...]

    def value(self, scope: Scope) -> Value:
        texts = []
        for part in self.parts:
            try:
                found = part.found(scope) if isinstance(part, Reference) else part.value(scope)
            except MissingError:
                found = getattr(part, "written", "")
            texts.append(as_text(found))
        return "".join(texts)


@dataclass(frozen=True, slots=True)
class Binary:
    sign: str
    left: Expression
    right: Expression

    def value(self, scope: Scope) -> Value:
        left = self.left.value(scope)
        if self.sign == "&&":
            return is_true(left) and is_true(self.right.value(scope))
        if self.sign == "||":
            return is_true(left) or is_true(self.right.value(scope))
        right = self.right.value(scope)
        if self.sign in _EQUALITY:
            return are_equal(left, right) == _EQUALITY[self.sign]
        if self.sign == "+" and (isinstance(left, str) or isinstance(right, str)):
            return as_text(left) + as_text(right)
        return self._of_numbers(left, right)

    def _of_numbers(self, left: Value, right: Value) -> Value:
        try:
            numbers = number_of(left), number_of(right)
        except ValueError:
            if self.sign in _ORDER and isinstance(left, str) and isinstance(right, str):
                return _ORDER[self.sign](left, right)
            raise DataError(
                f"the template cannot compute {excerpt(left)} {self.sign} {excerpt(right)}",
                "one of them is not a number",
                "compare it with null first: #if($x) ... #end",
            ) from None
        if self.sign in _ORDER:
            return _ORDER[self.sign](*numbers)
        return _computed(self.sign, *numbers)


def _computed(sign: str, left: Any, right: Any) -> Value:
    if sign in "/%" and not right:
        raise DataError("the template divides by zero", f"{left} {sign} {right}", "check the value")
    with exact_decimals():
        if sign in _ARITHMETIC:
            return _ARITHMETIC[sign](left, right)
        if isinstance(left, int) and isinstance(right, int):  # towards zero, as Java does
            quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
            return quotient if sign == "/" else left - quotient * right
        left, right = Decimal(left), Decimal(right)
        return left / right if sign == "/" else left % right


def _integer(expression: Expression, scope: Scope) -> int:
    value = expression.value(scope)
    try:
        return int(number_of(value))
    except ValueError:
        raise DataError(
            f"the template has a range with {excerpt(value)}",
            "it is not a number",
            "write integers, as in [1..3]",
        ) from None


_EQUALITY = {"==": True, "!=": False}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}
