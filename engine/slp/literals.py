"""Stored values as values of our settings: words, numbers as strings, constant expressions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, get_origin

import msgspec

from engine.sdk.setting_paths import alternatives, evaluated_type, words_of
from engine.sdk.settings import Expression, Path, TargetPath
from engine.slp.stored import Leaf

_CONSTANT_TEXT = re.compile(r"""\s*(?:"([^"\\\n]*)"|'([^'\\\n]*)')\s*""")
_CONSTANT = re.compile(r"\s*(-?\d+(?:\.\d+)?|true|false)\s*")
_NUMBER_OR_FLAG = re.compile(r"-?(?:0|[1-9]\d{0,30})(?:\.\d{1,30})?|true|false")
_FLAGS = {"true": True, "false": False}


_PLAIN_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_NAME_AS_PATH = re.compile(
    r"""\$(?:([A-Za-z_]\w*)|\[\s*(?:"([^"\\]*)"|'([^'\\]*)')\s*\])""", re.ASCII
)


class NotConvertibleError(Exception):
    """A stored value that a setting of ours cannot have; the text says what it would need."""


def value_for(kind: Any, leaf: Leaf, words: Mapping[str, Any], *, is_path: bool = False) -> Any:
    """The value to write in YAML for a stored value; None if it is unset.

    `words` maps stored words to our values; "" stands for an unset value. With `is_path` a setting
    that takes an expression or a path gets a path.
    """
    if leaf.is_unset:
        return words.get("")
    kinds = list(alternatives(kind))
    if Expression in kinds and not is_path:
        return expression_of(leaf)
    if any(each in (Path, TargetPath) for each in kinds):
        return leaf.text.strip()
    evaluated = [inner for each in kinds if (inner := evaluated_type(each)) is not None]
    if leaf.is_expression:
        constant = constant_of(leaf.text)
        if constant is None:
            if evaluated:
                return f"= {leaf.text.strip()}"
            raise NotConvertibleError("an expression")
        leaf = Leaf(constant)
    found = _literal(evaluated or kinds, leaf, words)
    if evaluated and isinstance(found, str) and found.startswith("="):
        return f"= {msgspec.json.encode(found).decode()}"
    return found


def expression_of(leaf: Leaf) -> Any:
    """An expression as in YAML, where a number may stand for itself; a literal becomes one."""
    if not leaf.is_expression and isinstance(leaf.value, str):
        return string_literal(leaf.value)
    text = leaf.text.strip()
    if _NUMBER_OR_FLAG.fullmatch(text):
        return msgspec.json.decode(text, type=bool | int | Decimal, strict=True)
    return text


def path_of_name(name: str) -> str:
    """The path of a field with that name, whatever characters it has."""
    return name if _PLAIN_NAME.fullmatch(name) else f"$[{string_literal(name)}]"


def name_of_path(path: str) -> str:
    """The name of the only field of a path; any other path stays as it is."""
    found = _NAME_AS_PATH.fullmatch(path.strip())
    return next(each for each in found.groups() if each is not None) if found else path


def string_literal(text: str) -> str:
    """A string as an expression, in single quotes if that needs no escapes."""
    if text.isprintable() and "'" not in text and "\\" not in text:
        return f"'{text}'"
    return msgspec.json.encode(text).decode()


def constant_of(expression: str) -> Any:
    """The value of an expression that is only a quoted string, a number or a flag, else None."""
    if found := _CONSTANT_TEXT.fullmatch(expression):
        return found[1] if found[1] is not None else found[2]
    if found := _CONSTANT.fullmatch(expression):
        text = found[1]
        return _FLAGS[text] if text in _FLAGS else Decimal(text) if "." in text else int(text)
    return None


def _literal(kinds: list[Any], leaf: Leaf, words: Mapping[str, Any]) -> Any:
    if leaf.text in words:
        return words[leaf.text]
    for kind in kinds:
        if get_origin(kind) is Literal:
            if (found := _choice(kind, leaf.text)) is not None:
                return found
        elif (found := _plain(kind, leaf)) is not None:
            return found
    known = ", ".join(str(word) for kind in kinds for word in words_of(kind))
    raise NotConvertibleError(f"{leaf.text!r}" + (f" (it can be {known})" if known else ""))


def _choice(kind: Any, text: str) -> Any:
    wanted = re.sub(r"[\W_]+", "_", text.strip()).lower()
    return next((word for word in words_of(kind) if str(word).lower() == wanted), None)


def _plain(kind: Any, leaf: Leaf) -> Any:
    value = leaf.value
    if kind is bool:
        return value if isinstance(value, bool) else _FLAGS.get(leaf.text.strip().lower())
    if kind in (int, float):
        return _number(kind, leaf)
    if kind is str:
        return leaf.text
    return value


def _number(kind: Any, leaf: Leaf) -> Any:
    try:
        number = Decimal(leaf.text.strip())
    except InvalidOperation:
        return None
    if isinstance(leaf.value, bool) or not number.is_finite():
        return None
    if number == number.to_integral_value():
        return int(number)
    return number if kind is float else None
