"""Settings for readers, with types in plain words, and tables of them."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from engine.sdk import (
    Account,
    AccountPerDocument,
    BoundText,
    Evaluated,
    Expression,
    Path,
    Settings,
    TargetPath,
)
from engine.sdk.settings import SettingFacts, rows_in, settings_of
from engine.sdk.yaml_text import inline

_WORDS: dict[Any, tuple[str, str]] = {
    Expression: ("expression", "expressions"),
    Path: ("path", "paths"),
    TargetPath: ("target path", "target paths"),
    BoundText: ("string with `$path`, or `=` expression", "strings"),
    str: ("string", "strings"),
    int: ("integer", "integers"),
    float: ("number", "numbers"),
    bool: ("true or false", "true or false"),
    Any: ("any value", "any values"),
}

_ACCOUNTS = (Account, AccountPerDocument)


class SettingEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One setting for readers; `rows` describes the rows of a table in it.

    `default` and `example` are plain values; None: there is none.
    """

    name: str
    type: str
    help: str
    required: bool = False
    default: Any = None
    choices: tuple[Any, ...] = ()
    example: Any = None
    rows: tuple[SettingEntry, ...] = ()


def setting_entries(cls: type[Settings]) -> tuple[SettingEntry, ...]:
    """The settings of a class, in order."""
    return tuple(map(_entry, settings_of(cls).values()))


def _entry(fact: SettingFacts) -> SettingEntry:
    kinds = (fact.type, *get_args(fact.type))
    is_account = any(get_origin(kind) in _ACCOUNTS for kind in kinds)
    rows = () if is_account else rows_in(fact.type)  # an account's fields are in a file of its own
    return SettingEntry(
        name=fact.name,
        type=type_text(fact.type),
        help=fact.help,
        required=fact.required,
        default=None if fact.required else default_value(fact),
        choices=tuple(_choices(fact.type)),
        example=fact.example,
        rows=tuple(entry for row in rows for entry in setting_entries(row)),
    )


def default_value(fact: SettingFacts) -> Any:
    """The default as a plain value; None if there is none, or if it is empty."""
    value = fact.default.value if isinstance(fact.default, Evaluated) else fact.default
    value = value.text if isinstance(value, Path | Expression) else value
    return None if value is None or value in ("", (), [], {}) else msgspec.to_builtins(value)


def _choices(kind: Any) -> Iterator[Any]:
    if get_origin(kind) is Literal:
        yield from get_args(kind)
    elif get_origin(kind) in (Evaluated, Union, types.UnionType):
        for argument in get_args(kind):
            yield from _choices(argument)


def default_text(entry: SettingEntry) -> str:
    """A default as one would write it; empty if there is none."""
    value = entry.default
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def example_text(entry: SettingEntry) -> str:
    """An example value as YAML on one line; empty if there is none."""
    return "" if entry.example is None else inline(entry.example)


def settings_lines(entries: tuple[SettingEntry, ...]) -> Iterator[str]:
    """The table of settings, and one for each kind of row in them."""
    if not entries:
        yield "It has no settings.\n"
        return
    yield from _table("setting", entries)
    for entry in entries:
        if entry.rows:
            yield f"A row of `{entry.name}`:\n"
            yield from _table("key", entry.rows)


def _table(first: str, entries: tuple[SettingEntry, ...]) -> Iterator[str]:
    yield f"| {first} | type | default | meaning | example |\n|---|---|---|---|---|"
    for entry in entries:
        default = _code(default_text(entry)) or ("required" if entry.required else "none")
        example = _code(example_text(entry))
        cells = (f"`{entry.name}`", entry.type, default, entry.help, example)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def type_text(kind: Any, *, many: bool = False) -> str:
    """A type in plain words: `dict[Path, Expression]` is a map of path to expression."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in _WORDS:
        return _WORDS[kind][many]
    if origin in _ACCOUNTS:
        kinds = get_args(arguments[0]) or arguments
        return f"account ({', '.join(f'`{kind.kind}`' for kind in kinds)}) or `=` expression"
    if origin is Evaluated:
        return f"{type_text(arguments[0])} or `=` expression"
    if origin is Literal:
        *others, last = (f"`{choice}`" for choice in arguments)
        return f"{', '.join(others)} or {last}"
    if origin in (Union, types.UnionType):
        return " or ".join(type_text(each) for each in arguments if each is not types.NoneType)
    if origin in (tuple, list):
        return f"list{'s' * many} of {type_text(arguments[0], many=True)}"
    if origin is dict:
        if arguments == (str, Any):
            return "maps" if many else "map"
        return f"map{'s' * many} of {type_text(arguments[0])} to {type_text(arguments[1])}"
    return "rows" if many else "row"
