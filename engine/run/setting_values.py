"""Results of expressions as the values of the settings that they stand for."""

from __future__ import annotations

from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec

from engine.errors import DataError
from engine.numbers import as_integer
from engine.sdk.conversion import in_words
from engine.sdk.settings import Evaluated, shown

T = TypeVar("T")


def converted(value: Any, setting: Evaluated[T]) -> T:
    """The result of an expression, as the type of the setting. Raises DataError."""
    assert setting.expression is not None  # only expressions are evaluated
    if setting.kind is int:
        value = as_integer(value)
    try:
        return msgspec.convert(value, setting.kind, strict=False)  # type: ignore[no-any-return]
    except msgspec.ValidationError as error:
        summary = f"the expression {setting.expression.text!r} returned an invalid value"
        if get_origin(setting.kind) is Literal:
            choices = ", ".join(get_args(setting.kind))
            raise DataError(summary, f"expected one of {choices}, got {shown(value)}") from None
        hint = "give a default: $name != null ? $name : ''" if value is None else ""
        raise DataError(summary, in_words(error, value), hint) from None
