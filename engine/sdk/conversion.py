"""From the values in a user's file to a settings object.

Every mistake is collected as an `Issue` with the path of the offending key, so that a checker can
point to it. Nothing here raises for a user's mistake.
"""

from __future__ import annotations

import re
import types
from collections.abc import Collection, Mapping
from decimal import Decimal
from functools import partial
from math import isinf
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec.structs import replace

from engine.hints import Addition, Hint, NewValue, Replacement
from engine.sdk.dialects import value_hint
from engine.sdk.excerpts import in_json
from engine.sdk.settings import (
    Account,
    AccountPerDocument,
    BoundText,
    Evaluated,
    Expression,
    Issue,
    KeyPath,
    Path,
    SettingFacts,
    Settings,
    TargetPath,
    nearest_hint,
    settings_of,
    shown,
)

S = TypeVar("S", bound=Settings)


def convert(cls: type[S], values: Mapping[str, Any]) -> tuple[S | None, list[Issue]]:
    """The settings object, or None and all mistakes in `values`."""
    issues: list[Issue] = []
    settings = _convert_settings(cls, values, (), issues)
    return (settings, []) if isinstance(settings, cls) and not issues else (None, issues)


def convert_partly(cls: type[Settings], values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that can be converted although others have mistakes, for further checks."""
    facts = settings_of(cls)
    return {
        name: _convert_value(facts[name].type, value, (name,), [])
        for name, value in values.items()
        if name in facts and value is not None
    }


def _convert_settings(
    cls: type[Settings], values: Any, path: KeyPath, issues: list[Issue]
) -> Settings | None:
    if not isinstance(values, Mapping):
        issues.append(_not_a_map(cls, values, path))
        return None
    facts = settings_of(cls)
    unknown = [str(key) for key in values if key not in facts]
    missing = [name for name, fact in facts.items() if fact.required and values.get(name) is None]
    free = [name for name in facts if name not in values]  # one that is given is hardly meant
    meant = ""
    for key in unknown:
        near = (
            _not_nested(key, values[key], free) or _other_word(key, free) or nearest_hint(key, free)
        )
        meant += near
        issues.append(
            Issue(
                (*path, key),
                f"there is no setting {key!r}",
                near
                or _instead_of(unknown, missing)
                or nearest_hint(key, facts)
                or _known_settings(facts),
                code="unknown-setting",
                at_key=True,
            )
        )
    converted: dict[str, Any] = {}
    for name, fact in facts.items():
        given = values.get(name)
        if given is not None:
            found: list[Issue] = []
            converted[name] = _convert_value(fact.type, given, (*path, name), found)
            issues += [_with_example(issue, (*path, name), fact) for issue in found]
        elif fact.required and repr(name) not in meant:
            issues.append(_missing(fact, path, is_empty=name in values))
    return None if issues else cls(**converted).settled()


def _not_nested(key: str, value: Any, free: Collection[str]) -> str:
    """The hint for a map that holds settings, as under `settings:`; else empty."""
    held = [str(name) for name in value if name in free] if isinstance(value, Mapping) else []
    names = ", ".join(map(repr, held))
    return f"remove '{key}:', and write {names} in its place" if held else ""


_OTHER_WORDS = {
    "folder": "directory",
    "dir": "directory",
    "pattern": "filter",
    "glob": "filter",
    "condition": "filter",
    "filename": "file",
    "path": "file",
    "url": "service_url",
}
"""What people call a setting, and its name in the snaps that have it."""


def _other_word(key: str, free: Collection[str]) -> str:
    """The hint for a key that is another word for a setting; else empty."""
    word = _OTHER_WORDS.get(key.lower(), "")
    return Hint(f"did you mean {word!r}?", [Replacement(word, key)]) if word in free else ""


def _instead_of(unknown: list[str], missing: list[str]) -> str:
    """The hint for the only unknown setting if a single setting is missing; else empty."""
    if len(unknown) != 1 or len(missing) != 1:
        return ""
    hint = f"rename it if you mean {missing[0]!r}, which is missing"
    return Hint(hint, [Replacement(missing[0], unknown[0])])


def _known_settings(facts: Mapping[str, SettingFacts]) -> str:
    if not facts:
        return "it has no settings"
    return f"the settings are: {', '.join(facts)}"


def _with_example(issue: Issue, path: KeyPath, fact: SettingFacts) -> Issue:
    """Where a list or a map is expected and nothing else is known, show the setting's example."""
    is_bare = issue.path == path and issue.code == "wrong-type" and not issue.hint
    if not is_bare or not isinstance(fact.example, list | dict):
        return issue
    from engine.sdk.yaml_text import inline  # imports yaml, needed for this message only

    return replace(issue, hint=f"for example: {fact.name}: {inline(fact.example)}")


def _missing(fact: SettingFacts, path: KeyPath, *, is_empty: bool) -> Issue:
    addition = _addition(fact)
    example = "" if fact.example is None else f" For example: {fact.name}: {addition.yaml}"
    help_text = f"{fact.help}{example}"
    if is_empty:
        message = f"the setting {fact.name!r} has no value"
        place = (*path, fact.name)
        return Issue(place, message, help_text, code="missing-setting", at_key=True)
    message = f"the setting {fact.name!r} is missing"
    return Issue(path, message, Hint(help_text, [addition]), code="missing-setting")


def _addition(fact: SettingFacts) -> Addition:
    """The setting with its example as value."""
    if fact.example is None:
        return Addition(fact.name)
    from engine.sdk.yaml_text import inline  # imports yaml, needed for messages only

    return Addition(fact.name, inline(fact.example))


def _not_a_map(cls: type[Settings], value: Any, path: KeyPath) -> Issue:
    if not path or not isinstance(path[-1], int):
        return _wrong_type(path, "a map of settings", value, _map_hint(cls))
    sample = ", ".join(_samples(cls))
    such = f" such as {{{sample}}}" if sample else ""
    message = f"row {path[-1] + 1} of {str(path[-2])!r}: expected a map{such}, got {shown(value)}"
    return Issue(path, message, code="wrong-type")


def _map_hint(cls: type[Settings]) -> str:
    """How a map of these settings begins."""
    if samples := _samples(cls):
        return f"write a map, such as {{{samples[0]}}}"
    return f"write a map; its keys are: {', '.join(settings_of(cls))}"


def _samples(cls: type[Settings]) -> list[str]:
    """The settings that have an example, each with it."""
    facts = settings_of(cls).values()
    return [f"{fact.name}: {fact.example}" for fact in facts if fact.example is not None]


def _convert_value(kind: Any, value: Any, path: KeyPath, issues: list[Issue]) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Expression:
        return _convert_expression(value, path, issues)
    if kind in (Path, TargetPath):
        return _convert_leaf(str, value, path, issues, kind)
    if origin is Evaluated:
        return _convert_evaluated(arguments[0], value, path, issues)
    if kind is BoundText:
        return _convert_bound_text(value, path, issues)
    if origin in (Account, AccountPerDocument):
        return _convert_account(origin, arguments[0], value, path, issues)
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


def _convert_bound_text(value: Any, path: KeyPath, issues: list[Issue]) -> Any:
    text = _convert_evaluated(str, value, path, issues)
    return None if text is None else BoundText(text.value, text.expression)


def _convert_account(cls: Any, kinds: Any, value: Any, path: KeyPath, issues: list[Issue]) -> Any:
    if isinstance(value, Mapping):
        hint = "write the account's fields to accounts/NAME.yaml, and only NAME here"
        message = f"{path[-1]!r}: expected the name of an account, got a map"
        issues.append(Issue(path, message, hint, code="wrong-type"))
        return None
    name = _convert_evaluated(str, value, path, issues)
    if name is None:
        return None
    return cls(name.value, name.expression, kinds=get_args(kinds) or (kinds,))


def _convert_rows(kind: Any, value: Any, path: KeyPath, issues: list[Issue]) -> Any:
    if not isinstance(value, list | tuple):
        is_single = _takes_plain(kind) and isinstance(value, str | int | float)
        hint = Hint(f"write a list: [{value}]", [NewValue(f"[{value}]")]) if is_single else ""
        issues.append(_wrong_type(path, "a list", value, hint))
        return ()
    return tuple(
        _convert_value(kind, item, (*path, index), issues) for index, item in enumerate(value)
    )


def _takes_plain(kind: Any) -> bool:
    """Whether an element of a list may be a plain text or number."""
    if get_origin(kind) in (Union, types.UnionType):
        return any(map(_takes_plain, get_args(kind)))
    return kind in (str, int, float, Path, TargetPath, Expression)


def _convert_map(arguments: Any, value: Any, path: KeyPath, issues: list[Issue]) -> Any:
    if not isinstance(value, Mapping):
        issues.append(_wrong_type(path, "a map", value, _dash_hint(value)))
        return {}
    key_kind, item_kind = arguments
    return {
        (key_kind(str(key)) if key_kind in (Path, TargetPath) else key): _convert_value(
            item_kind, item, (*path, key), issues
        )
        for key, item in value.items()
    }


def _dash_hint(value: Any) -> str:
    """How to turn a list of entries, such as `- a: 1`, into a map; empty for anything else."""
    entries = value if isinstance(value, list) else []
    if not entries or not all(isinstance(each, Mapping) and len(each) == 1 for each in entries):
        return ""
    return f"remove the '-' before each key, such as the one before {shown(str(*entries[0]))}"


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
        if best[2] and _dash_hint(value) and _has_foreign_keys(found):
            continue  # a map written as a list, for which an earlier alternative has the hint
        if depth >= best[0]:
            best = (depth, converted, found)
    issues.extend(best[2])
    return best[1]


def _has_foreign_keys(issues: list[Issue]) -> bool:
    """Whether a key is unknown that resembles no setting."""
    return any(
        issue.code == "unknown-setting" and not issue.hint.startswith("did you mean")
        for issue in issues
    )


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
        message = f"{_named(path)}: {in_words(error, value)}"
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
    "`null`": "null",
}


def in_words(error: msgspec.ValidationError, value: Any) -> str:
    text = str(error).split(" - at ")[0]
    for technical, plain in _WORDS.items():
        text = text.replace(technical, plain)
    words = f"{text[0].lower()}{text[1:]}"
    return words if value is None else f"{words} ({shown(value)})"


def _wrong_type(path: KeyPath, expected: str, value: Any, hint: str = "") -> Issue:
    message = f"{_named(path)}: expected {expected}, got {shown(value)}"
    return Issue(path, message, hint, code="wrong-type")


def _named(path: KeyPath) -> str:
    """`'env'`, or `element 2 of 'env'`."""
    if not path:
        return "the settings"
    *above, last = path
    return f"element {last + 1} of {_named(tuple(above))}" if isinstance(last, int) else repr(last)
