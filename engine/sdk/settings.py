"""Settings of a snap: declared once with type, default and help; everything else is derived.

A settings class is a frozen dataclass. `convert` creates one from the values in a pipeline file. It
collects every mistake as an `Issue` with the path of the offending key, so that a checker can point
to it, and never raises for a user's mistake.
"""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, partial
from math import isinf
from typing import (
    Any,
    Generic,
    Literal,
    TypeVar,
    Union,
    cast,
    dataclass_transform,
    get_args,
    get_origin,
)
from typing import get_type_hints as type_hints_of

import msgspec

from engine.errors import Severity
from engine.sdk.dialects import value_hint
from engine.sdk.excerpts import in_json

T = TypeVar("T")
S = TypeVar("S", bound="Settings")
Key = str | int
KeyPath = tuple[Key, ...]


class Expression(msgspec.Struct, frozen=True):
    """A setting that is an expression: its text, compiled when the snap opens."""

    text: str


class Path(msgspec.Struct, frozen=True):
    """A setting that is a path into a document (`$a.b`, `$list[*].x`)."""

    text: str


class TargetPath(Path, frozen=True):
    """A path for writing; its names end only at `.`, `[` and `(`."""


class Evaluated(msgspec.Struct, Generic[T], frozen=True):
    """A setting that may be an expression: it is one if its text starts with `=`.

    `kind` is the type of the value; the expression's result is converted to it.
    """

    value: T | None = None
    expression: Expression | None = None
    kind: Any = str


def setting(*, help: str, default: Any = dataclasses.MISSING, example: Any = None) -> Any:  # noqa: A002
    """Declare a setting, required unless it has a default. List and map defaults are copied."""
    metadata = {"help": help, "example": example}
    if isinstance(default, list | dict):
        return dataclasses.field(default_factory=default.copy, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def outside_setting() -> Any:
    """The setting `allow_outside`, for snaps with a setting that names a file."""
    return setting(
        default=False,
        help="Allow data to name files anywhere. Otherwise, values from the document cannot lead "
        "out of the folder with which the expression begins, or out of the project.",
    )


@dataclass_transform(
    field_specifiers=(setting, outside_setting), frozen_default=True, kw_only_default=True
)
class Settings:
    """Base of all settings classes, and of the rows of a table in them."""

    def __init_subclass__(cls) -> None:
        dataclass(frozen=True, kw_only=True)(cls)

    def settled(self: S) -> S:
        """The final settings: override it if the meaning of one depends on others."""
        return self


class NoSettings(Settings):
    """The settings of a snap that has none."""


class Issue(msgspec.Struct, frozen=True):
    """A mistake in the value at `path` of some settings; with `at_key`, in the key itself.

    It has no place in a file yet: the checker turns it into a Problem.
    """

    path: KeyPath
    message: str
    hint: str = ""
    code: str = "bad-setting"
    severity: Severity = "error"
    at_key: bool = False


class SettingFacts(msgspec.Struct, frozen=True):
    """The declaration of one setting, for documentation, schema and error messages."""

    name: str
    type: Any
    help: str
    required: bool
    default: Any
    example: Any


def settings_of(cls: type[Settings]) -> Mapping[str, SettingFacts]:
    """The settings that a class declares, in order."""
    return _settings_of(cast(Any, cls))  # mypy considers the class unhashable


@cache
def _settings_of(cls: Any) -> Mapping[str, SettingFacts]:
    hints = type_hints_of(cls, include_extras=True)
    facts = {}
    for field in dataclasses.fields(cls):
        missing = field.default is dataclasses.MISSING
        factory = field.default_factory
        default = None if missing else field.default
        if factory is not dataclasses.MISSING:
            default, missing = factory(), False
        facts[field.name] = SettingFacts(
            name=field.name,
            type=hints[field.name],
            help=field.metadata.get("help", ""),
            required=missing,
            default=default,
            example=field.metadata.get("example"),
        )
    return facts


def rows_in(kind: Any) -> Iterator[type[Settings]]:
    """The settings classes of the rows that a type holds, as in `tuple[Row, ...]`."""
    if isinstance(kind, type) and issubclass(kind, Settings):
        yield kind
    for argument in get_args(kind):
        yield from rows_in(argument)


def convert(cls: type[Settings], values: Mapping[str, Any]) -> tuple[Settings | None, list[Issue]]:
    """The settings object, or None and all mistakes in `values`."""
    issues: list[Issue] = []
    settings = _convert_settings(cls, values, (), issues)
    return (None, issues) if issues else (settings, [])


def convert_partly(cls: type[Settings], values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that can be converted although others have mistakes, for further checks."""
    facts = settings_of(cls)
    return {
        name: _convert_value(facts[name].type, value, (name,), [])
        for name, value in values.items()
        if name in facts and value is not None
    }


def expressions_in(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Expression | Path]]:
    """Every expression and path in a settings object, with the path of its key."""
    if isinstance(value, Expression | Path):
        yield path, value
    elif isinstance(value, Evaluated):
        if value.expression is not None:
            yield path, value.expression
    elif isinstance(value, Settings):
        for name in settings_of(type(value)):
            yield from expressions_in(getattr(value, name), (*path, name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(key, Path):
                yield (*path, key.text, KEY), key
            text = key.text if isinstance(key, Path) else key
            yield from expressions_in(item, (*path, text))
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for index, item in enumerate(value):
            yield from expressions_in(item, (*path, index))


KEY = -1
"""Last element of a key path that refers to the key itself rather than its value."""


def _convert_settings(
    cls: type[Settings], values: Any, path: KeyPath, issues: list[Issue]
) -> Settings | None:
    if not isinstance(values, Mapping):
        issues.append(_not_a_map(cls, values, path))
        return None
    facts = settings_of(cls)
    meant = ""
    for key in values:
        if key not in facts:
            known = ", ".join(facts) or "none"
            near = nearest_hint(str(key), facts)
            meant += near
            issues.append(
                Issue(
                    (*path, key),
                    f"there is no setting {key!r}",
                    near or f"the settings are: {known}",
                    code="unknown-setting",
                    at_key=True,
                )
            )
    converted: dict[str, Any] = {}
    for name, fact in facts.items():
        given = values.get(name)
        if given is not None:
            converted[name] = _convert_value(fact.type, given, (*path, name), issues)
        elif fact.required and repr(name) not in meant:
            message = f"the setting {name!r} is missing"
            issues.append(Issue(path, message, fact.help, code="missing-setting"))
    return None if issues else cls(**converted).settled()


def _not_a_map(cls: type[Settings], value: Any, path: KeyPath) -> Issue:
    if not path or not isinstance(path[-1], int):
        return _wrong_type(path, "a map of settings", value)
    examples = {f.name: f.example for f in settings_of(cls).values() if f.example is not None}
    sample = ", ".join(f"{name}: {example}" for name, example in examples.items())
    such = f" such as {{{sample}}}" if sample else ""
    message = f"row {path[-1] + 1} of {str(path[-2])!r}: expected a map{such}, got {shown(value)}"
    return Issue(path, message, code="wrong-type")


def _convert_value(kind: Any, value: Any, path: KeyPath, issues: list[Issue]) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Expression:
        return _convert_expression(value, path, issues)
    if kind in (Path, TargetPath):
        return _convert_leaf(str, value, path, issues, kind)
    if origin is Evaluated:
        return _convert_evaluated(arguments[0], value, path, issues)
    if isinstance(kind, type) and issubclass(kind, Settings):
        return _convert_settings(kind, value, path, issues)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return _convert_rows(arguments[0], value, path, issues)
    if origin in (dict, Mapping):
        return _convert_map(arguments, value, path, issues)
    if origin in (Union, types.UnionType):
        return _convert_union(arguments, value, path, issues)
    if origin is Literal:
        return _convert_choice(arguments, value, path, issues)
    return _convert_leaf(kind, value, path, issues)


def _convert_expression(value: Any, path: KeyPath, issues: list[Issue]) -> Expression | None:
    if isinstance(value, str) and value.startswith("="):
        message = f"{path[-1]!r} is always an expression, so it must not start with '='"
        issues.append(Issue(path, message, "leave out the '='", code="expression-syntax"))
        return None
    if isinstance(value, str):
        return Expression(value)
    if value is None or isinstance(value, bool | int | float | Decimal):
        return Expression(in_json(value))
    hint = "put the expression in quotes if it starts with { or ["
    issues.append(_wrong_type(path, "an expression", value, hint))
    return None


def _convert_evaluated(kind: Any, value: Any, path: KeyPath, issues: list[Issue]) -> Any:
    if isinstance(value, str) and value.startswith("="):
        return Evaluated(expression=Expression(value[1:].strip()), kind=kind)
    if get_origin(kind) is Literal:
        choice = _convert_choice(get_args(kind), value, path, issues)
        return None if choice is None else Evaluated(value=choice, kind=kind)
    return _convert_leaf(kind, value, path, issues, partial(Evaluated, kind=kind))


def _convert_rows(kind: Any, value: Any, path: KeyPath, issues: list[Issue]) -> Any:
    if not isinstance(value, list | tuple):
        issues.append(_wrong_type(path, "a list", value))
        return ()
    return tuple(
        _convert_value(kind, item, (*path, index), issues) for index, item in enumerate(value)
    )


def _convert_map(arguments: Any, value: Any, path: KeyPath, issues: list[Issue]) -> Any:
    if not isinstance(value, Mapping):
        issues.append(_wrong_type(path, "a map", value))
        return {}
    key_kind, item_kind = arguments
    return {
        (key_kind(str(key)) if key_kind in (Path, TargetPath) else key): _convert_value(
            item_kind, item, (*path, key), issues
        )
        for key, item in value.items()
    }


def _convert_union(arguments: Any, value: Any, path: KeyPath, issues: list[Issue]) -> Any:
    """The first alternative that accepts the value; None stands for a missing setting.

    If none does, the issues of the alternative that got furthest are reported.
    """
    if isinstance(value, Decimal) and float in arguments:  # no other alternative takes it
        return _convert_leaf(float, value, path, issues)
    best: tuple[int, Any, list[Issue]] = (-1, None, [])
    for kind in arguments:
        if kind is types.NoneType:
            continue
        found: list[Issue] = []
        converted = _convert_value(kind, value, path, found)
        if not found:
            return converted
        depth = max(len(issue.path) for issue in found)
        if depth >= best[0]:
            best = (depth, converted, found)
    issues.extend(best[2])
    return best[1]


def _convert_choice(choices: Any, value: Any, path: KeyPath, issues: list[Issue]) -> Any:
    """One of several words, in any case: SnapLogic's own files write OVERWRITE."""
    words = {choice.lower(): choice for choice in choices}
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    known = ", ".join(choices)
    issues.append(_wrong_type(path, f"one of {known}", value, nearest_hint(str(value), choices)))
    return None


def _convert_leaf(
    kind: Any, value: Any, path: KeyPath, issues: list[Issue], wrap: Any = None
) -> Any:
    try:
        converted = msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        inner = _path_in(error)
        for step in inner:
            value = value[step]
        message = f"{path[-1]!r}: {in_words(error, value)}"
        issues.append(Issue((*path, *inner), message, value_hint(kind, value), code="wrong-type"))
        return None
    if converted.__class__ is float and isinf(converted):
        issues.append(_wrong_type(path, "a number below 1.8e308", value))
        return None
    return converted if wrap is None else wrap(converted)


def _path_in(error: msgspec.ValidationError) -> KeyPath:
    """The place in a value that msgspec reports as ` - at `$[3]``, as far as it is a list."""
    place = re.search(r" - at `\$((?:\[\d+\])*)", str(error))
    return tuple(int(step) for step in re.findall(r"\d+", place[1])) if place else ()


_WORDS = {
    "`str`": "a string",
    "`int`": "a whole number",
    "`float`": "a number",
    "`decimal`": "a number",
    "`bool`": "true or false",
    "`object`": "a map",
    "`array`": "a list",
    "`null`": "nothing",
}


def in_words(error: msgspec.ValidationError, value: Any) -> str:
    text = str(error).split(" - at ")[0]
    for technical, plain in _WORDS.items():
        text = text.replace(technical, plain)
    return f"{text[0].lower()}{text[1:]} ({shown(value)})"


def _wrong_type(path: KeyPath, expected: str, value: Any, hint: str = "") -> Issue:
    name = repr(path[-1]) if path else "the settings"
    message = f"{name}: expected {expected}, got {shown(value)}"
    return Issue(path, message, hint, code="wrong-type")


def shown(value: Any, limit: int = 60) -> str:
    """A user's value in quotes for a message, shortened if it is long."""
    text = value if isinstance(value, str) else in_json(value)
    if not text.isprintable():  # it might contain control sequences for the terminal
        text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[: limit + 1])
    return f"'{text[:limit]}…'" if len(text) > limit else f"'{text}'"


def nearest_hint(name: str, known: Any) -> str:
    """A "did you mean" for the known names that resemble `name`; empty if there are none."""
    from difflib import get_close_matches  # importing it takes a third of the engine's start time

    folded = {str(candidate).lower(): str(candidate) for candidate in known}
    close = get_close_matches(name.lower(), folded, n=2, cutoff=0.6)
    names = " or ".join(repr(folded[match]) for match in close)
    return f"did you mean {names}?" if names else ""
